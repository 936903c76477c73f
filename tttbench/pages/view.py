"""What a report shows, as frozen values: between the run directory (`load`) and the page (`render`).

Knows the suite's records and nothing of files, HTML or scripts. Numbers stay as the summary has them; rounding
belongs to `labels`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tttbench.core.exchange import STATUSES, Status, Trace, is_cut
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
from tttbench.core.spoken import SpokenAnswers
from tttbench.scorers.denominators import leaves_out
from tttbench.store.manifest import LosslessCheck, Skipped, Unanswered

from .labels import short_names

DiffOp = Literal["equal", "delete", "insert", "substitute"]


@dataclass(frozen=True)
class DiffChunk:
    """A run of words with one fate. ``expected`` is empty for insertions, ``given`` for deletions."""

    op: DiffOp
    expected: str
    given: str


@dataclass(frozen=True)
class ScoreView:
    """One score of one answer, by its id. ``value`` is None where there is none; ``note`` says how it came about.

    ``is_left_out``: of the score on purpose, as a publication does; ``status`` is then no verdict.
    """

    metric: str
    value: float | None
    status: Status
    note: str = ""
    is_left_out: bool = False


@dataclass(frozen=True)
class Latency:
    """Figures of one request; None where the system has no such moment. Times in seconds since the request."""

    ttft_s: float | None = None
    ttfa_codes_s: float | None = None
    ttfa_wave_s: float | None = None
    rtf: float | None = None
    nfe_per_code: float | None = None


@dataclass(frozen=True)
class Row:
    """One request and everything there is to see of it. Audio paths are relative to the run directory.

    Attributes:
        status: how the request ended; ``message`` says why when it isn't ``ok``.
        wrong: not ok, or some score says that something is wrong (a binary 0, or any edit).
        repeat: which answer to the sample, from 0.
        references: accepted answers, the one to show first.
        answer_text: what is spoken in the reference audio, where the task has one.
        text_diff: reference against written answer, word by word, as scored where words are scored; empty if they
            have not been compared.
        transcript: of the spoken answer, by the run's first transcriber; ``more_transcripts`` are those of others, by
            name.
        transcript_diff: the written answer against that transcript.
        reference_transcript: of the reference audio.
        codes: number of audio codes of the answer, without end tokens.
        sample_rate: of the answer's waveform, Hz; 0 if there is none.
    """

    system: str
    task: str
    id: str
    family: str
    status: Status
    message: str = ""
    repeat: int = 0
    question: str = ""
    references: tuple[str, ...] = ()
    answer_text: str = ""
    text: str = ""
    transcript: str | None = None
    more_transcripts: Mapping[str, str] = field(default_factory=dict)
    reference_transcript: str | None = None
    finish_reason: str = ""
    text_diff: tuple[DiffChunk, ...] = ()
    transcript_diff: tuple[DiffChunk, ...] = ()
    scores: tuple[ScoreView, ...] = ()
    input_audio: str = ""
    answer_audio: str = ""
    reference_audio: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    latency: Latency = field(default_factory=Latency)
    trace: Trace | None = None
    codes: int = 0
    sample_rate: int = 0
    wrong: bool = False

    @property
    def reference(self) -> str:
        """The reference to show; ``""`` if there is none."""
        return self.references[0] if self.references else ""

    @property
    def is_cut(self) -> bool:
        """Whether a length limit cut the answer."""
        return is_cut(self.finish_reason)


@dataclass(frozen=True)
class Fact:
    """A line of "what was run": a dotted name and its value as text."""

    name: str
    value: str


@dataclass(frozen=True)
class SystemView:
    """A system of the run. ``facts`` is its model card, flattened; ``remark`` what to know of its way of decoding."""

    name: str
    strategy: str
    facts: tuple[Fact, ...] = ()
    remark: str = ""


@dataclass(frozen=True)
class TaskView:
    """A task of the run; ``metrics`` are the ids of its scores, the primary metric first."""

    name: str
    title: str
    family: str
    description: str
    metrics: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True)
class ReportView:
    """Everything on the page.

    Attributes:
        name: the run directory's name.
        status: the run's own word for its state (``running``, ``done`` …).
        expected: requests that the run is to make; those without an answer are shown as missing.
        results: of the systems, and of the reference audio (the topline).
        metrics: what each of them is, by score id.
        facts: the few facts of the overview; ``manifest`` is everything, flattened, for the foldable.
        command: the command line that made the run; empty if unknown.
        frontier: the quality-latency trade-off of ways to decode.
        ways: the same over forward passes, each way at all its speeds.
        comparisons: each system against the best of a task and metric, on the same answers.
        ablations: each system with something switched off against the one that has it on.
        unanswered: systems without a single answer to a task.
        lossless: by system what was compared with its oracle.
        spoken: lengths, silence and clipping of spoken answers.
        losses: where right answers are lost, of questions that are asked in several ways; ``losses_left_out``: what of
            it can't be compared, a sentence each.
        costs: what each judge made and cost, and each system that says so, a sentence each.
        corrected: results corrected by a person's labels.
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
    metrics: Mapping[str, MetricInfo]
    skipped: tuple[Skipped, ...] = ()
    facts: tuple[Fact, ...] = ()
    manifest: tuple[Fact, ...] = ()
    frontier: tuple[FrontierPoint, ...] = ()
    ways: tuple[WayOfDecoding, ...] = ()
    unanswered: tuple[Unanswered, ...] = ()
    costs: tuple[str, ...] = ()
    corrected: tuple[Corrected, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    ablations: tuple[Ablated, ...] = ()
    timed: tuple[TimedAnswers, ...] = ()
    lossless: Mapping[str, tuple[LosslessCheck, ...]] = field(default_factory=dict)
    losses: tuple[LossPath, ...] = ()
    losses_left_out: tuple[str, ...] = ()
    spoken: tuple[SpokenAnswers, ...] = ()

    def cut_count(self) -> int:
        """Requests whose answer a length limit cut."""
        return sum(row.is_cut for row in self.rows)

    def status_counts(self) -> Mapping[Status, int]:
        """Requests by how they ended, every status named even at 0."""
        counts: dict[Status, int] = dict.fromkeys(STATUSES, 0)
        for row in self.rows:
            counts[row.status] += 1
        return counts

    @property
    def scores_that_leave_out(self) -> tuple[str, ...]:
        """The scores, by id, that leave answers out as a publication does."""
        return tuple(dict.fromkeys(one.metric for one in self.results if leaves_out(one.recipe)))

    def task(self, name: str) -> TaskView:
        """The task called ``name`` (KeyError if the run has none)."""
        for task in self.tasks:
            if task.name == name:
                return task
        raise KeyError(name)

    def metric(self, score_id: str) -> MetricInfo:
        """What a metric is; of one that the run doesn't describe, no more than its id."""
        return self.metrics.get(score_id) or MetricInfo(score_id.replace("_", " "), direction="none")

    def comparison(self, system: str, task: str, metric: str) -> Comparison | None:
        """How a system stands to the best of a task and metric; None where nothing was compared."""
        wanted = (system, task, metric)
        return next((one for one in self.comparisons if (one.system, one.task, one.metric) == wanted), None)

    def value(self, system: str, task: str, metric: str) -> float:
        """The value of a result; NaN where there is none."""
        wanted = (system, task, metric)
        return next((one.value for one in self.results if (one.system, one.task, one.metric) == wanted), math.nan)

    def shown(self, system: str) -> str:
        """The name of a system, shortened where it is long; systems keep different names."""
        return short_names([view.name for view in self.systems]).get(system, system)

    @property
    def remarks(self) -> Mapping[str, tuple[str, ...]]:
        """What to know of ways of decoding, with the systems that decode so."""
        texts = dict.fromkeys(one.remark for one in self.systems if one.remark)
        return {text: tuple(one.name for one in self.systems if one.remark == text) for text in texts}

    def strategy(self, system: str) -> str:
        """The decoding strategy of a system; empty if it has none."""
        return next((view.strategy for view in self.systems if view.name == system), "")
