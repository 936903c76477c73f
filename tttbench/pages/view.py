"""What a report shows, as frozen values: between the run directory (`load`) and the page (`render`).

Knows the suite's records and nothing of files, HTML or scripts. Numbers stay as the summary has them; rounding
belongs to `labels`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tttbench.core.records import STATUSES, FrontierPoint, ProbeResult, RequestKind, Result, ScoreKind, Status, Trace

from .labels import short_names

DiffOp = Literal["equal", "delete", "insert", "substitute"]


@dataclass(frozen=True)
class DiffChunk:
    """A run of words with one fate. ``expected`` is empty for insertions, ``said`` for deletions."""

    op: DiffOp
    expected: str
    said: str


@dataclass(frozen=True)
class ScoreView:
    """One score of one answer. ``value`` is None where there is none ; ``note`` says how it came about."""

    metric: str
    value: float | None
    kind: ScoreKind
    status: Status
    note: str = ""


@dataclass(frozen=True)
class Latency:
    """Figures of one request; None where the system has no such moment. Times in seconds since the request."""

    ttft_s: float | None = None
    ttfa_codes_s: float | None = None
    ttfa_wave_s: float | None = None
    rtf: float | None = None
    nfe_per_code: float | None = None
    complete_s: float | None = None


@dataclass(frozen=True)
class Row:
    """One request and everything there is to see of it. Audio paths are relative to the run directory.

    Attributes:
        status: how the request ended; ``message`` says why when it isn't ``ok``.
        answer_text: the full sentence of the true answer recording, where the task has one.
        text_diff: reference against written answer, word by word, as scored where words are scored; empty if they
            have not been compared.
        heard_diff: what the spoken answer should say against what the judge heard.
        true_heard: what the judge heard in the true answer recording.
        codes: number of audio codes of the answer, without end tokens.
        sample_rate: of the answer's waveform, Hz; 0 if there is none.
    """

    system: str
    task: str
    id: str
    kind: RequestKind
    status: Status
    message: str = ""
    question: str = ""
    reference: str = ""
    aliases: tuple[str, ...] = ()
    answer_text: str = ""
    text: str = ""
    heard: str | None = None
    true_heard: str | None = None
    finish_reason: str = ""
    text_diff: tuple[DiffChunk, ...] = ()
    heard_diff: tuple[DiffChunk, ...] = ()
    scores: tuple[ScoreView, ...] = ()
    input_audio: str = ""
    answer_audio: str = ""
    true_audio: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    latency: Latency = field(default_factory=Latency)
    trace: Trace | None = None
    codes: int = 0
    sample_rate: int = 0

    @property
    def wrong(self) -> bool:
        """Not ok, or some score says that something is wrong (a binary 0, or any edit)."""
        if self.status != "ok" or any(score.status != "ok" for score in self.scores):
            return True
        return any(
            (score.kind == "binary" and score.value is not None and score.value < 1)
            or (score.kind == "rate" and score.value is not None and score.value > 0)
            for score in self.scores
        )


@dataclass(frozen=True)
class Fact:
    """A line of "what was run": a dotted name and its value as text."""

    name: str
    value: str


@dataclass(frozen=True)
class SystemView:
    """A system of the run, asked ``batch_size`` requests a call. ``facts`` is its model card, flattened."""

    name: str
    strategy: str
    facts: tuple[Fact, ...] = ()
    batch_size: int = 1


@dataclass(frozen=True)
class TaskView:
    """A task of the run."""

    name: str
    title: str
    kind: RequestKind
    description: str
    metrics: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True)
class Skipped:
    """A task that a system was not asked, and why."""

    system: str
    task: str
    reason: str


@dataclass(frozen=True)
class ReportView:
    """Everything on the page.

    Attributes:
        name: the run directory's name.
        status: the run's own word for its state (``running``, ``done`` …).
        expected: requests that the run is to make; those without an answer are shown as missing.
        results: of the systems, the losses in speaking among them, and of the true recordings (the ceiling).
        facts: the few facts of the overview; ``manifest`` is everything, flattened, for the foldable.
        command: the command line that made the run; empty if unknown.
        frontier: where ways to decode stand, in suites with an oracle.
    """

    name: str
    suite: str
    title: str
    status: str
    command: str
    expected: int
    systems: tuple[SystemView, ...]
    tasks: tuple[TaskView, ...]
    results: tuple[Result, ...]
    probes: tuple[ProbeResult, ...]
    rows: tuple[Row, ...]
    skipped: tuple[Skipped, ...] = ()
    facts: tuple[Fact, ...] = ()
    manifest: tuple[Fact, ...] = ()
    frontier: tuple[FrontierPoint, ...] = ()

    def status_counts(self) -> Mapping[Status, int]:
        """Requests by how they ended, every status named even at 0."""
        counts: dict[Status, int] = dict.fromkeys(STATUSES, 0)
        for row in self.rows:
            counts[row.status] += 1
        return counts

    def task(self, name: str) -> TaskView:
        """The task called ``name`` (KeyError if the run has none)."""
        for task in self.tasks:
            if task.name == name:
                return task
        raise KeyError(name)

    def shown(self, system: str) -> str:
        """The name of a system, shortened where it is long; systems keep different names."""
        return short_names([view.name for view in self.systems]).get(system, system)

    def strategy(self, system: str) -> str:
        """The decoding strategy of a system; empty if it has none."""
        return next((view.strategy for view in self.systems if view.name == system), "")
