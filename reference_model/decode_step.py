"""One layer of a cached decode pass, in as few calls as it takes, over weights joined into fewer matrices.

At decode sizes the number of calls counts, not the arithmetic: q, k and v are one product and one rotation, keys and
values one write, residuals are added by the products. Knows tensors, row groups and caches; no modules but to join.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reference_model.attention.rows import attend_rows
from reference_model.attention.runs import Operator, RunsAttention, cut_runs
from reference_model.cache import CachePool, KeyValueCache
from reference_model.products import add_product, join, join_if_small, linear, rms_norm

_MOST_ROWS = 512
"""Rows of an MLP at a time on a CPU: those of many prompts at once leave the caches, and cost a third more."""


@dataclass(frozen=True)
class RowGroup:
    """Rows of one sequence in a decode pass.

    Attributes:
        ids: (n,) token ids, which stand at the positions ``first, first + 1, …``.
        first: position of the first row; everything before it is read from ``cache``.
        limit: for each row how many keys it sees, counted from position 0; at most ``first + n``.
        cache: where the earlier keys lie. None: there are none (``first`` must be 0).
        write: whether the rows' own keys are written to the cache (behind ``cache.length``, as scratch).
    """

    ids: Tensor
    first: int
    limit: tuple[int, ...]
    cache: KeyValueCache | None
    write: bool = True


@dataclass(frozen=True)
class LayerWeights:
    """A layer's weights as a decode pass reads them; matrices are (out, in).

    ``gate_up`` is one matrix, or gate and up apart where that is faster.
    """

    norm: Tensor
    qkv: Tensor
    qkv_bias: Tensor
    out: Tensor
    norm_after: Tensor
    gate_up: tuple[Tensor, ...]
    down: Tensor
    eps: float


class JoinedWeights:
    """The weights of all layers, some joined into one matrix, of which the layers' parameters become views.

    Attributes:
        layers: the weights, layer by layer.
    """

    def __init__(self, layers: Sequence[nn.Module]) -> None:
        """Join; no memory is taken for long, and the parameters stay parameters, also for training."""
        self.layers = [_layer_weights(layer) for layer in layers]
        self._held = [
            (module._parameters, name, parameter, parameter.data_ptr())
            for layer in layers
            for module in layer.modules()
            for name, parameter in module._parameters.items()
            if parameter is not None
        ]

    def are_current(self) -> bool:
        """Whether every parameter is still the one that was joined, where it was (not moved, cast or replaced)."""
        return all(held[name] is it and it.data_ptr() == at for held, name, it, at in self._held)


def _layer_weights(layer: Any) -> LayerWeights:
    attention, mlp = layer.self_attn, layer.mlp
    projections = (attention.q_proj, attention.k_proj, attention.v_proj)
    return LayerWeights(
        norm=layer.input_layernorm.weight.data,
        qkv=join(tuple(part.weight for part in projections)),
        qkv_bias=join(tuple(part.bias for part in projections)),
        out=join((attention.o_proj.weight,)),
        norm_after=layer.post_attention_layernorm.weight.data,
        gate_up=join_if_small((mlp.gate_proj.weight, mlp.up_proj.weight)),
        down=join((mlp.down_proj.weight,)),
        eps=layer.input_layernorm.eps,
    )


class Places:
    """Where the rows of a pass read and write keys and values, for all layers at once."""

    def __init__(self, group: RowGroup, n_layers: int) -> None:
        """Make room in the cache, and the views that the layers need."""
        self.n_rows = len(group.limit)
        self.limit = group.limit
        self.written: Sequence[Tensor | None] = [None] * n_layers
        self.before: Sequence[Tensor | None] = [None] * n_layers
        self.seen: Sequence[Tensor | None] = [None] * n_layers
        end = group.first + self.n_rows
        if group.cache is None:
            return
        if not group.write:
            self.before = group.cache.views(0, group.first)
            return
        group.cache.reserve(end)
        self.written = group.cache.views(group.first, end)
        self.seen = group.cache.views(0, end)

    def keys_and_values(self, own: Tensor, index: int) -> Tensor:
        """(2, Hkv, n, D) keys and values of the rows → all that they may see, (2, Hkv, m, D)."""
        written, seen, before = self.written[index], self.seen[index], self.before[index]
        if written is not None and seen is not None:
            written.copy_(own)
            return seen
        return own if before is None else torch.cat((before, own), 2)


class Reading:
    """How the rows of one pass write their keys and read all that they may see, layer by layer.

    Each sequence makes a call of its own; with an ``operator``, all those whose keys lie in one pool share two calls.
    """

    def __init__(self, groups: Sequence[RowGroup], n_layers: int, operator: Operator | None = None) -> None:
        """Make room in the caches.

        Args:
            groups: the rows, group by group.
            n_layers: of the network.
            operator: attends to a pool; None: no pool is looked for.
        """
        pool = None if operator is None else _shared_pool(groups)
        self._alone: list[tuple[slice, Places]] = []
        sequences: list[tuple[int, Sequence[int], Sequence[int]]] = []
        first_rows: list[int] = []
        rows: list[int] = []
        at: list[int] = []
        first = 0
        for group in groups:
            n = len(group.limit)
            slot = group.cache.slot if group.cache is not None and group.write else None
            if pool is not None and group.cache is not None and slot is not None and slot.pool is pool:
                group.cache.reserve(group.first + n)
                first_rows.append(len(rows))
                rows += range(first, first + n)
                at += range(slot.first + group.first, slot.first + group.first + n)
                sequences.append((slot.first, group.limit, (0,) * n))
            else:
                self._alone.append((slice(first, first + n), Places(group, n_layers)))
            first += n
        self._pool = pool
        if pool is not None and operator is not None:
            device = groups[0].ids.device
            self._rows, self._at = (torch.tensor(x, device=device) for x in (rows, at))
            self._together = RunsAttention(*cut_runs(sequences, first_rows), pool.n_positions, device, operator)

    def mixed(self, q: Tensor, own: Tensor, index: int) -> Tensor:
        """Write the rows' own keys and values, and attend.

        Args:
            q: (R, H, D) of all rows.
            own: (2, Hkv, R, D) keys and values of all rows.
            index: the layer.

        Returns:
            (R, H * D).
        """
        if self._pool is None:
            if len(self._alone) == 1:
                return _attend(q, own, self._alone[0][1], index)
            return torch.cat([_attend(q[rows], own[:, :, rows], place, index) for rows, place in self._alone])
        keys, values = self._pool.layer(index)
        keys[:, self._at], values[:, self._at] = own[:, :, self._rows].unbind(0)
        out = q.new_empty(q.shape)
        out[self._rows] = self._together.attend(q[self._rows], keys.transpose(0, 1), values.transpose(0, 1))
        flat = out.view(len(q), -1)
        for rows, place in self._alone:
            flat[rows] = _attend(q[rows], own[:, :, rows], place, index)
        return flat


def _attend(q: Tensor, own: Tensor, place: Places, index: int) -> Tensor:
    keys, values = place.keys_and_values(own, index).unbind(0)
    return attend_rows(q, keys, values, place.limit)


def _shared_pool(groups: Sequence[RowGroup]) -> CachePool | None:
    """The pool of the first group that writes into one."""
    slots = (group.cache.slot for group in groups if group.cache is not None and group.write)
    return next((slot.pool for slot in slots if slot is not None), None)


def step_layer(x: Tensor, weights: LayerWeights, cos: Tensor, sin: Tensor, reading: Reading, index: int) -> Tensor:
    """One layer for the rows of all groups, one after the other.

    Args:
        x: (R, d).
        weights: of this layer.
        cos, sin: (R, H + 2 Hkv, D) tables of ``head_tables``.
        reading: of this pass.
        index: which layer it is.

    Returns:
        (R, d).
    """
    n_rows, n_heads, head_dim = cos.shape
    n_q = x.shape[-1] // head_dim
    n_kv = (n_heads - n_q) // 2
    normed = rms_norm(x, weights.norm, weights.eps)
    heads = linear(normed, weights.qkv, weights.qkv_bias).view(n_rows, n_heads, head_dim)
    heads = torch.addcmul(heads * cos, heads.roll(head_dim // 2, -1), sin)
    own = heads[:, n_q:].view(n_rows, 2, n_kv, head_dim).permute(1, 2, 0, 3)
    x = add_product(x, reading.mixed(heads[:, :n_q], own, index), weights.out)
    if n_rows <= _MOST_ROWS or x.is_cuda:
        return _add_mlp(x, weights)
    return torch.cat([_add_mlp(part, weights) for part in torch.split(x, _MOST_ROWS)])


def _add_mlp(x: Tensor, weights: LayerWeights) -> Tensor:
    normed = rms_norm(x, weights.norm_after, weights.eps)
    gate, up = halves([linear(normed, matrix) for matrix in weights.gate_up])
    return add_product(x, F.silu(gate).mul_(up), weights.down)


def halves(projected: Sequence[Tensor]) -> Sequence[Tensor]:
    """What ``LayerWeights.gate_up`` made, one (R, 2 n) or two (R, n), as gate and up."""
    return projected if len(projected) == 2 else projected[0].chunk(2, dim=-1)


def head_tables(cos: Tensor, sin: Tensor, n_rotated: int, n_plain: int) -> tuple[Tensor, Tensor]:
    """(R, D) rotary tables → (R, n_rotated + n_plain, D) tables that leave the last ``n_plain`` heads as they are."""
    n, width = cos.shape
    return (
        torch.cat((cos.unsqueeze(1).expand(n, n_rotated, width), cos.new_ones(n, n_plain, width)), 1),
        torch.cat((sin.unsqueeze(1).expand(n, n_rotated, width), sin.new_zeros(n, n_plain, width)), 1),
    )
