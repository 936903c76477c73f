"""A strategy from outside, written as the documentation shows, decodes like a built-in one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from reference_model.decoding import (
    Block,
    DecodeConfig,
    Look,
    Prompt,
    generate,
    make_strategy,
    register_strategy,
    strategy_names,
)
from reference_model.decoding.strategy import Filling

from .cases import MODELS, prompt_for, same


@register_strategy("test_left")
@dataclass(frozen=True)
class Left:
    """Left to right, ``width`` positions a pass."""

    name: ClassVar[str] = "test_left"
    next_token: ClassVar[bool] = False
    width: int = 1

    def fill(self, block: Block) -> Filling:
        while not block.settled:
            positions = block.open[: self.width]
            logits = yield Look(rows=tuple(positions))
            block.commit(positions, *block.draw(logits[0]))


def test_it_is_found_by_name_with_its_options() -> None:
    assert "test_left" in strategy_names()
    assert make_strategy("test_left:width=3") == Left(width=3)


def test_it_decodes_by_name_and_as_an_object() -> None:
    model = MODELS["hybrid", 60, 1]
    prompts = [Prompt(prompt_for(model, case), case) for case in range(5)]
    chosen: dict[str, Any] = {"block_length": 6, "max_text_tokens": 8, "max_audio_tokens": 12}
    named = generate(model, prompts, DecodeConfig(strategy="test_left:width=2", **chosen))
    given = generate(model, prompts, DecodeConfig(strategy=Left(width=2), **chosen))
    assert any(answer.spans for answer in named)
    for one, other in zip(named, given, strict=True):
        same(one, other)
        assert list(one.trace.commit_step) == sorted(one.trace.commit_step)
