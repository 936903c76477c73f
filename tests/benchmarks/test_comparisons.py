"""Comparisons refuse to time other work than the one that was asked for; every promised one can be made."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from benchmarks.comparisons import COMPARISONS, Sizes, after_prefill_s, check, same_computation, settings_of
from benchmarks.decoding import NAMES
from benchmarks.shapes import SHAPES, answer_ids, prompt_ids, random_model, with_objective
from reference_model.decoding import Prompt, generate

MODEL = random_model(SHAPES["tiny"])
PROMPT = Prompt(prompt_ids(MODEL.config, 24), forced=answer_ids(MODEL.config, 1))


def test_every_name_of_the_command_line_is_a_comparison_or_the_curve() -> None:
    assert set(COMPARISONS) | {"curve"} == set(NAMES)


@pytest.mark.parametrize("name", [name for name in COMPARISONS if "transformers" not in name])
def test_a_comparison_has_its_name_and_runs_both_ways(name: str) -> None:
    comparison = COMPARISONS[name](MODEL, Sizes((24, 40), 1, 2))
    assert comparison.name == name
    assert comparison.run_slow() > 0
    assert comparison.run_fast() > 0


def test_both_ways_of_a_comparison_write_the_same_answer_by_as_many_passes() -> None:
    (none,), (exact,) = (generate(MODEL, [PROMPT], settings_of(cache)) for cache in ("none", "exact"))
    assert none.ids == exact.ids == PROMPT.forced
    # 13 text tokens, the one that opens the span, a block of 27 in two passes, the one that ends the answer.
    assert none.trace.nfe == exact.trace.nfe == 13 + 1 + 2 + 1


def test_an_answer_that_was_not_asked_for_is_refused() -> None:
    (answer,) = generate(MODEL, [PROMPT], settings_of("exact"))
    check(answer, PROMPT)
    with pytest.raises(RuntimeError, match="differs"):
        check(answer, dataclasses.replace(PROMPT, forced=PROMPT.forced[:-2]))


def test_other_logits_than_the_models_are_refused() -> None:
    ar = with_objective(MODEL, "ar")
    after_prefill_s(ar, PROMPT, settings_of("exact"))
    pytest.importorskip("transformers")
    from benchmarks import transformers_loop

    found = transformers_loop.TransformersLoop(MODEL).next_logits(PROMPT.ids)
    same_computation(ar, PROMPT, found)
    with pytest.raises(RuntimeError, match="other logits"):
        same_computation(ar, PROMPT, found + torch.eye(len(found))[0] / 10)
