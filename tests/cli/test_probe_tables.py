"""A probe's tables, and what is said of them."""

from __future__ import annotations

import re
import statistics
from dataclasses import replace

import pytest

from tttbench.cli.probe_tables import advice, ended_in_words, point_tables, points_tables, probe_notes
from tttbench.core.metric import ProbeResult
from tttbench.probes.stopping import Stopping
from tttbench.probes.sweep import PointResult
from tttbench.stats.median import median_interval

NAN = float("nan")
RULE = Stopping()


def point(latencies_s: list[float], **point: str | int | float) -> PointResult:
    """A point with these latencies, and codes a second where there are some."""
    probes = []
    if latencies_s:
        probes = [
            ProbeResult("s", "", "t", "latency", "s", statistics.median(latencies_s), 2.5, NAN, 12),
            ProbeResult("s", "", "t", "codes_per_s", "1/s", 321.0, NAN, NAN, 12),
        ]
    intervals = {"latency": median_interval(latencies_s)} if latencies_s else {}
    return PointResult(point, "", "budget", len(latencies_s), intervals, tuple(latencies_s), tuple(probes), ())


def in_batches(n: int, **point: int) -> PointResult:
    """A point whose requests were generated ``n`` a call."""
    probes = (
        ProbeResult("s", "", "t", "rtf", "ratio", 0.5, NAN, NAN, 12),
        ProbeResult("s", "", "t", "answers_per_s", "1/s", 4.0, NAN, NAN, 6),
    )
    intervals = {"answers_per_s": median_interval([3.0, 4.0, 4.0, 4.0, 4.0, 5.0])}
    return PointResult({**point, "batch_size": n}, "", "precision", 6, intervals, (), probes, (), together=n)


def cells(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in re.split(r"\s{2,}", line.strip())] for line in table.splitlines()]


def test_points_have_a_row_each_with_what_they_differ_in() -> None:
    table = points_tables(
        [point([0.5, 1.0, 1.0, 1.0, 1.0, 2.0], cfg=0.0, span_codes=9), point([], cfg=0.1, span_codes=9)]
    )
    assert cells(table) == [
        ["Latency and compute, one request at a time; times in ms."],
        ["CFG", "ms P50", "95 % interval", "P90", "P99", "n", "codes/s", "repeats", "ended by"],
        ["0", "1000", "500 to 2000", "2500", "-", "12", "321", "6", "budget"],
        ["0.1", "-", "-", "-", "-", "0", "-", "0", "budget"],
    ]


def test_fewer_than_six_repeats_have_no_interval() -> None:
    table = points_tables([point([1.0] * 5, cfg=0.0), point([1.0] * 6, cfg=0.1)])
    assert [row[2] for row in cells(table)[2:]] == ["-", "1000 to 1000"]


def test_latency_and_throughput_stand_in_tables_of_their_own() -> None:
    one = replace(in_batches(1), probes=(*point([1.0] * 6).probes, *in_batches(1).probes))
    assert cells(points_tables([one, in_batches(4)])) == [
        ["Latency and compute, one request at a time; times in ms."],
        ["batch size", "ms P50", "95 % interval", "P90", "P99", "n", "RTF", "codes/s", "repeats", "ended by"],
        ["1", "1000", "-", "2500", "-", "12", "0.500", "321", "6", "precision"],
        [""],
        ["Throughput, by requests a call; no latency of several, as each one's times hold the others'."],
        ["batch size", "answers/s", "95 % interval", "RTF", "repeats", "ended by"],
        ["1", "4.00", "3.00 to 5.00", "0.500", "6", "precision"],
        ["4", "4.00", "3.00 to 5.00", "0.500", "6", "precision"],
    ]


def test_the_figures_of_one_point_have_their_intervals() -> None:
    one = replace(point([0.5, 1.0, 1.0, 1.0, 1.0, 2.0]), probes=(*point([1.0]).probes, *in_batches(1).probes))
    assert cells(point_tables(one)) == [
        ["Latency and compute, one request at a time."],
        ["metric", "unit", "p50", "95 % interval", "p90", "p99", "n"],
        ["latency", "s", "1.00", "0.500 to 2.00", "2.50", "-", "12"],
        ["codes_per_s", "1/s", "321", "-", "-", "-", "12"],
        ["rtf", "ratio", "0.500", "-", "-", "-", "12"],
        [""],
        ["Throughput, one request a call, and memory."],
        ["metric", "unit", "p50", "95 % interval", "p90", "p99", "n"],
        ["answers_per_s", "1/s", "4.00", "-", "-", "-", "6"],
    ]
    why = "Compute. No latency: 4 requests a call, so each one's times hold the others'."
    assert point_tables(in_batches(4)).startswith(why)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "6 repeats, ended by budget (60.0 s, warm-up included)."),
        (
            {"ended": "precision", "known_within": 0.04},
            "6 repeats, ended by precision (5.0 %); the 95 % interval of the median latency is 4.0 % of it.",
        ),
        (
            {"ended": "repeats", "known_within": 0.5, "together": 4},
            "6 repeats, ended by repeats; the 95 % interval of the median of the calls' seconds is 50 % of it.",
        ),
        ({"ended": "failed"}, "6 repeats, ended by failed (no request was answered completely)."),
    ],
)
def test_what_ended_a_point_is_said_with_how_well_it_is_known(change: dict[str, object], said: str) -> None:
    assert ended_in_words(replace(point([1.0] * 6), **change), RULE) == said  # type: ignore[arg-type]


def test_a_point_that_ran_out_of_time_says_how_much_more_it_needs() -> None:
    # An interval of 10 % in 60 s: half as wide takes four times as long.
    one = replace(point([1.0] * 9), known_within=0.1, spent_s=60.0)
    assert list(advice([one], RULE)) == [
        "The time was over before the median was known within 5.0 %: --budget 240 should do; "
        "a larger --precision asks for less, --repeats N for exactly N repeats."
    ]
    # Of three repeats in 30 s there is no interval: six have one.
    few = replace(point([1.0] * 3), spent_s=30.0)
    assert "--budget 60 should do" in next(advice([few], RULE))
    # What finished points used is part of the budget.
    done = replace(point([1.0] * 9), ended="precision", spent_s=7.0)
    (said,) = advice([one, done], RULE)
    assert said.startswith("The time of 1 of 2 points was over")
    assert "--budget 250" in said
    assert list(advice([done], RULE)) == []


def test_notes_say_why_there_is_no_interval_what_is_left_out_and_that_the_machine_was_busy() -> None:
    one = replace(point([1.0] * 3, cfg=0.5), ended="repeats", empty=1, cut=2, busy="much to do")
    assert list(probe_notes([one], RULE)) == [
        "3 repeats, ended by repeats.",
        "Fewer than 6 repeats have no 95 % interval.",
        "Left out of all figures are answers that aren't complete: 1 empty, 2 cut by a length limit.",
        "~ The machine was busy, so this may be too slow; measure again on an idle one:",
        "    --cfg 0.5: much to do",
    ]
    assert "~1000" in points_tables([replace(one, busy="x"), point([1.0] * 6)])
