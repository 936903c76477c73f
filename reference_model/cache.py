"""The key/value cache of one sequence, written at the end, trusted up to ``length``; and a pool that many share.

Knows shapes only. Rows behind ``length`` are scratch: an open span writes there and writes again as it changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from reference_model.config import TtTConfig
from reference_model.errors import DecodeError


def _allocate(config: TtTConfig, n_positions: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """(2, layers, Hkv, n_positions, D), not yet written: keys and values."""
    shape = (2, config.num_hidden_layers, config.num_key_value_heads, n_positions, config.head_dim)
    return torch.empty(shape, dtype=dtype, device=device)


@dataclass(frozen=True)
class Slot:
    """Positions ``[first, end)`` of a pool."""

    pool: CachePool
    first: int
    end: int


class KeyValueCache:
    """Keys and values of every layer for one sequence.

    Attributes:
        length: how many positions hold final keys and values.
        capacity: how many positions there are now.
        slot: where it lies in a pool; None if its memory is its own.
    """

    def __init__(
        self,
        config: TtTConfig,
        capacity: int,
        dtype: torch.dtype,
        device: torch.device,
        storage: Tensor | None = None,
        slot: Slot | None = None,
    ) -> None:
        """Allocate a cache that grows on demand, or adopt ``storage``, which is never outgrown.

        Args:
            config: shape of the network.
            capacity: positions at first.
            dtype: of keys and values.
            device: where they lie.
            storage: (2, layers, Hkv, capacity, D).
            slot: where ``storage`` lies in a pool.
        """
        self.slot = slot
        self._fixed = storage is not None
        self._adopt(_allocate(config, capacity, dtype, device) if storage is None else storage)
        self.length = 0

    def _adopt(self, storage: Tensor) -> None:
        self._storage = storage
        self._layers = list(zip(storage[0].unbind(0), storage[1].unbind(0), strict=True))
        self.capacity = storage.shape[3]

    @property
    def n_bytes(self) -> int:
        """Memory of all positions."""
        return self._storage.nbytes

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


class CachePool:
    """Memory for the caches of many sequences, allocated once and never outgrown.

    Each sequence gets the positions it may need at most, side by side, so that one attention call can read all of them.

    Attributes:
        n_positions: how many positions there are.
    """

    def __init__(self, config: TtTConfig, n_positions: int, dtype: torch.dtype, device: torch.device) -> None:
        """Allocate ``n_positions`` for all layers, ``KeyValueCache.bytes_per_position`` each."""
        self.n_positions = n_positions
        self._config = config
        self._storage = _allocate(config, n_positions, dtype, device)
        self._free = [(0, n_positions)]

    @property
    def n_bytes(self) -> int:
        """Memory of the pool."""
        return self._storage.nbytes

    @property
    def n_free(self) -> int:
        """Positions that no sequence holds, wherever they lie."""
        return sum(end - first for first, end in self._free)

    def layer(self, index: int) -> tuple[Tensor, Tensor]:
        """Keys and values of one layer at every position, each (Hkv, n_positions, D)."""
        return self._storage[0, index], self._storage[1, index]

    @staticmethod
    def n_positions_for(config: TtTConfig, wanted: int, dtype: torch.dtype, device: torch.device) -> int:
        """``wanted`` positions, or as many as fit into half of the memory that a CUDA device has free."""
        if device.type != "cuda":
            return wanted
        free_bytes, _ = torch.cuda.mem_get_info(device)
        return min(wanted, free_bytes // 2 // KeyValueCache.bytes_per_position(config, dtype))

    def take(self, n_positions: int) -> KeyValueCache | None:
        """A cache of that many positions, or None while no gap is wide enough (an empty pool is one gap)."""
        for at, (first, end) in enumerate(self._free):
            if end - first >= n_positions:
                last = first + n_positions
                self._free[at : at + 1] = [(last, end)] if last < end else []
                storage = self._storage[:, :, :, first:last]
                slot = Slot(self, first, last)
                return KeyValueCache(
                    self._config, n_positions, storage.dtype, storage.device, storage=storage, slot=slot
                )
        return None

    def give_back(self, cache: KeyValueCache) -> None:
        """Free the positions of a cache that was taken; it must not be used any more.

        Raises:
            DecodeError: if it is not of this pool, or was given back already.
        """
        slot = cache.slot
        if slot is None or slot.pool is not self:
            raise DecodeError("a cache was given back that holds no positions of this pool")
        cache.slot = None
        joined: list[tuple[int, int]] = []
        for first, end in sorted([*self._free, (slot.first, slot.end)]):
            if joined and joined[-1][1] == first:
                joined[-1] = (joined[-1][0], end)
            else:
                joined.append((first, end))
        self._free = joined
