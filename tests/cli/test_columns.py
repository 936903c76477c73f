"""Tables for the terminal."""

from __future__ import annotations

import re
import statistics

import pytest

from tttbench.cli.columns import columns, in_unit, latency_line, number, points_table
from tttbench.core.metric import MetricInfo, ProbeResult
from tttbench.probes.sweep import PointResult
from tttbench.stats.median import median_interval


def test_columns_are_aligned() -> None:
    assert columns([["a", "n"], ["long", "10"]], right=frozenset({1})) == "a      n\nlong  10"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.01234, "0.0123"), (12.345, "12.3"), (1234.5, "1234"), (0, "0"), (None, "-"), (float("nan"), "-")],
)
def test_numbers_have_three_digits(value: float | None, text: str) -> None:
    assert number(value) == text


def test_metrics_are_shown_in_their_unit() -> None:
    share, mos = MetricInfo("share", unit="%", scale=100), MetricInfo("MOS", unit="MOS")
    assert (in_unit(0.0525, share), in_unit(float("nan"), share), in_unit(4.512, mos)) == ("5.2", "-", "4.51")


def point(latencies_s: list[float], **point: str | int | float) -> PointResult:
    """A point with these latencies, and codes a second where there are some."""
    probes = []
    if latencies_s:
        probes = [
            ProbeResult("s", "", "t", "latency", "s", statistics.median(latencies_s), 2.5, float("nan"), 12),
            ProbeResult("s", "", "t", "codes_per_s", "1/s", 321.0, float("nan"), float("nan"), 12),
        ]
    intervals = {"latency": median_interval(latencies_s)} if latencies_s else {}
    return PointResult(point, "", "budget", len(latencies_s), intervals, tuple(latencies_s), tuple(probes), ())


def cells(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in re.split(r"\s{2,}", line.strip())] for line in table.splitlines()]


def test_points_have_a_row_each_with_what_they_differ_in() -> None:
    table = points_table(
        [point([0.5, 1.0, 1.0, 1.0, 1.0, 2.0], cfg=0.0, span_codes=9), point([], cfg=0.1, span_codes=9)]
    )
    assert cells(table) == [
        ["CFG", "ms P50", "95 % interval", "P90", "P99", "n", "codes/s", "repeats", "ended by"],
        ["0", "1000", "500 to 2000", "2500", "-", "12", "321", "6", "budget"],
        ["0.1", "-", "-", "-", "-", "0", "-", "0", "budget"],
    ]


def test_fewer_than_six_repeats_have_no_interval() -> None:
    table = points_table([point([1.0] * 5, cfg=0.0), point([1.0] * 6, cfg=0.1)])
    assert [row[2] for row in cells(table)[1:]] == ["-", "1000 to 1000"]


def test_a_single_point_says_how_well_its_median_is_known() -> None:
    assert latency_line(point([0.5, 1.0, 1.0, 1.0, 1.0, 2.0])) == (
        "Median latency: 95 % interval 500 to 2000 ms; 6 repeats, ended by budget."
    )
    assert (
        latency_line(point([1.0] * 3))
        == "Median latency: no 95 % interval of fewer than 6; 3 repeats, ended by budget."
    )
