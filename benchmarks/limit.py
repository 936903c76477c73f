"""The least time a pass can take on a device, and the two ceilings that set it, measured.

Operations and bytes as the documentation defines them; the larger of the two times is the limit. Knows no decoding.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch

from reference_model.config import TtTConfig


@dataclass(frozen=True)
class Ceilings:
    """What the device reaches: operations per second in matrix products, bytes per second of memory."""

    peak_flops: float
    bandwidth: float


@dataclass(frozen=True)
class Work:
    """Of one pass: ``flops`` operations, ``bytes`` read."""

    flops: float
    bytes: float

    def limit_s(self, ceilings: Ceilings) -> float:
        """The larger of the two least times."""
        return max(self.flops / ceilings.peak_flops, self.bytes / ceilings.bandwidth)


def block_parameters(config: TtTConfig) -> int:
    """N_b: weights of the matrices of all layers."""
    d, kv = config.hidden_size, config.num_key_value_heads * config.head_dim
    return config.num_hidden_layers * (2 * d * d + 2 * d * kv + 3 * d * config.intermediate_size)


def work_of(
    config: TtTConfig,
    n_bytes: int,
    *,
    sequences: int,
    rows: int,
    keys: int,
    head_rows: int,
    head_columns: int,
    guided: bool = False,
) -> Work:
    """Operations and bytes of one pass.

    F = n·g·(2·N_b·q + 4·l·d·q·L + 2·N_h·h) and M = bytes·(N_b + N_h) + 2·bytes·l·d_kv·L·n·g.

    Args:
        config: the network.
        n_bytes: bytes of one number.
        sequences: n.
        rows: q, query rows of each sequence.
        keys: L, keys each of them sees.
        head_rows: h, rows of each sequence whose logits are wanted.
        head_columns: how many ids; N_h is this times the width.
        guided: whether every sequence is run twice (g = 2).
    """
    g = 2 if guided else 1
    d, layers = config.hidden_size, config.num_hidden_layers
    blocks, head = block_parameters(config), head_columns * d
    flops = sequences * g * (2 * blocks * rows + 4 * layers * d * rows * keys + 2 * head * head_rows)
    kv = config.num_key_value_heads * config.head_dim
    moved = n_bytes * (blocks + head) + 2 * n_bytes * layers * kv * keys * sequences * g
    return Work(float(flops), float(moved))


def measure_ceilings(device: str, dtype: torch.dtype, size: int, copy_bytes: int, repeats: int = 7) -> Ceilings:
    """Measure both ceilings on random numbers.

    Args:
        device: where.
        dtype: of the matrices.
        size: rows and columns of the product.
        copy_bytes: size of the buffer that is copied, and read; several times the caches.
        repeats: the fastest of so many counts, since a ceiling is what can be reached.
    """
    a, b = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    source = torch.randn(copy_bytes // 4, device=device)
    target = torch.empty_like(source)
    product_s = min(seconds_of(lambda: torch.mm(a, b), device, repeats))
    copy_s = min(seconds_of(lambda: target.copy_(source), device, repeats))
    # A decode pass reads weights and writes next to nothing; some memories read faster than they copy.
    read_s = min(seconds_of(source.sum, device, repeats))
    moved = source.numel() * 4
    return Ceilings(2.0 * size**3 / product_s, max(2 * moved / copy_s, moved / read_s))


def seconds_of(call: Callable[[], object], device: str, repeats: int, warmup: int = 3) -> list[float]:
    """Seconds of each of ``repeats`` calls; on CUDA by device events, which see the device's time alone."""
    for _ in range(warmup):
        call()
    if not device.startswith("cuda"):
        taken = []
        for _ in range(repeats):
            before_s = time.perf_counter()
            call()
            taken.append(time.perf_counter() - before_s)
        return taken
    make: Callable[..., torch.cuda.Event] = torch.cuda.Event
    marks = [make(enable_timing=True) for _ in range(repeats + 1)]
    marks[0].record()
    for mark in marks[1:]:
        call()
        mark.record()
    torch.cuda.synchronize()
    return [before.elapsed_time(after) / 1000 for before, after in pairwise(marks)]
