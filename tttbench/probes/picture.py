"""The picture of a probe, as a standalone SVG drawn by matplotlib: latency and throughput against each swept axis.

A single point gets a line from the request to the end of its answer instead. Knows results; no system and no disk.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tttbench.core.metric import ProbeResult
from tttbench.probes.axes import Axis, Value, shown, swept
from tttbench.probes.stopping import CONFIDENCE
from tttbench.probes.sweep import PointResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Okabe and Ito's, which the colour-blind can tell apart. More lines than these, and all but the first are grey."""
_MARKERS = "osD^vP"
_INK, _MUTED, _RULE, _GREY = "#222222", "#666666", "#dddddd", "#bbbbbb"
_WIDE = 10
"""From this ratio of the largest to the smallest value on, an axis is logarithmic."""

_LETTERS = 40
"""Longer names than this, all together, don't fit below a panel unless they lean."""

_MOMENTS = {
    "ttft": "first text token",
    "ttfa_codes": "first codes",
    "ttfa_wave": "TTFA",
    "latency": "whole answer",
}


@dataclass(frozen=True)
class Panel:
    """A quantity that is drawn: the key of its interval, the label of the axis, and the factor to its unit."""

    metric: str
    label: str
    factor: float


@dataclass(frozen=True)
class Line:
    """The points of a panel that differ in its axis alone, in the order in which its values were given."""

    name: str
    results: tuple[PointResult, ...]


LATENCY = Panel("latency", "latency P50 (ms)", 1000.0)
NO_LATENCY = "no latency of several requests a call:\neach one's times hold the others'"
RATES = (
    Panel("throughput_codes_per_s", "codes a second, all requests", 1.0),
    Panel("answers_per_s", "answers a second", 1.0),
)


def picture(results: Sequence[PointResult], title: str) -> str:
    """Return the SVG of ``results``, which are at least one."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    axes = swept([result.point for result in results])
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "tttbench", "font.size": 9, "text.parse_math": False}):
        layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.08)
        figure = Figure(figsize=(10, 0.7 + 2.7 * max(1, len(axes))), layout=layout, facecolor="white")
        FigureCanvasSVG(figure)
        note = ": medians over repeats, bars are their 95 % intervals" if axes else ""
        note += "; the machine was busy" if any(result.busy for result in results) else ""
        figure.suptitle(f"{title}{note}", color=_INK, fontsize=11, x=0.01, ha="left")
        if axes:
            _draw_sweep(figure, results, axes)
        else:
            _draw_point(figure, results[0])
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def lines_of(results: Sequence[PointResult], axis: Axis, axes: Sequence[Axis]) -> list[Line]:
    """Return the lines of the panel of ``axis``: one for every combination of the other ``axes``' values."""
    others = [other for other in axes if other is not axis]
    found: dict[tuple[Value | None, ...], list[PointResult]] = {}
    for result in results:
        found.setdefault(tuple(result.point.get(other.name) for other in others), []).append(result)
    return [
        Line(", ".join(_named(other, value) for other, value in zip(others, values, strict=True)), tuple(line))
        for values, line in found.items()
    ]


def _named(axis: Axis, value: Value | None) -> str:
    return shown(value) if axis.sets == "strategy" else f"{axis.title} {shown(value)}"


def _draw_sweep(figure: Figure, results: Sequence[PointResult], axes: Sequence[Axis]) -> None:
    """A row for each axis: latency on the left, throughput on the right, a key beside them."""
    rate = next((panel for panel in RATES if any(panel.metric in result.intervals for result in results)), RATES[-1])
    grid = figure.subplots(len(axes), 2, squeeze=False)
    for row, axis in zip(grid, axes, strict=True):
        lines = lines_of(results, axis, axes)
        places = _places(axis, results)
        for panel, part in zip((LATENCY, rate), row, strict=True):
            if panel is LATENCY and (axis.sets == "batch" or all(result.together > 1 for result in results)):
                _say(part, NO_LATENCY)
                continue
            for at, line in reversed(list(enumerate(lines))):
                _draw_line(part, line, panel, places, axis, at, many=len(lines) > len(COLOURS))
            _dress(part, axis.title, panel.label, places)
        if len(lines) > 1:
            handles, names = row[1].get_legend_handles_labels()
            row[1].legend(
                handles[::-1], names[::-1], loc="upper left", bbox_to_anchor=(1.02, 1), frameon=False, labelcolor=_INK
            )


def _say(part: Axes, text: str) -> None:
    """Write a text where a panel would stand."""
    part.set_axis_off()
    part.text(0.5, 0.5, text, color=_MUTED, ha="center", va="center", transform=part.transAxes)


def _places(axis: Axis, results: Sequence[PointResult]) -> Mapping[Value, float]:
    """Where each value of the axis stands: at itself, or at the next whole number where values are names."""
    values = list(dict.fromkeys(result.point[axis.name] for result in results))
    if all(isinstance(value, int | float) for value in values):
        return {value: float(value) for value in values}
    return {value: float(at) for at, value in enumerate(values)}


def _draw_line(
    part: Axes, line: Line, panel: Panel, places: Mapping[Value, float], axis: Axis, at: int, *, many: bool
) -> None:
    """Draw medians, joined where the axis is a number, each with its interval."""
    known = [result for result in line.results if panel.metric in result.intervals]
    known.sort(key=lambda result: places[result.point[axis.name]])
    x = [places[result.point[axis.name]] for result in known]
    intervals = [result.intervals[panel.metric] for result in known]
    grey = many and at > 0
    colour = _GREY if grey else COLOURS[at]
    joined = all(isinstance(value, int | float) for value in places)
    for place, found in zip(x, intervals, strict=True):
        if found.coverage >= CONFIDENCE:
            bounds = [panel.factor * found.low, panel.factor * found.high]
            part.plot([place, place], bounds, color=colour, linewidth=3, alpha=0.45, solid_capstyle="butt")
    part.plot(
        x,
        [panel.factor * found.median for found in intervals],
        color=colour,
        linewidth=1 if grey else 1.5,
        linestyle="-" if joined else "",
        marker="." if grey else _MARKERS[at],
        markersize=5,
        label=("_" if grey and at > 1 else "") + ("other combinations" if grey else line.name),
    )


def _dress(part: Axes, x_label: str, y_label: str, places: Mapping[Value, float]) -> None:
    part.set_xlabel(x_label, color=_MUTED)
    part.set_ylabel(y_label, color=_MUTED)
    part.set_ylim(bottom=0)
    x = list(places.values())
    if any(isinstance(value, str) for value in places):
        part.set_xlim(-0.5, len(x) - 0.5)
    elif min(x) > 0 and max(x) / min(x) >= _WIDE:
        part.set_xscale("log", base=2)
    names = [shown(value) for value in places]
    crowded = len("".join(names)) > _LETTERS and any(isinstance(value, str) for value in places)
    part.set_xticks(x, names, rotation=15 if crowded else 0)
    part.minorticks_off()
    part.tick_params(colors=_MUTED, length=0)
    part.grid(color=_RULE, linewidth=0.8)
    part.set_axisbelow(True)
    for side, spine in part.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(_MUTED)


def _draw_point(figure: Figure, result: PointResult) -> None:
    """What happens after the request comes in: medians as dots, a line on to P90 where the numbers support it."""
    part = figure.subplots()
    if result.together > 1:
        _say(part, NO_LATENCY)
        return
    moments = [(title, probe) for metric, title in _MOMENTS.items() if (probe := result.probe(metric)) is not None]
    for at, (_, probe) in enumerate(moments):
        x, end = 1000 * probe.p50, 1000 * (probe.p50 if math.isnan(probe.p90) else probe.p90)
        part.plot([0, x], [at, at], color=_RULE, linewidth=6, solid_capstyle="butt")
        part.plot([x, end], [at, at], color=COLOURS[0], linewidth=2)
        part.plot([x], [at], color=COLOURS[0], marker="o", linestyle="")
        part.annotate(_in_words(probe), (end, at), xytext=(8, -3), textcoords="offset points", color=_INK)
    part.set_yticks(range(len(moments)), [title for title, _ in moments])
    part.set_ylim(max(len(moments), 1) - 0.5, -0.5)
    part.margins(x=0.25)
    part.set_xlim(left=0)
    part.set_xlabel("ms since the request came in; P50, line to P90", color=_MUTED)
    part.tick_params(colors=_MUTED, length=0)
    for side, spine in part.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(_MUTED)


def _in_words(probe: ProbeResult) -> str:
    p90 = "" if math.isnan(probe.p90) else f", P90 {1000 * probe.p90:.0f}"
    return f"{1000 * probe.p50:.0f} ms{p90}, n = {probe.n}"
