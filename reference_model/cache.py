"""The key/value cache of one sequence: preallocated, written at the end, trusted up to ``length``.

Knows shapes only. Rows behind ``length`` are scratch: an open span writes there and writes again as it changes.
"""

from __future__ import annotations

import torch
from torch import Tensor

from reference_model.config import TtTConfig
from reference_model.errors import DecodeError


class KeyValueCache:
    """Keys and values of every layer for one sequence.

    Attributes:
        length: how many positions hold final keys and values.
        capacity: how many positions there are.
    """

    def __init__(
        self, config: TtTConfig, capacity: int, dtype: torch.dtype, device: torch.device, storage: Tensor | None = None
    ) -> None:
        """Allocate, or adopt ``storage`` of shape (2, layers, Hkv, capacity, D) (a slot of a pool)."""
        shape = (2, config.num_hidden_layers, config.num_key_value_heads, capacity, config.head_dim)
        self._storage = torch.empty(shape, dtype=dtype, device=device) if storage is None else storage
        self._layers = [(self._storage[0, i], self._storage[1, i]) for i in range(config.num_hidden_layers)]
        self.capacity = capacity
        self.length = 0

    def layer(self, index: int) -> tuple[Tensor, Tensor]:
        """Keys and values of one layer, each (Hkv, capacity, D)."""
        return self._layers[index]

    def reserve(self, n_positions: int) -> None:
        """Make sure that ``n_positions`` fit.

        Raises:
            DecodeError: if they don't.
        """
        if n_positions > self.capacity:
            raise DecodeError(f"a sequence of {n_positions} positions does not fit into a cache of {self.capacity}")

    @staticmethod
    def bytes_per_position(config: TtTConfig, dtype: torch.dtype) -> int:
        """Memory of one position over all layers, in bytes."""
        return 2 * config.num_hidden_layers * config.num_key_value_heads * config.head_dim * dtype.itemsize
