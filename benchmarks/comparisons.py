"""What is compared with what: decoding with a given schedule, cached and not, against ``transformers``, in batches.

Answers are forced (``Prompt.forced``), because random weights write no spans by themselves; every pass, every draw
and every logit is computed as in free decoding, on both sides of each comparison.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from benchmarks.shapes import CODES, SHAPES, SPAN, TEXT, answer_ids, prompt_ids, random_model, with_objective
from benchmarks.timing import Comparison
from reference_model.decoding import Answer, DecodeConfig, Prompt, generate
from reference_model.limits import limits
from reference_model.transformer import TtTModel

RELEASED_BLOCK = CODES
"""The released block length: the end token of a span of 26 codes then takes a block of its own."""

VARIANTS: Mapping[str, tuple[str, int, float]] = {
    "": ("CFG off", SPAN, 0.0),
    "_cfg": ("CFG 0.1 as published", SPAN, 0.1),
    "_block26": ("CFG off, blocks of 26: the end token takes a second block", RELEASED_BLOCK, 0.0),
}
"""Of ``exact`` against ``none``, by the suffix of their names: in words, block length, guidance."""


@dataclass(frozen=True)
class Sizes:
    """Lengths, which a smoke test makes small.

    Attributes:
        prompts: the two prompt lengths of ``exact`` against ``none``.
        groups: how often 13 text tokens and a span of 26 codes are written.
        batch: requests of the batched comparison.
    """

    prompts: tuple[int, int] = (256, 1024)
    groups: int = 4
    batch: int = 16


class Models:
    """Random weights of the shapes that are compared, made when they are first asked for."""

    def __init__(self, large: str) -> None:
        """Choose the shape of the large model; the small one is the shipped mini model's, or tiny beside tiny."""
        self._large = large

    @cached_property
    def large(self) -> TtTModel:
        return random_model(SHAPES[self._large])

    @cached_property
    def small(self) -> TtTModel:
        return random_model(SHAPES["tiny" if self._large == "tiny" else "mini"])

    def of(self, name: str) -> TtTModel:
        """The model that the measurement of this name is about."""
        return self.small if name.endswith("_mini") else self.large


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


def same_computation(model: TtTModel, prompt: Prompt, found: Tensor) -> None:
    """Refuse to compare with an implementation whose logits behind the prompt, (ids,), are other ones."""
    ids = torch.tensor([prompt.ids])
    with torch.inference_mode():
        hidden = model.hidden(ids, limits(ids, model.config.audio_token_id_start, objective="ar"))
        expected = model.logits(hidden[0, -1:])[0]
    if not torch.allclose(found, expected, atol=1e-3):
        raise RuntimeError("transformers computes other logits: this comparison would measure something else")


def exact_vs_none(model: TtTModel, length: int, groups: int, label: str, suffix: str, goal: float) -> Comparison:
    """The cached loop against the published one behind a prompt of ``length`` tokens."""
    what, block_length, cfg = VARIANTS[suffix]
    none, exact = (settings_of(cache, block_length, cfg) for cache in ("none", "exact"))
    ids = prompt_ids(model.config, length)
    whole = Prompt(ids, forced=answer_ids(model.config, groups))
    short = Prompt(ids, forced=answer_ids(model.config, 1, n_text=1))

    def warm_up() -> None:
        # A whole answer without a cache takes minutes; its passes are all alike.
        for settings in (exact, none):
            after_prefill_s(model, short, settings)

    return Comparison(
        f"exact_vs_none_{label}{suffix}",
        f"prompt of {length}, {groups} x ({TEXT} text + {CODES} codes, S=2), after the prefill, {what}",
        "none",
        lambda: after_prefill_s(model, whole, none),
        "exact",
        lambda: after_prefill_s(model, whole, exact),
        None if suffix else goal,
        warm_up,
    )


def ar_vs_transformers(model: TtTModel, sizes: Sizes, suffix: str, goal: float) -> Comparison:
    """Next-token decoding of text and audio against ``transformers``' cached ``generate``, same weights."""
    from benchmarks.transformers_loop import TransformersLoop

    ar = with_objective(model, "ar")
    prompt = Prompt(prompt_ids(ar.config, sizes.prompts[0]), forced=answer_ids(ar.config, sizes.groups))
    # The first decode pass lays the weights out anew; made afterwards, the other model shares them.
    after_prefill_s(ar, prompt, settings_of("exact"))
    loop = TransformersLoop(model)
    same_computation(ar, prompt, loop.next_logits(prompt.ids))
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

    def all_s(batch_size: int, asked: Sequence[Prompt] = prompts) -> float:
        before_s = time.perf_counter()
        answers = generate(model, asked, settings_of("exact"), batch_size=batch_size)
        taken_s = time.perf_counter() - before_s
        for answer, prompt in zip(answers, asked, strict=True):
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
        lambda: all_s(2, prompts[:2]),
    )


def _exact_vs_none(which: int, label: str, suffix: str, goal: float) -> Callable[[TtTModel, Sizes], Comparison]:
    return lambda model, sizes: exact_vs_none(model, sizes.prompts[which], sizes.groups, label, suffix, goal)


COMPARISONS: Mapping[str, Callable[[TtTModel, Sizes], Comparison]] = {
    "ar_vs_transformers_mini": lambda model, sizes: ar_vs_transformers(model, sizes, "_mini", 2.0),
    "batch16_vs_1_mini": lambda model, sizes: batch16_vs_1(model, sizes, "_mini", None),
    "block_vs_ar": block_vs_ar,
    "ar_vs_transformers": lambda model, sizes: ar_vs_transformers(model, sizes, "", 1.0),
    "batch16_vs_1": lambda model, sizes: batch16_vs_1(model, sizes, "", 3.0),
    **{f"exact_vs_none_256{suffix}": _exact_vs_none(0, "256", suffix, 14.0) for suffix in VARIANTS},
    **{f"exact_vs_none_1024{suffix}": _exact_vs_none(1, "1024", suffix, 45.0) for suffix in VARIANTS},
}
"""How each comparison is made from the model that it is about, by name."""
