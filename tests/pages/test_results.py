"""The tables of results: order, standings, bars."""

import math
from dataclasses import replace

import pytest

from tttbench.core.metric import TOPLINE, Comparison, MetricInfo, Result
from tttbench.core.recipe import Recipe
from tttbench.pages.page import page
from tttbench.pages.results import Bar, ResultTable, bar_ends, result_tables
from tttbench.pages.view import ReportView, SystemView, TaskView

NAN = math.nan
RESULT = Result(
    *("a", "qa", "spoken_accuracy", 0.9, 0.85, 0.95, 40, 40, 0, 0, 0, 0),
    *(Recipe("r"), 0.9, 0.9, 40, "question"),
)
METRICS = {
    "spoken_accuracy": MetricInfo("Spoken answers right", "spoken", unit="%", scale=100, aggregation="binary"),
    "text_accuracy": MetricInfo("Written answers right", "written", unit="%", scale=100, aggregation="binary"),
    "wer": MetricInfo("Word error rate", "WER", unit="%", scale=100, direction="lower", aggregation="rate"),
    "mos": MetricInfo("Opinion", "MOS", unit="MOS", lowest=1, highest=5),
    "level": MetricInfo("Level", unit="dBFS", direction="none", highest=0),
    "seconds": MetricInfo("Length", unit="s", direction="none", lowest=0),
}
BEST = Comparison("a", "qa", "spoken_accuracy", "a", NAN, NAN, NAN, 0, 0, NAN, NAN, "best")
WORSE = Comparison("b", "qa", "spoken_accuracy", "a", -0.2, -0.3, -0.1, 40, 40, 0.001, 0.002, "worse")


def view_of(results: tuple[Result, ...] = (), comparisons: tuple[Comparison, ...] = ()) -> ReportView:
    return ReportView(
        name="run",
        suite="mini",
        title="",
        status="done",
        command="",
        expected=0,
        systems=(SystemView("a", "topk"), SystemView("b", "ar"), SystemView("c", "")),
        tasks=(TaskView("qa", "Questions", "qa", "", ("spoken_accuracy", "text_accuracy")),),
        results=results,
        probes=(),
        rows=(),
        metrics=METRICS,
        comparisons=comparisons,
    )


def table(*results: Result, comparisons: tuple[Comparison, ...] = ()) -> ResultTable:
    (found,) = result_tables(view_of(results, comparisons))
    return found


def test_every_cell_has_its_comparison() -> None:
    found = table(RESULT, replace(RESULT, system="b"), replace(RESULT, system="c"), comparisons=(WORSE, BEST))
    standings = [None if cell is None else cell.comparison for row in found.rows for cell in row.cells]
    assert standings == [BEST, WORSE, None]


def test_the_reference_audio_comes_last() -> None:
    ceiling = replace(RESULT, system=TOPLINE)
    found = table(ceiling, RESULT, replace(RESULT, system="unknown to the run"))
    assert [row.system for row in found.rows] == ["a", "unknown to the run", TOPLINE]


def test_metrics_stand_in_the_order_of_the_task_and_others_after_them() -> None:
    found = table(replace(RESULT, metric="spoken_gap"), replace(RESULT, metric="text_accuracy"), RESULT)
    assert [column.metric for column in found.columns] == ["spoken_accuracy", "text_accuracy", "spoken_gap"]


def test_a_system_without_a_metric_has_an_empty_cell() -> None:
    found = table(RESULT, replace(RESULT, system="b", metric="text_accuracy"))
    assert found.rows[1].cells[0] is None


@pytest.mark.parametrize(
    ("metric", "values", "ends"),
    [
        ("spoken_accuracy", [(0.5, 0.4, 0.6)], (0, 1)),
        ("mos", [(4.5, 4.2, 4.8)], (1, 5)),
        # Error rates go to 1, and beyond it as far as values go, and intervals up to two and a half times that.
        ("wer", [(0.1, 0.05, 0.2)], (0, 1)),
        ("wer", [(1.5, 1.1, 2.5), (0.1, NAN, NAN)], (0, 2.5)),
        ("wer", [(0.5, 0.1, 14.59)], (0, 2.5)),
        ("wer", [(4.0, 1.0, 50.0)], (0, 10)),
        ("seconds", [(2.0, 1.0, 3.0)], (0, 3)),
        ("seconds", [(2.0, 1.0, 300.0)], (0, 5)),
        ("seconds", [(NAN, NAN, NAN)], (0, 0)),
        ("level", [(-20.0, -22.0, -18.0)], (0, 0)),
    ],
)
def test_bars_go_from_end_to_end_of_what_there_can_be(
    metric: str, values: list[tuple[float, float, float]], ends: tuple[float, float]
) -> None:
    results = [replace(RESULT, metric=metric, value=v, ci_low=low, ci_high=high) for v, low, high in values]
    assert bar_ends(results, METRICS[metric]) == ends


def test_a_bar_is_cut_at_its_end() -> None:
    few = replace(RESULT, metric="wer", value=0.5, ci_low=0.25, ci_high=14.59)
    found = table(few)
    assert found.columns[0].bar(few) == Bar(10.0, 90.0, 20.0, True)
    assert found.columns[0].bar(replace(few, ci_low=NAN, ci_high=NAN)) is None
    mos = replace(RESULT, metric="mos", value=4.0, ci_low=3.0, ci_high=5.0)
    assert table(mos).columns[0].bar(mos) == Bar(50.0, 50.0, 75.0, False)


def text_of(*results: Result, comparisons: tuple[Comparison, ...] = ()) -> str:
    return " ".join(page(view_of(results, comparisons)).replace("\u00a0", " ").replace("\u2212", "-").split())


def test_the_page_says_how_each_stands_to_the_best() -> None:
    text = text_of(RESULT, replace(RESULT, system="b", value=0.7), comparisons=(BEST, WORSE))
    assert 'class="mark best" title="every other system is worse on the same answers">best<' in text
    assert '<span data-value="-0.2">-20.0 points [-30.0, -10.0]</span>, <span class="stands worse">worse' in text
    assert "worse (p = 0.002)" in text
    assert "Systems are compared in pairs" in text
    assert "Systems are compared in pairs" not in text_of(RESULT)


def test_the_page_says_what_is_not_settled_and_what_was_not_compared() -> None:
    tied = replace(WORSE, difference=0.0, ci_low=-0.05, ci_high=0.05, p_adjusted=1.0, standing="no difference found")
    failed = Comparison("c", "qa", "spoken_accuracy", "a", NAN, NAN, NAN, 0, 0, NAN, NAN, "not compared", "it failed")
    results = [replace(RESULT, system=name) for name in "abc"]
    text = text_of(*results, comparisons=(replace(BEST, standing="not settled"), tied, failed))
    assert ">not settled</span>" in text
    assert '+0.0 points [-5.0, +5.0]</span>, <span class="stands no">tied, no difference found (p = 1.000)' in text
    assert '<span class="stands not">not compared: it failed</span>' in text
    assert 'class="mark best" title' not in text


def test_the_page_names_what_was_counted_and_why_there_is_no_interval() -> None:
    of_speakers = replace(RESULT, n=100, n_units=10, unit="utterance", cluster="speaker")
    assert ">100 utterances of 10 speakers</span>:" in text_of(of_speakers)
    few = replace(RESULT, n=3, n_units=3, unit="utterance", ci_low=NAN, ci_high=NAN)
    assert "n too small for an interval (3 utterances, 8 are needed)" in text_of(few)
    equal = replace(RESULT, metric="level", ci_low=NAN, ci_high=NAN)
    assert "no interval: all values are equal" in text_of(equal)
    # Of a run of 0.1 it isn't known what was counted.
    assert "interval (" not in text_of(replace(few, n_units=0))


def test_spoken_scores_without_reference_audio_say_that_the_transcriber_s_own_errors_are_unknown() -> None:
    spoken = replace(RESULT, recipe=Recipe("spoken_accuracy@2", transcriber="whisper:base"))
    says = "own errors are unknown: Questions has no recordings of right answers."
    assert says in page(view_of((spoken,)))
    topline = replace(spoken, system=TOPLINE, metric="transcriber_wer")
    assert "errors are unknown" not in page(view_of((spoken, topline)))
    assert "errors are unknown" not in page(view_of((RESULT,)))  # nothing was transcribed
