"""What is compared with what: decoding with a given schedule, cached and not, against ``transformers``, in batches.

Answers are forced (``Prompt.forced``), because random weights write no spans by themselves; every pass, every draw
and every logit is computed as in free decoding, on both sides of each comparison.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.shapes import answer_ids, prompt_ids, with_objective
from benchmarks.timing import Comparison
from benchmarks.transformers_loop import TransformersLoop
from reference_model.decoding import Answer, DecodeConfig, Prompt, generate
from reference_model.transformer import TtTModel

SPAN = 27
"""26 codes and the token that ends them: the block length at which such a span is one block."""

RELEASED_BLOCK = 26
"""The released block length: the end token of a span of 26 codes then takes a block of its own."""


@dataclass(frozen=True)
class Sizes:
    """Lengths that a smoke test makes small.

    Attributes:
        prompts: the two prompt lengths of ``exact`` against ``none``.
        groups: how often 13 text tokens and a span of 26 codes are written.
        batch: requests of the batched comparison.
    """

    prompts: tuple[int, int] = (256, 1024)
    groups: int = 4
    batch: int = 16


def settings_of(cache: str, block_length: int = SPAN, cfg: float = 0.0) -> DecodeConfig:
    """Greedy decoding in two steps a block, with limits that no schedule here reaches."""
    return DecodeConfig(
        cache=cache,  # type: ignore[arg-type]  # one of CacheMode, checked by DecodeConfig
        block_length=block_length,
        steps_per_block=2,
        cfg=cfg,
        max_text_tokens=4096,
        max_audio_tokens=8192,
    )


def after_prefill_s(model: TtTModel, prompt: Prompt, settings: DecodeConfig) -> float:
    """Seconds from the end of the prefill to the end of the answer."""
    (answer,) = generate(model, [prompt], settings)
    check(answer, prompt)
    return answer.trace.end_s - answer.trace.prefill_end_s


def check(answer: Answer, prompt: Prompt) -> None:
    """Refuse to time an answer that isn't the one that was asked for."""
    if answer.ids != prompt.forced:
        raise RuntimeError("the answer differs from the forced schedule: this comparison would measure something else")


def exact_vs_none(model: TtTModel, sizes: Sizes) -> list[Comparison]:
    """The cached loop against the published one, at both prompt lengths; plain, with guidance, in released blocks."""
    forced = answer_ids(model.config, sizes.groups)
    made = []
    for length, label, goal in zip(sizes.prompts, ("256", "1024"), (14.0, 45.0), strict=True):
        prompt = Prompt(prompt_ids(model.config, length), forced=forced)
        for suffix, what, block_length, cfg in (
            ("", "CFG off", SPAN, 0.0),
            ("_cfg", "CFG 0.1 as published", SPAN, 0.1),
            ("_block26", "CFG off, blocks of 26: the end token takes a second block", RELEASED_BLOCK, 0.0),
        ):
            made.append(
                Comparison(
                    f"exact_vs_none_{label}{suffix}",
                    f"prompt of {length}, {sizes.groups} x (13 text + 26 codes, S=2), after the prefill, {what}",
                    "none",
                    _run(model, prompt, settings_of("none", block_length, cfg)),
                    "exact",
                    _run(model, prompt, settings_of("exact", block_length, cfg)),
                    None if suffix else goal,
                )
            )
    return made


def _run(model: TtTModel, prompt: Prompt, settings: DecodeConfig) -> Callable[[], float]:
    return lambda: after_prefill_s(model, prompt, settings)


def ar_vs_transformers(model: TtTModel, sizes: Sizes, suffix: str, goal: float) -> Comparison:
    """Next-token decoding of text and audio against ``transformers``' cached ``generate``, same weights."""
    ar = with_objective(model, "ar")
    prompt = Prompt(prompt_ids(ar.config, sizes.prompts[0]), forced=answer_ids(ar.config, sizes.groups))
    # The first decode pass joins weights into one matrix, which the other model, made afterwards, shares.
    after_prefill_s(ar, prompt, settings_of("exact"))
    loop = TransformersLoop(model)
    return Comparison(
        f"ar_vs_transformers{suffix}",
        f"prompt of {sizes.prompts[0]}, {len(prompt.forced)} tokens of text and audio one by one, after the prefill",
        "transformers",
        lambda: loop.after_prefill_s(prompt.ids, prompt.forced),
        "ar",
        lambda: after_prefill_s(ar, prompt, settings_of("exact")),
        goal,
    )


def block_vs_ar(model: TtTModel, sizes: Sizes) -> Comparison:
    """One span of 26 codes: block diffusion in two steps against token by token, same weights."""
    config = model.config
    ar = with_objective(model, "ar")
    prompt = Prompt(prompt_ids(config, sizes.prompts[0]), forced=answer_ids(config, 1, n_text=0))

    def span_s(of: TtTModel) -> float:
        (answer,) = generate(of, [prompt], settings_of("exact"))
        check(answer, prompt)
        # The prefill's pass writes the token that opens the span.
        return answer.trace.audio_commits[-1].time_s - answer.trace.prefill_end_s

    title = f"a span of 26 codes behind a prompt of {sizes.prompts[0]}, from its first pass to its last code"
    return Comparison("block_vs_ar", title, "ar", lambda: span_s(ar), "block, S=2", lambda: span_s(model), 4.0)


def batch16_vs_1(model: TtTModel, sizes: Sizes, suffix: str, goal: float | None) -> Comparison:
    """Different requests in one ragged batch against one at a time: whole answers, prefill included."""
    config = model.config
    prompts = [
        Prompt(
            prompt_ids(config, max(16, sizes.prompts[0] // 2 + 7 * i), seed=i),
            seed=i,
            # Different lengths of text put the requests into different phases.
            forced=answer_ids(config, sizes.groups, seed=i, n_text=9 + i % 8),
        )
        for i in range(sizes.batch)
    ]

    def all_s(batch_size: int) -> float:
        before_s = time.perf_counter()
        answers: Sequence[Answer] = generate(model, prompts, settings_of("exact"), batch_size=batch_size)
        taken_s = time.perf_counter() - before_s
        for answer, prompt in zip(answers, prompts, strict=True):
            check(answer, prompt)
        return taken_s

    return Comparison(
        f"batch16_vs_1{suffix}",
        f"{sizes.batch} requests of different lengths, prompts of {len(prompts[0].ids)} to {len(prompts[-1].ids)}, "
        "prefill included: the ratio is that of answers per second",
        "one at a time",
        lambda: all_s(1),
        f"batch of {sizes.batch}",
        lambda: all_s(sizes.batch),
        goal,
    )
