"""The plain values that pass between the parts of the suite.

A task yields ``Sample``s; the executor turns each into a ``Request``; a system answers with a ``Response`` that
carries a ``Trace``; scorers turn sample and response into ``Score``s; a run is summarised as ``Result``s.
Everything is frozen and holds plain values or NumPy arrays. This file knows no model, no disk and no clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

Waveform = npt.NDArray[np.float32]
"""Mono samples, shape (n,), float32, nominally in [-1, 1]."""

RequestKind = Literal["asr", "qa"]
"""What is asked of the system: write down what was said, or answer the spoken question."""

Status = Literal["ok", "empty", "unparsed", "judge_failed", "error"]
"""How a request ended, for one metric or as a whole; exactly one of these.

``ok``: there is an answer to judge. ``empty``: an answer without a word, or without a sound where it should be heard.
``unparsed``: an answer that could not be read. ``judge_failed``: an answer that its judge could not assess.
``error``: no answer.
"""

STATUSES: tuple[Status, ...] = ("ok", "empty", "unparsed", "judge_failed", "error")
"""From best to worst: a request as a whole has the worst status of its scores (``tttbench.scorers.status``)."""


@dataclass(frozen=True)
class Sample:
    """One item of a task, before any audio is read.

    Attributes:
        id: unique within its task.
        kind: ``"asr"`` or ``"qa"``.
        audio: file with the spoken input; None for text-only input. Read by the executor, so that a broken file
            is an error of this one request.
        reference: the transcript (asr) or the right answer (qa).
        aliases: other accepted answers (qa).
        text: written input, given instead of or beside the audio.
        answer_audio: a true recording of the answer, where the task has one; it gives the ceiling of
            spoken-answer accuracy.
        answer_text: the full sentence that ``answer_audio`` says.
        cluster: samples that share it are resampled together (speaker, question); empty means independent.
        metadata: anything worth showing (voice, condition, source).
    """

    id: str
    kind: RequestKind
    audio: Path | None
    reference: str
    aliases: tuple[str, ...] = ()
    text: str = ""
    answer_audio: Path | None = None
    answer_text: str = ""
    cluster: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """What a system is asked: mono float32 audio at its original rate, or text, or both.

    ``seed`` is a function of run seed, task and sample id alone, so an answer doesn't depend on batch or order.
    """

    id: str
    kind: RequestKind
    audio: Waveform | None
    sample_rate: int
    text: str = ""
    instruction: str = ""
    max_seconds: float = 30.0
    seed: int = 0


@dataclass(frozen=True)
class AudioCommit:
    """One committed block of audio codes. ``time_s`` since the request came in; ``n_codes`` codes (no end token)."""

    time_s: float
    n_codes: int


@dataclass(frozen=True)
class Packet:
    """One packet of waveform. ``time_s`` since the request came in; ``n_samples`` at the response's sample rate."""

    time_s: float
    n_samples: int


@dataclass(frozen=True)
class Trace:
    """When everything happened, in seconds since the request came in (monotonic clock).

    Attributes:
        stages_s: seconds of compute by stage, e.g. ``{"encode": .., "prefill": .., "decode": .., "vocode": ..}``.
        prefill_end_s: when the prompt was in the cache; None where a system has no such moment.
        text_times_s: one entry per text token.
        text_tokens: the tokens' texts, same length as ``text_times_s`` (may be empty where unknown).
        audio_commits: one entry per committed block.
        packets: one entry per waveform packet.
        end_s: when the answer was complete.
        nfe: forward passes of the network that wrote the answer (a CFG pair in one pass counts once).
        commit_step: for each audio position, the pass (counted over the whole answer) that committed it.
        commit_confidence: for each audio position, the probability the model gave to the committed code.
        spans: lengths of the audio spans, summing to ``len(commit_step)``.
    """

    stages_s: Mapping[str, float] = field(default_factory=dict)
    prefill_end_s: float | None = None
    text_times_s: tuple[float, ...] = ()
    text_tokens: tuple[str, ...] = ()
    audio_commits: tuple[AudioCommit, ...] = ()
    packets: tuple[Packet, ...] = ()
    end_s: float = 0.0
    nfe: int = 0
    commit_step: tuple[int, ...] = ()
    commit_confidence: tuple[float, ...] = ()
    spans: tuple[int, ...] = ()


@dataclass(frozen=True)
class Response:
    """A system's answer. ``audio_codes`` and ``waveform`` are None for systems that only write.

    ``finish_reason`` is ``"stop"`` (the model ended its answer), ``"length"`` (a limit cut it) or a system's own word.
    """

    text: str
    audio_codes: tuple[int, ...] | None = None
    waveform: Waveform | None = None
    sample_rate: int = 0
    finish_reason: str = "stop"
    trace: Trace = field(default_factory=Trace)


ScoreKind = Literal["rate", "binary", "value"]
"""``rate``: edits over units, aggregated at corpus level; ``binary``: 0 or 1, averaged; ``value``: averaged."""


@dataclass(frozen=True)
class Score:
    """One scorer's verdict on one sample.

    Attributes:
        metric: e.g. ``"wer"``, ``"text_accuracy"``, ``"spoken_accuracy"``.
        value: the sample's own value. For ``rate`` it is ``numerator / denominator`` (nan if denominator is 0).
        kind: how values are aggregated.
        numerator, denominator: for ``rate`` edits and reference units; for the others value and 1.
        status: ``ok``, or why there is no ordinary value.
        detail: plain JSON values for display: counts, the alignment, the normalised texts, the heard text …
        recipe: names and versions the normaliser, ASR and judge that made it; equal recipes are comparable.
    """

    metric: str
    value: float
    kind: ScoreKind
    numerator: float
    denominator: float
    status: Status
    recipe: str
    detail: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """One cell of the headline table: a metric of a system on a task, with its interval and its counts.

    ``ok`` to ``error`` add up to ``n`` and count how requests ended for this metric.
    ``value_best`` and ``value_worst`` are the metric if every failed request were counted as right or as wrong.
    ``lower_is_better`` says which way the metric points. ``value`` counts errors as wrong.
    """

    system: str
    task: str
    metric: str
    value: float
    ci_low: float
    ci_high: float
    n: int
    ok: int
    empty: int
    unparsed: int
    judge_failed: int
    error: int
    recipe: str
    value_best: float
    value_worst: float
    lower_is_better: bool


@dataclass(frozen=True)
class ProbeResult:
    """One latency or throughput figure over the requests of a run. ``unit``: ``s``, ``ratio``, ``1/s``, ``passes`` …

    ``n`` is the number of requests behind the percentiles.
    """

    system: str
    strategy: str
    task: str
    metric: str
    unit: str
    p50: float
    p90: float
    p99: float
    n: int


@dataclass(frozen=True)
class Conditions:
    """Under which conditions something was timed.

    Attributes:
        pace_s: seconds that a fixed piece of work took on the device right before, in torch's threads.
        others_cores: how many cores other processes kept busy meanwhile; of short times it is rough and may be below 0,
            its mean over many isn't. None where the operating system doesn't tell.
    """

    pace_s: float
    others_cores: float | None


@dataclass(frozen=True)
class FrontierPoint:
    """A system's place.

    Attributes:
        system, task, metric: what was measured.
        lower_is_better: which way ``metric`` points.
        quality, quality_low, quality_high: the corpus value with its 95 % interval.
        seconds, seconds_low, seconds_high: median time to the whole answer with its interval by order statistics.
        n: requests; ``n_timed`` of them have seconds.
        beaten_by: systems that are better in one and not worse in the other; none for those on the frontier.
    """

    system: str
    task: str
    metric: str
    lower_is_better: bool
    quality: float
    quality_low: float
    quality_high: float
    seconds: float
    seconds_low: float
    seconds_high: float
    n: int
    n_timed: int
    beaten_by: tuple[str, ...]

    @property
    def is_beaten(self) -> bool:
        """Whether it is off the frontier."""
        return bool(self.beaten_by)
