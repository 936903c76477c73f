"""Finite scalar quantisation: every code comes back, gradients pass, values stay in range."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reference_model.speech.layers import FSQ, ConvBlock


@pytest.mark.parametrize("levels", [(8, 5, 5, 5), (3,), (4, 3), (8, 8, 8, 6, 5)])
def test_every_code_comes_back(levels: tuple[int, ...]) -> None:
    quantise = FSQ(levels)
    codes = torch.arange(quantise.size)[None]
    values = quantise.values(codes)
    assert values.shape == (1, len(levels), quantise.size)
    assert torch.equal(quantise.indices(values), codes)
    assert values.min() == -1
    assert values.max() == 1


def test_size_is_the_product_of_the_levels() -> None:
    assert FSQ((8, 5, 5, 5)).size == 1000


def test_first_dimension_is_fastest() -> None:
    quantise = FSQ((4, 3))
    assert quantise.values(torch.tensor([[0, 1, 4]]))[0].T.tolist() == [
        [-1.0, -1.0],
        [pytest.approx(-1 / 3), -1.0],
        [-1.0, 0.0],
    ]


@given(st.lists(st.floats(-6, 6), min_size=4, max_size=4))
def test_quantised_values_are_values_of_codes(z: list[float]) -> None:
    quantise = FSQ((8, 5, 5, 5))
    out = quantise(torch.tensor(z)[None, :, None])
    code = quantise.indices(out)
    assert 0 <= int(code) < 1000
    torch.testing.assert_close(quantise.values(code), out, atol=1e-6, rtol=0)


@pytest.mark.parametrize("levels", [5, 8])
def test_every_level_is_reached_in_order(levels: int) -> None:
    quantise = FSQ((levels,))
    z = torch.linspace(-8, 8, 2001)[None, None]
    codes = quantise.indices(quantise(z))[0]
    assert (codes.diff() >= 0).all()
    assert codes.unique().tolist() == list(range(levels))


def test_zero_is_the_middle_of_an_odd_number_of_levels() -> None:
    quantise = FSQ((5,))
    assert quantise(torch.zeros(1, 1, 1)).item() == 0
    assert quantise.indices(torch.zeros(1, 1, 1)).item() == 2


def test_the_gradient_passes_straight_through_the_rounding() -> None:
    quantise = FSQ((5, 5))
    z = torch.tensor([0.3, -0.4])[None, :, None].requires_grad_()
    quantise(z).sum().backward()
    assert z.grad is not None
    # For an odd number of levels what is rounded is tanh(z), scaled up and down again.
    torch.testing.assert_close(z.grad, 1 - torch.tanh(z.detach()) ** 2)


def test_a_block_sees_half_its_kernel_ahead_and_back() -> None:
    torch.manual_seed(0)
    block = ConvBlock(8, 7)
    x = torch.randn(1, 8, 21)
    changed = x.clone()
    changed[:, :, 10] += 1
    moved = (block(x) - block(changed)).abs().sum((0, 1)) > 1e-6
    assert moved.nonzero().flatten().tolist() == list(range(7, 14))
