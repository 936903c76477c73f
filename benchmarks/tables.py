"""The outcome as text and as Markdown. Knows results, no measuring."""

from __future__ import annotations

from benchmarks.curve import Curve, Point
from benchmarks.layout import aligned, marked
from benchmarks.record import Part, Record
from benchmarks.timing import Compared
from tttbench.stats.median import MedianInterval

COMPARED = ("comparison", "slow", "s", "fast", "s", "ratio", "interval", "pairs", "goal")
CURVE = ("step", "context", "ms", "interval", "limit ms", "% of limit", "growth", "limit's growth")


def tables(record: Record) -> str:
    """A line per comparison, then one per point of the curve."""
    found = []
    if record.compared:
        found.append(aligned([COMPARED, *map(_row, record.compared.values())]))
    if record.curve:
        found.append(aligned([CURVE, *map(_point, record.curve.points)]))
    return "\n\n".join(found)


def markdown(record: Record) -> str:
    """The page that is committed beside the JSON."""
    lines = [
        "# Decoding, measured",
        "",
        f"Shape `{record.shape}`, random weights, fp32. A ratio is the median over pairs measured interleaved; its "
        "interval holds the true median as often as it says, which is 95 % or more from six pairs on.",
        "",
    ]
    if record.compared:
        lines += [*marked([COMPARED, *map(_row, record.compared.values())]), ""]
    if record.curve:
        lines += ["## One step against context length", "", _reached(record.curve), ""]
        lines += [*marked([CURVE, *map(_point, record.curve.points)]), ""]
    lines += ["## What was run, when and where", ""]
    machines = list(dict.fromkeys(str(part.machine) for part in record.parts.values()))
    lines += [_run(part, 1 + machines.index(str(part.machine))) for part in record.parts.values()]
    lines += ["", *(f"Machine {number}: {where}." for number, where in enumerate(machines, 1)), ""]
    return "\n".join(lines)


def _run(part: Part, machine: int) -> str:
    title = part.found.title if isinstance(part.found, Compared) else "one step against context length"
    where = f"machine {machine}, load before {part.machine.load:g}"
    code = f", code `{part.machine.code}`" if part.machine.code else ""
    return f"- `{part.name}`: {title}. {part.began}, {part.took_s:.0f} s, {where}{code}: `{part.command}`"


def _reached(curve: Curve) -> str:
    ceilings = curve.ceilings
    return (
        f"The limit is that of a device that reaches {ceilings.peak_flops / 1e9:.3g} GFLOP/s and "
        f"{ceilings.bandwidth / 1e9:.3g} GB/s, as measured in the same run."
    )


def _row(one: Compared) -> tuple[str, ...]:
    goal = "" if one.goal is None else f">= {one.goal:g}"
    return (
        one.name,
        one.slow,
        f"{one.slow_s.median:.3g}",
        one.fast,
        f"{one.fast_s.median:.3g}",
        f"{one.ratio.median:.2f}",
        f"{one.ratio.low:.2f} .. {one.ratio.high:.2f} ({100 * one.ratio.coverage:.0f} %)",
        str(one.ratio.n),
        goal,
    )


def _point(point: Point) -> tuple[str, ...]:
    return (
        point.step,
        str(point.context),
        f"{1000 * point.seconds.median:.2f}",
        _milliseconds(point.seconds),
        f"{1000 * point.limit_s:.2f}",
        f"{point.percent:.0f}",
        f"{point.growth:.2f}",
        f"{point.limit_growth:.2f}",
    )


def _milliseconds(seconds: MedianInterval) -> str:
    return f"{1000 * seconds.low:.2f} .. {1000 * seconds.high:.2f}"
