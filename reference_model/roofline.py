"""The least time a pass can take on a device, and the two ceilings that set it, measured.

Operations and bytes as the documentation defines them; the larger of the two times is the limit. Knows the network's
shape and how many rows a pass runs; no decoding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from reference_model.config import TtTConfig
from reference_model.decode_step import RowGroup
from reference_model.products import linear
from reference_model.timing import seconds_of


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


@dataclass(frozen=True)
class SequenceRows:
    """What a pass runs of one sequence; guidance, and each variant of a block, are sequences of their own.

    Attributes:
        rows: q, query rows.
        keys: L, keys that are read.
        pairs: of a row and a key that it sees; ``rows * keys`` where every row sees every key.
    """

    rows: int
    keys: int
    pairs: int


@dataclass(frozen=True)
class HeadRows:
    """Logits that a pass computes: h rows of ``columns`` ids."""

    rows: int
    columns: int


@dataclass(frozen=True)
class PassShape:
    """What one pass runs.

    Attributes:
        sequences: the rows, sequence by sequence.
        heads: the logits; one entry for each range of ids.
        prefill: whether the prompt of a sequence is among the rows.
    """

    sequences: tuple[SequenceRows, ...]
    heads: tuple[HeadRows, ...]
    prefill: bool = False


def rows_of(groups: Sequence[RowGroup]) -> tuple[SequenceRows, ...]:
    """What the groups of a decode pass run."""
    return tuple(SequenceRows(len(group.limit), max(group.limit), sum(group.limit)) for group in groups)


def block_parameters(config: TtTConfig) -> int:
    """N_b: weights of the matrices of all layers."""
    d, kv = config.hidden_size, config.num_key_value_heads * config.head_dim
    return config.num_hidden_layers * (2 * d * d + 2 * d * kv + 3 * d * config.intermediate_size)


def work_of_pass(config: TtTConfig, n_bytes: int, shape: PassShape) -> Work:
    """Operations and bytes of one pass, whatever its sequences have in common.

    F = sum over sequences of (2·N_b·q + 4·l·d·pairs) + sum over heads of 2·N_h·h and
    M = bytes·(N_b + sum of N_h) + 2·bytes·l·d_kv·(sum of L), where N_h is the number of ids times the width d.

    Args:
        config: the network.
        n_bytes: bytes of one number.
        shape: what is run.
    """
    d, layers = config.hidden_size, config.num_hidden_layers
    kv = config.num_key_value_heads * config.head_dim
    blocks = block_parameters(config)
    flops = sum(2 * blocks * one.rows + 4 * layers * d * one.pairs for one in shape.sequences)
    flops += sum(2 * d * head.columns * head.rows for head in shape.heads)
    weights = blocks + sum(d * head.columns for head in shape.heads)
    moved = n_bytes * weights + 2 * n_bytes * layers * kv * sum(one.keys for one in shape.sequences)
    return Work(float(flops), float(moved))


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
    """Operations and bytes of one pass over sequences that are all alike.

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
    n = sequences * (2 if guided else 1)
    one = SequenceRows(rows, keys, rows * keys)
    return work_of_pass(config, n_bytes, PassShape((one,) * n, (HeadRows(n * head_rows, head_columns),)))


@torch.inference_mode()
def measure_ceilings(device: str, dtype: torch.dtype, size: int = 0, copy_bytes: int = 0, repeats: int = 7) -> Ceilings:
    """Measure both ceilings on random numbers.

    Args:
        device: where.
        dtype: of the matrices.
        size: rows and columns of the product; 0 takes what keeps a device of that kind busy.
        copy_bytes: size of the buffer that is copied, and read; 0 takes several times the caches.
        repeats: the fastest of so many counts, since a ceiling is what can be reached.
    """
    usual_size, usual_bytes = (8192, 4 << 30) if device.startswith("cuda") else (2048, 1 << 29)
    size, copy_bytes = size or usual_size, copy_bytes or usual_bytes
    a, b = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    source = torch.randn(copy_bytes // 4, device=device)
    target = torch.empty_like(source)
    # On some processors what torch takes for a product isn't the fastest, and passes take another.
    ways = (lambda: torch.mm(a, b), lambda: linear(a, b))
    product_s = min(min(seconds_of(way, device, repeats)) for way in ways)
    copy_s = min(seconds_of(lambda: target.copy_(source), device, repeats))
    # A decode pass reads weights and writes next to nothing; some memories read faster than they copy.
    read_s = min(seconds_of(source.sum, device, repeats))
    moved = source.numel() * 4
    return Ceilings(2.0 * size**3 / product_s, max(2 * moved / copy_s, moved / read_s))
