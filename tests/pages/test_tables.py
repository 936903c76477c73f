import math
from dataclasses import replace

from tttbench.core.metric import TOPLINE, MetricInfo, ProbeResult, Result
from tttbench.core.recipe import Recipe
from tttbench.pages.page import page
from tttbench.pages.tables import latency_tables, result_tables
from tttbench.pages.view import ReportView, SystemView, TaskView

RESULT = Result("a", "qa", "spoken_accuracy", 0.9, 0.85, 0.95, 40, 40, 0, 0, 0, 0, Recipe("r"), 0.9, 0.9)
METRICS = {
    "spoken_accuracy": MetricInfo("Spoken answers right", "spoken", unit="%", scale=100, aggregation="binary"),
    "text_accuracy": MetricInfo("Written answers right", "written", unit="%", scale=100, aggregation="binary"),
    "wer": MetricInfo("Word error rate", "WER", unit="%", scale=100, direction="lower", aggregation="rate"),
}
PROBE = ProbeResult("a", "topk", "qa", "ttfa_wave", "s", 0.3, 0.4, 0.5, 40)


def view_of(results: tuple[Result, ...] = (), probes: tuple[ProbeResult, ...] = ()) -> ReportView:
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
        probes=probes,
        rows=(),
        metrics=METRICS,
    )


def marks(*results: Result) -> dict[str, str]:
    (table,) = result_tables(view_of(results))
    return {row.system: row.cells[0].mark for row in table.rows if row.cells[0] is not None}


def test_the_highest_accuracy_is_best_and_an_overlapping_interval_is_marked() -> None:
    near = replace(RESULT, system="b", value=0.84, ci_low=0.78, ci_high=0.86)
    far = replace(RESULT, system="c", value=0.5, ci_low=0.4, ci_high=0.6)
    assert marks(RESULT, near, far) == {"a": "best", "b": "overlaps", "c": ""}


def test_the_lowest_error_rate_is_best() -> None:
    error = replace(RESULT, metric="wer")
    assert marks(error, replace(error, system="b", value=0.1, ci_low=0.05, ci_high=0.2)) == {"a": "", "b": "best"}


def test_equal_or_lonely_systems_have_no_mark() -> None:
    assert marks(RESULT) == {"a": ""}
    assert marks(RESULT, replace(RESULT, system="b")) == {"a": "", "b": ""}


def test_the_reference_audio_is_shown_but_never_the_best() -> None:
    ceiling = replace(RESULT, system=TOPLINE, value=1.0)
    assert marks(RESULT, replace(RESULT, system="b", value=0.2, ci_low=0.1, ci_high=0.3), ceiling) == {
        "a": "best",
        "b": "",
        TOPLINE: "",
    }


def test_the_reference_audio_comes_last() -> None:
    ceiling = replace(RESULT, system=TOPLINE)
    (table,) = result_tables(view_of((ceiling, RESULT, replace(RESULT, system="unknown to the run"))))
    assert [row.system for row in table.rows] == ["a", "unknown to the run", TOPLINE]


def test_metrics_stand_in_the_order_of_the_task_and_others_after_them() -> None:
    results = (replace(RESULT, metric="spoken_gap"), replace(RESULT, metric="text_accuracy"), RESULT)
    (table,) = result_tables(view_of(results))
    assert [column.metric for column in table.columns] == ["spoken_accuracy", "text_accuracy", "spoken_gap"]


def test_a_system_without_a_metric_has_an_empty_cell() -> None:
    (table,) = result_tables(view_of((RESULT, replace(RESULT, system="b", metric="text_accuracy"))))
    assert table.rows[1].cells[0] is None


def test_latency_columns_come_in_reading_order_and_unknown_ones_last() -> None:
    names = ("stalls", "mystery", "rtf", "ttft", "rtf_input")
    (table,) = latency_tables(view_of(probes=tuple(replace(PROBE, metric=name) for name in names)))
    assert table.metrics == ("ttft", "rtf", "rtf_input", "stalls", "mystery")


def test_stages_stand_together_and_not_in_columns_of_their_own() -> None:
    names = ("rtf_decode", "rtf", "rtf_input_encode")
    (table,) = latency_tables(view_of(probes=tuple(replace(PROBE, metric=name) for name in names)))
    assert table.metrics == ("rtf",)
    assert [probe.metric for probe in table.rows[0].stages] == ["rtf_decode", "rtf_input_encode"]
    assert table.has_stages


def test_systems_stand_down_the_page_in_the_order_of_the_run() -> None:
    (table,) = latency_tables(view_of(probes=(replace(PROBE, system="c"), replace(PROBE, system="b"), PROBE)))
    assert [row.system for row in table.rows] == ["a", "b", "c"]


def test_a_system_without_a_latency_has_an_empty_cell() -> None:
    (table,) = latency_tables(view_of(probes=(PROBE, replace(PROBE, system="b", metric="ttft"))))
    assert [[cell is None for cell in row.cells] for row in table.rows] == [[True, False], [False, True]]


def best(*probes: ProbeResult) -> list[bool]:
    (table,) = latency_tables(view_of(probes=probes))
    return [row.cells[0].best for row in table.rows if row.cells[0] is not None]


def test_the_smallest_time_and_the_largest_throughput_are_best() -> None:
    assert best(PROBE, replace(PROBE, system="b", strategy="ar", p50=0.2)) == [False, True]
    rate = replace(PROBE, metric="codes_per_s", unit="1/s", p50=100.0)
    assert best(rate, replace(rate, system="b", strategy="ar", p50=90.0)) == [True, False]


def test_medians_within_five_per_cent_share_the_mark() -> None:
    slower = replace(PROBE, system="c", strategy="", p50=0.5)
    assert best(PROBE, replace(PROBE, system="b", strategy="ar", p50=0.314), slower) == [True, True, False]


def test_where_all_are_about_equal_nobody_is_best() -> None:
    assert best(PROBE, replace(PROBE, system="b", strategy="ar", p50=0.314)) == [False, False]


def test_a_row_says_how_many_requests_stand_behind_most_figures() -> None:
    probes = (PROBE, replace(PROBE, metric="ttft"), replace(PROBE, metric="rtf", n=39))
    (table,) = latency_tables(view_of(probes=probes))
    assert [row.n for row in table.rows] == [40]


def test_figures_of_the_whole_run_have_a_table_of_their_own() -> None:
    tables = latency_tables(view_of(probes=(PROBE, replace(PROBE, task="", metric="peak_memory", unit="MB"))))
    assert {table.title for table in tables} == {"Questions", "The whole run"}


def test_bars_end_at_one_unless_a_value_goes_beyond() -> None:
    error = replace(RESULT, metric="wer", value=1.5, ci_low=1.1, ci_high=2.5)
    (table,) = result_tables(view_of((RESULT, error, replace(error, system="b", value=0.1, ci_high=math.nan))))
    assert {column.metric: column.scale for column in table.columns} == {"spoken_accuracy": 1.0, "wer": 2.5}


def test_a_system_asked_several_requests_a_call_says_so() -> None:
    view = view_of(probes=(PROBE, replace(PROBE, system="b")))
    view = replace(view, systems=(SystemView("a", "topk"), SystemView("b", "ar", batch_size=8)))
    (table,) = latency_tables(view)
    assert [(row.system, row.batch_size) for row in table.rows] == [("a", 1), ("b", 8)]
    text = page(view)
    assert "n = 40, 8 a call" in text
    assert "works on them together, and each one" in text
    assert "works on them together, and each one" not in page(view_of(probes=(PROBE,)))
