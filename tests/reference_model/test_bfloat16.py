"""Models in bfloat16: how far their numbers are from fp32's, that they decode, and their way through folders."""

from __future__ import annotations

import copy
import json
import math
from pathlib import Path

import pytest
import torch

from reference_model import checkpoint
from reference_model.cache import KeyValueCache
from reference_model.config import TtTConfig
from reference_model.decoding import CacheMode, DecodeConfig, Prompt, generate
from reference_model.limits import limits
from reference_model.tokens import TtTTokenizer
from reference_model.transformer import RowGroup, TtTModel

from .cases import prompt_for
from .checkpoints import released_layout, small
from .shapes import random_model, tiny_config

ROUNDING = 2.0**-8
"""The largest relative error of a number that is rounded to bfloat16's 8 significant bits."""


def expected_error(config: TtTConfig) -> float:
    """How far logits may be off, relative to their size.

    Each layer rounds 18 times: both norms' outputs, the weights and the outputs of q/k/v, o, gate/up and down, the two
    steps of the rotation, the softmax' weights and its mixture, silu, its product, and both residual sums. Around the
    layers come embedding, norm, head and logits. The errors are independent, so their squares add up; weights of
    variance 1/width pass them on at the size they have.
    """
    return ROUNDING * math.sqrt(18 * config.num_hidden_layers + 4)


def pair(n_layers: int, tied: bool, seed: int = 0) -> tuple[TtTModel, TtTModel]:
    """The same model in fp32 and bfloat16."""
    config = tiny_config(
        60, hidden_size=64, intermediate_size=128, num_hidden_layers=n_layers, tie_word_embeddings=tied
    )
    model = random_model(config, seed, scale=64**-0.5)
    return model, copy.deepcopy(model).bfloat16()


def off(found: torch.Tensor, expected: torch.Tensor) -> float:
    found, expected = found.detach(), expected.detach()
    return float((found.float() - expected).norm() / expected.norm())


@pytest.mark.parametrize("n_layers", [1, 2, 8])
@pytest.mark.parametrize("tied", [False, True])
def test_logits_are_fp32s_up_to_the_roundings_of_bfloat16(n_layers: int, tied: bool) -> None:
    wide, narrow = pair(n_layers, tied)
    ids = torch.randint(0, wide.config.vocab_size, (2, 40), generator=torch.Generator().manual_seed(1))
    limit = limits(ids, wide.config.audio_token_id_start)
    with torch.no_grad():
        expected, found = (model.logits(model.hidden(ids, limit)) for model in (wide, narrow))
    assert found.dtype == torch.bfloat16
    bound = expected_error(wide.config)
    # Far below the bound nothing would have been rounded to bfloat16.
    assert bound / 10 < off(found, expected) < bound


@pytest.mark.parametrize("rows", [1, 5])
def test_cached_rows_are_as_near(rows: int) -> None:
    wide, narrow = pair(2, tied=True)
    ids = torch.randint(0, 20, (40,), generator=torch.Generator().manual_seed(1))
    found = []
    for model in (wide, narrow):
        cache = KeyValueCache(model.config, 40, model.dtype, model.device)
        assert cache.layer(0)[0].dtype == model.dtype
        parts = [
            model.step([RowGroup(ids[i : i + rows], i, tuple(range(i + 1, i + rows + 1)), cache)])
            for i in range(0, 40, rows)
        ]
        found.append(model.logits(torch.cat(parts)))
    bound = expected_error(wide.config)
    assert bound / 10 < off(found[1], found[0]) < bound


@pytest.mark.parametrize("cache", ["none", "exact", "block"])
@pytest.mark.parametrize("strategy", ["topk", "threshold", "pmi"])
def test_it_decodes(cache: CacheMode, strategy: str) -> None:
    narrow = pair(2, tied=True)[1]
    config = narrow.config
    chosen = DecodeConfig(
        strategy=strategy,
        cache=cache,
        cfg=0.1,
        block_length=5,
        text_temperature=1.0,
        audio_temperature=1.0,
        max_text_tokens=10,
        max_audio_tokens=20,
    )
    prompts = [Prompt(prompt_for(narrow, seed), seed) for seed in range(8)]
    answers = generate(narrow, prompts, chosen, batch_size=3)
    assert any(answer.codes for answer in answers)
    for answer in answers:
        assert all(0 <= token < config.vocab_size and token != config.mask_token_id for token in answer.ids)
        assert all(0 <= code < config.n_audio_codes for code in answer.codes)
        assert all(0 < confidence <= 1 for confidence in answer.trace.commit_confidence)


def test_probabilities_are_computed_in_fp32() -> None:
    """In bfloat16 a confidence near 1 would be a multiple of 1/256, and commits would tie."""
    narrow = pair(2, tied=True)[1]
    chosen = DecodeConfig(max_text_tokens=10, max_audio_tokens=20)
    prompts = [Prompt(prompt_for(narrow, seed), forced=(narrow.config.begin_of_audio_token_id,)) for seed in range(4)]
    confidences = {c for answer in generate(narrow, prompts, chosen) for c in answer.trace.commit_confidence}
    assert len(confidences) > 10
    assert not all(torch.tensor(c).bfloat16().item() == c for c in confidences)


@pytest.fixture
def tokenizer() -> TtTTokenizer:
    return released_layout()


def released_folder(folder: Path, model: TtTModel, tokenizer: TtTTokenizer) -> None:
    """Shards in bfloat16 and a config.json like the published one: none of our fields, ids left to the tokenizer."""
    checkpoint.save(model, tokenizer, folder, dtype="bfloat16", shard_bytes=2000)
    raw = json.loads((folder / "config.json").read_text())
    ours = {"n_audio_codes", "prompt_audio", "objective"}
    kept = {k: v for k, v in raw.items() if k not in ours and not k.endswith("_token_id")}
    published = {"mask_token": tokenizer.ids["mask_token_id"], "unmasked_audio_prob": 0.3, "torch_dtype": "bfloat16"}
    (folder / "config.json").write_text(json.dumps({**kept, **published}))


@pytest.mark.parametrize("tied", [True, False])
def test_a_released_folder_is_the_same_after_loading_saving_and_sharding(
    tmp_path: Path, tokenizer: TtTTokenizer, tied: bool
) -> None:
    model = random_model(small(tokenizer, tied))
    released_folder(tmp_path / "released", model, tokenizer)
    first = checkpoint.load(tmp_path / "released", dtype="bfloat16")
    assert {parameter.dtype for parameter in first.model.parameters()} == {torch.bfloat16}
    for name, value in model.state_dict().items():
        assert torch.equal(first.model.state_dict()[name], value.bfloat16()), name
    # One file in fp32, then shards in bfloat16 again: neither loses a bit.
    checkpoint.save(first.model, first.tokenizer, tmp_path / "wide", dtype="float32")
    wide = checkpoint.load(tmp_path / "wide", dtype="float32")
    checkpoint.save(wide.model, wide.tokenizer, tmp_path / "narrow", dtype="bfloat16", shard_bytes=3000)
    last = checkpoint.load(tmp_path / "narrow", dtype="bfloat16")
    assert len(list((tmp_path / "narrow").glob("*.safetensors"))) > 2
    assert last.model.config == first.model.config == model.config
    assert last.tokenizer.encode("Hm?<|audio_3|>") == first.tokenizer.encode("Hm?<|audio_3|>")
    for name, value in first.model.state_dict().items():
        assert torch.equal(last.model.state_dict()[name], value), name


def test_a_folder_answers_the_same_after_it_was_saved_again(tmp_path: Path, tokenizer: TtTTokenizer) -> None:
    released_folder(tmp_path / "released", random_model(small(tokenizer)), tokenizer)
    first = checkpoint.load(tmp_path / "released", dtype="bfloat16")
    prompts = [Prompt(tuple(first.tokenizer.prompt("Answer.", [1, 2, 3], text)), 1) for text in ("", "Who?", "Why so?")]
    chosen = DecodeConfig(text_temperature=1.0, audio_temperature=1.0, max_text_tokens=40, max_audio_tokens=30)
    before = [answer.ids for answer in generate(first.model, prompts, chosen)]
    # Decoding rearranges the weights in memory; what is saved afterwards must not show it.
    checkpoint.save(first.model, first.tokenizer, tmp_path / "again", dtype="bfloat16")
    again = checkpoint.load(tmp_path / "again", dtype="bfloat16")
    assert [answer.ids for answer in generate(again.model, prompts, chosen)] == before
