"""Products of inference are those of ``torch.nn.functional.linear``."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import reference_model
from reference_model.products import add_product, join, join_if_small, linear, rms_norm

from .shapes import random_model, tiny_config


@pytest.mark.parametrize("rows", [(1,), (2,), (27,), (3, 5)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("with_bias", [False, True])
@pytest.mark.parametrize("by_columns", [False, True])
def test_it_is_the_product(rows: tuple[int, ...], dtype: torch.dtype, with_bias: bool, by_columns: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    x, weight = (torch.randn(*shape, 32, generator=generator).to(dtype) for shape in (rows, (48,)))
    weight = weight.t().contiguous().t() if by_columns else weight
    bias = torch.randn(48, generator=generator).to(dtype) if with_bias else None
    with torch.inference_mode():
        got = linear(x, weight, bias)
    expected = x.double() @ weight.double().T + (0 if bias is None else bias.double())
    assert got.dtype == dtype
    assert torch.allclose(got.double(), expected, atol={torch.bfloat16: 0.15, torch.float16: 0.02}.get(dtype, 1e-5))


@pytest.mark.parametrize("rows", [1, 3])
def test_it_is_the_product_of_a_large_matrix_too(rows: int) -> None:
    x, weight, base = torch.randn(rows, 700), torch.randn(800, 700), torch.randn(rows, 800)
    with torch.inference_mode():
        for laid_out in (weight, weight.t().contiguous().t()):
            assert torch.allclose(linear(x, laid_out, base[0]), x @ weight.T + base[0], atol=1e-3)
            assert torch.allclose(add_product(base, x, laid_out), x @ weight.T + base, atol=1e-3)


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_it_is_the_norm(rows: int, dtype: torch.dtype) -> None:
    x, weight = (3 * torch.randn(rows, 96)).to(dtype), torch.randn(96).to(dtype)
    atol = {torch.float64: 1e-12, torch.float32: 1e-5, torch.bfloat16: 0.0}[dtype]
    with torch.inference_mode():
        expected = torch.nn.functional.rms_norm(x, (96,), weight, 1e-6)
        assert torch.allclose(rms_norm(x, weight, 1e-6), expected, atol=atol)
    assert not bool(rms_norm(torch.zeros(rows, 96, dtype=dtype), weight, 1e-6).isnan().any())


@pytest.mark.skipif(not torch.ops.mkldnn._is_mkldnn_bf16_supported(), reason="oneDNN has no bfloat16 here")
@pytest.mark.parametrize("width", [256, 896])
def test_a_row_in_bfloat16_is_the_same_alone_and_among_others(width: int) -> None:
    generator = torch.Generator().manual_seed(width)
    x, weight, base = (torch.randn(n, width, generator=generator).bfloat16() for n in (30, width, 30))
    bias = base[0]
    with torch.inference_mode():
        together, added = linear(x, weight, bias), add_product(base, x, weight)
        for row in range(30):
            one = slice(row, row + 1)
            assert torch.equal(linear(x[one], weight, bias), together[one])
            assert torch.equal(add_product(base[one], x[one], weight), added[one])


def test_a_slice_of_the_rows_is_the_slice_of_the_product() -> None:
    x, weight = torch.randn(4, 32), torch.randn(60, 32)
    with torch.inference_mode():
        assert torch.allclose(linear(x, weight[17:40]), linear(x, weight)[:, 17:40], atol=1e-5)


def test_gradients_flow_where_they_are_wanted() -> None:
    weight = torch.randn(6, 4, requires_grad=True)
    linear(torch.randn(3, 4), weight).sum().backward()
    assert weight.grad is not None


def test_a_model_that_has_decoded_can_still_be_trained() -> None:
    from reference_model.decoding import DecodeConfig, Prompt, generate

    model = random_model(tiny_config())
    generate(model, [Prompt((1, 2, 3))], DecodeConfig(max_text_tokens=3, max_audio_tokens=4))
    ids = torch.tensor([[1, 2, 3]])
    model.logits(model.hidden(ids, torch.tensor([[1, 2, 3]]))).sum().backward()
    assert all(not p.is_inference() and p.grad is not None for p in model.parameters())


def test_a_model_that_has_decoded_is_saved_as_it_was(tmp_path: Path) -> None:
    from reference_model.decoding import DecodeConfig, Prompt, generate

    loaded = reference_model.load(Path(reference_model.__file__).parent / "weights" / "mini")
    before = {name: value.clone() for name, value in loaded.model.state_dict().items()}
    generate(loaded.model, [Prompt((1, 2, 3))], DecodeConfig(max_text_tokens=3, max_audio_tokens=4))
    reference_model.save(loaded.model, loaded.tokenizer, tmp_path)
    after = reference_model.load(tmp_path).model.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], value) for name, value in before.items())


def test_weights_that_are_replaced_or_moved_are_noticed() -> None:
    from reference_model.decoding import DecodeConfig, Prompt, generate

    settings = DecodeConfig(max_text_tokens=6, max_audio_tokens=4)
    one, other = random_model(tiny_config(), seed=1), random_model(tiny_config(), seed=2)
    expected = generate(other, [Prompt((1, 2, 3))], settings)[0].ids
    assert generate(one, [Prompt((1, 2, 3))], settings)[0].ids != expected
    one.load_state_dict(other.state_dict(), assign=True)
    assert generate(one, [Prompt((1, 2, 3))], settings)[0].ids == expected
    one.double()
    assert generate(one, [Prompt((1, 2, 3))], settings)[0].ids == expected


def test_weights_that_are_trained_in_place_are_noticed() -> None:
    from reference_model.decoding import DecodeConfig, Prompt, generate

    settings = DecodeConfig(max_text_tokens=6, max_audio_tokens=4)
    one, other = random_model(tiny_config(), seed=1), random_model(tiny_config(), seed=2)
    generate(one, [Prompt((1, 2, 3))], settings)
    with torch.no_grad():
        for mine, theirs in zip(one.parameters(), other.parameters(), strict=True):
            mine.copy_(theirs)
    expected = generate(other, [Prompt((1, 2, 3))], settings)[0]
    found = generate(one, [Prompt((1, 2, 3))], settings)[0]
    assert found.ids == expected.ids
    assert found.trace.commit_confidence == pytest.approx(expected.trace.commit_confidence, abs=1e-5)


@pytest.mark.parametrize("rows", [1, 4])
@pytest.mark.parametrize("by_columns", [False, True])
def test_a_product_is_added(rows: int, by_columns: bool) -> None:
    base, x = torch.randn(rows, 6), torch.randn(rows, 4)
    weight = torch.randn(4, 6).t() if by_columns else torch.randn(6, 4)
    with torch.inference_mode():
        assert torch.allclose(add_product(base, x, weight), base + x @ weight.T, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_joined_parameters_are_views_of_one_matrix(dtype: torch.dtype) -> None:
    parts = tuple(torch.nn.Parameter(torch.randn(n, 4).to(dtype)) for n in (3, 5))
    before = [part.detach().clone() for part in parts]
    joined = join(parts)
    assert joined.stride() == ((1, 8) if dtype == torch.float32 else (4, 1))
    assert torch.equal(joined, torch.cat(before))
    assert all(torch.equal(part, held) for part, held in zip(parts, before, strict=True))
    with torch.no_grad():
        parts[1].fill_(7.0)
    assert bool((joined[3:] == 7.0).all())
    assert bool((joined[:3] == before[0]).all())


@pytest.mark.parametrize(("n_out", "by_columns"), [(800, True), (1024, False)])
def test_a_large_matrix_lies_by_columns_unless_these_jump_by_pages(n_out: int, by_columns: bool) -> None:
    part = torch.nn.Parameter(torch.randn(n_out, 800))
    before = part.detach().clone()
    joined = join((part,))
    assert joined.stride() == ((1, n_out) if by_columns else (800, 1))
    assert torch.equal(joined, before)
    assert torch.equal(part, before)


@pytest.mark.parametrize(("width", "n_matrices"), [(16, 1), (900, 2)])
def test_only_small_matrices_become_one(width: int, n_matrices: int) -> None:
    parts = tuple(torch.nn.Parameter(torch.randn(width, width)) for _ in range(2))
    before = torch.cat([part.detach() for part in parts])
    found = join_if_small(parts)
    assert len(found) == n_matrices
    assert torch.equal(torch.cat(found), before)
