"""The encoder, with the released names of its parameters: log-mel frames to codes. Knows no samples, chunks and files.

Position and row mean the same here: one of 50 a second, two frames.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from reference_model.speech.glm4_voice.config import Glm4VoiceConfig

FRAMES_PER_POSITION = 2


class LeftPaddedConv(nn.Conv1d):
    """A convolution that sees nothing to the right: all of its padding is on the left."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, T) to (B, out, ceil(T / stride))."""
        return super().forward(functional.pad(x, (self.kernel_size[0] - 1, 0)))


class BlockAttention(nn.Module):
    """Self-attention in which a row sees everything up to the end of its own block; keys have no bias."""

    def __init__(self, config: Glm4VoiceConfig) -> None:
        super().__init__()
        width = config.d_model
        self.n_heads = config.encoder_attention_heads
        self.block = config.quantize_causal_block_size
        self.q_proj = nn.Linear(width, width)
        self.k_proj = nn.Linear(width, width, bias=False)
        self.v_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: Tensor, is_real: Tensor) -> Tensor:
        """(B, T, width) rows, and (B, T) whether a row is a key, to (B, T, width)."""
        query, key, value = (self._heads(part(x)) for part in (self.q_proj, self.k_proj, self.v_proj))
        seen = is_real[:, None, None]  # for all heads and rows
        # Block by block no mask is needed but that of padding: what a block sees is a prefix of the keys.
        ends = [*range(self.block, x.shape[1], self.block), x.shape[1]]
        blocks = [
            functional.scaled_dot_product_attention(
                query[:, :, start:end], key[:, :, :end], value[:, :, :end], attn_mask=seen[..., :end]
            )
            for start, end in zip([0, *ends[:-1]], ends, strict=True)
        ]
        out: Tensor = self.out_proj(torch.cat(blocks, 2).transpose(1, 2).flatten(2))
        return out

    def _heads(self, x: Tensor) -> Tensor:
        heads: Tensor = x.unflatten(2, (self.n_heads, -1)).transpose(1, 2)  # (B, heads, T, width / heads)
        return heads


class WhisperVQLayer(nn.Module):
    """Attention and a feed-forward layer, each with its norm before it."""

    def __init__(self, config: Glm4VoiceConfig) -> None:
        super().__init__()
        self.self_attn = BlockAttention(config)
        self.self_attn_layer_norm = nn.LayerNorm(config.d_model)
        self.fc1 = nn.Linear(config.d_model, config.encoder_ffn_dim)
        self.fc2 = nn.Linear(config.encoder_ffn_dim, config.d_model)
        self.final_layer_norm = nn.LayerNorm(config.d_model)

    def forward(self, x: Tensor, is_real: Tensor) -> Tensor:
        """(B, T, width) rows, and (B, T) whether a row is a key, to (B, T, width)."""
        x = x + self.self_attn(self.self_attn_layer_norm(x), is_real)
        out: Tensor = x + self.fc2(functional.gelu(self.fc1(self.final_layer_norm(x))))
        return out


class WhisperVQEncoder(nn.Module):
    """Log-mel frames to codes: two convolutions, the layers before the codebook, a mean over positions, the nearest.

    Released weights also hold what only training and the hidden output need; there is no place for that here.
    """

    def __init__(self, config: Glm4VoiceConfig) -> None:
        super().__init__()
        self.config = config
        width = config.d_model
        self.conv1 = LeftPaddedConv(config.num_mel_bins, width, 3)
        self.conv2 = LeftPaddedConv(width, width, 3, stride=FRAMES_PER_POSITION)
        self.embed_positions = nn.Embedding(config.max_source_positions, width)
        self.layers = nn.ModuleList(WhisperVQLayer(config) for _ in range(config.quantize_position))
        self.codebook = nn.Embedding(config.quantize_vocab_size, width)

    def forward(self, mel: Tensor, n_real: Tensor) -> Tensor:
        """Codes of frames.

        Args:
            mel: (B, mels, T) frames, T a multiple of those of a code; what is behind a row's real ones is never read.
            n_real: (B,) real positions of each, at least 1.

        Returns:
            (B, codes) int64; those that begin behind the real positions mean nothing.
        """
        return self.nearest(self.pooled(mel, n_real))

    def pooled(self, mel: Tensor, n_real: Tensor) -> Tensor:
        """What is quantized: (B, codes, width)."""
        x = functional.gelu(self.conv2(functional.gelu(self.conv1(mel)))).transpose(1, 2)
        x = x + self.embed_positions.weight[: x.shape[1]]
        is_real = torch.arange(x.shape[1], device=x.device) < n_real[:, None]
        for layer in self.layers:
            x = layer(x, is_real)
        pooled: Tensor = x.unflatten(1, (-1, self.config.pooling_kernel_size)).mean(2)
        return pooled

    def nearest(self, values: Tensor) -> Tensor:
        """The codeword at the least distance from each of (B, codes, width), the first of several: (B, codes)."""
        words = self.codebook.weight
        norms = words.square().sum(1)
        index = torch.arange(len(words), device=words.device)
        found = []
        for rows in values:  # one recording at a time: a row has a distance for each of 16,384 codewords
            distances = norms + rows.square().sum(1, keepdim=True) - 2.0 * (rows @ words.T)
            is_nearest = distances == distances.amin(1, keepdim=True)
            found.append(torch.where(is_nearest, index, len(words)).amin(1))
        return torch.stack(found)
