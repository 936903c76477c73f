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

    @property
    def least(self) -> float:
        """The lowest value that there can be; verdicts and rates begin at 0 where nothing else is said."""
        if self.lowest is not None:
            return float(self.lowest)
        return -math.inf if self.aggregation == "value" else 0.0

    @property
    def most(self) -> float:
        """The highest value that there can be; verdicts end at 1 where nothing else is said."""
        if self.highest is not None:
            return float(self.highest)
        return 1.0 if self.aggregation == "binary" else math.inf

    @property
    def difference_unit(self) -> str:
        """The unit of a difference: points between shares, else the value's own."""
        return "points" if self.unit == "%" else self.unit

    def shown(self, value: float) -> float:
        """Return ``value`` in ``unit``."""
        return value * self.scale

    def text(self, value: float, *, signed: bool = False) -> str:
        """Write ``value`` as terminal, pages, tables and gate show it, without its unit; ``"-"`` for NaN.

        Shares and points have one decimal, all else four significant digits; ``signed`` puts a plus before what isn't
        negative.
        """
        if math.isnan(value):
            return "-"
        shown = self.shown(value)
        if self.unit in ("%", "points"):
            text = f"{shown:.1f}"
        else:
            text = f"{shown:.0f}" if 9999.5 <= abs(shown) < math.inf else f"{shown:.4g}"
        if text.startswith("-") and not text.strip("-0."):
            text = text[1:]
        return f"+{text}" if signed and not text.startswith("-") else text

    def is_worse(self, difference: float) -> bool:
        """Whether a value that is larger by ``difference`` is worse."""
        return difference != 0 and (difference > 0) == self.lower_is_better


@dataclass(frozen=True)
class Score:
    """One scorer's verdict on one answer to one sample.

    Attributes:
        value: the sample's own value. For rates it is ``numerator / denominator`` (nan if the denominator is 0).
        numerator, denominator: for rates edits and reference units; else value and 1.
        status: ``ok``, or why there is no ordinary value.
        detail: for display: counts, the alignment, the normalized texts …; ``dropped`` says why it is left out.
    """

    value: MaybeNan
    numerator: MaybeNan
    denominator: MaybeNan
    status: Status
    detail: JsonObject = field(default_factory=dict)

    @property
    def dropped(self) -> str:
        """Why the answer is left out of this score on purpose; ``""`` if it isn't. Says nothing of the request."""
        return str(self.detail.get("dropped", ""))


def score_fault(score: object, info: MetricInfo) -> str:
    """Return why what a scorer gave can't be the score of an answer; ``""`` if it can.

    A value that isn't finite says nothing, unless the status says why: only a rate without any reference unit has none.
    """
    if not isinstance(score, Score):
        return f"it returned a {type(score).__name__}, expected a Score or None"
    if score.status != "ok":
        return ""
    parts = (score.numerator, score.denominator)
    if not all(isinstance(one, int | float) and math.isfinite(one) for one in parts):
        return f"numerator and denominator must be finite numbers, not {parts[0]!r} and {parts[1]!r}"
    if info.aggregation == "rate" and score.denominator == 0:
        return ""
    if not (isinstance(score.value, int | float) and math.isfinite(score.value)):
        return f"the value must be a finite number, not {score.value!r}; an answer without one has another status"
    slack = 1e-9 * max(1.0, abs(score.value))
    if not info.least - slack <= score.value <= info.most + slack:
        ends = ["…" if math.isinf(end) else f"{end:g}" for end in (info.least, info.most)]
        return f"the value {score.value!r} lies outside of the metric's range, {ends[0]} to {ends[1]}"
    if info.aggregation != "rate" and (score.denominator != 1 or score.numerator != score.value):
        return f"only a rate has parts: the numerator must be the value, {score.value!r}, and the denominator 1"
    if info.aggregation == "binary" and score.value not in (0, 1):
        return f"a binary score is 0 or 1, not {score.value!r}; with values between, the aggregation is 'value'"
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
        n_units: independent units that the interval rests on: clusters where samples share some, else requests with a
            value; 0 if unknown (runs of before 0.2).
        unit: what a request is about, e.g. ``"utterance"``, or ``"answer"`` where samples have several.
        cluster: what the units are where they are not the requests, e.g. ``"speaker"``; ``""`` where they are.
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
    n_units: int = 0
    unit: str = "request"
    cluster: str = ""
    cut: int = 0


@dataclass(frozen=True)
class Corrected:
    """A result corrected by a person's labels of some of its answers; its ``Result`` has the value as it was scored.

    Attributes:
        system, task, metric: whose.
        value, ci_low, ci_high: corrected, with the 95 % interval (``tttbench.stats.prediction_powered``).
        raw: the value as it was scored, of the same answers.
        n: answers that count; ``n_labels`` of them have a label, on ``n_differ`` of which the score says otherwise.
    """

    system: str
    task: str
    metric: str
    value: MaybeNan
    ci_low: MaybeNan
    ci_high: MaybeNan
    raw: MaybeNan
    n: int
    n_labels: int
    n_differ: int


Standing = Literal["best", "not settled", "worse", "better", "no difference found", "cannot tell", "not compared"]
"""How a system stands in a table. ``best``: every other is worse, as the test says; ``not settled``: its value is the
best, but that isn't sure of every other; ``cannot tell``: so few units that no difference could have been found."""


@dataclass(frozen=True)
class Comparison:
    """A system set against the best of a table, on the same answers.

    Attributes:
        system, task, metric: which result.
        best: label of the system with the best value, which stands in the table with the standing ``best`` or ``not
            settled`` and without a difference.
        difference, ci_low, ci_high: value minus the best's on the answers that both have, with its paired 95 %
            interval; NaN where there is none.
        n: answers that were compared; ``n_units`` independent units of them (clusters, or the answers themselves).
        p_value: of the paired permutation test; ``p_adjusted`` by Holm over all pairs of the table's systems.
        standing: see ``Standing``.
        note: what a reader has to know, such as answers that only one of them has; ``""`` if nothing.
    """

    system: str
    task: str
    metric: str
    best: str
    difference: MaybeNan
    ci_low: MaybeNan
    ci_high: MaybeNan
    n: int
    n_units: int
    p_value: MaybeNan
    p_adjusted: MaybeNan
    standing: Standing
    note: str = ""


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
class Ablated:
    """A system with something switched off: the switch, and how it stands to the system that has it on (``best``)."""

    switch: str
    comparison: Comparison


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
        codes_per_pass, codes_per_pass_low, codes_per_pass_high: audio tokens of all answers over the forward passes
            that filled audio, with its 95 % interval; nan where a system doesn't tell them.
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
    codes_per_pass: MaybeNan = field(default=math.nan, metadata={"may_lack": True})
    codes_per_pass_low: MaybeNan = field(default=math.nan, metadata={"may_lack": True})
    codes_per_pass_high: MaybeNan = field(default=math.nan, metadata={"may_lack": True})

    @property
    def is_dominated(self) -> bool:
        """Whether it is off the Pareto front."""
        return bool(self.dominated_by)


@dataclass(frozen=True)
class WayPoint:
    """A system on the curve of its way of decoding."""

    system: str
    codes_per_pass: MaybeNan
    quality: MaybeNan


@dataclass(frozen=True)
class WayOfDecoding:
    """A way of decoding at all its speeds: one model, strategy, block length and cache, and more or fewer passes.

    Attributes:
        name: what all its systems share.
        task, metric: what was measured; the metric's best value is 100 % here.
        points: by codes a pass, slowest first.
        aup, aup_low, aup_high: accuracy under parallelism with its 95 % interval (``tttbench.stats.aup``).
        area: under the same curve, without weights.
        n_left_out: points that are too far below the slowest one to count for ``aup``.
    """

    name: str
    task: str
    metric: str
    points: tuple[WayPoint, ...]
    aup: MaybeNan
    aup_low: MaybeNan
    aup_high: MaybeNan
    area: MaybeNan
    n_left_out: int
