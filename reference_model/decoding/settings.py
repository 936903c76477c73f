"""What is asked of the decoder: the prompt and the settings. Knows no model."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from reference_model.decoding.strategy import Strategy
from reference_model.errors import DecodeError

CacheMode = Literal["none", "exact", "refresh", "block"]
"""``none``: every pass recomputes the whole sequence (the oracle); ``exact``: what is final is cached, the open span is
recomputed, same tokens as ``none``; ``block``: earlier blocks of the open span are frozen too (approximate);
``refresh``: they are frozen, and recomputed in every ``refresh_every``-th pass (approximate)."""


@dataclass(frozen=True)
class Prompt:
    """One request.

    Attributes:
        ids: the token ids up to where the answer begins.
        seed: of the request's own random numbers.
        forced: ids the answer begins with, whatever is drawn. All passes and draws are those of free decoding, and
            masks are filled in the order of what was drawn (whose probabilities the trace keeps); behind the
            forced ids decoding is free. For measuring with a given schedule, and for continuing a given answer.
    """

    ids: tuple[int, ...]
    seed: int = 0
    forced: tuple[int, ...] = ()


@dataclass(frozen=True)
class DecodeConfig:
    """How to decode. The defaults are greedy; ``DecodeConfig.released()`` is how the published code decodes.

    Attributes:
        strategy: how an audio block is filled: a registered name, ``"name:option=value,…"``, a ``Strategy``, or
            ``"auto"`` (``ar`` for models trained so, ``topk`` otherwise).
        cache: see ``CacheMode``.
        refresh_every: every so many passes the cache ``refresh`` recomputes the open span's frozen blocks; with 1 its
            tokens are those of ``exact``, with more passes than any span takes those of ``block``.
        block_length: masks appended at a time.
        block_lengths: lengths of an answer's first, second, … block, in place of ``block_length``; the last repeats.
            A short first block brings the first audio early. Empty: every block has ``block_length``.
        steps_per_block: passes a block takes, for strategies with a fixed number.
        cfg: classifier-free guidance w in ``u + (w + 1)(c - u)``; 0 is off.
        cfg_approximate_reuse: for how many further looks of a block its unconditional logits are used again; 0 is
            exact guidance.
        cfg_approximate_context: the unconditional side sees at most so many masks before the block; None, as many as
            there are tokens, is exact guidance.
        text_temperature: 0 is greedy (then top-k and top-p have no effect).
        text_top_k: keep the k most probable tokens; 0 is off.
        text_top_p: keep the smallest set with at least this probability; 1 is off.
        audio_temperature: 0 is greedy.
        forbid_non_audio: inside audio only codes and end tokens can be drawn. False is the released behaviour: of
            all tokens only ``<|im_end|>`` is forbidden.
        forbid_audio_in_text: no audio id can be drawn as text. False is the released behaviour.
        min_text_after_audio: text tokens after a span before ``<|im_end|>`` is allowed.
        max_text_tokens: the answer is cut after so many text tokens (those that open a span count).
        max_audio_tokens: the answer is cut after so many audio tokens (end tokens count).
    """

    strategy: str | Strategy = "auto"
    cache: CacheMode = "exact"
    refresh_every: int = 4
    block_length: int = 26
    block_lengths: tuple[int, ...] = ()
    steps_per_block: int = 2
    cfg: float = 0.0
    cfg_approximate_reuse: int = 0
    cfg_approximate_context: int | None = None
    text_temperature: float = 0.0
    text_top_k: int = 0
    text_top_p: float = 1.0
    audio_temperature: float = 0.0
    forbid_non_audio: bool = True
    forbid_audio_in_text: bool = True
    min_text_after_audio: int = 0
    max_text_tokens: int = 512
    max_audio_tokens: int = 2600

    def __post_init__(self) -> None:
        bounds = {
            "refresh_every": (1, None),
            "block_length": (1, None),
            "steps_per_block": (1, None),
            "cfg": (0, None),
            "cfg_approximate_reuse": (0, None),
            "cfg_approximate_context": (0, None),
            "text_temperature": (0, None),
            "text_top_k": (0, None),
            "text_top_p": (0, 1),
            "audio_temperature": (0, None),
            "min_text_after_audio": (0, None),
            "max_text_tokens": (1, None),
            "max_audio_tokens": (0, None),
        }
        for name, (low, high) in bounds.items():
            value = getattr(self, name)
            if value is None:
                continue
            if not (low <= value < math.inf and (high is None or value <= high)):
                upper = "" if high is None else f" and at most {high}"
                raise DecodeError(f"decode setting {name}={value!r}: expected at least {low}{upper}")
        # Lists are welcome; engines are kept by their settings, which have to be hashable.
        object.__setattr__(self, "block_lengths", tuple(self.block_lengths))
        for at, length in enumerate(self.block_lengths):
            if not 1 <= length < math.inf:
                raise DecodeError(f"decode setting block_lengths[{at}]={length!r}: expected at least 1")
        if self.text_top_p == 0:
            raise DecodeError("decode setting text_top_p=0 keeps no token; 1 turns it off")
        if self.cache not in get_args(CacheMode):
            raise DecodeError(f"decode setting cache={self.cache!r}: expected one of {', '.join(get_args(CacheMode))}")

    @property
    def longest_block(self) -> int:
        """The most masks that are appended at a time."""
        return max(self.block_lengths or (self.block_length,))

    def length_of_block(self, index: int) -> int:
        """How many masks the block ``index`` of an answer has, counted from 0 over all its spans."""
        lengths = self.block_lengths or (self.block_length,)
        return lengths[min(index, len(lengths) - 1)]

    @classmethod
    def released(cls) -> DecodeConfig:
        """The settings of the published inference code: 200 steps over 2,600 codes in blocks of 26, CFG 0.1."""
        return cls(
            strategy="topk",
            block_length=26,
            steps_per_block=2,
            cfg=0.1,
            text_temperature=1.0,
            text_top_k=10,
            text_top_p=0.95,
            forbid_non_audio=False,
            forbid_audio_in_text=False,
        )
