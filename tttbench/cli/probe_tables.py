"""Latency, compute and throughput of a probe's points in the terminal, and what has to be said of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tttbench.cli.columns import columns, number
from tttbench.cli.latency_table import BUSY, busy_notes, figure_text, lines_of

if TYPE_CHECKING:
    from tttbench.core.metric import ProbeResult
    from tttbench.probes.stopping import Stopping
    from tttbench.probes.sweep import PointResult
    from tttbench.stats.median import MedianInterval

_OF_A_CALL = ("answers_per_s", "throughput_codes_per_s", "percent_of_limit", "peak_memory", "peak_memory_device")
"""Metrics of a probe's repeats, and of its process; all others are of requests."""

_OF_POINTS: tuple[tuple[str, str, float], ...] = (
    ("prefill", "prefill", 1000),
    ("TTFT", "ttft", 1000),
    ("TTFA", "ttfa_codes", 1000),
    ("sound", "ttfa_wave", 1000),
    ("RTF", "rtf", 1),
    ("RTF of input", "rtf_input", 1),
    ("codes/s", "codes_per_s", 1),
    ("NFE", "nfe", 1),
    ("a code", "nfe_per_code", 1),
    ("% of limit", "percent_of_limit", 1),
    ("MB", "peak_memory", 1),
)
"""Head, metric and factor of the columns behind the latency of a sweep's points."""


def point_tables(result: PointResult) -> str:
    """Return all figures of one point: those of its requests, and those of its repeats, a row each."""
    of_requests = [probe for probe in result.probes if probe.metric not in _OF_A_CALL]
    of_calls = [probe for probe in result.probes if probe.metric in _OF_A_CALL]
    what = "Latency and compute, one request at a time." if result.together == 1 else f"Compute. {without(result)}"
    call = "one request" if result.together == 1 else f"{result.together} requests"
    parts = [
        what,
        _figures(of_requests, result),
        "",
        f"Throughput, {call} a call, and memory.",
        _figures(of_calls, result),
    ]
    return "\n".join(parts)


def without(result: PointResult) -> str:
    """Why a point has no latency."""
    return f"No latency: {result.together} requests a call, so each one's times hold the others'."


def _figures(probes: Sequence[ProbeResult], result: PointResult) -> str:
    rows = [["metric", "unit", "p50", "95 % interval", "p90", "p99", "n"]]
    for probe in probes:
        mark = BUSY if probe.busy else ""
        p50, p90, p99 = (number(value) for value in (probe.p50, probe.p90, probe.p99))
        bounds = bounds_of(result.intervals.get(probe.metric))
        rows.append([probe.metric, probe.unit, f"{mark}{p50}", bounds, p90, p99, str(probe.n)])
    return columns(rows, right=frozenset(range(2, 7)))


def bounds_of(interval: MedianInterval | None, factor: float = 1.0) -> str:
    """Return a 95 % interval of a median over repeats; a dash where there are too few for one."""
    from tttbench.probes.stopping import CONFIDENCE

    if interval is None or interval.coverage < CONFIDENCE:
        return "-"
    return f"{number(factor * interval.low)} to {number(factor * interval.high)}"


def points_tables(results: Sequence[PointResult]) -> str:
    """Return the points of a sweep as tables, a row each: latency where requests were alone, and throughput.

    Throughput is left out where no point has several requests a call: it would say what the latency says.
    """
    alone = [result for result in results if result.together == 1]
    parts = []
    if alone:
        parts += ["Latency and compute, one request at a time; times in ms.", _latencies(alone, results)]
    if len(alone) < len(results):
        parts += [""] if parts else []
        why = "; no latency of several, as each one's times hold the others'"
        parts += [f"Throughput, by requests a call{why}.", _throughputs(results)]
    return "\n".join(parts)


def _axes(results: Sequence[PointResult]) -> tuple[list[str], list[list[str]]]:
    """Titles of what the points differ in, and the values of each."""
    from tttbench.probes.axes import shown, swept

    axes = swept([result.point for result in results])
    return [axis.title for axis in axes], [[shown(one.point.get(axis.name)) for axis in axes] for one in results]


def _latencies(alone: Sequence[PointResult], results: Sequence[PointResult]) -> str:
    titles, values = _axes(results)
    of = dict(zip(map(id, results), values, strict=True))
    # A column of dashes says nothing.
    figures = [figure for figure in _OF_POINTS if any(result.probe(figure[1]) for result in alone)]
    head = [*titles, "ms P50", "95 % interval", "P90", "P99", "n", *(title for title, _, _ in figures)]
    rows = [[*head, "repeats", "ended by"]]
    for result in alone:
        latency, mark = result.probe("latency"), BUSY if result.busy else ""
        cells = ["-", "-", "-", "-", "0"]
        if latency is not None:
            p50, p90, p99 = (number(1000 * value) for value in (latency.p50, latency.p90, latency.p99))
            cells = [f"{mark}{p50}", bounds_of(result.intervals.get("latency"), 1000), p90, p99, str(latency.n)]
        cells += [figure_text(result.probe(metric), factor) for _, metric, factor in figures]
        rows.append([*of[id(result)], *cells, str(result.repeats), result.ended])
    return columns(rows, right=frozenset(range(len(titles), len(rows[0]) - 1)))


def _throughputs(results: Sequence[PointResult]) -> str:
    titles, values = _axes(results)
    rates = [("answers/s", "answers_per_s"), ("codes/s", "throughput_codes_per_s")]
    rates = [rate for rate in rates if any(result.probe(rate[1]) for result in results)]
    figures = [("RTF", "rtf"), ("RTF of input", "rtf_input"), ("% of limit", "percent_of_limit"), ("MB", "peak_memory")]
    figures = [figure for figure in figures if any(result.probe(figure[1]) for result in results)]
    head = [
        *titles,
        *(cell for title, _ in rates for cell in (title, "95 % interval")),
        *(title for title, _ in figures),
    ]
    rows = [[*head, "repeats", "ended by"]]
    for result, where in zip(results, values, strict=True):
        cells = []
        for _, metric in rates:
            cells += [figure_text(result.probe(metric), 1), bounds_of(result.intervals.get(metric))]
        cells += [figure_text(result.probe(metric), 1) for _, metric in figures]
        rows.append([*where, *cells, str(result.repeats), result.ended])
    return columns(rows, right=frozenset(range(len(titles), len(rows[0]) - 1)))


def probe_notes(results: Sequence[PointResult], rule: Stopping) -> Iterator[str]:
    """Yield what a reader has to know of a probe: what ended it and what to do, what is left out, a busy machine."""
    from tttbench.probes.axes import in_words as point_in_words

    if len(results) == 1:
        yield ended_in_words(results[0], rule)
    if any(result.repeats < _fewest() for result in results):
        yield f"Fewer than {_fewest()} repeats have no 95 % interval."
    for said in advice(results, rule):
        yield from lines_of(said)
    empty, cut = sum(result.empty for result in results), sum(result.cut for result in results)
    left_out = [f"{empty:,} empty"] * bool(empty) + [f"{cut:,} cut by a length limit"] * bool(cut)
    if left_out:
        yield f"Left out of all figures are answers that aren't complete: {', '.join(left_out)}."
    yield from busy_notes([(point_in_words(one.point) or "all repeats", one.busy) for one in results if one.busy])


def _fewest() -> int:
    from tttbench.probes.stopping import FEWEST

    return FEWEST


def ended_in_words(result: PointResult, rule: Stopping) -> str:
    """Return what ended a point, and how well it is known then, as a sentence."""
    what = "the median latency" if result.together == 1 else "the median of the calls' seconds"
    known = (
        "" if result.known_within is None else f"; the 95 % interval of {what} is {_percent(result.known_within)} of it"
    )
    limits = {
        "precision": f" ({_percent(rule.precision)})",
        "budget": f" ({number(rule.budget_s)} s, warm-up included)",
        "failed": " (no request was answered completely)",
    }
    return f"{result.repeats} repeats, ended by {result.ended}{limits.get(result.ended, '')}{known}."


def advice(results: Sequence[PointResult], rule: Stopping) -> Iterator[str]:
    """Yield what to do where the time was over before points were known as precisely as was asked for."""
    from tttbench.probes.stopping import budget_for

    short = [result for result in results if result.ended == "budget"]
    if not short:
        return
    rest_s = sum(result.spent_s for result in results if result.ended != "budget")
    wanted_s = rest_s + sum(budget_for(rule, one.repeats, one.spent_s, one.known_within) for one in short)
    points = "The time was over" if len(results) == 1 else f"The time of {len(short)} of {len(results)} points was over"
    reach = f" --budget {_rounded_up(wanted_s)} should do;" if math.isfinite(wanted_s) else ""
    yield (
        f"{points} before the median was known within {_percent(rule.precision)}:{reach} "
        "a larger --precision asks for less, --repeats N for exactly N repeats."
    )


def _percent(share: float) -> str:
    return f"{number(100 * share, 2)} %"


def _rounded_up(seconds: float) -> str:
    """Two significant digits, rounded up: a little more time does no harm."""
    scale = 10 ** max(0, math.floor(math.log10(max(seconds, 1))) - 1)
    return f"{math.ceil(seconds / scale) * scale:.0f}"
