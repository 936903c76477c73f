"""What passes without the context see, each in limits of its own ids: guidance, variants of a block, a block alone."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Sequence
from typing import ClassVar

import pytest
import torch
from torch import Tensor

from reference_model.config import Objective, PromptAudio
from reference_model.decoding import Block, CacheMode, DecodeConfig, Look, Prompt, generate
from reference_model.decoding.strategy import Filling
from reference_model.transformer import RowGroup, TtTModel

from .cases import MODELS
from .oracle import dense_logits, guided_logits
from .shapes import random_model, tiny_config

CONFIG = MODELS["hybrid", 6, 2].config
TEXT, CODE, MASK = 5, CONFIG.code_id_start, CONFIG.mask_token_id
PROMPT = (16, 3, 13, CODE + 2, 15)
OPENER = CONFIG.begin_of_audio_token_id
CUT = (CODE, TEXT, MASK, MASK)
WHOLE = (CODE, CODE + 1, MASK, MASK)


@dataclasses.dataclass(frozen=True)
class Looks:
    """Commits what is given, looks, notes the logits, and fills the rest with a code."""

    name: ClassVar[str] = "looks"
    committed: tuple[int, ...]
    look: Look
    logits: list[Tensor]
    next_token: bool = False

    def fill(self, block: Block) -> Filling:
        given = [i for i, token in enumerate(self.committed) if token != block.mask_id][: len(block)]
        block.commit(given, torch.tensor([self.committed[i] for i in given], dtype=torch.int64), torch.ones(len(given)))
        self.logits.append((yield self.look))
        rest = block.open
        block.commit(rest, torch.full((len(rest),), block.mask_id - 1), torch.ones(len(rest)))


def passes_of(
    model: TtTModel,
    committed: Sequence[int],
    look: Look,
    cfg: float,
    cache: CacheMode = "exact",
    context: int | None = None,
) -> tuple[list[RowGroup], Tensor]:
    """The groups of the first pass over a block in which these tokens are committed, and the logits of the look."""
    model = copy.copy(model)
    groups: list[list[RowGroup]] = []
    logits: list[Tensor] = []
    step = model.step

    def noting(now: Sequence[RowGroup]) -> Tensor:
        groups.append(list(now))
        return step(now)

    model.step = noting  # type: ignore[method-assign, assignment]  # the test looks at what passes through
    forced = () if model.config.objective == "nar" else (OPENER,)
    next_token = model.config.objective == "ar"
    chosen = DecodeConfig(
        strategy=Looks(tuple(committed), look, logits, next_token),
        cache=cache,
        block_length=len(committed),
        cfg=cfg,
        cfg_approximate_context=context,
        forbid_non_audio=False,
        max_text_tokens=2 if forced else 1,
        max_audio_tokens=len(committed),
    )
    generate(model, [Prompt(PROMPT, forced=forced)], chosen)
    return groups[1 if forced else 0], logits[0]


def model_of(objective: Objective = "hybrid", prompt_audio: PromptAudio = "bidirectional") -> TtTModel:
    config = tiny_config(6, objective=objective, prompt_audio=prompt_audio)
    return random_model(config, seed=1, dtype=torch.float64)


@pytest.mark.parametrize(
    ("objective", "prompt_audio", "committed", "limit"),
    [
        # Positions 0 to 4 are the prompt, 5 opens the span, 6 to 9 are the block; text at 7 ends the run of 0 to 6.
        ("hybrid", "bidirectional", CUT, (7, 7, 7, 7, 7, 7, 7, 8, 10, 10)),
        ("hybrid", "bidirectional", WHOLE, (10,) * 10),
        ("hybrid", "bidirectional", (TEXT, CODE, MASK, MASK), (6, 6, 6, 6, 6, 6, 7, 10, 10, 10)),
        ("hybrid", "causal", CUT, (1, 2, 3, 4, 5, 7, 7, 8, 10, 10)),
        ("hybrid", "causal", WHOLE, (1, 2, 3, 4, 5, 10, 10, 10, 10, 10)),
        # Nothing opens a span here: the block is the answer, and the prompt never sees it.
        ("nar", "bidirectional", CUT, (5, 5, 5, 5, 5, 9, 9, 9, 9)),
    ],
)
def test_guidance_has_the_limits_of_its_own_ids(
    objective: Objective, prompt_audio: PromptAudio, committed: tuple[int, ...], limit: tuple[int, ...]
) -> None:
    (_, without), _ = passes_of(model_of(objective, prompt_audio), committed, Look(), cfg=0.5)
    assert without.ids.tolist() == [MASK] * (len(limit) - 4) + list(committed)
    assert without.limit == limit
    assert without.cache is None


@pytest.mark.parametrize(
    ("content", "limit"), [(CUT, (1, 2, 4, 4)), (WHOLE, (4, 4, 4, 4)), ((TEXT, CODE, CODE, TEXT), (1, 3, 3, 4))]
)
def test_a_block_alone_has_the_limits_of_its_own_ids(content: tuple[int, ...], limit: tuple[int, ...]) -> None:
    (alone,), logits = passes_of(
        model_of(), [MASK] * 4, Look(variants=(torch.tensor(content),), rows=(0, 1, 2, 3), alone=True), cfg=0.5
    )
    assert alone.ids.tolist() == list(content)
    assert alone.limit == limit
    expected = dense_logits(model_of(), list(content), 0)
    expected[:, CONFIG.im_end_token_id] = -torch.inf
    torch.testing.assert_close(logits[0], expected, atol=1e-9, rtol=0)


@pytest.mark.parametrize("objective", ["ar", "nar"])
def test_a_block_alone_is_seen_as_the_objective_says(objective: Objective) -> None:
    look = Look(variants=(torch.tensor([CODE, TEXT, MASK, MASK]),), rows=(0,), alone=True)
    (alone,), _ = passes_of(model_of(objective), [MASK] * 4, look, cfg=0.0)
    assert alone.limit == ((1, 2, 3, 4) if objective == "ar" else (4, 4, 4, 4))


@pytest.mark.parametrize("cache", ["none", "exact", "block"])
@pytest.mark.parametrize("prompt_audio", ["bidirectional", "causal"])
@pytest.mark.parametrize("cfg", [0.0, 0.5])
def test_every_variant_of_a_block_is_guided_by_its_own_text(
    cache: CacheMode, prompt_audio: PromptAudio, cfg: float
) -> None:
    model = model_of(prompt_audio=prompt_audio)
    contents = [(CODE, TEXT, MASK, MASK), (MASK, MASK, TEXT, CODE), (CODE, MASK, MASK, MASK)]
    look = Look(variants=tuple(map(torch.tensor, contents)), rows=(0, 1, 2, 3))
    _, logits = passes_of(model, [MASK] * 4, look, cfg, cache)
    for found, content in zip(logits, contents, strict=True):
        expected = guided_logits(model, [*PROMPT, OPENER, *content], 6, 5, cfg)[6:]
        expected[:, CONFIG.im_end_token_id] = -torch.inf
        torch.testing.assert_close(found, expected, atol=1e-9, rtol=0)


@pytest.mark.parametrize("prompt_audio", ["bidirectional", "causal"])
@pytest.mark.parametrize(
    ("content", "rows", "is_known"),
    [
        # All before the text sees masks alone; what stands behind it sees the text.
        ((MASK, MASK, TEXT, MASK), (0, 1), True),
        ((MASK, MASK, TEXT, MASK), (1,), True),
        ((MASK, MASK, TEXT, MASK), (0, 3), False),
        ((MASK, CODE, TEXT, MASK), (0,), False),
        ((MASK, MASK, CODE, MASK), (0,), False),
        ((MASK, MASK, MASK, MASK), (0, 3), True),
    ],
)
def test_rows_that_see_masks_alone_are_not_run(
    prompt_audio: PromptAudio, content: tuple[int, ...], rows: tuple[int, ...], is_known: bool
) -> None:
    model = model_of(prompt_audio=prompt_audio)
    groups, logits = passes_of(model, content, Look(rows=rows), cfg=0.5)
    assert len(groups) == (1 if is_known else 2)
    expected = guided_logits(model, [*PROMPT, OPENER, *content], 6, 5, 0.5)[[6 + row for row in rows]]
    expected[:, CONFIG.im_end_token_id] = -torch.inf
    torch.testing.assert_close(logits[0], expected, atol=1e-9, rtol=0)


@pytest.mark.parametrize(("prompt_audio", "n_causal"), [("bidirectional", 0), ("causal", 5)])
@pytest.mark.parametrize("context", [0, 1, 3, 6, 99])
def test_a_limited_context_is_the_same_with_fewer_masks(prompt_audio: PromptAudio, n_causal: int, context: int) -> None:
    model = model_of(prompt_audio=prompt_audio)
    (_, without), logits = passes_of(model, CUT, Look(), 0.5, context=context)
    n_masks = min(context, 6)
    ids = [MASK] * n_masks + list(CUT)
    assert without.ids.tolist() == ids
    conditional = dense_logits(model, [*PROMPT, OPENER, *CUT], 5)[8:]
    unconditional = dense_logits(model, ids, max(n_causal - (6 - n_masks), 0))[n_masks + 2 :]
    expected = unconditional + 1.5 * (conditional - unconditional)
    expected[:, CONFIG.im_end_token_id] = -torch.inf
    torch.testing.assert_close(logits[0], expected, atol=1e-9, rtol=0)


@dataclasses.dataclass(frozen=True)
class Twice:
    """Commits a code between two looks at the last row, and notes what both were sent."""

    logits: list[Tensor]
    name: ClassVar[str] = "twice"
    next_token: ClassVar[bool] = False

    def fill(self, block: Block) -> Filling:
        self.logits.append((yield Look(rows=(1,))))
        block.commit([0], torch.tensor([CODE]), torch.ones(1))
        self.logits.append((yield Look(rows=(1,))))
        block.commit([1], torch.tensor([CODE]), torch.ones(1))


@pytest.mark.parametrize("cache", ["none", "exact", "block"])
@pytest.mark.parametrize("reuse", [0, 1])
def test_reused_logits_are_those_of_the_look_before(cache: CacheMode, reuse: int) -> None:
    model, noted = model_of(), list[Tensor]()
    chosen = DecodeConfig(
        strategy=Twice(noted),
        cache=cache,
        block_length=2,
        cfg=0.5,
        cfg_approximate_reuse=reuse,
        max_text_tokens=2,
        max_audio_tokens=2,
    )
    generate(model, [Prompt(PROMPT, forced=(OPENER,))], chosen)
    first, second = (dense_logits(model, [MASK] * 6 + block, 0)[7] for block in ([MASK, MASK], [CODE, MASK]))
    conditional = dense_logits(model, [*PROMPT, OPENER, CODE, MASK], 0)[7]
    without = first if reuse else second
    expected = without + 1.5 * (conditional - without)
    codes = slice(CONFIG.code_id_start, CONFIG.mask_token_id)
    found = noted[1][0, 0, 1 : 1 + CONFIG.n_audio_codes]
    torch.testing.assert_close(found, expected[codes], atol=1e-9, rtol=0)
