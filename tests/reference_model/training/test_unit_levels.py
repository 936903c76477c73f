"""Units are drawn to the levels that they have on average; what is no unit, or new, costs nothing."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from reference_model.speech.layers import FSQ
from reference_model.training.unit_levels import UnitLevels


def levels(*codes: tuple[float, float]) -> Tensor:
    """(1, 2, n)"""
    return torch.tensor([codes]).transpose(1, 2)


def test_by_hand() -> None:
    units = UnitLevels(3, 2)
    assert float(units.loss(levels((1.0, 2.0), (3.0, 0.0), (9.0, 9.0)), torch.tensor([[0, 0, -1]]))) == 0
    assert units.mean.tolist() == [[2, 1], [0, 0], [0, 0]]
    assert units.seen.tolist() == [2, 0, 0]
    # Unit 0 is to be at (2, 1): squares 0.25 and 1; unit 2 is new.
    found = units.loss(levels((2.5, 0.0), (7.0, 7.0)), torch.tensor([[0, 2]]))
    assert float(found) == pytest.approx((0.25 + 1) / 2)
    torch.testing.assert_close(units.mean[0], torch.tensor([2.05, 0.9]))
    assert units.mean[2].tolist() == [7, 7]


def test_the_target_is_a_level_and_has_no_gradient() -> None:
    units = UnitLevels(1, 2)
    units.loss(levels((0.4, 1.6)), torch.tensor([[0]]))
    at = levels((0.4, 1.6)).requires_grad_()
    units.loss(at, torch.tensor([[0]])).backward()
    assert at.grad is not None
    torch.testing.assert_close(at.grad.flatten(), torch.tensor([0.4, -0.4]))
    assert units.mean.grad is None


def test_without_units_it_is_nothing() -> None:
    found = UnitLevels(0, 2).loss(levels((1.0, 1.0)).requires_grad_(), torch.tensor([[-1]]))
    assert float(found.detach()) == 0
    found.backward()


@pytest.mark.parametrize("sizes", [(8, 5, 5, 5), (4, 3)])
def test_what_is_bounded_is_what_is_rounded(sizes: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    quantise, z = FSQ(sizes), 3 * torch.randn(2, len(sizes), 50)
    half = (torch.tensor(sizes).float()[:, None] - 1) / 2
    offset = torch.tensor([0.5 if n % 2 == 0 else 0.0 for n in sizes])[:, None]
    torch.testing.assert_close((quantise.bounded(z).round() + offset) / half, quantise(z))


def test_drawn_together_units_get_one_code() -> None:
    torch.manual_seed(0)
    quantise, units = FSQ((8, 5)), UnitLevels(4, 2)
    of = torch.arange(4).repeat_interleave(8)[None]
    z = torch.nn.Parameter(torch.randn(1, 2, 32))
    optimizer = torch.optim.Adam([z], lr=0.05)
    for _ in range(200):
        optimizer.zero_grad()
        units.loss(quantise.bounded(z), of).backward()
        optimizer.step()
    codes = quantise.indices(quantise(z)).view(4, 8)
    assert all(len(set(row)) == 1 for row in codes.tolist())
