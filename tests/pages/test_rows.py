import math
from dataclasses import replace
from pathlib import Path

import pytest

from tttbench.core.exchange import AudioCommit, Status, Trace
from tttbench.core.metric import Aggregation, Direction, MetricInfo, plain_score
from tttbench.pages.examples import featured
from tttbench.pages.failures import failure_groups
from tttbench.pages.load import is_wrong
from tttbench.pages.view import ReportView, Row, ScoreView


def row_of(view: ReportView, system: str, task: str, at: int) -> Row:
    return [row for row in view.rows if (row.system, row.task) == (system, task)][at]


def test_rows_follow_the_suite_and_the_samples(view: ReportView) -> None:
    order = list(dict.fromkeys((row.task, row.system) for row in view.rows))
    assert order[:4] == [
        ("mini_qa", "ttt:mini"),
        ("mini_qa", "ttt:mini-ar"),
        ("mini_qa", "ttt:mini-nar"),
        ("mini_asr", "ttt:mini"),
    ]
    assert [row.id for row in view.rows[2:6]] == ["q002", "q003", "q004", "q005"]


def test_nothing_is_dropped(view: ReportView) -> None:
    assert sum(view.status_counts().values()) == len(view.rows) == view.expected == 7 * 10


def test_a_row_has_its_recordings(view: ReportView, run_dir: Path) -> None:
    row = row_of(view, "ttt:mini", "mini_qa", 0)
    assert all((run_dir / file).is_file() for file in (row.input_audio, row.answer_audio, row.reference_audio))


def test_a_failed_request_keeps_its_message(view: ReportView) -> None:
    row = row_of(view, "ttt:mini-nar", "mini_asr", 3)
    assert (row.status, row.message, row.trace, row.wrong) == ("error", "no audio", None, True)


def test_latency_is_read_from_the_trace(view: ReportView) -> None:
    row = row_of(view, "ttt:mini", "mini_qa", 0)
    assert row.trace is not None
    assert row.latency.ttft_s == row.trace.text_times_s[0]
    assert row.latency.ttfa_wave_s == row.trace.chunks[0].time_s
    assert row.latency.nfe_per_code == row.trace.nfe / row.codes


def test_marked_words_are_those_that_were_counted(view: ReportView) -> None:
    for row in view.rows:
        if row.task == "mini_asr" and row.status == "ok":
            edits = sum(chunk.op != "equal" for chunk in row.text_diff)
            words = len(row.reference.replace("'", "").split())
            assert row.scores[0].value == pytest.approx(edits / words, abs=0.02)


@pytest.mark.parametrize(
    ("aggregation", "value", "status", "wrong"),
    [
        ("binary", 1.0, "ok", False),
        ("binary", 0.0, "ok", True),
        ("rate", 0.0, "ok", False),
        ("rate", 0.1, "ok", True),
        ("rate", math.nan, "ok", False),
        ("value", 3.1, "ok", False),
        ("value", math.nan, "derivation_failed", True),
    ],
)
def test_wrong_means_a_lost_point_or_any_edit(
    aggregation: Aggregation, value: float, status: Status, wrong: bool
) -> None:
    direction: Direction = "lower" if aggregation == "rate" else "higher"
    info = MetricInfo("any", direction=direction, aggregation=aggregation)
    assert is_wrong(plain_score(value, status), info) is wrong


@pytest.mark.parametrize(
    ("aggregation", "direction", "value", "wrong"),
    [
        # How often something happened that should not.
        ("binary", "lower", 1.0, True),
        ("binary", "lower", 0.0, False),
        # A share of what agrees, and what only explains, are no mistakes.
        ("rate", "higher", 0.5, False),
        ("binary", "none", 0.0, False),
        ("rate", "none", 0.5, False),
    ],
)
def test_which_side_is_wrong_is_the_metric_s(
    aggregation: Aggregation, direction: Direction, value: float, wrong: bool
) -> None:
    assert is_wrong(plain_score(value), MetricInfo("any", aggregation=aggregation, direction=direction)) is wrong


def test_equal_reasons_are_gathered_and_every_failed_sample_is_named(view: ReportView) -> None:
    rows = (
        Row("s", "t", "1", "qa", "error", "broken"),
        Row("s", "t", "2", "qa", "ok"),
        Row("s", "t", "3", "qa", "error", "broken"),
        Row("s", "t", "4", "qa", "empty"),
    )
    groups = failure_groups(replace(view, rows=rows))
    assert [(group.status, group.message, group.ids) for group in groups] == [
        ("error", "broken", ("1", "3")),
        ("empty", "the answer is empty", ("4",)),
    ]


def spoken(system: str, sample: str, codes: int, *, right: bool = True) -> Row:
    trace = Trace(audio_commits=(AudioCommit(0.1, codes),), commit_step=(1,) * codes, spans=(codes,))
    score = ScoreView("text_accuracy", float(right), "ok")
    return Row(system, "t", sample, "qa", "ok", scores=(score,), trace=trace, codes=codes, wrong=not right)


def test_the_example_is_the_sample_that_most_systems_answered_rightly(view: ReportView) -> None:
    rows = (
        spoken("ttt:mini-ar", "1", 9),
        spoken("ttt:mini-ar", "2", 9),
        spoken("ttt:mini", "2", 9, right=False),
        spoken("ttt:mini-ar", "3", 9),
        spoken("ttt:mini", "3", 9),
    )
    assert featured(replace(view, rows=rows)) == (4, 3)


def test_of_equal_samples_the_one_of_median_length_is_shown(view: ReportView) -> None:
    rows = (spoken("ttt:mini", "1", 90), spoken("ttt:mini", "2", 5), spoken("ttt:mini", "3", 30))
    assert featured(replace(view, rows=rows)) == (2,)


def test_without_a_trace_there_is_no_example(view: ReportView) -> None:
    assert featured(replace(view, rows=(Row("s", "t", "1", "qa", "ok"),))) == ()


def test_a_score_says_how_it_came_about(view: ReportView) -> None:
    assert row_of(view, "ttt:mini", "mini_asr", 0).scores[0].note.startswith("0 substituted, 0 missing, 0 added, of ")
    assert row_of(view, "ttt:mini", "mini_qa", 0).scores[0].note == "found “Paris”"
