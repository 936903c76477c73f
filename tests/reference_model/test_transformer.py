"""The network against transformers' Qwen2ForCausalLM, an independent implementation."""

from __future__ import annotations

import pytest
import torch
from transformers import Qwen2Config, Qwen2ForCausalLM

from reference_model.attention import attend
from reference_model.cache import KeyValueCache
from reference_model.config import TtTConfig
from reference_model.limits import limits
from reference_model.transformer import RowGroup, TtTModel

from .shapes import random_model, tiny_config

SHAPES = [(2, 2, 8), (4, 2, 8), (4, 1, 16), (6, 3, 4), (8, 2, 8), (1, 1, 32), (3, 1, 10)]


def random_config(case: int) -> TtTConfig:
    heads, kv_heads, width = SHAPES[case % len(SHAPES)]
    return tiny_config(
        n_codes=8 + case,
        hidden_size=heads * width,
        intermediate_size=16 + 8 * (case % 5),
        num_hidden_layers=1 + case % 3,
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
        rope_theta=(10000.0, 1000000.0)[case % 2],
        rms_norm_eps=(1e-6, 1e-5)[case // 2 % 2],
        tie_word_embeddings=case % 2 == 0,
    )


def twin(model: TtTModel) -> Qwen2ForCausalLM:
    config = model.config.to_json()
    hf = Qwen2ForCausalLM(Qwen2Config(**config, attn_implementation="eager"))
    hf.load_state_dict(model.state_dict(), strict=True)
    hf.eval()
    return hf


def draw(config: TtTConfig, case: int) -> torch.Tensor:
    """Two sequences with text and audio interleaved in runs of random length."""
    generator = torch.Generator().manual_seed(case)
    length = 5 + 7 * (case % 6) if case < 24 else 70 * (case - 22)
    is_audio = (torch.rand(2, length, generator=generator).cumsum(1) * 0.7).long() % 2 == 1
    text = torch.randint(0, config.audio_token_id_start, (2, length), generator=generator)
    audio = torch.randint(config.audio_token_id_start, config.vocab_size, (2, length), generator=generator)
    return torch.where(is_audio, audio, text)


def hybrid_mask(ids: torch.Tensor, audio_start: int) -> torch.Tensor:
    """(B, 1, L, L) additive, as transformers takes it, from the words of the definition."""

    def sees(row: list[int], i: int, j: int) -> bool:
        return j <= i or all(token >= audio_start for token in row[i : j + 1])

    in_words = [[[sees(row, i, j) for j in range(len(row))] for i in range(len(row))] for row in ids.tolist()]
    seen = torch.tensor(in_words).unsqueeze(1)
    return torch.zeros(seen.shape).masked_fill_(~seen, torch.finfo(torch.float32).min)


def gradient_of(parameter: torch.nn.Parameter) -> torch.Tensor:
    assert parameter.grad is not None
    return parameter.grad


CASES = range(26)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("mask", ["causal", "hybrid"])
def test_logits_and_gradients_equal_transformers(case: int, mask: str) -> None:
    config = random_config(case)
    model = random_model(config, case, scale=0.15)
    hf = twin(model)
    ids = draw(config, case)
    limit = limits(ids, config.audio_token_id_start, objective="ar" if mask == "causal" else "hybrid")
    ours = model.logits(model.hidden(ids, limit))
    theirs = hf(ids, attention_mask=None if mask == "causal" else hybrid_mask(ids, config.audio_token_id_start)).logits
    assert theirs.std() > 0.5
    assert (ours - theirs).abs().max() <= 1e-5

    # Of length 1, so that gradients are about as large as the logits and the bound means the same for both.
    direction = torch.randn(ours.shape, generator=torch.Generator().manual_seed(case))
    direction /= direction.norm()
    (ours * direction).sum().backward()
    (theirs * direction).sum().backward()
    gradients = {name: gradient_of(parameter) for name, parameter in hf.named_parameters()}
    assert max(gradient.abs().max() for gradient in gradients.values()) > 0.5
    for name, parameter in model.named_parameters():
        assert (gradient_of(parameter) - gradients[name]).abs().max() <= 1e-5, name


def test_the_cases_differ_in_what_matters() -> None:
    configs = [random_config(case) for case in CASES]
    groups = {config.num_attention_heads // config.num_key_value_heads for config in configs}
    assert {1, 2, 3, 4} <= groups
    assert {config.tie_word_embeddings for config in configs} == {True, False}
    assert {config.num_hidden_layers for config in configs} == {1, 2, 3}
    drawn = [draw(config, case) for case, config in zip(CASES, configs, strict=True)]
    assert {ids.shape[1] for ids in drawn} == {5, 12, 19, 26, 33, 40, 140, 210}
    # Under the hybrid mask some rows of every case see ahead.
    for ids, config in zip(drawn, configs, strict=True):
        mask = hybrid_mask(ids, config.audio_token_id_start)
        assert bool((mask.triu(1) == 0).logical_and(torch.ones_like(mask).triu(1) == 1).any())


def test_parameter_names_are_transformers() -> None:
    model = random_model(tiny_config())
    assert set(model.state_dict()) == set(twin(model).state_dict())


def test_tied_head_counts_once() -> None:
    tied, untied = (TtTModel(tiny_config(tie_word_embeddings=tied)) for tied in (True, False))
    assert untied.n_parameters() - tied.n_parameters() == tied.config.vocab_size * tied.config.hidden_size


def test_packed_documents_do_not_see_each_other() -> None:
    config = tiny_config()
    model = random_model(config, dtype=torch.float64)
    first, second = torch.tensor([[1, 22, 23, 5]]), torch.tensor([[24, 25, 3]])
    packed = torch.cat([first, second], 1)
    start = torch.tensor([[0, 0, 0, 0, 4, 4, 4]])
    positions = torch.arange(7).unsqueeze(0) - start
    hidden = model.hidden(packed, limits(packed, 20, start=start), start, positions)
    for part, ids in ((hidden[:, :4], first), (hidden[:, 4:], second)):
        assert torch.allclose(part, model.hidden(ids, limits(ids, 20)), atol=1e-12)


@pytest.mark.parametrize("kv_heads", [1, 2, 4])
def test_cached_rows_equal_the_whole_sequence(kv_heads: int) -> None:
    config = tiny_config(num_key_value_heads=kv_heads)
    model = random_model(config, dtype=torch.float64)
    ids = torch.tensor([1, 2, 22, 23, 24, 3, 13, 33, 33, 33, 4, 5, 6, 7, 8, 25, 26])
    limit = limits(ids, 20)
    whole = model.hidden(ids[None], limit[None])[0]
    cache = KeyValueCache(config, 32, torch.float64, torch.device("cpu"))
    # Cut where every limit lies behind the cut: after the first span, inside text, before the last span.
    rows = []
    for first, end in ((0, 5), (5, 10), (10, 15), (15, 17)):
        rows.append(model.step([RowGroup(ids[first:end], first, tuple(limit[first:end].tolist()), cache)]))
    assert torch.allclose(torch.cat(rows), whole, atol=1e-12)


def test_a_pass_over_several_groups_equals_one_pass_each() -> None:
    config = tiny_config()
    model = random_model(config, dtype=torch.float64)
    sequences = [torch.tensor([1, 2, 3, 22, 23]), torch.tensor([4, 5]), torch.tensor([33, 33, 33])]
    groups = [
        RowGroup(ids, 0, tuple(limits(ids, 20).tolist()), KeyValueCache(config, 8, torch.float64, torch.device("cpu")))
        for ids in sequences
    ]
    together = model.step(groups)
    alone = torch.cat([model.step([group]) for group in groups])
    assert torch.allclose(together, alone, atol=1e-12)


def test_rows_that_are_not_written_leave_the_cache_alone() -> None:
    config = tiny_config()
    model = random_model(config, dtype=torch.float64)
    cache = KeyValueCache(config, 8, torch.float64, torch.device("cpu"))
    model.step([RowGroup(torch.tensor([1, 2, 3]), 0, (1, 2, 3), cache)])
    before = [tensor.clone() for tensor in cache.layer(1)]
    block = torch.tensor([22, 33])
    read = model.step([RowGroup(block, 3, (5, 5), cache, write=False)])
    for kept, now in zip(before, cache.layer(1), strict=True):
        assert torch.equal(kept[:, :3], now[:, :3])
    assert torch.allclose(read, model.step([RowGroup(block, 3, (5, 5), cache)]), atol=1e-12)


def test_attend_with_starts_equals_softmax_by_hand() -> None:
    generator = torch.Generator().manual_seed(1)
    q = torch.randn(1, 2, 3, 4, generator=generator, dtype=torch.float64)
    k, v = (torch.randn(1, 1, 3, 4, generator=generator, dtype=torch.float64) for _ in range(2))
    limit, start = torch.tensor([[1, 3, 3]]), torch.tensor([[0, 1, 1]])
    out = attend(q, k, v, limit, start, attention="sdpa")
    assert torch.allclose(out[0, :, 0], v[0, :, 0].expand(2, -1))
    for head in range(2):
        weight = torch.softmax(q[0, head, 1] @ k[0, 0, 1:].T / 2.0, -1)
        assert torch.allclose(out[0, head, 1], weight @ v[0, 0, 1:])
