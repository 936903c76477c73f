"""Every backend against ``sdpa``; the xformers biases, written out, against ``limit``."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_model.attention import attend, backend, choose
from reference_model.attention.rows import attend_rows
from reference_model.attention.xformers import bias_of, split_runs
from reference_model.errors import BackendError
from reference_model.limits import dense_mask, limits, starts

AUDIO = 10
documents = st.lists(st.lists(st.integers(0, 19), min_size=1, max_size=12), min_size=1, max_size=3)


def packed(parts: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    flat = torch.tensor([[token for part in parts for token in part]])
    start = starts([len(part) for part in parts]).unsqueeze(0)
    return limits(flat, AUDIO, start=start), start


def heads(n_rows: int, n_keys: int, n_heads: int, n_kv: int, seed: int = 0) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(seed)
    shapes = ((1, n_heads, n_rows, 8), (1, n_kv, n_keys, 8), (1, n_kv, n_keys, 8))
    return tuple(torch.randn(shape, generator=generator) for shape in shapes)


@given(documents)
@settings(deadline=None, max_examples=60)
def test_runs_cover_every_row_and_see_what_limit_says(parts: list[list[int]]) -> None:
    limit, start = packed(parts)
    n = limit.shape[1]
    seen = torch.zeros(n, n, dtype=torch.bool)
    rows: list[int] = []
    for runs, causal in zip(split_runs(limit, start, n), (True, False), strict=True):
        first = 0
        for n_rows, key_start, n_keys in zip(runs.n_rows, runs.key_start, runs.n_keys, strict=True):
            for r in range(n_rows):
                end = key_start + n_keys - (n_rows - 1 - r if causal else 0)
                seen[runs.rows[first + r], key_start:end] = True
            first += n_rows
        rows += runs.rows
    assert sorted(rows) == list(range(n))
    assert torch.equal(seen, dense_mask(limit, start)[0])


@given(documents)
@settings(deadline=None, max_examples=60)
def test_xformers_biases_written_out_are_the_limit(parts: list[list[int]]) -> None:
    pytest.importorskip("xformers")
    limit, start = packed(parts)
    n = limit.shape[1]
    seen = torch.zeros(n, n, dtype=torch.bool)
    for runs, causal in zip(split_runs(limit, start, n), (True, False), strict=True):
        if runs.rows:
            bias = bias_of(runs, causal, n, torch.device("cpu"))
            written = bias.materialize((len(runs.rows), n), dtype=torch.float32, device=torch.device("cpu"))
            seen[list(runs.rows)] = written == 0
    assert torch.equal(seen, dense_mask(limit, start)[0])


@pytest.mark.parametrize("n_kv", [1, 2, 4])
@pytest.mark.parametrize("parts", [[[1, 11, 12, 2, 13]], [[1, 2, 3]], [[11, 12], [13, 1, 14], [2]]])
def test_flex_equals_sdpa(parts: list[list[int]], n_kv: int) -> None:
    limit, start = packed(parts)
    n = limit.shape[1]
    q, k, v = heads(n, n, 4, n_kv)
    with torch.no_grad():
        flex = attend(q, k, v, limit, start, attention="flex")
    assert torch.allclose(flex, attend(q, k, v, limit, start, attention="sdpa"), atol=1e-6)


@pytest.mark.parametrize(
    "limit",
    [[9, 9, 9], [7, 8, 9], [9], [7, 9, 9], [5, 5, 8, 9, 9], [1, 2, 3, 4, 5, 6, 7, 8, 9], [3, 3, 3, 4, 5, 9, 9, 9, 9]],
)
@pytest.mark.parametrize("n_kv", [1, 2, 4])
def test_decode_rows_equal_the_masked_call(limit: list[int], n_kv: int) -> None:
    q, k, v = heads(len(limit), 9, 4, n_kv)
    rows = attend_rows(q[0].transpose(0, 1), k[0], v[0], limit)
    expected = attend(q, k, v, torch.tensor([limit]), attention="sdpa")
    assert torch.allclose(rows, expected[0].transpose(0, 1).reshape(len(limit), -1), atol=1e-6)


def test_xformers_on_a_cpu_names_the_backend_to_use() -> None:
    q, k, v = heads(2, 2, 2, 1)
    with pytest.raises(BackendError, match=r"CUDA only.*attention='sdpa'"):
        attend(q, k, v, torch.tensor([[1, 2]]), attention="xformers")


def test_flex_says_that_it_has_no_backward_on_a_cpu() -> None:
    q, k, v = heads(2, 2, 2, 1)
    with pytest.raises(BackendError, match="no backward on a CPU"):
        attend(q, k, v, torch.tensor([[1, 2]]), attention="flex")


def test_unknown_backends_are_named() -> None:
    with pytest.raises(BackendError, match="'flash' is unknown"):
        choose("flash", torch.device("cpu"))
    with pytest.raises(BackendError, match="'flash' is unknown"):
        backend("flash")


def test_auto_is_flex_only_where_cuda_trains() -> None:
    assert choose("auto", torch.device("cpu")) == "sdpa"
    assert choose("auto", torch.device("cuda"), training=True) == "flex"
    assert choose("auto", torch.device("cuda")) == "sdpa"


@pytest.mark.parametrize("length", [9, 300])
def test_training_in_bfloat16_is_the_same_attention(length: int) -> None:
    sdpa = backend("sdpa")
    q, k, v = (torch.randn(2, heads, length, 16, requires_grad=True) for heads in (4, 2, 2))
    limit = torch.stack([torch.arange(1, length + 1), torch.arange(1, length + 1).clamp(min=length // 2)])
    for rows in (limit, limit[:1].expand(2, -1), torch.full_like(limit, length)):
        plan = sdpa.plan(rows, None, length, torch.float32)
        expected = sdpa.attend(q, k, v, plan)
        wanted = torch.autograd.grad(expected.square().sum(), (q, k, v))
        with torch.autocast("cpu", torch.bfloat16):
            got = sdpa.attend(q, k, v, plan)
        assert got.dtype == torch.float32
        torch.testing.assert_close(got, expected, atol=0.02, rtol=0.02)
        for one, other in zip(torch.autograd.grad(got.square().sum(), (q, k, v)), wanted, strict=True):
            assert float((one - other).norm() / other.norm()) < 0.02
