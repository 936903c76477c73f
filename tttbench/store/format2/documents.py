"""Manifest and summary of format 2: their form, and what they are in today's format. Reads no file, writes none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from tttbench.core.errors import UserError
from tttbench.core.exchange import STATUSES, Status
from tttbench.core.json_values import JsonObject
from tttbench.core.metric import TOPLINE, FrontierPoint, MetricInfo, ProbeResult, Result
from tttbench.core.plugins import build_scorer
from tttbench.core.sample import Modality
from tttbench.core.scorer import ScoreSpec
from tttbench.core.system import Capability, SystemCard
from tttbench.core.tables import Document, MaybeNan, read_table
from tttbench.store.format2.recipes import parse_recipe
from tttbench.store.manifest import (
    DeriverEntry,
    Machine,
    Manifest,
    Session,
    Skipped,
    SuiteEntry,
    Summary,
    SystemEntry,
    TaskEntry,
)

TRUE_RECORDINGS = "true recordings"
"""What format 2 calls the reference audio as a system."""

_SPOKEN = ("spoken_accuracy", "self_wer", "spoken_gap")
"""The scores of format 2 that read a transcript."""

_ALL_KINDS = {"asr", "qa"}

_COUNTED_AS_WRONG = "failed-derivations-wrong@1"
"""The denominator where a transcriber failed: version 0.1 counted such answers as wrong."""


@dataclass(frozen=True)
class Suite2:
    """``suite`` of a manifest."""

    name: str
    title: str
    seed: int
    judge: str
    batch_size: int
    resamples: int
    warmup: int
    oracle: str = ""


@dataclass(frozen=True)
class System2:
    """An entry of ``systems``; what its last fields say is known once it has been built."""

    name: str
    strategy: str
    batch_size: int
    decode: JsonObject
    card: JsonObject
    kinds: tuple[str, ...] | None = None
    used_strategy: str = ""
    peak_rss_bytes: int = 0


@dataclass(frozen=True)
class Task2:
    """An entry of ``tasks``."""

    title: str
    kind: str
    description: str
    metrics: tuple[str, ...]
    instruction: str
    n: int
    limit: int | None
    data: str | None
    data_sha256: str


@dataclass(frozen=True)
class Judge2:
    """``judge``: what transcribed spoken answers."""

    system: str
    recipe: str
    card: JsonObject


@dataclass(frozen=True)
class Manifest2:
    """A whole manifest."""

    format: int
    status: str
    suite: Suite2
    systems: Mapping[str, System2]
    tasks: Mapping[str, Task2]
    judge: Judge2
    versions: Mapping[str, str]
    machine: Machine
    sessions: tuple[Session, ...]


Status2 = Literal["ok", "empty", "unparsed", "judge_failed", "error"]


@dataclass(frozen=True)
class Result2:
    """An entry of ``results``, ``gaps`` and ``ceiling``."""

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
    judge_failed: int
    error: int
    recipe: str
    value_best: MaybeNan
    value_worst: MaybeNan
    lower_is_better: bool


@dataclass(frozen=True)
class FrontierPoint2:
    """An entry of ``frontier``."""

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
    beaten_by: tuple[str, ...]


@dataclass(frozen=True)
class Summary2:
    """A whole summary."""

    format: int
    status: str
    expected: int
    answered: int
    counts: Mapping[Status2, int]
    results: tuple[Result2, ...]
    gaps: tuple[Result2, ...]
    ceiling: tuple[Result2, ...]
    probes: tuple[ProbeResult, ...]
    skipped: tuple[Skipped, ...]
    frontier: tuple[FrontierPoint2, ...] = field(default=())


def label_of(system: str) -> str:
    """Return a system's label in today's format, where one is reserved that wasn't."""
    return f"{system} (system)" if system == TOPLINE else system


def status_of(status: Status2) -> Status:
    """Return a status in today's words."""
    return "derivation_failed" if status == "judge_failed" else status


def manifest_of(document: Document) -> Manifest:
    """Return a manifest of format 2 in today's format.

    Raises:
        UserError: naming the file and every field that is wrong.
    """
    old = read_table(Manifest2, document, unknown="ignore")
    return Manifest(
        suite=SuiteEntry(
            name=old.suite.name,
            title=old.suite.title,
            seed=old.suite.seed,
            batch_size=old.suite.batch_size,
            resamples=old.suite.resamples,
            warmup=old.suite.warmup,
            oracle=label_of(old.suite.oracle),
        ),
        systems={label_of(label): _system(entry) for label, entry in old.systems.items()},
        tasks={name: _task(entry, old.judge.system, label_of(old.suite.oracle)) for name, entry in old.tasks.items()},
        derivers=_derivers(old.judge),
        versions=old.versions,
        machine=old.machine,
        sessions=old.sessions,
        status=old.status,
    )


def summary_of(document: Document, kinds: Mapping[str, str]) -> Summary:
    """Return a summary of format 2 in today's format.

    Args:
        document: the summary.
        kinds: how the scores of each metric are aggregated, as the journal says.

    Raises:
        UserError: naming the file and every field that is wrong.
    """
    old = read_table(Summary2, document, unknown="ignore")
    results = _joined(old.results, old.gaps)
    return Summary(
        status=old.status,
        expected=old.expected,
        answered=old.answered,
        counts=_counts(old.counts),
        metrics={one.metric: _metric(one, kinds) for one in (*results, *old.ceiling)},
        results=tuple(_result(one) for one in results),
        topline=tuple(_result(one) for one in old.ceiling),
        probes=tuple(replace(one, system=label_of(one.system)) for one in old.probes),
        frontier=tuple(_point(one) for one in old.frontier),
        skipped=tuple(replace(one, system=label_of(one.system)) for one in old.skipped),
    )


def _system(old: System2) -> SystemEntry:
    return SystemEntry(
        name=old.name,
        strategy=old.strategy,
        settings=old.decode,
        batch_size=old.batch_size,
        card=_card(old) if old.card else None,
        peak_rss_bytes=old.peak_rss_bytes,
    )


def _card(old: System2) -> SystemCard:
    """Take what today's cards have fields for out of the old card; the rest are details."""
    card = dict(old.card)
    kinds = frozenset(old.kinds or ())
    codec = str(card.pop("codec_sha256", ""))
    speaks = card.pop("speaks", None)
    decode = card.pop("decode", {})
    prompts = card.pop("prompts", {})
    recipe = card.pop("recipe", None)
    # Cards say that a system can't speak only where its kinds don't: one that just transcribes never does.
    writes_only = speaks is False or (speaks is None and kinds == {"asr"} and not codec)
    produces: frozenset[Modality] = frozenset({"text"} if writes_only else {"text", "audio"})
    return SystemCard(
        name=str(card.pop("system", old.name)),
        capability=Capability(produces=produces, families=None if not kinds or kinds >= _ALL_KINDS else kinds),
        strategy=str(card.pop("strategy", old.used_strategy)),
        weights_sha256=str(card.pop("weights_sha256", "")),
        codec=codec,
        prompts={name: str(text) for name, text in prompts.items()} if isinstance(prompts, Mapping) else {},
        settings=decode if isinstance(decode, Mapping) else {"decode": decode},
        identity={} if recipe is None else {"recipe": str(recipe)},
        details=card,
    )


def _task(old: Task2, transcriber: str, oracle: str) -> TaskEntry:
    names = list(old.metrics)
    if "text_accuracy" in names and "spoken_accuracy" in names:
        names.append("spoken_gap")
    scores = [
        ScoreSpec(one, one, {"transcriber": transcriber} if one in _SPOKEN and transcriber else {}) for one in names
    ]
    if oracle:
        scores.append(ScoreSpec("oracle_agreement", "oracle_agreement", {"oracle": oracle}))
    return TaskEntry(
        title=old.title,
        family=old.kind,
        description=old.description,
        instruction=old.instruction,
        scores=tuple(scores),
        n=old.n,
        limit=old.limit,
        data=old.data,
    )


def _derivers(judge: Judge2) -> Mapping[str, DeriverEntry]:
    return {f"transcriber:{judge.system}": DeriverEntry(judge.recipe, judge.card)} if judge.system else {}


def _counts(old: Mapping[Status2, int]) -> Mapping[Status, int]:
    found = {status_of(status): count for status, count in old.items()}
    return {status: found[status] for status in STATUSES if status in found}


def _joined(results: Sequence[Result2], gaps: Sequence[Result2]) -> list[Result2]:
    """Put each gap behind the other results of its system and task."""
    left = list(gaps)
    found: list[Result2] = []
    for at, one in enumerate(results):
        found.append(one)
        cell = (one.system, one.task)
        if at + 1 == len(results) or (results[at + 1].system, results[at + 1].task) != cell:
            found += [gap for gap in left if (gap.system, gap.task) == cell]
            left = [gap for gap in left if (gap.system, gap.task) != cell]
    return found + left


def _result(old: Result2) -> Result:
    recipe = parse_recipe(old.recipe)
    return Result(
        system=TOPLINE if old.system == TRUE_RECORDINGS else label_of(old.system),
        task=old.task,
        metric=old.metric,
        value=old.value,
        ci_low=old.ci_low,
        ci_high=old.ci_high,
        n=old.n,
        ok=old.ok,
        empty=old.empty,
        unparsed=old.unparsed,
        derivation_failed=old.judge_failed,
        error=old.error,
        recipe=replace(recipe, denominator=_COUNTED_AS_WRONG) if old.judge_failed else recipe,
        value_best=old.value_best,
        value_worst=old.value_worst,
    )


def _metric(old: Result2, kinds: Mapping[str, str]) -> MetricInfo:
    """What today's scorer of the name says of its metric; of a scorer that isn't there what the run says."""
    options = {"oracle": "oracle"} if old.metric == "oracle_agreement" else {}
    try:
        return build_scorer(ScoreSpec(old.metric, old.metric, options)).info
    except UserError:
        direction: Literal["lower", "higher"] = "lower" if old.lower_is_better else "higher"
        if kinds.get(old.metric) == "rate":
            return MetricInfo(old.metric, unit="%", scale=100, direction=direction, aggregation="rate", lowest=0)
        if kinds.get(old.metric) == "binary":
            share = MetricInfo(old.metric, unit="%", scale=100, direction=direction, aggregation="binary")
            return replace(share, lowest=0, highest=1)
        return MetricInfo(old.metric, direction=direction)


def _point(old: FrontierPoint2) -> FrontierPoint:
    values = {name: value for name, value in vars(old).items() if name not in ("system", "beaten_by")}
    return FrontierPoint(
        **values, system=label_of(old.system), dominated_by=tuple(label_of(one) for one in old.beaten_by)
    )
