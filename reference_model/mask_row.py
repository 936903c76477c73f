"""What a network makes of a sequence of masks alone: the same vector in every row, whatever the length.

Equal ids have equal embeddings, and so equal values in the first layer. The rotary embedding turns queries and keys,
never values, so attention averages equal vectors and returns that vector whatever its weights, and every row leaves
the layer as it entered: equal to all others. By induction over the layers all rows are equal at the end. The argument
asks nothing of the mask but that every row sees at least one key, so it holds for every objective.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from reference_model.decode_step import RowGroup

if TYPE_CHECKING:
    from reference_model.transformer import TtTModel


class MaskRow:
    """The row of a network whose input is masks alone, kept as long as the network's weights stay as they are."""

    @torch.inference_mode()
    def __init__(self, model: TtTModel) -> None:
        """Run one row of one mask."""
        self._mask_id = model.config.mask_token_id
        self._hidden = model.step([RowGroup(torch.tensor([self._mask_id], device=model.device), 0, (1,), None)])[0]
        # Behind the pass, because the first one of a model moves its weights.
        self._held = _weights_of(model)
        self._logits: dict[tuple[int, int], Tensor] = {}

    def is_of(self, model: TtTModel) -> bool:
        """Whether ``model`` still has the weights that made the row."""
        return self._mask_id == model.config.mask_token_id and self._held == _weights_of(model)

    @torch.inference_mode()
    def logits(self, model: TtTModel, low: int, high: int) -> Tensor:
        """(high - low,) logits of the ids ``[low, high)``; not to be changed in place."""
        found = self._logits.get((low, high))
        if found is None:
            found = self._logits[low, high] = model.logits(self._hidden.unsqueeze(0), low, high)[0]
        return found


def _weights_of(model: TtTModel) -> list[tuple[int, int, int]]:
    """Which tensors the weights are, where they lie, and how often they were written."""
    return [(id(one), one.data_ptr(), 0 if one.is_inference() else one._version) for one in model.parameters()]
