"""What comes out: the answer, split into text and audio spans, its trace, and the events of a stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from reference_model.config import TtTConfig

FinishReason = Literal["stop", "length", "cancelled"]
"""The model ended its answer, a limit cut it, or the caller cancelled it."""


@dataclass(frozen=True)
class TextCommitted:
    """A text token of the stream (those that open a span, and ``<|im_end|>``, are not told)."""

    time_s: float
    token_id: int


@dataclass(frozen=True)
class AudioCommitted:
    """A block of audio of the stream: its codes (0 … n-1) in order, and whether the span ends with it."""

    time_s: float
    codes: tuple[int, ...]
    ends_span: bool


Event = TextCommitted | AudioCommitted


@dataclass(frozen=True)
class AudioCommit:
    """One committed block: when, since the request began to run, and how many codes (end tokens don't count)."""

    time_s: float
    n_codes: int


@dataclass(frozen=True)
class DecodeTrace:
    """When everything happened, in seconds since the request began to run.

    Attributes:
        stages_s: seconds of the passes this request took part in: ``prefill``, ``text``, ``audio``; of a pass that
            several requests shared the part of the rows that were its own.
        wait_s: seconds from ``submit`` until it began to run.
        prefill_end_s: end of the first pass.
        text_times_s: one entry per text token of the answer.
        audio_commits: one entry per committed block.
        end_s: when the answer was complete.
        nfe: passes of the network (a guided pair, and several variants of a block, count once).
        nfe_audio: those of them that filled blocks.
        nfe_unconditional: those of them that ran the unconditional side of guidance, too.
        n_revised: commits that were taken back, or replaced by another token, before their block was finished.
        commit_step: for each code the pass that committed it, the last one where it was revised, counted from 0 over
            the answer.
        commit_confidence: for each code the probability the model gave it.
        spans: number of codes of each span.
    """

    stages_s: Mapping[str, float] = field(default_factory=dict)
    wait_s: float = 0.0
    prefill_end_s: float = 0.0
    text_times_s: tuple[float, ...] = ()
    audio_commits: tuple[AudioCommit, ...] = ()
    end_s: float = 0.0
    nfe: int = 0
    nfe_audio: int = 0
    nfe_unconditional: int = 0
    n_revised: int = 0
    commit_step: tuple[int, ...] = ()
    commit_confidence: tuple[float, ...] = ()
    spans: tuple[int, ...] = ()


@dataclass(frozen=True)
class Answer:
    """One answer.

    Attributes:
        ids: everything that was written, in order.
        text_ids: the text tokens, without the ones that open a span and ``<|im_end|>``.
        spans: codes (0 … n-1) of each audio span.
        finish_reason: see ``FinishReason``.
        trace: see ``DecodeTrace``.
    """

    ids: tuple[int, ...]
    text_ids: tuple[int, ...]
    spans: tuple[tuple[int, ...], ...]
    finish_reason: FinishReason
    trace: DecodeTrace

    @property
    def codes(self) -> tuple[int, ...]:
        """The codes of all spans, one after the other."""
        return tuple(code for span in self.spans for code in span)


def is_spoken_text(token_id: int, config: TtTConfig) -> bool:
    """Whether an id is text to be read, not audio and not a control token."""
    control = (*config.span_begin_ids, config.im_start_token_id, config.im_end_token_id, config.end_of_audio_token_id)
    return token_id < config.audio_token_id_start and token_id not in control


def spans_of(ids: Sequence[int], config: TtTConfig) -> list[list[int]]:
    """Positions of the codes of each audio span (a maximal run of audio ids, also cut behind an end token)."""
    spans: list[list[int]] = []
    inside = False
    for position, token_id in enumerate(ids):
        if token_id < config.audio_token_id_start:
            inside = False
            continue
        if not inside:
            spans.append([])
            inside = True
        if config.is_code(token_id):
            spans[-1].append(position)
        elif token_id in config.span_end_ids:
            inside = False
    return spans
