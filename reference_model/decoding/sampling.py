"""Drawing tokens from logits. Pure functions of logits, settings and a generator."""

from __future__ import annotations

import torch
from torch import Tensor


def draw(logits: Tensor, temperature: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Choose one column per row.

    Args:
        logits: (R, C).
        temperature: 0 is greedy.
        generator: source of the noise, on the logits' device.

    Returns:
        (R,) columns and (R,) their probabilities at temperature 1.
    """
    probability = torch.softmax(logits, dim=-1)
    if temperature == 0:
        best = probability.max(dim=-1)
        return best.indices, best.values
    columns = _noisy_argmax(torch.softmax(logits / temperature, dim=-1), generator)
    return columns, probability.gather(-1, columns.unsqueeze(-1)).squeeze(-1)


def draw_text(
    logits: Tensor, temperature: float, top_k: int, top_p: float, generator: torch.Generator
) -> tuple[int, float]:
    """Choose the next text token: top-k, then top-p over what is left with the probabilities it had.

    Args:
        logits: (C,).
        temperature: 0 is greedy, whatever ``top_k`` and ``top_p``.
        top_k: 0 is off.
        top_p: 1 is off; a token stays if those more probable sum to less than this.
        generator: source of the noise.

    Returns:
        The column and its probability at temperature 1 among all columns.
    """
    log_total = torch.logsumexp(logits, dim=-1)
    if temperature == 0:
        column = int(logits.argmax())
    else:
        probability = torch.softmax(logits / temperature, dim=-1)
        if 0 < top_k < probability.shape[-1]:
            kept, columns = probability.topk(top_k)
        else:
            kept, columns = probability.sort(descending=True, stable=True)
        if top_p < 1:
            kept = kept.masked_fill((kept.cumsum(-1) - kept) >= top_p, 0.0)
        column = int(columns[_noisy_argmax(kept, generator)])
    return column, float((logits[column] - log_total).exp())


def _noisy_argmax(weight: Tensor, generator: torch.Generator) -> Tensor:
    """A draw in proportion to the weights (the exponential race), without waiting for the device."""
    # Noise in fp32 whatever the weights' dtype: the same seed draws the same token in fp32 and fp64.
    noise = torch.empty(weight.shape, dtype=torch.float32, device=weight.device).exponential_(generator=generator)
    return (weight / noise).argmax(dim=-1)
