"""Latency of a run in the terminal."""

from __future__ import annotations

import re
from dataclasses import replace

from tttbench.cli.latency_table import busy_notes, latency_table
from tttbench.core.metric import ProbeResult, TimedAnswers
from tttbench.store.timings import why_no_latency

NAN = float("nan")
TTFT = ProbeResult("s", "", "t", "ttft", "s", 0.25, NAN, NAN, 10)
RTF = ProbeResult("s", "", "t", "rtf", "ratio", 0.125, NAN, NAN, 10)
TIMED = TimedAnswers("s", "t", 10)


def cells(table: str) -> list[list[str]]:
    return [re.split(r"\s{2,}", line.strip()) for line in table.splitlines()]


def test_a_row_has_medians_and_says_which_answers_they_are_of() -> None:
    found = latency_table([TTFT, RTF], [replace(TIMED, error=20, empty=1, cut=4)])
    assert cells(found) == [
        ["Latency: medians over n complete answers; times in ms."],
        ["system", "task", "TTFT", "RTF", "n", "left out"],
        ["s", "t", "250", "0.125", "10", "20 errors, 1 empty, 4 cut by a length limit"],
    ]


def test_a_system_without_complete_answers_has_a_row_without_medians() -> None:
    found = cells(latency_table([TTFT], [TIMED, TimedAnswers("none", "t", 0, error=1)]))
    assert found[-1] == ["none", "t", "-", "0", "1 error"]


def test_figures_of_a_busy_machine_are_marked_and_explained() -> None:
    why = "other processes kept 1.6 cores busy (allowed: 0.2)"
    nfe = replace(RTF, metric="nfe_per_code", p50=2.0)
    found = latency_table([replace(TTFT, busy=why), replace(RTF, busy=why), nfe], [replace(TIMED, busy=why)])
    assert cells(found)[2] == ["s", "t", "~250", "~0.125", "2.00", "10", "-"]
    assert found.endswith(f"measure again on an idle one:\n    s on t: {why}")


def test_of_many_busy_places_the_first_are_named() -> None:
    lines = list(busy_notes([(f"s on t{at}", "much to do") for at in range(5)]))
    assert lines[1:] == [*(f"    s on t{at}: much to do" for at in range(3)), "    and 2 more"]
    assert list(busy_notes([])) == []


def test_requests_that_were_generated_together_have_compute_and_a_reason() -> None:
    together = TimedAnswers("b", "t", 8, together=8, why_no_latency=why_no_latency(8))
    found = latency_table([TTFT, RTF, replace(RTF, system="b", n=8)], [TIMED, together])
    assert cells(found)[3] == ["b", "t", "-", "0.125", "8", "-"]
    said = "No latency of b on t: generated 8 at a time, so each one's times hold the others'"
    assert f"{said};\n    one request at a time (--batch-size 1, --executor serial) gives latencies" in found
    assert max(map(len, found.splitlines())) <= 140
    assert latency_table([], [together]).startswith(said)


def test_nothing_timed_is_no_table() -> None:
    assert latency_table([], [TimedAnswers("s", "t", 0, error=4)]) == ""
    memory = ProbeResult("s", "", "", "peak_memory", "MB", 5.0, NAN, NAN, 1)
    assert latency_table([memory], []) == ""
