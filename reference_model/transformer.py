"""The network: a Qwen2 decoder with Hugging Face parameter names, whose mask is a ``limit`` vector.

``hidden``/``logits`` are the whole-sequence passes of training, prefill and scoring; ``step`` is the cached pass of
decoding. Knows ids and limits; nothing of tokenizers, strategies or devices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reference_model.attention.base import AttentionBackend, Plan
from reference_model.attention.check import Heads
from reference_model.attention.chooser import PROCESS, Chooser, known
from reference_model.attention.runs import Operator
from reference_model.config import TtTConfig
from reference_model.decode_step import JoinedWeights, Reading, RowGroup, head_tables, step_layer
from reference_model.draft_heads import DraftHead
from reference_model.mask_row import MaskRow
from reference_model.products import linear, rms_norm

__all__ = ["RowGroup", "TtTModel"]


class RMSNorm(nn.Module):
    """Root-mean-square norm with a learned scale."""

    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """(..., d) → (..., d)."""
        return F.rms_norm(x, self.weight.shape, self.weight, self.eps)


class Rotary:
    """Tables of rotary position embedding, grown on demand; not part of the checkpoint."""

    def __init__(self, head_dim: int, theta: float) -> None:
        exponent = torch.arange(0, head_dim, 2, dtype=torch.int64, device="cpu").float() / head_dim
        self._inverse_frequency = 1.0 / (theta**exponent)
        self._tables: dict[tuple[torch.device, torch.dtype], tuple[Tensor, Tensor]] = {}

    def tables(self, n_positions: int, like: Tensor) -> tuple[Tensor, Tensor]:
        """Cosines and signed sines, each (at least ``n_positions``, D), on the device and in the dtype of ``like``."""
        key = (like.device, like.dtype)
        found = self._tables.get(key)
        if found is None or found[0].shape[0] < n_positions:
            # Not as inference tensors: a model that has decoded may be trained again.
            with torch.inference_mode(False), torch.no_grad():
                # In fp32 whatever the model's dtype, as transformers does.
                positions = torch.arange(max(2 * n_positions, 512), dtype=torch.float32, device="cpu")
                angles = torch.outer(positions, self._inverse_frequency)
                cos, sin = angles.cos(), angles.sin()
                found = (
                    torch.cat((cos, cos), 1).to(like.device, like.dtype),
                    torch.cat((-sin, sin), 1).to(like.device, like.dtype),
                )
            self._tables[key] = found
        return found


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Apply rotary embedding to (..., D) with the tables of ``Rotary``, which broadcast against it."""
    return torch.addcmul(x * cos, x.roll(x.shape[-1] // 2, dims=-1), sin)


class Attention(nn.Module):
    """Grouped-query attention with biases on q, k and v."""

    def __init__(self, config: TtTConfig) -> None:
        super().__init__()
        width, kv_width = config.hidden_size, config.num_key_value_heads * config.head_dim
        self.head_dim = config.head_dim
        self.q_proj = nn.Linear(width, width, bias=True)
        self.k_proj = nn.Linear(width, kv_width, bias=True)
        self.v_proj = nn.Linear(width, kv_width, bias=True)
        self.o_proj = nn.Linear(width, width, bias=False)

    def project(self, x: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(..., L, d) → rotated q (..., L, H, D), rotated k and plain v (..., L, Hkv, D)."""
        heads = (*x.shape[:-1], -1, self.head_dim)
        q, k, v = self.q_proj(x).view(heads), self.k_proj(x).view(heads), self.v_proj(x).view(heads)
        return rotate(q, cos, sin), rotate(k, cos, sin), v


class FeedForward(nn.Module):
    """SwiGLU."""

    def __init__(self, config: TtTConfig) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.up_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.down_proj = nn.Linear(config.intermediate_size, config.hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(..., d) → (..., d)."""
        out: Tensor = self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))
        return out


class Layer(nn.Module):
    """One decoder layer."""

    def __init__(self, config: TtTConfig) -> None:
        super().__init__()
        self.self_attn = Attention(config)
        self.mlp = FeedForward(config)
        self.input_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.post_attention_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, attention: AttentionBackend, plan: Plan) -> Tensor:
        """(B, L, d) → (B, L, d)."""
        q, k, v = self.before_attention(x, cos, sin)
        return self.after_attention(x, attention.attend(q, k, v, plan))

    def before_attention(self, x: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, L, d) → queries (B, H, L, D), keys and values (B, Hkv, L, D)."""
        q, k, v = self.self_attn.project(self.input_layernorm(x), cos, sin)
        return q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)

    def after_attention(self, x: Tensor, mixed: Tensor) -> Tensor:
        """The layer's input (B, L, d) and what attention returned, (B, H, L, D) → (B, L, d)."""
        x = x + self.self_attn.o_proj(mixed.transpose(1, 2).flatten(2))
        out: Tensor = self.mlp(self.post_attention_layernorm(x))
        return x + out


class Decoder(nn.Module):
    """Embedding, layers and the last norm."""

    def __init__(self, config: TtTConfig, initialise: bool = True) -> None:
        super().__init__()
        # An embedding draws its weights, and on the meta device that imports all of torch's compiler: seconds.
        weight = None if initialise else torch.empty(config.vocab_size, config.hidden_size)
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size, _weight=weight)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.num_hidden_layers))
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self._joined: JoinedWeights | None = None

    def joined(self) -> JoinedWeights:
        """The layers' weights as decode passes read them."""
        if self._joined is None or not self._joined.are_current():
            self._joined = JoinedWeights(list(self.layers))
        return self._joined


class TtTModel(nn.Module):
    """TtT's network.

    Attributes:
        config: shape and ids.
        attention: name of the attention backend of whole-sequence passes and of decode passes over a pool, or
            ``"auto"``.
        draft_heads: guess what follows the next token, see ``reference_model.draft_heads``; none by default.
        chooser: says which backend that is; None: the process's own, see ``reference_model.attention``.
    """

    def __init__(
        self, config: TtTConfig, attention: str = "auto", initialise: bool = True, chooser: Chooser | None = None
    ) -> None:
        """Make a network with fresh weights.

        Args:
            config: shape and ids.
            attention: ``"auto"``, ``"sdpa"``, ``"flex"`` or ``"xformers"``.
            initialise: False leaves the weights as allocated; for checkpoints that overwrite all of them.
            chooser: see ``chooser`` above.

        Raises:
            BackendError: for an unknown backend.
        """
        super().__init__()
        self.config = config
        self.attention = known(attention)
        self.chooser = chooser
        self.model = Decoder(config, initialise)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        if config.tie_word_embeddings:
            self.lm_head.weight = self.model.embed_tokens.weight
        self._rotary = Rotary(config.head_dim, config.rope_theta)
        self._mask_row: MaskRow | None = None
        self.draft_heads: tuple[DraftHead, ...] = ()
        if initialise:
            self.apply(self._initialise)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> TtTModel:
        """What ``to``, ``float`` … do to every tensor; the draft heads are no parameters, and go along."""
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        self.draft_heads = tuple(head.mapped(fn) for head in self.draft_heads)
        return self

    def _initialise(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=self.config.initializer_range)
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return self.model.embed_tokens.weight.device

    @property
    def dtype(self) -> torch.dtype:
        """The weights' dtype."""
        return self.model.embed_tokens.weight.dtype

    def n_parameters(self) -> int:
        """Number of parameters; a tied head counts once."""
        return sum(parameter.numel() for parameter in self.parameters())

    def attention_name(self) -> str:
        """The backend that passes use now, and on CUDA whether xformers agreed with sdpa; for a system card."""
        return self._chooser().describe(self.attention, self._heads(), self._gradient())

    def _chooser(self) -> Chooser:
        return PROCESS if self.chooser is None else self.chooser

    def _heads(self) -> Heads:
        """What attention gets: under autocast its queries, keys and values are of another dtype than the weights."""
        config, device = self.config, self.device
        dtype = torch.get_autocast_dtype(device.type) if torch.is_autocast_enabled(device.type) else self.dtype
        return Heads(config.num_attention_heads, config.num_key_value_heads, config.head_dim, dtype, device)

    def _gradient(self) -> bool:
        """Whether a backward may follow a whole-sequence pass."""
        wanted = torch.is_grad_enabled() and any(parameter.requires_grad for parameter in self.parameters())
        return self.training or wanted

    def hidden(
        self, ids: Tensor, limit: Tensor, start: Tensor | None = None, positions: Tensor | None = None
    ) -> Tensor:
        """Last hidden states of whole sequences.

        Args:
            ids: (B, L) int64.
            limit: (B, L) int64, see ``reference_model.limits``.
            start: (B, L) int64 for packed documents.
            positions: (B, L) int64 for the rotary embedding; default ``0 … L-1``.

        Returns:
            (B, L, d), after the last norm.
        """
        return self.hidden_states(ids, limit, start, positions)[-1]

    def hidden_states(
        self,
        ids: Tensor,
        limit: Tensor,
        start: Tensor | None = None,
        positions: Tensor | None = None,
        *,
        after: int = 0,
    ) -> tuple[Tensor, ...]:
        """The states of ``hidden``, and before them those behind layer number ``after``, with the last norm too.

        Args:
            ids, limit, start, positions: see ``hidden``.
            after: from 1; 0, or the number of layers: none but the last.

        Returns:
            One or two of (B, L, d).
        """
        x = self.model.embed_tokens(ids)
        length = ids.shape[1]
        if positions is None:
            cos, sin = (table[:length].unsqueeze(1) for table in self._rotary.tables(length, x))
        else:
            tables = self._rotary.tables(int(positions.max()) + 1, x)
            cos, sin = (table[positions].unsqueeze(2) for table in tables)
        chooser = self._chooser()
        attention = chooser.backend(chooser.name(self.attention, self._heads(), self._gradient()))
        plan = attention.plan(limit, start, length, x.dtype)
        states = []
        for number, layer in enumerate(self.model.layers, start=1):
            x = layer(x, cos, sin, attention, plan)
            if number in (after, len(self.model.layers)):
                states.append(self.model.norm(x))
        return tuple(states)

    def logits(self, hidden: Tensor, low: int = 0, high: int | None = None) -> Tensor:
        """(..., d) → (..., high - low): logits of the ids ``[low, high)``, by default of the whole vocabulary."""
        weight = self.lm_head.weight
        return linear(hidden, weight if low == 0 and high is None else weight[low:high])

    def mask_logits(self, low: int, high: int) -> Tensor:
        """Logits of any row of a sequence that is masks alone: one vector of the network, see ``MaskRow``.

        Computed by a pass over one row when it is first asked for, and again when weights have changed (through
        ``.data`` they change unnoticed).

        Returns:
            (high - low,) for the ids ``[low, high)``; not to be changed in place.
        """
        if self._mask_row is None or not self._mask_row.is_of(self):
            self._mask_row = MaskRow(self)
        return self._mask_row.logits(self, low, high)

    @torch.inference_mode()
    def step(self, groups: Sequence[RowGroup]) -> Tensor:
        """One cached decode pass over the rows of all groups, whatever their number and phase.

        Args:
            groups: the rows, group by group. ``cache.length`` is neither read nor changed: ``first`` says where the
                rows stand, and the caller decides which of the written positions are final.

        Returns:
            (R, d) last hidden states, the groups' rows one after the other.

        Raises:
            BackendError: if the backend was chosen by name and cannot run here.
        """
        ids = groups[0].ids if len(groups) == 1 else torch.cat([group.ids for group in groups])
        config, decoder = self.config, self.model
        x = F.embedding(ids, decoder.embed_tokens.weight)
        cos, sin = self._row_tables(groups, x)
        is_pooled = any(group.cache is not None and group.cache.slot is not None for group in groups)
        reading = Reading(groups, config.num_hidden_layers, self.pool_operator() if is_pooled else None)
        for index, weights in enumerate(decoder.joined().layers):
            x = step_layer(x, weights, cos, sin, reading, index)
        return rms_norm(x, decoder.norm.weight, config.rms_norm_eps)

    def pool_operator(self) -> Operator | None:
        """What attends to the keys of a pool in a decode pass; None: each sequence by itself.

        Raises:
            BackendError: if the backend was chosen by name and cannot run here.
        """
        return self._chooser().pool_operator(self.attention, self._heads())

    def rotary_tables(self, n_positions: int) -> tuple[Tensor, Tensor]:
        """Cosines and signed sines of the rotary embedding, each (n_positions, D), on the model's device."""
        cos, sin = self._rotary.tables(n_positions, self.lm_head.weight)
        return cos[:n_positions], sin[:n_positions]

    def _row_tables(self, groups: Sequence[RowGroup], x: Tensor) -> tuple[Tensor, Tensor]:
        """The rotary tables of the rows, laid out for q, k and v together."""
        config = self.config
        spans = [slice(group.first, group.first + len(group.limit)) for group in groups]
        tables = self._rotary.tables(max(span.stop for span in spans), x)
        cos, sin = (
            table[spans[0]] if len(spans) == 1 else torch.cat([table[span] for span in spans]) for table in tables
        )
        n_kv = config.num_key_value_heads
        return head_tables(cos, sin, config.num_attention_heads + n_kv, n_kv)
