from dataclasses import replace

from tttbench.core.metric import MetricInfo, ProbeResult, Result, TimedAnswers
from tttbench.pages.page import page
from tttbench.pages.tables import latency_tables, without_latency
from tttbench.pages.view import ReportView, SystemView, TaskView
from tttbench.store.timings import why_no_latency

METRICS = {
    "spoken_accuracy": MetricInfo("Spoken answers right", "spoken", unit="%", scale=100, aggregation="binary"),
    "text_accuracy": MetricInfo("Written answers right", "written", unit="%", scale=100, aggregation="binary"),
    "wer": MetricInfo("Word error rate", "WER", unit="%", scale=100, direction="lower", aggregation="rate"),
}
BUSY = "other processes kept 1.6 cores busy (allowed: 0.2)"
PROBE = ProbeResult("a", "topk", "qa", "ttfa_wave", "s", 0.3, 0.4, 0.5, 40)


def view_of(
    results: tuple[Result, ...] = (), probes: tuple[ProbeResult, ...] = (), timed: tuple[TimedAnswers, ...] = ()
) -> ReportView:
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
        timed=timed,
    )


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


def test_where_nothing_is_known_of_the_answers_a_row_says_how_many_stand_behind_most_figures() -> None:
    probes = (PROBE, replace(PROBE, metric="ttft"), replace(PROBE, metric="rtf", n=39))
    (table,) = latency_tables(view_of(probes=probes))
    assert [row.n for row in table.rows] == [40]


def test_figures_of_the_whole_run_have_a_table_of_their_own() -> None:
    tables = latency_tables(view_of(probes=(PROBE, replace(PROBE, task="", metric="peak_memory", unit="MB"))))
    assert {table.title for table in tables} == {"Questions", "The whole run"}


def test_a_row_says_which_answers_it_is_of() -> None:
    timed = TimedAnswers("a", "qa", 10, error=20, empty=10, cut=1)
    view = view_of((), (replace(PROBE, n=9), replace(PROBE, metric="latency", n=10)), (timed,))
    (table,) = latency_tables(view)
    assert [(row.n, row.left_out) for row in table.rows] == [(10, "20 errors, 10 empty, 1 cut by a length limit")]
    text = page(view)
    assert "n = 10</span>" in text
    assert "without 20 errors, 10 empty, 1 cut by a length limit" in text


def test_answers_without_times_are_not_called_incomplete() -> None:
    text = page(view_of((), (), (TimedAnswers("c", "qa", 11, empty=1),)))
    assert "c has no latency on Questions: its answers came without times, as recorded ones do." in text


def test_memory_is_one_figure_of_the_run_and_names_no_best() -> None:
    nan = float("nan")
    memory = ProbeResult("a", "topk", "", "peak_memory", "MB", 471.0, nan, nan, 1)
    view = view_of((), (memory, replace(memory, system="b", strategy="ar", p50=865.0)))
    (table,) = latency_tables(view)
    assert not table.has_best
    assert "n = 1" not in page(view)
    assert "Medians over" not in page(view)


def test_what_no_figure_has_is_not_explained() -> None:
    one, few = replace(PROBE, n=8, p90=float("nan")), replace(PROBE, n=40)
    assert "with P90" not in page(view_of((), (one,)))
    assert "with P90" in page(view_of((), (few,)))
    assert "marks the best median" not in page(view_of((), (PROBE,)))
    assert "marks the best median" in page(view_of((), (PROBE, replace(PROBE, system="b", p50=0.1))))


def test_where_the_machine_was_busy_figures_are_marked_and_nothing_beside_them_is_best() -> None:
    slow = replace(PROBE, system="b", strategy="ar", p50=0.6)
    nfe = [replace(one, metric="nfe", unit="passes", p50=value) for one, value in ((PROBE, 3.0), (slow, 9.0))]
    busy = (replace(PROBE, busy=BUSY), slow, *nfe)
    timed = (TimedAnswers("a", "qa", 40, busy=BUSY), TimedAnswers("b", "qa", 40))
    (table,) = latency_tables(view_of((), busy, timed))
    assert [row.busy for row in table.rows] == [BUSY, ""]
    assert [[cell.best for cell in row.cells if cell] for row in table.rows] == [[False, True], [False, False]]
    text = page(view_of((), busy, timed))
    assert text.count(f'<span class="mark busy" title="{BUSY}">busy</span>') == 1
    assert "no best is named beside it" in text
    assert "mark busy" not in page(view_of((), (PROBE, slow), ())).split("</style>")[1].split("<script>")[0]


def test_what_was_generated_together_has_a_table_of_compute_of_its_own() -> None:
    rtf = replace(PROBE, metric="rtf", unit="ratio")
    batched = [replace(rtf, system=name, strategy="", p50=value) for name, value in (("b", 0.1), ("c", 0.2))]
    timed = (
        TimedAnswers("a", "qa", 40),
        *(TimedAnswers(name, "qa", 40, together=8, why_no_latency=why_no_latency(8)) for name in ("b", "c")),
    )
    view = view_of((), (PROBE, rtf, *batched), timed)
    alone, together = latency_tables(view)
    assert ([row.system for row in alone.rows], alone.together, alone.why) == (["a"], 1, "")
    assert ([row.system for row in together.rows], together.metrics, together.together) == (["b", "c"], ("rtf",), 8)
    # Best among those that were measured alike.
    assert [cell.best for row in together.rows for cell in row.cells if cell] == [True, False]
    assert "Compute alone, no latency: generated 8 at a time, so each one" in page(view)


def test_a_system_without_a_complete_answer_is_named() -> None:
    timed = (TimedAnswers("a", "qa", 40), TimedAnswers("b", "qa", 0, error=32), TimedAnswers("c", "qa", 0))
    view = view_of((), (PROBE,), timed)
    assert [(one.system, one.tasks) for one in without_latency(view)] == [("b", ("qa",))]
    assert "b has no latency on Questions: none of its answers is complete (32 errors)." in page(view)
    assert 'id="latency"' in page(view_of((), (), (TimedAnswers("b", "qa", 0, error=32),)))
    several = view_of((), (), tuple(TimedAnswers("b", task, 5) for task in ("qa", "asr")))
    assert "b has no latency on Questions; asr: its answers came without times, as recorded ones do." in page(several)
    assert 'id="latency"' not in page(view_of())
