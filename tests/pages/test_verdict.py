import math
from dataclasses import replace
from typing import Any

import pytest

from tttbench.core.exchange import Status
from tttbench.core.metric import Comparison, Corrected, MetricInfo, ProbeResult, Result
from tttbench.core.recipe import Recipe
from tttbench.pages.verdict import verdict
from tttbench.pages.view import ReportView, Row, SystemView, TaskView

SPOKEN = Result("ttt:mini", "qa", "spoken_accuracy", 0.88, 0.83, 0.92, 200, 200, 0, 0, 0, 0, Recipe("r"), 0.88, 0.88)
METRICS = {
    "spoken_accuracy": MetricInfo("Spoken answers right", "spoken", unit="%", scale=100, aggregation="binary"),
    "text_accuracy": MetricInfo("Written answers right", "written", unit="%", scale=100, aggregation="binary"),
    "wer": MetricInfo("Word error rate", "WER", unit="%", scale=100, direction="lower", aggregation="rate"),
}
WRITTEN = replace(SPOKEN, metric="text_accuracy", value=0.91)
NFE = ProbeResult("ttt:mini", "topk", "qa", "nfe_per_code", "passes", 0.17, 0.2, 0.2, 200)
SOUND = replace(NFE, metric="ttfa_wave", unit="s", p50=0.31)


def sentences(
    results: tuple[Result, ...] = (),
    probes: tuple[ProbeResult, ...] = (),
    rows: tuple[Row, ...] = (),
    expected: int = 0,
    comparisons: tuple[Comparison, ...] = (),
) -> str:
    tasks = (TaskView("qa", "Questions", "qa", ""), TaskView("asr", "Dictation", "asr", "", ("wer",)))
    systems = (SystemView("ttt:mini", "topk"), SystemView("ttt:mini-ar", "ar"))
    view = ReportView("run", "mini", "", "done", "", expected, systems, tasks, results, probes, rows, METRICS)
    return " ".join(verdict(replace(view, comparisons=comparisons)))


def row(status: Status) -> Row:
    return Row("ttt:mini", "qa", "1", "qa", status)


def test_it_states_the_text_speech_gap() -> None:
    said = sentences((SPOKEN, WRITTEN)).replace("\u00a0", " ")
    assert "ttt:mini spoke the right answer to 88.0 % of the 200 questions of Questions" in said
    assert "(95 % interval 83.0 to 92.0) and wrote it to 91.0 %: a text-speech gap of 3.0 points." in said


JUDGED = MetricInfo("Spoken answers right, judged", "spoken, judged", unit="%", scale=100, aggregation="binary")


def test_a_judge_s_verdicts_stand_beside_with_what_labels_make_of_them() -> None:
    judged = replace(SPOKEN, metric="spoken_answer", value=0.9, ci_low=0.85, ci_high=0.94)
    labeled = Corrected("ttt:mini", "qa", "spoken_answer", 0.86, 0.79, 0.92, 0.9, 200, 100, 6)
    task = TaskView("qa", "Questions", "qa", "", ("spoken_answer", "spoken_accuracy"))
    metrics = {**METRICS, "spoken_answer": JUDGED}
    systems = (SystemView("ttt:mini", "topk"),)
    view = ReportView("run", "mini", "", "done", "", 0, systems, (task,), (judged, SPOKEN), (), (), metrics)
    said = " ".join(verdict(replace(view, corrected=(labeled,)))).replace("\u00a0", " ")
    assert "spoke the right answer to 88.0 % of the 200 questions" in said
    assert (
        "A judge finds 90.0 % of the spoken answers of ttt:mini right (95 % interval 85.0 to 94.0); "
        "86.0 % [79.0, 92.0], corrected by 100 labels (the score is off on 6)."
    ) in said
    assert "on Questions: ttt:mini" not in said
    # A task that is judged and nothing else: its metric is no noun.
    only = replace(view, results=(judged,), tasks=(replace(task, metrics=("spoken_answer",)),))
    said = " ".join(verdict(only)).replace("\u00a0", " ")
    assert "Spoken answers right, judged, on Questions: ttt:mini 90.0 % (95 % interval 85.0 to 94.0)." in said


def test_the_gap_is_negative_where_speech_did_better() -> None:
    assert "a text-speech gap of \u22123.0 points." in sentences((SPOKEN, replace(WRITTEN, value=0.85)))


def test_as_many_right_in_speech_as_in_writing_are_no_gap() -> None:
    assert "no text-speech gap." in sentences((SPOKEN, replace(WRITTEN, value=SPOKEN.value)))


NONE_SPOKEN = replace(SPOKEN, value=0.0, ci_low=0.0, ci_high=0.019)


@pytest.mark.parametrize(
    ("others", "said"),
    [
        (
            [replace(WRITTEN, value=0.0)],
            "ttt:mini gave no right answer, spoken or written, to any of the 200 questions of Questions "
            "(95 % interval 0.0 to 1.9).",
        ),
        (
            [replace(WRITTEN, value=0.0), replace(NONE_SPOKEN, system="ttt:mini-ar")],
            "No system gave a right answer, spoken or written, to any of the 200",
        ),
        ([WRITTEN], "ttt:mini gave no right answer in speech to any of the 200 questions of Questions (95 % interval"),
        ([WRITTEN], "0.0 to 1.9); right in writing: ttt:mini 91.0 %."),
        ([], "ttt:mini gave no right answer in speech to any of"),
    ],
)
def test_where_nothing_was_right_in_speech_it_says_so_and_nothing_of_a_gap(others: list[Result], said: str) -> None:
    found = sentences((NONE_SPOKEN, *others)).replace("\u00a0", " ")
    assert said in found
    assert "gap" not in found
    assert "Next" not in found


def test_of_many_systems_that_are_right_in_writing_a_few_are_named() -> None:
    written = [replace(WRITTEN, system=f"s{at}", value=0.9 - at / 1000) for at in range(84)]
    found = sentences((NONE_SPOKEN, *written)).replace("\u00a0", " ")
    assert "right in writing: s0 90.0 %," in found
    assert " more." in found
    assert "s10 " not in found


def test_nothing_right_in_writing_is_said_of_systems_that_only_write() -> None:
    assert "ttt:mini gave no right answer in writing to any of" in sentences((replace(WRITTEN, value=0.0),))


OTHER = replace(SPOKEN, system="ttt:mini-ar", value=0.85)
NAN = math.nan
BEST = Comparison("ttt:mini", "qa", "spoken_accuracy", "ttt:mini", NAN, NAN, NAN, 0, 0, NAN, NAN, "best")
OPEN = replace(BEST, standing="not settled")
EQUAL = Comparison(
    *("ttt:mini-ar", "qa", "spoken_accuracy", "ttt:mini", -0.03, -0.08, 0.02, 200, 200, 0.2, 0.3),
    "no difference found",
)


@pytest.mark.parametrize(
    ("comparisons", "said"),
    [
        (
            (BEST, replace(EQUAL, standing="worse", ci_high=-0.01)),
            "On the same answers ttt:mini-ar is worse: \u22123.0 points [\u22128.0, \u22121.0].",
        ),
        (
            (OPEN, EQUAL),
            "Between ttt:mini and ttt:mini-ar no difference is found on the same 200 answers "
            "(\u22123.0 points [\u22128.0, +2.0], p = 0.300).",
        ),
        (
            (OPEN, replace(EQUAL, standing="cannot tell")),
            "There are too few answers to tell ttt:mini from ttt:mini-ar.",
        ),
        (
            (OPEN, replace(EQUAL, standing="better", n=150)),
            "On the 150 answers that both have, ttt:mini-ar is the better one.",
        ),
    ],
)
def test_it_says_what_the_test_says_of_the_second(comparisons: tuple[Comparison, ...], said: str) -> None:
    assert said in sentences((SPOKEN, OTHER), comparisons=comparisons).replace("\u00a0", " ")


def test_of_several_it_says_which_are_not_settled() -> None:
    third = replace(OTHER, system="ttt:mini-nar", value=0.5)
    of_third = replace(EQUAL, system="ttt:mini-nar", standing="worse")
    found = (SPOKEN, OTHER, third)
    assert "Every other system is worse on the same answers." in sentences(
        found, comparisons=(BEST, replace(EQUAL, standing="worse"), of_third)
    )
    assert "Between ttt:mini and ttt:mini-ar no" in sentences(found, comparisons=(OPEN, EQUAL, of_third))
    assert (
        "Which of ttt:mini, ttt:mini-ar and ttt:mini-nar is the best isn\u2019t settled: "
        "on the same answers no difference is found."
    ) in sentences(found, comparisons=(OPEN, EQUAL, replace(of_third, standing="no difference found")))


def test_systems_of_one_value_are_no_rank() -> None:
    level, behind = replace(OTHER, value=SPOKEN.value), replace(OTHER, system="c", value=0.5)
    assert ". As many right answers come from ttt:mini-ar. Next comes c 50.0\u00a0%." in sentences(
        (SPOKEN, level, behind)
    )
    assert "Next" not in sentences((SPOKEN, level))


def test_where_nothing_was_compared_nothing_is_said_of_it() -> None:
    failed = replace(EQUAL, n=0, standing="not compared")
    for comparisons in ((), (OPEN, failed), (replace(OPEN, note="failed"), replace(EQUAL, standing="worse"))):
        said = sentences((SPOKEN, OTHER), comparisons=comparisons)
        assert "same" not in said
        assert "settle" not in said


def test_the_lowest_word_error_rate_comes_first() -> None:
    error = replace(SPOKEN, task="asr", metric="wer", value=0.083, ci_low=0.07, ci_high=0.1)
    better = replace(error, system="whisper:tiny.en", value=0.051, ci_low=0.04, ci_high=0.06)
    said = sentences((error, better)).replace("\u00a0", " ")
    assert "On Dictation, whisper:tiny.en has the lowest WER: 5.1 %" in said
    assert said.index("5.1 %") < said.index("ttt:mini 8.3 %")


def test_equal_word_error_rates_are_nobodys_lowest() -> None:
    error = replace(SPOKEN, task="asr", metric="wer", value=0.083, ci_low=0.07, ci_high=0.1)
    said = sentences((error, replace(error, system="whisper:tiny.en"))).replace("\u00a0", " ")
    assert "lowest" not in said
    assert "On Dictation, ttt:mini has a WER of 8.3 % (95 % interval 7.0 to 10.0), whisper:tiny.en 8.3 %." in said


def test_block_diffusion_is_set_against_autoregressive_decoding() -> None:
    ar: dict[str, Any] = {"system": "ttt:mini-ar", "strategy": "ar"}
    said = sentences(probes=(NFE, SOUND, replace(NFE, p50=1.0, **ar), replace(SOUND, p50=0.402, **ar)))
    assert "Forward passes per audio token: 0.170 in ttt:mini (topk), against 1.00 in ttt:mini-ar (ar)." in said
    assert "TTFA: 310 ms in ttt:mini (topk), against 402 ms in ttt:mini-ar (ar)" in said


def test_one_strategy_alone_is_set_against_nothing() -> None:
    assert "against" not in sentences(probes=(NFE, SOUND))


def test_a_metric_without_a_value_is_not_talked_about() -> None:
    assert "spoke" not in sentences((replace(SPOKEN, value=math.nan),))


def test_failures_and_missing_answers_are_counted() -> None:
    said = sentences(rows=(row("ok"), row("error"), row("derivation_failed")), expected=5)
    assert (
        "Of 5 requests, 1 ended ok; 1 could not be scored, 1 failed with an error and 2 are not answered yet." in said
    )
    assert "count as wrong" not in said  # there is no score in which they could


def test_it_says_what_requests_that_failed_are_in_the_scores() -> None:
    rows = (row("ok"), row("error"), row("empty"), row("derivation_failed"))
    said = sentences((SPOKEN,), rows=rows, expected=5)
    assert (
        "Errors and empty answers count as wrong; what could not be scored is left out; those not answered yet" in said
    )
    only = sentences((SPOKEN,), rows=(row("ok"), row("derivation_failed")), expected=2)
    assert only.endswith("could not be scored. What could not be scored is left out.")


def test_it_names_the_scores_that_leave_answers_out() -> None:
    apart = replace(SPOKEN, metric="wer", recipe=Recipe("wer@1", denominator="as-published@1 (left out: errors)"))
    said = sentences((SPOKEN, apart), rows=(row("ok"), row("error")), expected=2)
    assert said.endswith("Errors count as wrong, but for what wer leaves out.")


def test_answers_that_a_limit_cut_are_counted() -> None:
    cut = replace(row("ok"), finish_reason="length")
    assert sentences(rows=(cut, cut, row("ok"), row("error")), expected=4).endswith(
        " 2 of 3 answers were cut by a length limit."
    )
    assert sentences(rows=(cut,), expected=1).endswith("ended ok. 1 of 1 answer was cut by a length limit.")


def test_a_busy_machine_takes_the_edge_off_what_is_said_of_latency() -> None:
    slow = replace(SOUND, system="ttt:mini-ar", strategy="ar", p50=0.402, busy="much to do")
    said = sentences(probes=(NFE, SOUND, slow))
    assert said.startswith("TTFA: 310 ms in ttt:mini (topk), against 402 ms in ttt:mini-ar (ar) (medians; the machine")


def test_a_clean_run_says_so() -> None:
    assert sentences(rows=(row("ok"),), expected=1) == "The only request ended ok."


def test_an_empty_run_says_so() -> None:
    assert sentences() == "No request was answered."
    assert sentences(expected=48) == "None of 48 requests has been answered yet."


def test_of_many_systems_the_first_few_are_named() -> None:
    said = sentences(tuple(replace(SPOKEN, system=f"s{i:02}", value=0.9 - i / 100) for i in range(12)))
    assert "Next come s01" in said
    assert "s03" in said
    assert "and 8 more" in said
    assert "s04" not in said
