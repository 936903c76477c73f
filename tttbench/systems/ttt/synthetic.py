"""Prompts without content and answers of a given length, for timing a TtT model. Knows ids; runs nothing.

The answer is forced (``reference_model.decoding.forced``): every pass, logit and draw of a free answer is computed,
then the given token is taken.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

from tttbench.core.system import Lengths
from tttbench.systems.ttt.limits import TEXT_CHUNK

if TYPE_CHECKING:
    from reference_model.checkpoint import Loaded
    from reference_model.decoding import DecodeConfig, Prompt


def synthetic_prompt(loaded: Loaded, system_prompt: str, lengths: Lengths) -> Prompt:
    """Return a prompt in the chat layout around random codes, and with it the answer.

    The answer is one chunk of text, one span of audio and its end, and the end of the answer.
    """
    from reference_model.decoding import Prompt
    from reference_model.decoding.answer import is_spoken_text

    config, drawn = loaded.model.config, random.Random(lengths.seed)

    def codes(count: int) -> list[int]:
        return [drawn.randrange(config.n_audio_codes) for _ in range(count)]

    ids = loaded.tokenizer.prompt(system_prompt, codes(lengths.prompt_codes))
    text: list[int] = []
    while len(text) < TEXT_CHUNK:
        token_id = drawn.randrange(config.audio_token_id_start)
        if is_spoken_text(token_id, config):
            text.append(token_id)
    span = [config.code_id_start + code for code in codes(lengths.span_codes)]
    ends = (config.end_of_audio_new_token_id, config.im_end_token_id)
    return Prompt(tuple(ids), lengths.seed, (*text, config.begin_of_audio_token_id, *span, *ends))


def bound_for(settings: DecodeConfig, prompt: Prompt) -> DecodeConfig:
    """Return ``settings`` with limits that the forced answer doesn't reach, and that cut none of its blocks short."""
    n_forced = len(prompt.forced)
    return replace(settings, max_text_tokens=n_forced + 1, max_audio_tokens=n_forced + settings.longest_block)
