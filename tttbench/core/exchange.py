"""What passes between the suite and a system: a request, the response, and the trace of when everything happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt

from tttbench.core.sample import Role
from tttbench.core.tables import Check, MaybeNan

Waveform = npt.NDArray[np.float32]
"""Mono samples, shape (n,), float32, nominally in [-1, 1]."""

Seconds = Annotated[float, Check(says="a finite number")]
"""A time; a system may think of NaN or infinity as one."""

Status = Literal["ok", "empty", "unparsed", "derivation_failed", "error"]
"""How a request ended, for one score or as a whole; exactly one of these.

``ok``: there is an answer to score. ``empty``: an answer without a word, or without sound where it should be spoken.
``unparsed``: the system's answer can't be read, which is wrong. ``derivation_failed``: a transcriber or judge failed or
its reply can't be read, which is not the system's fault: outside the denominator. ``error``: no answer.
"""

STATUSES: tuple[Status, ...] = ("ok", "empty", "unparsed", "derivation_failed", "error")
"""From best to worst: a request as a whole has the worst status of its scores."""


@dataclass(frozen=True)
class Message:
    """A turn whose audio has been read: mono float32 at its file's own rate (Hz)."""

    role: Role
    text: str = ""
    audio: Waveform | None = None
    sample_rate: int = 0


@dataclass(frozen=True)
class Request:
    """What a system is to respond to.

    Attributes:
        id: of the sample.
        messages: the conversation; the last message is the user's.
        family: of the task (``"asr"``, ``"qa"`` …), by which a system may choose a prompt it was trained with.
        instruction: what to do, in words. A system that can't take one says so in its capability.
        language: BCP 47 tag of the answer that is expected; ``""`` if unknown.
        max_seconds: the longest spoken answer worth waiting for.
        seed: a function of the run's seed, task, sample and repeat alone, so that an answer doesn't depend on batch or
            order.
        task: name of the sample's task; ``""`` where there is none. For look-ups, not for prompts.
    """

    id: str
    messages: tuple[Message, ...]
    family: str = ""
    instruction: str = ""
    language: str = ""
    max_seconds: float = 30.0
    seed: int = 0
    task: str = ""

    @property
    def audio(self) -> Waveform | None:
        """The audio of the last message."""
        return self.messages[-1].audio if self.messages else None

    @property
    def sample_rate(self) -> int:
        """The sample rate of ``audio`` in Hz; 0 if there is none."""
        return self.messages[-1].sample_rate if self.messages else 0

    @property
    def text(self) -> str:
        """The text of the last message."""
        return self.messages[-1].text if self.messages else ""


@dataclass(frozen=True)
class AudioCommit:
    """One committed block of audio codes. ``time_s`` since the request; ``n_codes`` codes (no end token)."""

    time_s: Seconds
    n_codes: int


@dataclass(frozen=True)
class Chunk:
    """One chunk of waveform. ``time_s`` since the request; ``n_samples`` at the response's sample rate."""

    time_s: Seconds
    n_samples: int


@dataclass(frozen=True)
class Trace:
    """When everything happened, in seconds since the request (monotonic clock).

    Attributes:
        stages_s: seconds of compute by stage, e.g. ``{"encode": .., "prefill": .., "decode": .., "vocode": ..}``; of
            work that several requests share, this one's part.
        prefill_end_s: when the prompt was in the cache; None where a system has no such moment.
        text_times_s: one entry per text token.
        text_tokens: the tokens' texts, same length as ``text_times_s`` (may be empty where unknown).
        audio_commits: one entry per committed block.
        chunks: one entry per chunk of waveform.
        end_s: when the answer was complete.
        nfe: forward passes of the network that wrote the answer (a guided pair in one pass counts once).
        commit_step: for each audio position, the pass (counted over the whole answer) that committed it.
        commit_confidence: for each audio position, the probability that the model gave to the committed code.
        spans: lengths of the audio spans, summing to ``len(commit_step)``.
        nfe_audio: those of ``nfe`` that filled audio; None where a system doesn't tell them apart.
        compute_s: seconds of compute of the whole answer, where several requests were worked on together: its part of
            the call's seconds. None: the suite divides a call's seconds itself (``tttbench.probes.compute``), and an
            answer that was made alone took ``end_s``.
    """

    stages_s: Mapping[str, Seconds] = field(default_factory=dict)
    prefill_end_s: Seconds | None = None
    text_times_s: tuple[Seconds, ...] = ()
    text_tokens: tuple[str, ...] = ()
    audio_commits: tuple[AudioCommit, ...] = ()
    chunks: tuple[Chunk, ...] = ()
    end_s: Seconds = 0.0
    nfe: int = 0
    commit_step: tuple[int, ...] = ()
    commit_confidence: tuple[MaybeNan, ...] = ()
    spans: tuple[int, ...] = ()
    # Runs of development versions lack these.
    nfe_audio: int | None = field(default=None, metadata={"may_lack": True})
    compute_s: Seconds | None = field(default=None, metadata={"may_lack": True})


CUT_WORDS = (
    *("length", "max_tokens", "max_output_tokens", "max_new_tokens", "max_completion_tokens", "max_length", "limit"),
    *("model_length", "context_length", "token_limit", "time_limit", "model_context_window_exceeded"),
)
"""How an answer ended that a limit cut: ours first, then what servers and libraries say; the case doesn't matter."""


def is_cut(finish_reason: str) -> bool:
    """Whether an answer that ended so was cut by a limit."""
    return finish_reason.lower() in CUT_WORDS


@dataclass(frozen=True)
class Response:
    """A system's answer. ``audio_codes`` and ``waveform`` are None for systems that only write.

    ``sample_rate`` is the waveform's, in Hz. ``finish_reason`` is ``"stop"`` (the model ended its answer), ``"length"``
    (a limit cut it; ``CUT_WORDS`` mean the same) or a system's own word. Answers that were cut are counted and are in
    no latency. ``cost`` is whatever it cost where that is known, by name: ``requests``, ``tokens_in``, ``tokens_out``,
    ``usd``.
    """

    text: str
    audio_codes: tuple[int, ...] | None = None
    waveform: Waveform | None = None
    sample_rate: int = 0
    finish_reason: str = "stop"
    trace: Trace = field(default_factory=Trace)
    # Runs of development versions lack it.
    cost: Mapping[str, float] = field(default_factory=dict, metadata={"may_lack": True})

    @property
    def is_cut(self) -> bool:
        """Whether a limit cut the answer."""
        return is_cut(self.finish_reason)


@dataclass(frozen=True)
class Conditions:
    """Under which conditions something was timed.

    Attributes:
        calibration_s: seconds that a fixed piece of work took on the device right before.
        others_cores: machine load: how many cores other processes kept busy meanwhile; of short times it is rough and
            may be below 0, its mean over many isn't. None where the operating system doesn't tell.
    """

    calibration_s: float
    others_cores: float | None
