"""What a run directory says of its run, typed: the manifest (what was run, on what) and the summary (what came out).

JSON at the edge only: ``tttbench.store`` reads and writes these. Everything is frozen and plain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tttbench.core.exchange import Status
from tttbench.core.json_values import JsonObject
from tttbench.core.losses import LossPath
from tttbench.core.metric import (
    Ablated,
    Comparison,
    Corrected,
    FrontierPoint,
    MetricInfo,
    ProbeResult,
    Result,
    TimedAnswers,
    WayOfDecoding,
)
from tttbench.core.sample import SpeechRecipe
from tttbench.core.scorer import ScoreSpec
from tttbench.core.spoken import SpokenAnswers
from tttbench.core.system import SystemCard
from tttbench.core.task import Needs

FORMAT = 3
"""Version of the run directory's layout."""


@dataclass(frozen=True)
class AblationEntry:
    """A system that is another one, ``base``, with one thing switched off."""

    system: str
    base: str
    switch: str


@dataclass(frozen=True)
class SuiteEntry:
    """The suite that was run.

    ``oracle``: label of the system whose codes others are compared with; ``""`` for none. ``batch_size``: requests a
    call that were asked for; None: one at a time. ``timeout_s``: seconds that each request may take. ``ablations``:
    which systems are others with something switched off. ``verify``: answers of each task that systems declared
    lossless have compared with their oracle.
    """

    name: str
    title: str = ""
    seed: int = 0
    batch_size: int | None = None
    resamples: int = 2000
    warmup: int = 1
    repeats: int = 1
    oracle: str = ""
    timeout_s: float = 300.0
    ablations: tuple[AblationEntry, ...] = field(default=(), metadata={"may_lack": True})
    verify: int = field(default=0, metadata={"may_lack": True})


@dataclass(frozen=True)
class LosslessCheck:
    """A way of decoding that is declared lossless, compared with its oracle on the run's own answers to a task.

    Attributes:
        task: which.
        declared: what is declared, in words.
        asked: how many answers were to be compared; ``n`` how many were.
        rounding: of them differ by rounding alone: computed more exactly, both ways agree.
        difference: the first other difference, in words; ``""`` if there is none.
    """

    task: str
    declared: str
    asked: int
    n: int
    rounding: int = 0
    difference: str = ""


@dataclass(frozen=True)
class SystemEntry:
    """A system of the run.

    Attributes:
        name: as registered, e.g. ``"ttt:mini"``.
        strategy, settings: as asked for; what holds is in the card.
        batch_size: the most requests a call.
        card: None until it has been built.
        peak_rss_bytes: most memory that the process held while it generated; 0 if unknown.
        lossless: what was compared with the oracle, a task each, where the way of decoding is declared lossless.
    """

    name: str
    strategy: str = ""
    settings: JsonObject = field(default_factory=dict)
    batch_size: int = 1
    card: SystemCard | None = None
    peak_rss_bytes: int = 0
    lossless: tuple[LosslessCheck, ...] = field(default=(), metadata={"may_lack": True})

    @property
    def used_strategy(self) -> str:
        """The decoding strategy in use, as far as it is known."""
        return self.strategy if self.card is None else self.card.strategy or self.strategy

    @property
    def remark(self) -> str:
        """What to know of its way of decoding, where its weights are untrained for it; empty if nothing."""
        found = None if self.card is None else self.card.details.get("untrained")
        return found if isinstance(found, str) else ""


@dataclass(frozen=True)
class TaskEntry:
    """A task of the run.

    Attributes:
        title, family, description, instruction, needs, language: of the task.
        scores: in table order; the first is the primary metric.
        n: samples; ``limit`` the number that was asked for, None for all.
        data: folder of ``--data``; None if the data came with the task.
        listing_sha256: hash of the listing: ids, references, paths and sizes.
        cluster: what samples of one cluster share; ``""``: as the family has it.
        max_seconds: the longest spoken answer that was waited for.
        speech: how the speech was made that it asks in; nothing where it was recorded.
        condition, condition_of, missing: of the task.
    """

    title: str
    family: str
    description: str = ""
    instruction: str = ""
    needs: Needs = field(default_factory=Needs)
    language: str = ""
    scores: tuple[ScoreSpec, ...] = ()
    n: int = 0
    limit: int | None = None
    data: str | None = None
    listing_sha256: str = ""
    cluster: str = ""
    max_seconds: float = 30.0
    speech: tuple[SpeechRecipe, ...] = field(default=(), metadata={"may_lack": True})
    condition: str = field(default="", metadata={"may_lack": True})
    condition_of: str = field(default="", metadata={"may_lack": True})
    missing: str = field(default="", metadata={"may_lack": True})


@dataclass(frozen=True)
class DeriverEntry:
    """A deriver of the run: ``recipe`` is ``""`` until it has been built; ``details`` are shown and never compared."""

    recipe: str = ""
    details: JsonObject = field(default_factory=dict)


@dataclass(frozen=True)
class Machine:
    """What the run was made on.

    ``calibration``: what did the fixed piece of work that tells how fast the machine itself was, ``torch`` or, where
    that isn't installed, ``numpy``.
    """

    device: str = "cpu"
    platform: str = ""
    processor: str = ""
    cores: int = 0
    memory_gb: float = 0.0
    gpu: str = ""
    calibration: str = "torch"


@dataclass(frozen=True)
class Session:
    """One call that worked on the run; a resumed run has several. Times are ISO 8601, UTC."""

    command: tuple[str, ...]
    started_at: str
    ended_at: str | None = None
    status: str = "running"


@dataclass(frozen=True)
class Manifest:
    """What was run. ``status``: ``running``, ``interrupted``, ``done``, ``done_with_errors`` or ``incomplete``."""

    suite: SuiteEntry
    systems: Mapping[str, SystemEntry] = field(default_factory=dict)
    tasks: Mapping[str, TaskEntry] = field(default_factory=dict)
    derivers: Mapping[str, DeriverEntry] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    machine: Machine = field(default_factory=Machine)
    sessions: tuple[Session, ...] = ()
    status: str = "running"
    format: int = FORMAT

    def recipes(self) -> Mapping[str, str]:
        """The recipe of every deriver that was built, by the deriver's name."""
        return {name: entry.recipe for name, entry in self.derivers.items() if entry.recipe}


@dataclass(frozen=True)
class Skipped:
    """A task that a system was not given, and why (the end of a sentence)."""

    system: str
    task: str
    reason: str


@dataclass(frozen=True)
class Unanswered:
    """A system all of whose requests of a task ended as errors: it has no score there, but a reason, the commonest."""

    system: str
    task: str
    n: int
    reason: str

    def __str__(self) -> str:
        """Say so in a sentence."""
        reason = self.reason.rstrip(".")
        if self.n == 1:
            return f"{self.system} has no score on {self.task}: its only request ended as an error ({reason})."
        all_n = f"all {self.n:,} requests"
        return f"{self.system} has no score on {self.task}: {all_n} ended as errors (most often {reason})."


@dataclass(frozen=True)
class DerivedTotal:
    """What a deriver made in all, in this run and in calls that scored it again.

    Attributes:
        deriver: its name.
        n: inputs; ``failed`` of them have no derivation.
        cost: summed, by name: ``requests``, ``tokens_in``, ``tokens_out``, ``usd``, ``seconds``; also of those that
            failed, and of those that were made anew since.
    """

    deriver: str
    n: int
    failed: int
    cost: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class SystemCost:
    """What the answers of a system cost in all, where they say so.

    Attributes:
        system: its label.
        n: answers that say what they cost; requests that failed don't.
        cost: summed, by name: ``requests``, ``tokens_in``, ``tokens_out``, ``usd`` …
    """

    system: str
    n: int
    cost: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Summary:
    """What came out of a run.

    Attributes:
        status: as in the manifest.
        expected, answered: requests.
        counts: answered requests by how they ended, each once.
        cut: answered requests, of any status, whose answer a length limit cut.
        metrics: by score id.
        results: of the systems; ``topline``: of the reference audio.
        probes: latency and compute; ``timed`` says which answers they are of.
        comparisons: for each task and metric that several systems have, each of them against the best.
        frontier: the quality-latency trade-off, in suites with an oracle, or that decode one model in several ways.
        ways: the curves of those ways, over audio tokens a forward pass.
        ablations: each system with something switched off against the one that has it on.
        lossless: by system what was compared with its oracle, where its way of decoding is declared lossless.
        remarks: what to know of ways of decoding, and the systems that decode so.
        skipped: what was left out, and why.
        unanswered: systems without a single answer to a task.
        spoken: lengths, silence and clipping of what was spoken.
        losses: where right answers are lost, in runs that ask the same questions in several ways; what of it can't be
            compared is said in ``losses_left_out``.
        derived: what transcribers and judges made, and what it cost.
        asked: what the answers of systems cost that say so, such as those behind servers.
        corrected: results corrected by a person's labels, where the run was given some.
    """

    status: str
    expected: int
    answered: int
    counts: Mapping[Status, int] = field(default_factory=dict)
    metrics: Mapping[str, MetricInfo] = field(default_factory=dict)
    results: tuple[Result, ...] = ()
    topline: tuple[Result, ...] = ()
    probes: tuple[ProbeResult, ...] = ()
    frontier: tuple[FrontierPoint, ...] = ()
    ways: tuple[WayOfDecoding, ...] = field(default=(), metadata={"may_lack": True})
    comparisons: tuple[Comparison, ...] = ()
    ablations: tuple[Ablated, ...] = field(default=(), metadata={"may_lack": True})
    lossless: Mapping[str, tuple[LosslessCheck, ...]] = field(default_factory=dict, metadata={"may_lack": True})
    remarks: Mapping[str, tuple[str, ...]] = field(default_factory=dict, metadata={"may_lack": True})
    skipped: tuple[Skipped, ...] = ()
    cut: int = 0
    timed: tuple[TimedAnswers, ...] = ()
    unanswered: tuple[Unanswered, ...] = ()
    spoken: tuple[SpokenAnswers, ...] = field(default=(), metadata={"may_lack": True})
    losses: tuple[LossPath, ...] = field(default=(), metadata={"may_lack": True})
    losses_left_out: tuple[str, ...] = field(default=(), metadata={"may_lack": True})
    derived: tuple[DerivedTotal, ...] = field(default=(), metadata={"may_lack": True})
    asked: tuple[SystemCost, ...] = field(default=(), metadata={"may_lack": True})
    corrected: tuple[Corrected, ...] = field(default=(), metadata={"may_lack": True})
    format: int = FORMAT
