"""The key/value cache of one sequence: written at the end, trusted up to ``length``.

Knows shapes only. Rows behind ``length`` are scratch: an open span writes there and writes again as it changes.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from reference_model.config import TtTConfig
from reference_model.errors import DecodeError


class KeyValueCache:
    """Keys and values of every layer for one sequence.

    Attributes:
        length: how many positions hold final keys and values.
        capacity: how many positions there are now.
    """

    def __init__(
        self, config: TtTConfig, capacity: int, dtype: torch.dtype, device: torch.device, storage: Tensor | None = None
    ) -> None:
        """Allocate a cache that grows on demand, or adopt ``storage``, which is never outgrown.

        Args:
            config: shape of the network.
            capacity: positions at first.
            dtype: of keys and values.
            device: where they lie.
            storage: (2, layers, Hkv, capacity, D): a slot of a pool.
        """
        self._fixed = storage is not None
        shape = (2, config.num_hidden_layers, config.num_key_value_heads, capacity, config.head_dim)
        self._adopt(torch.empty(shape, dtype=dtype, device=device) if storage is None else storage)
        self.length = 0

    def _adopt(self, storage: Tensor) -> None:
        self._storage = storage
        self._layers = list(zip(storage[0].unbind(0), storage[1].unbind(0), strict=True))
        self.capacity = storage.shape[3]

    def layer(self, index: int) -> tuple[Tensor, Tensor]:
        """Keys and values of one layer, each (Hkv, capacity, D)."""
        return self._layers[index]

    def views(self, first: int, end: int) -> Sequence[Tensor]:
        """Keys and values of the positions ``[first, end)`` in every layer, each (2, Hkv, end - first, D)."""
        return self._storage[:, :, :, first:end].unbind(1)

    def reserve(self, n_positions: int) -> None:
        """Make sure that ``n_positions`` fit.

        Raises:
            DecodeError: if they don't fit into a slot of a pool.
        """
        if n_positions <= self.capacity:
            return
        if self._fixed:
            raise DecodeError(f"a sequence of {n_positions} positions does not fit into a cache of {self.capacity}")
        old = self._storage
        # Doubling keeps the copies below the work of the rows that fill it.
        grown = old.new_empty((*old.shape[:3], max(n_positions, 2 * self.capacity), old.shape[4]))
        grown[:, :, :, : self.capacity] = old
        self._adopt(grown)

    @staticmethod
    def bytes_per_position(config: TtTConfig, dtype: torch.dtype) -> int:
        """Memory of one position over all layers, in bytes."""
        return 2 * config.num_hidden_layers * config.num_key_value_heads * config.head_dim * dtype.itemsize
