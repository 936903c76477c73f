"""Quality against latency, as inline SVG: drawn by matplotlib, then given the page's own colors and fonts.

Knows the run's results and probes; no HTML. Colors are drawn as placeholders and replaced by CSS variables, so that
the charts follow the light and dark themes; text stays text.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from xml.sax.saxutils import escape

from tttbench.core.metric import MetricInfo, ProbeResult, Result

from .labels import format_quantity, probe_title, with_unit
from .results import REACH
from .view import ReportView, TaskView

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

N_COLORS = 6
"""The style sheet has ``--system-0`` … ``--system-5``; further systems start again, with another marker."""

_INK, _MUTED, _RULE = "#010101", "#020202", "#030303"
_SYSTEM_COLORS = tuple(f"#0401{index:02x}" for index in range(N_COLORS))
_MARKERS = "osD^vPX"
_POINT, _NAME = "point", "name"
"""Ids in the SVG, with the number of the point."""
_LETTER, _LINE = 7.2, 14
"""Width of a letter and height of a line of a name, in pixels."""

Box = tuple[float, float, float, float]
"""Left, bottom, right, top, in pixels."""
_LATENCIES = ("ttfa_wave", "rtf", "rtf_input", "latency")


@dataclass(frozen=True)
class Point:
    """One system: its quality with the interval (shares of 1) and its latency P50 to P90; ``name`` is for the eye.

    ``busy``: whether the machine was too busy for the latency to be relied on.
    """

    system: str
    name: str
    color: int
    quality: float
    quality_low: float
    quality_high: float
    latency_p50: float
    latency_p90: float
    busy: bool = False


@dataclass(frozen=True)
class ChartData:
    """What one chart shows."""

    task: TaskView
    metric: str
    info: MetricInfo
    probe: str
    unit: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Chart:
    """A finished chart: the SVG, its caption, and a sentence for those who can't see it."""

    svg: str
    caption: str
    alternative: str


def quality_latency_charts(view: ReportView) -> tuple[Chart, ...]:
    """One chart for each task on which two systems or more have both a quality and a latency."""
    found = [data for task in view.tasks if (data := chart_data(view, task)) is not None]
    return tuple(_chart(data, index) for index, data in enumerate(found))


def chart_data(view: ReportView, task: TaskView) -> ChartData | None:
    """Choose the pair of metrics that the most systems of the task have, and collect the points; None without any."""
    candidates = []
    together = {one.system for one in view.timed if one.task == task.name and one.together > 1}
    own = [probe for probe in view.probes if probe.task == task.name and probe.system not in together]
    most = {probe.system: max(p.n for p in own if p.system == probe.system) for probe in own}
    for metric in task.metrics:
        results = {r.system: r for r in view.results if r.task == task.name and r.metric == metric}
        for probe in _LATENCIES:
            # A figure that only some answers have, as the spoken ones among written ones, doesn't stand for the system.
            probes = {p.system: p for p in own if p.metric == probe and 2 * p.n >= most[p.system]}
            both = [s.name for s in view.systems if _plottable(results.get(s.name), probes.get(s.name))]
            if len(both) > 1:
                candidates.append((len(both), both, results, probes, metric))
    if not candidates:
        return None
    _, systems, results, probes, metric = max(candidates, key=lambda candidate: candidate[0])
    order = [system.name for system in view.systems]
    points = tuple(
        Point(
            name,
            view.shown(name),
            order.index(name),
            results[name].value,
            results[name].ci_low,
            results[name].ci_high,
            probes[name].p50,
            probes[name].p90,
            bool(probes[name].busy),
        )
        for name in systems
    )
    first = probes[systems[0]]
    return ChartData(task, metric, view.metric(metric), first.metric, first.unit, points)


def _plottable(result: Result | None, probe: ProbeResult | None) -> bool:
    return result is not None and probe is not None and math.isfinite(result.value) and math.isfinite(probe.p50)


def _chart(data: ChartData, index: int) -> Chart:
    info = data.info
    latency = probe_title(data.probe)
    caption = f"{data.task.title}: {info.title} against {latency[0].lower()}{latency[1:]}"
    if any(point.busy for point in data.points):
        caption += "; hollow: the machine was busy"
    seen = "; ".join(_in_words(data, point) for point in data.points)
    return Chart(_svg(data, f"chart{index}-"), caption, f"{caption}. {seen}.")


def _in_words(data: ChartData, point: Point) -> str:
    busy = ", measured on a busy machine" if point.busy else ""
    value = with_unit(point.quality, data.info)
    return f"{point.system}: {value} at {format_quantity(point.latency_p50, data.unit)}{busy}"


def _svg(data: ChartData, prefix: str) -> str:
    info, scale = data.info, data.info.scale
    percentiles = "P50 to P90" if any(math.isfinite(point.latency_p90) for point in data.points) else "median"
    with drawing(4.7, 3.1) as (figure, axes):
        marks = [_draw(axes, point, scale, f"{_POINT}{at}") for at, point in enumerate(data.points)]
        dress(
            axes,
            f"{info.title}{f' ({info.unit})' if info.unit else ''}",
            f"{probe_title(data.probe)}, {percentiles}{_unit(data.unit)}",
        )
        rightmost = max(max(p.latency_p50, p.latency_p90 if math.isfinite(p.latency_p90) else 0) for p in data.points)
        axes.set_xlim(0, 1.3 * rightmost or 1)  # room for the labels on the right
        limit_quality(
            axes, info, [Spread(p.latency_p50, p.quality, p.quality_low, p.quality_high) for p in data.points]
        )
        figure.draw_without_rendering()  # the layout must stand before names can be placed
        _name(axes, data.points, scale, marks)
        svg = svg_of(figure)
    for at, point in enumerate(data.points):
        # What a browser shows when the mark or its name is pointed at.
        title = f"<title>{escape(_in_words(data, point))}</title>"
        for part in (_POINT, _NAME):
            svg = svg.replace(f'<g id="{part}{at}">', f'<g id="{part}{at}">{title}')
    return themed(svg, prefix)


def _draw(axes: Axes, point: Point, scale: float, gid: str) -> Line2D:
    """Draw a system with its interval and its P90; return its mark."""
    color = _SYSTEM_COLORS[point.color % N_COLORS]
    y = scale * point.quality
    low, high = (scale * bound if math.isfinite(bound) else y for bound in (point.quality_low, point.quality_high))
    axes.plot([point.latency_p50] * 2, [low, high], color=color, linewidth=2, solid_capstyle="round")
    if math.isfinite(point.latency_p90):
        axes.plot([point.latency_p50, point.latency_p90], [y, y], color=color, linewidth=1, linestyle=(0, (2, 2)))
    marker = _MARKERS[point.color % len(_MARKERS)]
    (mark,) = axes.plot(
        *([point.latency_p50], [y]),
        marker=marker,
        markersize=8,
        color=color,
        markerfacecolor="none" if point.busy else color,
        linestyle="",
        clip_on=False,
        gid=gid,
    )
    return mark


@contextmanager
def drawing(width: float, height: float) -> Iterator[tuple[Figure, Axes]]:
    """A figure of so many inches and its axes, to be saved as SVG before the end."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with mpl.rc_context(
        {"svg.fonttype": "none", "svg.hashsalt": "tttbench", "font.size": 9.5, "text.parse_math": False}
    ):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasSVG(figure)
        figure.patch.set_alpha(0)
        yield figure, figure.subplots()


def svg_of(figure: Figure) -> str:
    """A figure of ``drawing`` as a whole SVG document, the same for the same drawing."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def dress(axes: Axes, y_label: str, x_label: str) -> None:
    """Give axes the page's look."""
    axes.set_xlabel(x_label, color=_MUTED)
    axes.set_ylabel(y_label, color=_MUTED)
    axes.tick_params(colors=_MUTED, length=0)
    axes.grid(color=_RULE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.patch.set_alpha(0)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(_MUTED)


@dataclass(frozen=True)
class Spread:
    """What is drawn of a system: where it stands across, its value, and the bounds of its interval, nan without one."""

    across: float
    value: float
    low: float
    high: float


def limit_quality(axes: Axes, info: MetricInfo, drawn: Sequence[Spread]) -> None:
    """Let the axis of quality go from the metric's least value as far as values go, and intervals within reason."""
    low, high = quality_limits(info, drawn)
    axes.set_ylim(info.shown(low), info.shown(high))
    for one in drawn:
        if one.high > high:  # an arrow where an interval goes on
            axes.plot([one.across], [info.shown(high)], marker="^", markersize=5, color=_MUTED, clip_on=False)


def quality_limits(info: MetricInfo, drawn: Sequence[Spread]) -> tuple[float, float]:
    """Where the axis begins and ends, as values.

    Of a metric without a highest end no interval takes it further than ``REACH`` times the largest value: one of few
    samples would press all others into a corner.
    """
    values = [one.value for one in drawn]
    bounds = [bound for one in drawn for bound in (one.low, one.high) if math.isfinite(bound)]
    low, high = min([*values, *bounds]), max([*values, *bounds])
    if not math.isfinite(info.least):
        room = 0.1 * (high - low or abs(high) or 1.0)
        return low - room, high + room
    height = high - info.least
    if math.isfinite(info.most):
        whole = info.most - info.least
        height = 1.04 * whole if height > 0.6 * whole else 1.2 * height or whole
    else:
        largest = max(values) - info.least
        height = 1.2 * min(height, REACH * largest) if largest else 1.2 * height or 1.0
    return info.least - 0.04 * height, info.least + height


def _name(axes: Axes, points: Sequence[Point], scale: float, marks: Sequence[Line2D]) -> None:
    """Write each system's name beside its point, or all of them below the chart if they don't find room there."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    places = _places(axes, points, scale)
    if len(places) < len(points):
        figure.set_figheight(figure.get_figheight() + 1.4 * _LINE / figure.dpi * len(points))
        names = [point.name for point in points]
        legend = figure.legend(marks, names, loc="outside lower left", frameon=False, labelcolor=_INK, fontsize=9.5)
        for at, text in enumerate(legend.get_texts()):
            text.set_gid(f"{_NAME}{at}")
        return
    points_per_pixel = 72 / figure.dpi
    for at, (point, place) in enumerate(zip(points, places, strict=True)):
        axes.annotate(
            point.name,
            (point.latency_p50, scale * point.quality),
            xytext=(points_per_pixel * place.shift, points_per_pixel * place.rise),
            textcoords="offset points",
            horizontalalignment=place.side,
            color=_INK,
            fontsize=9.5,
            gid=f"{_NAME}{at}",
        )


@dataclass(frozen=True)
class Place:
    """Where a name stands: which of its ends lies how many pixels right of its point, and how far above it begins."""

    side: Literal["left", "right", "center"]
    shift: float
    rise: float


_PLACES = tuple(
    place for rise in (8, -18) for place in (Place("left", 9, rise), Place("right", -9, rise), Place("center", 0, rise))
)
"""The best first."""


def _places(axes: Axes, points: Sequence[Point], scale: float) -> list[Place]:
    """Where names can stand, clear of other names, points and intervals.

    Ends before the first name that finds no place.
    """
    frame = axes.get_window_extent()
    anchors = [axes.transData.transform((p.latency_p50, scale * p.quality)) for p in points]
    taken: list[Box] = [(x - 5, y - 5, x + 5, y + 5) for x, y in anchors]
    taken += [_interval(axes, point, scale) for point in points]
    found: list[Place] = []
    for point, (x, y) in zip(points, anchors, strict=True):
        width = _LETTER * len(point.name)
        for place in _PLACES:
            left = x + place.shift - {"left": 0.0, "right": width, "center": width / 2}[place.side]
            box = (left, y + place.rise, left + width, y + place.rise + _LINE)
            across = box[0] > frame.x0 and box[2] < frame.x1 + 20
            if across and frame.y0 + 2 < box[1] < frame.y1 and not any(_overlap(box, other) for other in taken):
                found.append(place)
                taken.append(box)
                break
        else:
            break
    return found


def _interval(axes: Axes, point: Point, scale: float) -> Box:
    """Where the interval of a point is drawn."""
    bounds = [scale * b if math.isfinite(b) else scale * point.quality for b in (point.quality_low, point.quality_high)]
    x, low = axes.transData.transform((point.latency_p50, bounds[0]))
    _, high = axes.transData.transform((point.latency_p50, bounds[1]))
    return x - 1, low, x + 1, high


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _unit(unit: str) -> str:
    return {"s": " (s)", "1/s": " (per second)"}.get(unit, "")


def themed(svg: str, prefix: str) -> str:
    """Make matplotlib's SVG part of a page.

    Args:
        svg: a whole SVG document with the placeholder colors of this file.
        prefix: put before every id, so that several charts can stand in one page.

    Returns:
        The ``<svg>`` element alone: no declaration, metadata, namespace addresses or fixed size; colors as CSS
        variables; fonts left to the page.
    """
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r"<!--.*?-->", "", body, flags=re.DOTALL)
    body = re.sub(r'\s+xmlns(:\w+)?="[^"]*"', "", body)
    body = re.sub(r'(<svg[^>]*?)\s+width="[^"]*"', r"\1", body, count=1)
    body = re.sub(r'(<svg[^>]*?)\s+height="[^"]*"', r"\1", body, count=1)
    body = re.sub(r'\bid="', f'id="{prefix}', body)
    body = re.sub(r'href="#', f'href="#{prefix}', body)
    body = body.replace("url(#", f"url(#{prefix}")
    body = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", body)
    body = body.replace("<svg", '<svg aria-hidden="true" focusable="false"', 1)
    # A presentation attribute can't hold var(); a style can. matplotlib writes styles, except in <text fill>.
    variables = {_INK: "var(--ink)", _MUTED: "var(--muted)", _RULE: "var(--rule)"}
    variables |= {color: f"var(--system-{index})" for index, color in enumerate(_SYSTEM_COLORS)}
    for color, variable in variables.items():
        body = body.replace(color, variable)
    return re.sub(r"\n\s*", "\n", body).strip()
