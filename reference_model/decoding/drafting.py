"""Guessing the next codes of one request with a model's draft heads.

A sampled token depends on the request's noise as much as on the logits. So a draft is drawn with the very noise that
the draw it anticipates will use: from a copy of the generator, whose own state doesn't move.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from reference_model.decoding.sampling import draw
from reference_model.transformer import TtTModel


class Drafter:
    """The draft heads of ``model``, for the candidates ``[low, high)``."""

    def __init__(
        self, model: TtTModel, low: int, high: int, forbid: Callable[[Tensor], Tensor], temperature: float
    ) -> None:
        """Draft as audio is drawn: ``forbid`` puts forbidden candidates at -inf, in place."""
        self._model = model
        self._low, self._high = low, high
        self._forbid = forbid
        self._temperature = temperature

    @torch.inference_mode()
    def draft(self, hidden: Tensor, token: int, n: int, generator: torch.Generator) -> tuple[int, ...]:
        """Guess what follows.

        Args:
            hidden: (d,) the state that predicted ``token``.
            token: the last token there is.
            n: how many are guessed; fewer if the heads or the span end before.
            generator: the request's; it isn't moved.

        Returns:
            Ids; an end token ends them.
        """
        model, config = self._model, self._model.config
        state, last = hidden.unsqueeze(0), torch.tensor([token], device=hidden.device)
        ahead = torch.Generator(device=generator.device)
        ahead.set_state(generator.get_state())
        drafted: list[int] = []
        for head in model.draft_heads[:n]:
            state = head(state, F.embedding(last, model.model.embed_tokens.weight), config.rms_norm_eps)
            logits = model.logits(state, self._low, self._high)
            columns, _ = draw(
                self._forbid(logits if logits.dtype == torch.float64 else logits.float()), self._temperature, ahead
            )
            last = columns + self._low
            drafted.append(int(last))
            if drafted[-1] in config.span_end_ids:
                break
        return tuple(drafted)
