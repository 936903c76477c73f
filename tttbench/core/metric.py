"""What a metric is, for everybody who shows or compares it; and the values that come out of a run."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal, get_args

from tttbench.core.exchange import Status
from tttbench.core.json_values import JsonObject, JsonValue
from tttbench.core.recipe import Recipe
from tttbench.core.tables import MaybeNan

Aggregation = Literal["rate", "binary", "value"]
"""``rate``: edits over units, summed over the corpus; ``binary``: 0 or 1, averaged; ``value``: averaged."""

Direction = Literal["lower", "higher", "none"]
"""Which way is better; ``none``: neither, as for a difference that only explains."""


@dataclass(frozen=True)
class MetricInfo:
    """All that terminal, pages, tables and gate know of a metric. It belongs to the scorer.

    Attributes:
        title: for a heading, e.g. ``"Word error rate"``.
        short: for a column, e.g. ``"WER"``.
        explanation: one sentence for a reader.
        unit: ``"%"`` (a share of 1), ``"points"`` (a difference of shares), or any other; ``""`` for none.
        scale: what a value is multiplied by to be shown in ``unit``: 100 for shares.
        direction: which way is better.
        aggregation: how samples make a corpus value.
        lowest, highest: the metric's range; None where it has no end. Intervals respect it.
    """

    title: str
    short: str = ""
    explanation: str = ""
    unit: str = ""
    scale: float = 1.0
    direction: Direction = "higher"
    aggregation: Aggregation = "value"
    lowest: float | None = None
    highest: float | None = None

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for what no page, table or gate could go by."""
        for name, value, known in (
            ("direction", self.direction, get_args(Direction)),
            ("aggregation", self.aggregation, get_args(Aggregation)),
        ):
            if value not in known:
                raise ValueError(f"MetricInfo.{name}: must be {', '.join(map(repr, known))}, not {value!r}.")
        if not (isinstance(self.title, str) and self.title):
            raise ValueError(f"MetricInfo.title: must be a text, not {self.title!r}.")

    @property
    def column(self) -> str:
        """The heading of a column."""
        return self.short or self.title

    @property
    def lower_is_better(self) -> bool:
        """Whether a smaller value is the better one."""
        return self.direction == "lower"

    def shown(self, value: float) -> float:
        """Return ``value`` in ``unit``."""
        return value * self.scale


@dataclass(frozen=True)
class Score:
    """One scorer's verdict on one answer to one sample.

    Attributes:
        value: the sample's own value. For rates it is ``numerator / denominator`` (nan if the denominator is 0).
        numerator, denominator: for rates edits and reference units; else value and 1.
        status: ``ok``, or why there is no ordinary value.
        detail: for display: counts, the alignment, the normalized texts …
    """

    value: MaybeNan
    numerator: MaybeNan
    denominator: MaybeNan
    status: Status
    detail: JsonObject = field(default_factory=dict)


def score_fault(score: object, info: MetricInfo) -> str:
    """Return why what a scorer gave can't be the score of an answer; ``""`` if it can.

    A value that isn't finite says nothing, unless the status says why: only a rate without any reference unit has none.
    """
    if not isinstance(score, Score):
        return f"it returned {score!r:.60}, expected a Score or None"
    if score.status != "ok":
        return ""
    parts = (score.numerator, score.denominator)
    if not all(isinstance(one, int | float) and math.isfinite(one) for one in parts):
        return f"numerator and denominator must be finite numbers, not {parts[0]!r} and {parts[1]!r}"
    if info.aggregation == "rate" and score.denominator == 0:
        return ""
    if not (isinstance(score.value, int | float) and math.isfinite(score.value)):
        return f"the value must be a finite number, not {score.value!r}; an answer without one has another status"
    low, high = info.lowest, info.highest
    slack = 1e-9 * max(1.0, abs(score.value))
    if (low is not None and score.value < low - slack) or (high is not None and score.value > high + slack):
        ends = ["…" if end is None else f"{end:g}" for end in (low, high)]
        return f"the value {score.value!r} lies outside of the metric's range, {ends[0]} to {ends[1]}"
    return ""


def plain_score(value: float, status: Status = "ok", **detail: JsonValue) -> Score:
    """Return a score of a binary or value metric: the value over 1."""
    return Score(value, value, 1.0, status, detail)


UNKNOWN = Score(math.nan, math.nan, 1.0, "derivation_failed")
"""The score where a derivation failed: no value, outside the denominator."""


@dataclass(frozen=True)
class Result:
    """A corpus value: one score of a system on a task, with its interval and its counts.

    Attributes:
        system: label; ``TOPLINE`` for the reference audio.
        metric: the score's id; its ``MetricInfo`` stands in the summary.
        value, ci_low, ci_high: with its 95 % interval. Errors count as wrong, failed derivations don't count.
        n: requests; ``ok`` to ``error`` add up to it.
        recipe: how the scores were made.
        value_best, value_worst: if every request whose answer isn't known had been right, or wrong.
        cut: requests, of any status, whose answer a length limit cut.
    """

    system: str
    task: str
    metric: str
    value: MaybeNan
    ci_low: MaybeNan
    ci_high: MaybeNan
    n: int
    ok: int
    empty: int
    unparsed: int
    derivation_failed: int
    error: int
    recipe: Recipe
    value_best: MaybeNan
    value_worst: MaybeNan
    cut: int = 0


TOPLINE = "reference audio"
"""What results of the reference audio call their system. No system may have this label."""


@dataclass(frozen=True)
class ProbeResult:
    """One latency or throughput metric over the requests of a run. ``unit``: ``s``, ``ratio``, ``1/s``, ``passes`` …

    ``n`` is the number of requests behind the percentiles. ``busy`` says why the machine was too busy for the figure to
    be relied on; ``""`` where it wasn't, or where the figure doesn't depend on it.
    """

    system: str
    strategy: str
    task: str
    metric: str
    unit: str
    p50: MaybeNan
    p90: MaybeNan
    p99: MaybeNan
    n: int
    busy: str = ""


@dataclass(frozen=True)
class TimedAnswers:
    """Which answers of a system to a task its latency and compute metrics are of.

    Attributes:
        system, task: whose.
        n: complete answers; each metric is of those of them that have it.
        error, empty, cut: requests that are left out: without an answer, with an empty one, with one that a length
            limit cut.
        together: the most requests that were worked on at once. Above 1 no latency is given, only metrics of compute.
        why_no_latency: what to say of that; ``""`` if there are latencies, or nothing to be timed.
        busy: why the machine was too busy for the times to be relied on; ``""`` where it wasn't.
    """

    system: str
    task: str
    n: int
    error: int = 0
    empty: int = 0
    cut: int = 0
    together: int = 1
    why_no_latency: str = ""
    busy: str = ""


@dataclass(frozen=True)
class FrontierPoint:
    """A system's place in the quality-latency trade-off.

    Attributes:
        system, task, metric: what was measured.
        lower_is_better: which way ``metric`` points.
        quality, quality_low, quality_high: the corpus value with its 95 % interval.
        seconds, seconds_low, seconds_high: median time to the whole answer with its interval by order statistics.
        n: requests; ``n_timed`` of them have seconds.
        dominated_by: systems that are better in one and not worse in the other; none for those on the Pareto front.
        busy: why the machine was too busy for the seconds to be relied on; ``""`` where it wasn't.
    """

    system: str
    task: str
    metric: str
    lower_is_better: bool
    quality: MaybeNan
    quality_low: MaybeNan
    quality_high: MaybeNan
    seconds: MaybeNan
    seconds_low: MaybeNan
    seconds_high: MaybeNan
    n: int
    n_timed: int
    dominated_by: tuple[str, ...]
    busy: str = ""

    @property
    def is_dominated(self) -> bool:
        """Whether it is off the Pareto front."""
        return bool(self.dominated_by)
