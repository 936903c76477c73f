import math
from dataclasses import replace

import pytest

from tttbench.core.records import ProbeResult, Result, Status
from tttbench.pages.verdict import verdict
from tttbench.pages.view import ReportView, Row, SystemView, TaskView

SPOKEN = Result("ttt:mini", "qa", "spoken_accuracy", 0.88, 0.83, 0.92, 200, 200, 0, 0, 0, 0, "r", 0.88, 0.88, False)
WRITTEN = replace(SPOKEN, metric="text_accuracy", value=0.91)
NFE = ProbeResult("ttt:mini", "topk", "qa", "nfe_per_code", "passes", 0.17, 0.2, 0.2, 200)
SOUND = replace(NFE, metric="ttfa_wave", unit="s", p50=0.31)


def sentences(
    results: tuple[Result, ...] = (),
    probes: tuple[ProbeResult, ...] = (),
    rows: tuple[Row, ...] = (),
    expected: int = 0,
) -> str:
    tasks = (TaskView("qa", "Questions", "qa", ""), TaskView("asr", "Dictation", "asr", ""))
    systems = (SystemView("ttt:mini", "topk"), SystemView("ttt:mini-ar", "ar"))
    return " ".join(verdict(ReportView("run", "mini", "", "done", "", expected, systems, tasks, results, probes, rows)))


def row(status: Status) -> Row:
    return Row("ttt:mini", "qa", "1", "qa", status)


def test_it_says_what_speaking_cost() -> None:
    said = sentences((SPOKEN, WRITTEN)).replace("\u00a0", " ")
    assert "ttt:mini gave the right answer aloud to 88.0 % of the 200 questions of Questions" in said
    assert "(95 % interval 83.0 to 92.0) and in writing to 91.0 %: speaking cost 3.0 points." in said


def test_it_says_when_speaking_did_better() -> None:
    assert "spoken answers are 3.0 points better" in sentences((SPOKEN, replace(WRITTEN, value=0.85)))


def test_as_many_right_aloud_as_in_writing_cost_nothing_on_balance() -> None:
    assert "on balance, speaking cost nothing." in sentences((SPOKEN, replace(WRITTEN, value=SPOKEN.value)))


NONE_ALOUD = replace(SPOKEN, value=0.0, ci_low=0.0, ci_high=0.019)


@pytest.mark.parametrize(
    ("others", "said"),
    [
        (
            [replace(WRITTEN, value=0.0)],
            "ttt:mini gave no right answer, aloud or in writing, to any of the 200 questions of Questions "
            "(95 % interval 0.0 to 1.9).",
        ),
        (
            [replace(WRITTEN, value=0.0), replace(NONE_ALOUD, system="ttt:mini-ar")],
            "No system gave a right answer, aloud or in writing, to any of the 200",
        ),
        ([WRITTEN], "ttt:mini gave no right answer aloud to any of the 200 questions of Questions (95 % interval"),
        ([WRITTEN], "0.0 to 1.9); right in writing: ttt:mini 91.0 %."),
        ([], "ttt:mini gave no right answer aloud to any of"),
    ],
)
def test_where_nothing_was_right_aloud_it_says_so_and_nothing_of_the_cost(others: list[Result], said: str) -> None:
    found = sentences((NONE_ALOUD, *others)).replace("\u00a0", " ")
    assert said in found
    assert "cost" not in found
    assert "Next" not in found


def test_nothing_right_in_writing_is_said_of_systems_that_only_write() -> None:
    assert "ttt:mini gave no right answer in writing to any of" in sentences((replace(WRITTEN, value=0.0),))


def test_overlapping_intervals_are_admitted() -> None:
    other = replace(SPOKEN, system="ttt:mini-ar", value=0.85, ci_low=0.8, ci_high=0.9)
    assert "overlap; with 200 samples this doesn't settle which is better" in sentences((SPOKEN, other))


def test_intervals_apart_need_no_caveat() -> None:
    other = replace(SPOKEN, system="ttt:mini-ar", value=0.5, ci_low=0.4, ci_high=0.6)
    assert "settle" not in sentences((SPOKEN, other))


def test_the_fewest_word_errors_come_first() -> None:
    error = replace(SPOKEN, task="asr", metric="wer", value=0.083, ci_low=0.07, ci_high=0.1, lower_is_better=True)
    better = replace(error, system="whisper:tiny.en", value=0.051, ci_low=0.04, ci_high=0.06)
    said = sentences((error, better)).replace("\u00a0", " ")
    assert "On Dictation, whisper:tiny.en made the fewest word errors: WER 5.1 %" in said
    assert said.index("5.1 %") < said.index("ttt:mini 8.3 %")


def test_equally_many_word_errors_are_nobodys_fewest() -> None:
    error = replace(SPOKEN, task="asr", metric="wer", value=0.083, ci_low=0.07, ci_high=0.1, lower_is_better=True)
    said = sentences((error, replace(error, system="whisper:tiny.en"))).replace("\u00a0", " ")
    assert "fewest" not in said
    assert "On Dictation, ttt:mini has a WER of 8.3 % (95 % interval 7.0 to 10.0), whisper:tiny.en 8.3 %." in said


def test_block_diffusion_is_set_against_autoregressive_decoding() -> None:
    ar = {"system": "ttt:mini-ar", "strategy": "ar"}
    said = sentences(probes=(NFE, SOUND, replace(NFE, p50=1.0, **ar), replace(SOUND, p50=0.402, **ar)))
    assert "ran 0.170 times in ttt:mini (topk), against 1.00 times in ttt:mini-ar (ar)." in said
    assert "The first sound came after 310 ms in ttt:mini (topk), against 402 ms in ttt:mini-ar (ar)" in said


def test_one_strategy_alone_is_set_against_nothing() -> None:
    assert "against" not in sentences(probes=(NFE, SOUND))


def test_a_metric_without_a_value_is_not_talked_about() -> None:
    assert "aloud" not in sentences((replace(SPOKEN, value=math.nan),))


def test_failures_and_missing_answers_are_counted() -> None:
    said = sentences(rows=(row("ok"), row("error"), row("judge_failed")), expected=5)
    assert "Of 5 requests, 1 ended ok; 1 could not be judged, 1 failed with an error and 2 not answered yet." in said


def test_a_clean_run_says_so() -> None:
    assert sentences(rows=(row("ok"),), expected=1) == "All 1 request ended ok."


def test_an_empty_run_says_so() -> None:
    assert sentences() == "No request has been answered."


def test_of_many_systems_the_first_few_are_named() -> None:
    said = sentences(tuple(replace(SPOKEN, system=f"s{i:02}", value=0.9 - i / 100) for i in range(12)))
    assert "Next come s01" in said
    assert "s03" in said
    assert "and 8 more" in said
    assert "s04" not in said
