"""Drawing tokens: greedy, filters, and frequencies against the probabilities."""

from __future__ import annotations

import math

import pytest
import torch

from reference_model.decoding.sampling import draw, draw_text

LOGITS = torch.tensor([0.5, 0.3, 0.15, 0.05]).log()


def frequencies(temperature: float, top_k: int, top_p: float, n: int = 4000) -> list[float]:
    generator = torch.Generator().manual_seed(0)
    drawn = [draw_text(LOGITS, temperature, top_k, top_p, generator)[0] for _ in range(n)]
    return [drawn.count(column) / n for column in range(4)]


@pytest.mark.parametrize(
    ("temperature", "top_k", "top_p", "expected"),
    [
        (0.0, 0, 1.0, [1, 0, 0, 0]),
        (1.0, 0, 1.0, [0.5, 0.3, 0.15, 0.05]),
        (1.0, 2, 1.0, [0.625, 0.375, 0, 0]),
        (1.0, 0, 0.8, [0.625, 0.375, 0, 0]),
        (1.0, 0, 0.81, [0.5263, 0.3158, 0.1579, 0]),
        # Top-p reads the probabilities of before the top-k cut: 0.5 + 0.3 = 0.8 lies below 0.9, so both stay.
        (1.0, 2, 0.9, [0.625, 0.375, 0, 0]),
        (1.0, 0, 0.1, [1, 0, 0, 0]),
        # At temperature 1/2 the probabilities go with their squares: 0.25, 0.09, 0.0225, 0.0025 of 0.365.
        (0.5, 0, 1.0, [0.6849, 0.2466, 0.0616, 0.0068]),
    ],
)
def test_text_is_drawn_with_its_probability(
    temperature: float, top_k: int, top_p: float, expected: list[float]
) -> None:
    for found, probability in zip(frequencies(temperature, top_k, top_p), expected, strict=True):
        assert abs(found - probability) <= 4 * math.sqrt(probability * (1 - probability) / 4000) + 1e-3


def test_confidence_is_the_probability_at_temperature_one() -> None:
    column, confidence = draw_text(LOGITS, 0.3, 2, 0.9, torch.Generator().manual_seed(3))
    assert confidence == pytest.approx(float(LOGITS[column].exp()))


def test_audio_rows_are_drawn_independently() -> None:
    columns, confidence = draw(LOGITS.expand(4000, 4), 1.0, torch.Generator().manual_seed(0))
    for column, probability in enumerate([0.5, 0.3, 0.15, 0.05]):
        assert abs((columns == column).float().mean() - probability) < 0.03
    assert torch.allclose(confidence, LOGITS.exp()[columns])


def test_a_forbidden_column_is_never_drawn() -> None:
    logits = LOGITS.clone()
    logits[0] = -torch.inf
    columns, _ = draw(logits.expand(2000, 4), 5.0, torch.Generator().manual_seed(0))
    assert 0 not in columns
