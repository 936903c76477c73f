"""Decoding without waiting for the device: sequences in the same phase, static buffers, each pass a CUDA graph.

The ``Engine`` serves any mixture of phases and asks the device for numbers at every pass. Here N sequences, each at its
own length, take the same kind of pass at the same time; a whole block is filled by one replay, commits included, and
the host learns nothing until it reads the result. Greedy, ``topk``, exact cache, spans of one block, no guidance.
On a CPU the same tensors run without graphs, which is how the tests hold them against the ``Engine``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from reference_model.cache import KeyValueCache
from reference_model.config import TtTConfig
from reference_model.decode_step import LayerWeights, halves
from reference_model.decoding.strategies.topk import commits_per_step
from reference_model.errors import DecodeError
from reference_model.transformer import TtTModel

_ALIGNMENT = 64
"""Capacities are multiples of this: the memory-efficient attention kernel asks for aligned masks."""


class Lockstep:
    """N sequences in the same phase.

    Attributes:
        lengths: (N,) int64 on the device: how many positions of each sequence are final and cached.
    """

    @torch.inference_mode()
    def __init__(
        self,
        model: TtTModel,
        prefixes: Sequence[KeyValueCache],
        room: int,
        *,
        block_length: int = 27,
        steps: int = 2,
        graphs: bool = True,
        compiled: bool = False,
    ) -> None:
        """Copy what is cached of each sequence.

        Args:
            model: a hybrid model in eval mode.
            prefixes: one cache per sequence, final up to its ``length``.
            room: positions that each can grow by, scratch included.
            block_length: masks of a block.
            steps: passes that fill it.
            graphs: replay CUDA graphs; without effect on a CPU.
            compiled: run the layers through ``torch.compile`` (CUDA only), which fuses what lies between products.

        Raises:
            DecodeError: if the model's objective isn't ``"hybrid"``.
        """
        config = self._config = model.config
        if config.objective != "hybrid":
            raise DecodeError(f"lockstep decoding fills blocks of hybrid models, not of objective {config.objective!r}")
        self._model = model
        self._device = model.device
        self._layers = [_tensors(weights) for weights in model.model.joined().layers]
        on_gpu = model.device.type == "cuda"
        self._graphs = graphs and on_gpu
        self._run_layer = _layer
        if compiled and on_gpu:
            # With this, products of one row become reductions, which come closer to the memory's speed.
            self._run_layer = torch.compile(
                _layer, fullgraph=True, dynamic=False, options={"coordinate_descent_tuning": True}
            )
        longest = max(prefix.length for prefix in prefixes)
        self._capacity = -(-(longest + room) // _ALIGNMENT) * _ALIGNMENT
        # Host's bound of the longest sequence; the lengths themselves stay on the device.
        self._longest = longest
        self._shortest = min(prefix.length for prefix in prefixes)
        self._n = len(prefixes)
        shape = (config.num_hidden_layers, 2, self._n, config.num_key_value_heads, self._capacity, config.head_dim)
        # Zeros, because masked keys still meet the kernel: a stray NaN times a weight of zero would spread.
        self._storage = torch.zeros(shape, dtype=model.dtype, device=model.device)
        for slot, prefix in enumerate(prefixes):
            for layer, held in enumerate(prefix.views(0, prefix.length)):
                self._storage[layer, :, slot, :, : prefix.length] = held
        self.lengths = torch.tensor([prefix.length for prefix in prefixes], device=model.device)
        self._tables = model.rotary_tables(self._capacity)
        self._block_length = block_length
        self._counts = commits_per_step(block_length, steps)
        self._forbidden = _forbidden(config).to(model.device)
        self._replays: dict[tuple[str, int], Callable[[Tensor], Tensor]] = {}

    @torch.inference_mode()
    def text(self, ids: Tensor) -> Tensor:
        """Run final tokens (a text token, or a closed span) and make them part of the cache.

        Args:
            ids: (N, q): the tokens behind each sequence's cached ones; a row sees all q of them.

        Returns:
            (N, text ids) fp32 logits of the token behind them; overwritten by the next call with the same q.
        """
        self._take(ids.shape[1], scratch=0)
        logits = self._replay("text", self._text_pass, ids)
        self.lengths += ids.shape[1]
        return logits

    @torch.inference_mode()
    def block(self, begin: Tensor) -> Tensor:
        """Fill a block of masks behind the token that opens the span; that token becomes part of the cache.

        Args:
            begin: (N,) ids.

        Returns:
            (N, B) ids, of which those behind the first end token mean nothing; overwritten by the next call. Give
            them to ``text`` to close the span.
        """
        self._take(1, scratch=self._block_length)
        filled = self._replay("block", self._block_passes, begin.unsqueeze(1))
        self.lengths += 1
        return filled

    @torch.inference_mode()
    def rewind(self, length: int) -> None:
        """Forget what stands behind the first ``length`` positions of every sequence.

        Raises:
            DecodeError: if some sequence may never have been that long.
        """
        if not 0 < length <= self._shortest:
            raise DecodeError(f"rewind to {length}: the shortest sequence began with {self._shortest} positions")
        self.lengths.fill_(length)
        self._longest = length

    def _take(self, n_final: int, scratch: int) -> None:
        if self._longest + n_final + scratch > self._capacity:
            raise DecodeError(
                f"a sequence of {self._longest + n_final + scratch} positions does not fit into the {self._capacity} "
                "that were set aside; give Lockstep more room"
            )
        self._longest += n_final

    def _replay(self, kind: str, call: Callable[[Tensor], Tensor], ids: Tensor) -> Tensor:
        if not self._graphs:
            return call(ids)
        key = (kind, ids.shape[1])
        if key not in self._replays:
            self._replays[key] = _capture(call, ids)
        return self._replays[key](ids)

    def _text_pass(self, ids: Tensor) -> Tensor:
        n_rows = ids.shape[1]
        limit = (self.lengths + n_rows).unsqueeze(1).expand(-1, n_rows)
        last = self._hidden(ids, self.lengths, limit)[:, -1]
        return self._model.logits(last, 0, self._config.audio_token_id_start).float()

    def _block_passes(self, begin: Tensor) -> Tensor:
        config, n_masks = self._config, self._block_length
        low, high = config.audio_token_id_start, config.audio_token_id_start + len(self._forbidden)
        block = torch.full((self._n, n_masks), config.mask_token_id, device=self._device)
        is_open = torch.ones_like(block, dtype=torch.bool)
        seen = (self.lengths + 1 + n_masks).unsqueeze(1).expand(-1, n_masks)
        for step, count in enumerate(self._counts):
            if step == 0:
                limit = torch.cat(((self.lengths + 1).unsqueeze(1), seen), 1)
                hidden = self._hidden(torch.cat((begin, block), 1), self.lengths, limit)[:, 1:]
            else:
                hidden = self._hidden(block, self.lengths + 1, seen)
            logits = self._model.logits(hidden.reshape(self._n * n_masks, -1), low, high)
            logits = logits if logits.dtype == torch.float64 else logits.float()
            best = torch.softmax(logits.masked_fill(self._forbidden, float("-inf")), -1).max(-1)
            confidence = best.values.view(self._n, n_masks).masked_fill(~is_open, -1.0)
            chosen = confidence.sort(descending=True, stable=True).indices[:, :count]
            block = block.scatter(1, chosen, best.indices.view(self._n, n_masks).gather(1, chosen) + low)
            is_open = is_open.scatter(1, chosen, False)
        return block

    def _hidden(self, ids: Tensor, first: Tensor, limit: Tensor) -> Tensor:
        """(N, q) ids at the positions ``first, first + 1, …``, row i of which sees ``limit[:, i]`` keys → (N, q, d)."""
        config = self._config
        n, n_rows = ids.shape
        n_kv, capacity = config.num_key_value_heads, self._capacity
        positions = first.unsqueeze(1) + torch.arange(n_rows, device=self._device)
        cos, sin = (table[positions.flatten()].unsqueeze(1) for table in self._tables)
        planes = torch.arange(2 * n * n_kv, device=self._device).view(2, n, n_kv, 1)
        written = (planes * capacity + positions.view(1, n, 1, n_rows)).flatten()
        seen = torch.arange(capacity, device=self._device) < limit.unsqueeze(-1)
        mask = torch.zeros(seen.shape, dtype=self._storage.dtype, device=self._device)
        mask = mask.masked_fill(~seen, float("-inf"))
        # The heads of a group are rows of their key head, so that keys are read once.
        mask = mask.unsqueeze(1).repeat(1, 1, config.num_attention_heads // n_kv, 1)
        x = F.embedding(ids.flatten(), self._model.model.embed_tokens.weight)
        for weights, storage in zip(self._layers, self._storage, strict=True):
            x = self._run_layer(x, weights, config.rms_norm_eps, cos, sin, storage, written, mask)
        out = F.rms_norm(x, x.shape[-1:], self._model.model.norm.weight, config.rms_norm_eps)
        return out.view(n, n_rows, -1)


def _forbidden(config: TtTConfig) -> Tensor:
    """For the ids from the tag to the last audio id: which can't be drawn inside a span."""
    low = config.audio_token_id_start
    last = max(config.code_id_start + config.n_audio_codes - 1, *config.span_end_ids)
    return torch.tensor([not (config.is_code(i) or i in config.span_end_ids) for i in range(low, last + 1)])


def _layer(
    x: Tensor,
    weights: tuple[Tensor, ...],
    eps: float,
    cos: Tensor,
    sin: Tensor,
    storage: Tensor,
    written: Tensor,
    mask: Tensor,
) -> Tensor:
    """One layer: (N q, d) → (N q, d); keys and values go to the places ``written`` of (2, N, Hkv, C, D) ``storage``."""
    _, n, n_kv, _, width = storage.shape
    n_rows = x.shape[0] // n
    n_q = x.shape[1] // width
    norm, qkv, qkv_bias, out_weight, norm_after, down, *gate_up = weights
    normed = F.rms_norm(x, x.shape[-1:], norm, eps)
    heads = F.linear(normed, qkv, qkv_bias).view(n * n_rows, n_q + 2 * n_kv, width)
    rotated, v = heads[:, : n_q + n_kv], heads[:, n_q + n_kv :]
    rotated = rotated * cos + rotated.roll(width // 2, -1) * sin
    own = torch.cat((rotated[:, n_q:], v), 1).view(n, n_rows, 2, n_kv, width).permute(2, 0, 3, 1, 4)
    storage.view(-1, width).index_copy_(0, written, own.reshape(-1, width))
    q = rotated[:, :n_q].view(n, n_rows, n_kv, -1, width).permute(0, 2, 3, 1, 4).reshape(n, n_kv, -1, width)
    out = F.scaled_dot_product_attention(q, storage[0], storage[1], attn_mask=mask.expand(-1, n_kv, -1, -1))
    mixed = out.view(n, n_kv, -1, n_rows, width).permute(0, 3, 1, 2, 4).reshape(n * n_rows, -1)
    x = torch.addmm(x, mixed, out_weight.t())
    normed = F.rms_norm(x, x.shape[-1:], norm_after, eps)
    gate, up = halves([F.linear(normed, matrix) for matrix in gate_up])
    return torch.addmm(x, F.silu(gate) * up, down.t())


def _tensors(of: LayerWeights) -> tuple[Tensor, ...]:
    """As ``_layer`` unpacks them: plain tensors, for which a compiled layer serves all layers."""
    return (of.norm, of.qkv, of.qkv_bias, of.out, of.norm_after, of.down, *of.gate_up)


def _capture(call: Callable[[Tensor], Tensor], ids: Tensor) -> Callable[[Tensor], Tensor]:
    """Record a call as a CUDA graph over a buffer of its own."""
    buffer = ids.clone()
    beside = torch.cuda.Stream()
    beside.wait_stream(torch.cuda.current_stream())
    # Libraries pick their kernels and workspaces on the first calls, which can't be recorded.
    with torch.cuda.stream(beside):
        for _ in range(3):
            call(buffer)
    torch.cuda.current_stream().wait_stream(beside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        out = call(buffer)

    def replay(new_ids: Tensor) -> Tensor:
        buffer.copy_(new_ids)
        graph.replay()
        return out

    return replay
