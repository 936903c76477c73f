"""Quality against forward passes and against seconds of many ways to decode, and what longer answers cost.

Knows the points and curves that the summary holds and the rows of the report; no HTML.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tttbench.core.metric import FrontierPoint, MetricInfo, WayOfDecoding

from .charts import Chart, Spread, drawing, dress, limit_quality, svg_of, themed
from .labels import format_quantity, with_unit
from .view import ReportView, Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ON, _OFF, _INK = "#040100", "#020202", "#010101"
_LINES = ("#040100", "#040101", "#040102", "#040103", "#040104", "#040105")
_BINS = 5


_MARKERS = "osD^vP"
_MOST_NAMED = 10


@dataclass(frozen=True)
class Group:
    """A way of decoding with the places of its systems, slowest speed first; no way: systems that are of none."""

    way: WayOfDecoding | None
    places: tuple[FrontierPoint, ...]


@dataclass(frozen=True)
class Frontier:
    """What is shown of one task. ``groups``: the ways of the largest AUP first, and at the end what is of no way."""

    title: str
    places: tuple[FrontierPoint, ...]
    groups: tuple[Group, ...]
    charts: tuple[Chart, ...]

    @property
    def ways(self) -> tuple[WayOfDecoding, ...]:
        """The ways of decoding, largest AUP first."""
        return tuple(group.way for group in self.groups if group.way is not None)


def frontiers(view: ReportView) -> tuple[Frontier, ...]:
    """One for each task that has places."""
    found = []
    for number, task in enumerate(view.tasks):
        places = tuple(p for p in view.frontier if p.task == task.name and math.isfinite(p.quality))
        if len(places) > 1:
            rows = [row for row in view.rows if row.task == task.name]
            groups = _groups(places, [way for way in view.ways if way.task == task.name])
            info = view.metric(places[0].metric)
            charts = (
                _passes(groups, info, f"speeds{number}-"),
                _quality(places, info, f"frontier{number}-"),
                _lengths(places, rows, f"lengths{number}-"),
            )
            found.append(Frontier(task.title, places, groups, tuple(chart for chart in charts if chart is not None)))
    return tuple(found)


def _groups(places: Sequence[FrontierPoint], ways: Sequence[WayOfDecoding]) -> tuple[Group, ...]:
    by_system = {place.system: place for place in places}
    found = []
    for way in sorted(ways, key=lambda way: -way.aup):
        own = tuple(by_system.pop(point.system) for point in way.points if point.system in by_system)
        found.append(Group(way, own))
    return (*found, Group(None, tuple(by_system.values()))) if by_system else tuple(found)


def _passes(groups: Sequence[Group], info: MetricInfo, prefix: str) -> Chart | None:
    """Quality over codes a pass: the first ways as lines with intervals, points of the others behind them."""
    known = [place for group in groups for place in group.places if math.isfinite(place.codes_per_pass)]
    if len({place.codes_per_pass for place in known}) < 2:
        return None
    shown = [group for group in groups if group.way is not None and len(group.places) > 1][: len(_LINES)]
    scale = info.scale
    with drawing(6.4, 4.2) as (figure, axes):
        _logarithmic(axes)
        for place in known:
            axes.plot(place.codes_per_pass, scale * place.quality, marker="o", markersize=3, color=_OFF, linestyle="")
        for color, marker, group in zip(_LINES, _MARKERS, shown, strict=False):
            for place in group.places:
                low, high = (scale * bound for bound in (place.quality_low, place.quality_high))
                axes.plot([place.codes_per_pass] * 2, [low, high], color=color, linewidth=1)
            across = [place.codes_per_pass for place in group.places]
            up = [scale * place.quality for place in group.places]
            name = "" if group.way is None else group.way.name
            axes.plot(across, up, color=color, marker=marker, markersize=5, label=name)
        spreads = [Spread(p.codes_per_pass, p.quality, p.quality_low, p.quality_high) for p in known]
        limit_quality(axes, info, spreads)
        dress(axes, f"{info.title}{f' ({info.unit})' if info.unit else ''}", "audio tokens a forward pass")
        if shown:
            axes.legend(frameon=False, fontsize=8.5, labelcolor=_INK, loc="best")
        svg = svg_of(figure)
    caption = f"{info.title} against audio tokens a forward pass, with 95 % intervals: independent of the machine"
    words = "; ".join(f"{p.system}: {with_unit(p.quality, info)} at {p.codes_per_pass:.3g}" for p in known)
    return Chart(themed(svg, prefix), caption, f"{caption}. {words}.")


def _logarithmic(axes: Axes) -> None:
    """A logarithmic axis across, with plain numbers at 1, 2 and 5."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, at: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def best(places: Sequence[FrontierPoint]) -> list[FrontierPoint]:
    """Those on the Pareto front, fastest first."""
    return sorted((place for place in places if not place.is_dominated), key=lambda place: place.seconds)


def _quality(places: Sequence[FrontierPoint], info: MetricInfo, prefix: str) -> Chart:
    scale = info.scale
    with drawing(6.4, 4.2) as (figure, axes):
        _logarithmic(axes)
        for place in places:
            color = _OFF if place.is_dominated else _ON
            low, high = (
                scale * (bound if math.isfinite(bound) else place.quality)
                for bound in (place.quality_low, place.quality_high)
            )
            axes.plot([place.seconds * 1000] * 2, [low, high], color=color, linewidth=1.2)
            axes.plot([place.seconds_low * 1000, place.seconds_high * 1000], [scale * place.quality] * 2, color=color)
            filled = "none" if place.busy else color
            axes.plot(
                *(place.seconds * 1000, scale * place.quality),
                marker="o",
                color=color,
                markerfacecolor=filled,
                markersize=5,
            )
        limit_quality(axes, info, [Spread(p.seconds * 1000, p.quality, p.quality_low, p.quality_high) for p in places])
        _name_all(axes, places, scale)
        dress(axes, f"{info.title}{f' ({info.unit})' if info.unit else ''}", "time to complete answer, P50 (ms)")
        svg = svg_of(figure)
    caption = f"{info.title} against the time to the complete answer, both with 95 % intervals"
    if any(place.busy for place in places):
        caption += "; hollow: the machine was busy"
    words = "; ".join(
        f"{place.system}: {with_unit(place.quality, info)} at {format_quantity(place.seconds, 's')}" for place in places
    )
    return Chart(themed(svg, prefix), caption, f"{caption}. {words}.")


def _name_all(axes: Axes, places: Sequence[FrontierPoint], scale: float) -> None:
    """Names of the fastest on the Pareto front, above one another on the right, each with a line to its point."""
    named = best(places)[:_MOST_NAMED]
    for at, place in enumerate(named):
        axes.annotate(
            place.system,
            (place.seconds * 1000, scale * place.quality),
            xytext=(1.03, 0.97 - at * min(0.07, 0.9 / max(len(named), 1))),
            textcoords="axes fraction",
            fontsize=9,
            color=_INK,
            va="top",
            arrowprops={"arrowstyle": "-", "color": _OFF, "linewidth": 0.5},
        )


def _lengths(places: Sequence[FrontierPoint], rows: Sequence[Row], prefix: str) -> Chart | None:
    chosen = best(places)[: len(_LINES)]
    curves = {place.system: _binned([row for row in rows if row.system == place.system]) for place in chosen}
    curves = {system: curve for system, curve in curves.items() if len(curve) > 1}
    if not curves:
        return None
    with drawing(6.4, 4.2) as (figure, axes):
        for color, (system, curve) in zip(_LINES, curves.items(), strict=False):
            axes.plot(*zip(*curve, strict=True), color=color, marker="o", markersize=4, label=system)
        axes.set_ylim(bottom=0)
        dress(axes, "real-time factor, median", "audio tokens of the answer")
        axes.legend(frameon=False, fontsize=9, labelcolor=_INK)
        svg = svg_of(figure)
    caption = "Real-time factor by the length of the answer, of the systems on the Pareto front"
    words = "; ".join(f"{system}: {curve[0][1]:.3f} to {curve[-1][1]:.3f}" for system, curve in curves.items())
    return Chart(themed(svg, prefix), caption, f"{caption}. {words}.")


def _binned(rows: Sequence[Row]) -> list[tuple[float, float]]:
    """Median codes and median real-time factor of parts of equal size, shortest answers first."""
    known = sorted((row.codes, row.latency.rtf) for row in rows if row.latency.rtf is not None and row.codes)
    n_bins = min(_BINS, len(known) // 4)
    parts = [known[len(known) * i // n_bins : len(known) * (i + 1) // n_bins] for i in range(n_bins)]
    return [(statistics.median(n for n, _ in part), statistics.median(f for _, f in part)) for part in parts]
