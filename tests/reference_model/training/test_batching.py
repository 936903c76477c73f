"""Laying examples out: rows that are full, documents that don't meet, and what does not fit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reference_model.errors import ReferenceModelError
from reference_model.layout import Example
from reference_model.limits import dense_mask
from reference_model.training.batching import collate, pack_lengths
from reference_model.training.losses import batch_losses, target_logits
from reference_model.training.objective import ObjectiveConfig, Row, corrupt

from ..shapes import random_model, tiny_config

CONFIG = tiny_config()
PLAIN = ObjectiveConfig(banom=1.0, ppm=0.0, sst=0.0)


def rows_of(*lengths: int) -> list[Row]:
    rng = np.random.default_rng(0)
    examples = [Example((1, 2), tuple(rng.integers(0, 5, n - 2).tolist())) for n in lengths]
    return [corrupt(example, PLAIN, CONFIG, rng) for example in examples]


@given(st.lists(st.integers(1, 50), max_size=40), st.integers(50, 120))
def test_every_document_has_a_place_and_no_row_overflows(lengths: list[int], room: int) -> None:
    rows = pack_lengths(lengths, room)
    assert sorted(i for row in rows for i in row) == list(range(len(lengths)))
    used = [sum(lengths[i] for i in row) for row in rows]
    assert all(0 < total <= room for total in used)
    # First fit leaves at most one row half empty.
    assert sum(2 * total <= room for total in used) <= 1


def test_a_document_that_fits_nowhere_is_refused() -> None:
    with pytest.raises(ReferenceModelError, match=r"an example of 51 tokens does not fit into rows of 50; raise pack"):
        pack_lengths([3, 51], 50)


def test_packed_documents_do_not_see_each_other_and_count_from_0() -> None:
    batch = collate(rows_of(4, 6, 3), CONFIG, pack=16)
    assert batch.ids.shape == (1, 16)
    assert batch.start is not None
    assert batch.positions is not None
    assert batch.start[0].tolist() == [0] * 6 + [6] * 4 + [10] * 3 + [13] * 3
    assert batch.positions[0, :13].tolist() == [*range(6), *range(4), *range(3)]
    seen = dense_mask(batch.limit, batch.start)[0]
    document = torch.tensor([0] * 6 + [1] * 4 + [2] * 3 + [3] * 3)
    assert not bool(seen[document.unsqueeze(1) != document.unsqueeze(0)].any())


def test_a_part_of_a_batch_is_divided_by_the_whole() -> None:
    rows = rows_of(5, 8, 6, 9)
    model = random_model(CONFIG)
    with torch.no_grad():
        whole = batch_losses(model, rows).total
        parts = [batch_losses(model, part, n_examples=4).total for part in (rows[:1], rows[1:])]
    assert sum(part.item() for part in parts) == pytest.approx(whole.item(), rel=1e-6)


def test_lengths_and_rows_are_rounded_up_and_change_no_loss() -> None:
    """Few shapes serve all batches; what is filled up has no loss and no gradient."""
    model = random_model(CONFIG)

    made = collate(rows_of(5, 9, 20), CONFIG)
    assert made.ids.shape == (3, 32)
    hidden = torch.randn(40, CONFIG.hidden_size, requires_grad=True)
    wanted = torch.tensor([3, 7, 39])
    found = target_logits(model, hidden, wanted)
    assert torch.allclose(found, model.logits(hidden[wanted]))
    (gradient,) = torch.autograd.grad(found.square().sum(), hidden)
    assert (gradient.abs().sum(1) > 0).nonzero().squeeze(1).tolist() == [3, 7, 39]
    assert target_logits(model, hidden, wanted[:0]).shape == (0, CONFIG.vocab_size)
