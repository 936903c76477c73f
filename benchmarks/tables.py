"""The outcome as text and as Markdown. Knows results, no measuring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.curve import Point
from benchmarks.timing import Compared, Interval


def compared_table(found: Sequence[Compared]) -> str:
    """A line per comparison: seconds of both ways and their ratio with its interval."""
    head = ("comparison", "slow", "s", "fast", "s", "ratio", "interval", "pairs", "goal")
    return _text([head, *(_row(one) for one in found)])


def curve_table(points: Sequence[Point]) -> str:
    """A line per step and context length."""
    head = ("step", "context", "ms", "interval", "limit ms", "% of limit", "growth", "limit's growth")
    return _text([head, *(_point(point) for point in points)])


def markdown(document: Mapping[str, Any], found: Sequence[Compared], points: Sequence[Point]) -> str:
    """The page that is committed beside the JSON."""
    where = document["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in where["versions"].items())
    lines = [
        "# Decoding, measured",
        "",
        f"`{document['command']}` on {where['processor']}, {where['threads']} threads of {where['cores']} cores "
        f"({where['capability']}); {versions}.",
        f"Shape `{document['shape']}`, random weights, fp32. A ratio is the median over pairs measured in turns; its "
        "interval covers it with at least 95 % where there are six pairs or more, else as often as their range does.",
        "",
    ]
    head = ("comparison", "slow", "s", "fast", "s", "ratio", "interval", "pairs", "goal")
    lines += _marked([head, *(_row(one) for one in found)])
    lines += ["", *(f"- `{one.name}`: {one.title}" for one in found), ""]
    if points:
        head = ("step", "context", "ms", "interval", "limit ms", "% of limit", "growth", "limit's growth")
        lines += ["## One step against context length", "", *_marked([head, *(_point(point) for point in points)]), ""]
    return "\n".join(lines)


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


def _milliseconds(seconds: Interval) -> str:
    return f"{1000 * seconds.low:.2f} .. {1000 * seconds.high:.2f}"


def _text(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def _marked(rows: Sequence[Sequence[str]]) -> list[str]:
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return [lines[0], "|" + "---|" * len(rows[0]), *lines[1:]]
