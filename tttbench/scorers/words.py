"""A result and its standing in words and figures, as terminal, pages, tables and gate show them. Decides nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import get_args

from tttbench.core.losses import Loss, LossPath, Stage
from tttbench.core.metric import Comparison, MetricInfo, Result
from tttbench.stats.corpus import FEWEST_UNITS


def counted(result: Result) -> str:
    """What the interval rests on: ``"100 utterances of 10 speakers"``, ``"32 questions"``."""
    requests = plural(result.n, result.unit)
    if not result.cluster:
        return requests
    return f"{requests} {'for' if result.unit == 'answer' else 'of'} {plural(result.n_units, result.cluster)}"


def units(result: Result) -> str:
    """What is drawn: ``"10 speakers"``, ``"32 questions"``; ``""`` if unknown."""
    return plural(result.n_units, result.cluster or result.unit) if result.n_units else ""


def interval(result: Result, info: MetricInfo, between: str = " to ") -> str:
    """The bounds in the metric's unit, or why there are none."""
    if math.isfinite(result.ci_low) and math.isfinite(result.ci_high):
        return f"{info.text(result.ci_low)}{between}{info.text(result.ci_high)}"
    if math.isnan(result.value) or not result.n_units:
        return "-"
    return "n too small" if result.n_units < FEWEST_UNITS else "all equal"


def no_interval(result: Result) -> str:
    """Why there is no interval, as a sentence; ``""`` if there is one, or no value that could have one."""
    if math.isfinite(result.ci_low) or math.isnan(result.value) or not result.n_units:
        return ""
    if result.n_units >= FEWEST_UNITS:
        return "no interval: all values are equal, and the metric has no range"
    return f"n too small for an interval ({units(result)}, {FEWEST_UNITS} are needed)"


def difference(one: Comparison, info: MetricInfo) -> str:
    """The difference to the best with its paired interval, without its unit; ``""`` if there is none."""
    if math.isnan(one.difference):
        return ""
    figure = info.text(one.difference, signed=True)
    if math.isnan(one.ci_low):
        return figure
    return f"{figure} [{info.text(one.ci_low, signed=True)}, {info.text(one.ci_high, signed=True)}]"


def standing(one: Comparison) -> str:
    """What the test says, with its p-value; not on which answers (``Comparison.note``)."""
    if one.standing in ("best", "not settled"):
        return one.standing
    if one.standing == "cannot tell":
        return "can't tell, n too small"
    if one.standing == "not compared":
        return f"not compared: {one.note}" if one.note else "not compared"
    tied = "tied, " if one.difference == 0 else ""
    return f"{tied}{one.standing} (p = {p_text(one.p_adjusted)})"


def standing_in_full(one: Comparison) -> str:
    """``standing``, and on which answers it rests where that isn't all of them."""
    said = standing(one)
    return said if not one.note or one.standing == "not compared" else f"{said}, {one.note}"


def stages_of(paths: Sequence[LossPath]) -> tuple[Stage, ...]:
    """The stages that any of them has, in order."""
    there = {loss.stage for path in paths for loss in path.stages}
    return tuple(stage for stage in get_args(Stage) if stage in there)


def loss(one: Loss) -> str:
    """What a stage costs in points, with its interval: ``"-12.5 [-20.1, -3.2], 30 lost, 5 gained"``."""
    figure = points(one.difference)
    if math.isfinite(one.ci_low):
        figure += f" [{points(one.ci_low)}, {points(one.ci_high)}]"
    return f"{figure}, {one.lost:,} lost" + (f", {one.gained:,} gained" if one.gained else "")


def points(value: float) -> str:
    """A difference of shares, in points and signed."""
    text = f"{100 * value:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text


def p_text(value: float) -> str:
    """A p-value: three decimals, or the power of ten of a smaller one."""
    return f"{value:.3f}" if value >= 0.001 else f"{value:.0e}"


def plural(number: int, singular: str) -> str:
    """ "1 utterance", "2 utterances"."""
    return f"{number:,} {singular}{'' if number == 1 else 's'}"
