"""Decoding: text token by token, audio block by block; one ``generate`` for hybrid, AR and NAR models.

``generate`` answers prompts and returns; ``Engine`` is what it is made of, for callers that stream, cancel, or submit
while others run. ``measure_divergence`` says what an approximate cache costs in tokens.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from reference_model.decoding.agreement import Agreement, Divergence, agreement, divergence
from reference_model.decoding.answer import Answer, AudioCommit, AudioCommitted, DecodeTrace, Event, TextCommitted
from reference_model.decoding.engine import Engine
from reference_model.decoding.settings import CacheMode, DecodeConfig, Prompt
from reference_model.decoding.strategy import Block, Look, Strategy, make_strategy, register_strategy, strategy_names
from reference_model.transformer import TtTModel

__all__ = [
    "Agreement",
    "Answer",
    "AudioCommit",
    "AudioCommitted",
    "Block",
    "CacheMode",
    "DecodeConfig",
    "DecodeTrace",
    "Divergence",
    "Engine",
    "Event",
    "Look",
    "Prompt",
    "Strategy",
    "TextCommitted",
    "agreement",
    "divergence",
    "generate",
    "make_strategy",
    "measure_divergence",
    "register_strategy",
    "strategy_names",
]


def generate(
    model: TtTModel,
    prompts: Sequence[Prompt],
    settings: DecodeConfig | None = None,
    *,
    batch_size: int = 1,
    on_event: Callable[[int, Event], None] | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> list[Answer]:
    """Answer prompts.

    Args:
        model: the network, in eval mode.
        prompts: any mixture; each has its own seed, and its answer depends on nothing else in the batch.
        settings: how to decode; default ``DecodeConfig()``.
        batch_size: how many run at a time.
        on_event: called with the prompt's index and each committed text token or audio block.
        clock: monotonic seconds.

    Returns:
        One answer per prompt, in order.

    Raises:
        DecodeError: if settings, model and prompts don't fit together.
    """
    engine = Engine(model, settings or DecodeConfig(), max_batch=batch_size, clock=clock)
    for index, prompt in enumerate(prompts):
        engine.submit(prompt, None if on_event is None else _tell(on_event, index))
    while engine.step():
        pass
    return [engine.answers[handle] for handle in range(len(prompts))]


def measure_divergence(
    model: TtTModel,
    prompts: Sequence[Prompt],
    settings: DecodeConfig | None = None,
    *,
    cache: CacheMode = "block",
    batch_size: int = 1,
    clock: Callable[[], float] = time.perf_counter,
) -> Divergence:
    """Answer the same prompts with the ``exact`` cache and with another one, and compare.

    Args:
        model: the network, in eval mode.
        prompts: what is answered; their seeds are used both times.
        settings: how to decode, whatever cache they name; default ``DecodeConfig()``.
        cache: the cache to judge.
        batch_size: how many run at a time.
        clock: monotonic seconds.

    Returns:
        How far ``cache`` is from ``exact``, whose answers are the oracle's, and what both took.

    Raises:
        DecodeError: if settings, model and prompts don't fit together.
        ValueError: if there are no prompts.
    """
    exact = replace(settings or DecodeConfig(), cache="exact")
    # Untimed: the first pass of a model arranges its weights.
    generate(model, prompts[:1], replace(exact, max_text_tokens=1, max_audio_tokens=0))
    oracle = generate(model, prompts, exact, batch_size=batch_size, clock=clock)
    judged = generate(model, prompts, replace(exact, cache=cache), batch_size=batch_size, clock=clock)
    return divergence(judged, oracle)


def _tell(on_event: Callable[[int, Event], None], index: int) -> Callable[[Event], None]:
    return lambda event: on_event(index, event)
