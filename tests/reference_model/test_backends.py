"""Every attention backend against ``sdpa``, and ``sdpa`` against a softmax written out row by row."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor

from reference_model.attention import Heads, attend
from reference_model.attention.check import compare
from reference_model.attention.rows import attend_rows
from reference_model.attention.runs import RunsAttention, split_runs
from reference_model.attention.xformers import XformersBackend, XformersOperator, bias_of
from reference_model.limits import dense_mask

from .masks import Batch, Document, batches, heads, softmax_by_rows

head_counts = st.sampled_from([(4, 1), (4, 2), (4, 4), (3, 1)])
objectives = st.sampled_from(["hybrid", "ar", "nar"])


ONE_SPAN = Batch(((Document((11, 12, 13), 0),),), ((),))
ONE_TEXT = Batch(((Document((1, 2, 3), 0),),), ((),))


# The two that need no mask: every row sees all, and plain causal.
@example(ONE_SPAN, (4, 2), "hybrid", False, 0)
@example(ONE_TEXT, (4, 2), "hybrid", False, 0)
@given(batches(), head_counts, objectives, st.booleans(), st.integers(0, 99))
@settings(max_examples=60)
def test_sdpa_is_a_softmax_over_the_keys_that_a_row_sees(
    batch: Batch, n_heads: tuple[int, int], objective: Any, packed: bool, seed: int
) -> None:
    limit = batch.limit(objective=objective)
    n_rows = limit.shape[1]
    q, k, v = heads(len(limit), n_rows, n_rows, *n_heads, seed)
    start = batch.start if packed else None
    expected = softmax_by_rows(q, k, v, limit, torch.zeros_like(limit) if start is None else start)
    torch.testing.assert_close(attend(q, k, v, limit, start, attention="sdpa"), expected, atol=1e-12, rtol=0)


@given(batches(), head_counts, objectives, st.integers(0, 99))
@settings(max_examples=30)
def test_flex_is_sdpa(batch: Batch, n_heads: tuple[int, int], objective: Any, seed: int) -> None:
    limit, start = batch.limit(objective=objective), batch.start
    q, k, v = heads(len(limit), limit.shape[1], limit.shape[1], *n_heads, seed)
    with torch.no_grad():
        found = attend(q, k, v, limit, start, attention="flex")
    torch.testing.assert_close(found, attend(q, k, v, limit, start, attention="sdpa"), atol=1e-12, rtol=0)


@given(st.integers(1, 24).flatmap(lambda m: st.lists(st.integers(1, m), min_size=1, max_size=m)), head_counts)
def test_decode_rows_are_sdpa(limit: list[int], n_heads: tuple[int, int]) -> None:
    n_keys = max(*limit, len(limit))
    q, k, v = heads(1, len(limit), n_keys, *n_heads, seed=0)
    found = attend_rows(q[0].transpose(0, 1), k[0], v[0], limit)
    expected = attend(q, k, v, torch.tensor([limit]), attention="sdpa")
    torch.testing.assert_close(found, expected[0].transpose(0, 1).flatten(1), atol=1e-12, rtol=0)


@given(batches(), objectives, st.sampled_from(["bidirectional", "causal"]))
@settings(max_examples=60)
def test_the_runs_for_xformers_cover_every_row_and_see_what_limit_says(
    batch: Batch, objective: Any, prompt_audio: Any
) -> None:
    limit, start = batch.limit(prompt_audio, objective), batch.start
    n_sequences, n_rows = limit.shape
    seen = torch.zeros(n_sequences * n_rows, n_sequences * n_rows, dtype=torch.bool)
    rows: list[int] = []
    for runs, causal in zip(split_runs(limit, start, n_rows), (True, False), strict=True):
        first = 0
        for n, key_start, n_keys in zip(runs.n_rows, runs.key_start, runs.n_keys, strict=True):
            for r in range(n):
                end = key_start + n_keys - (n - 1 - r if causal else 0)
                seen[runs.rows[first + r], key_start:end] = True
            first += n
        rows += runs.rows
    assert sorted(rows) == list(range(n_sequences * n_rows))
    # Rows of one sequence see no key of another.
    assert torch.equal(seen, torch.block_diag(*dense_mask(limit, start)).bool())


@pytest.mark.usefixtures("needs_xformers")
@given(batches(), objectives, st.sampled_from(["bidirectional", "causal"]))
@settings(max_examples=60)
def test_the_biases_of_xformers_written_out_are_the_limit(batch: Batch, objective: Any, prompt_audio: Any) -> None:
    limit, start = batch.limit(prompt_audio, objective), batch.start
    n_sequences, n_rows = limit.shape
    total = n_sequences * n_rows
    seen = torch.zeros(total, total, dtype=torch.bool)
    for runs, causal in zip(split_runs(limit, start, n_rows), (True, False), strict=True):
        if runs.rows:
            bias = bias_of(runs, causal, total, torch.device("cpu"))
            written = bias.materialize((len(runs.rows), total), dtype=torch.float32, device=torch.device("cpu"))
            assert set(written.unique().tolist()) <= {0.0, -torch.inf}
            seen[list(runs.rows)] = written == 0
    assert torch.equal(seen, torch.block_diag(*dense_mask(limit, start)).bool())


def materialised(q: Tensor, k: Tensor, v: Tensor, attn_bias: Any) -> Tensor:
    """xformers' operator in plain products: (1, tokens, groups, heads, D)."""
    mask = attn_bias.materialize((q.shape[1], k.shape[1]), dtype=q.dtype, device=q.device)
    scores = torch.einsum("bqghd,bkghd->bghqk", q, k) * q.shape[-1] ** -0.5 + mask
    return torch.einsum("bghqk,bkghd->bqghd", scores.softmax(-1), v)


@pytest.mark.usefixtures("needs_xformers")
@given(batches(), head_counts, objectives, st.integers(0, 99))
@settings(max_examples=40)
def test_xformers_with_its_biases_written_out_is_sdpa(
    batch: Batch, n_heads: tuple[int, int], objective: Any, seed: int
) -> None:
    """All of the backend but the CUDA operator itself."""
    import xformers.ops.fmha as fmha

    limit, start = batch.limit(objective=objective), batch.start
    q, k, v = heads(len(limit), limit.shape[1], limit.shape[1], *n_heads, seed)
    plan = RunsAttention(*split_runs(limit, start, limit.shape[1]), limit.numel(), limit.device, XformersOperator())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fmha, "memory_efficient_attention_forward", materialised)
        found = XformersBackend().attend(q, k, v, plan)
    torch.testing.assert_close(found, attend(q, k, v, limit, start, attention="sdpa"), atol=1e-12, rtol=0)


@pytest.mark.usefixtures("needs_xformers")
@pytest.mark.parametrize("n_heads", [(16, 2), (4, 4), (3, 1)])
def test_xformers_with_its_biases_written_out_agrees_in_the_comparison_that_auto_makes(
    monkeypatch: pytest.MonkeyPatch, n_heads: tuple[int, int]
) -> None:
    import xformers.ops.fmha as fmha

    monkeypatch.setattr(fmha, "memory_efficient_attention_forward", materialised)
    verdict = compare(XformersOperator(), Heads(*n_heads, 32, torch.float64, torch.device("cpu")))
    assert verdict.why_not == ""
    assert verdict.error is not None
    assert verdict.error < 1e-12
