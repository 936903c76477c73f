"""Greedy decoding with an openai-whisper model, many clips at once: what ``whisper.decode`` does at temperature 0.

Same tokens as ``whisper.decode`` without timestamps, in less time: rows that have ended leave the batch, and no
probabilities are computed. Knows encoded audio and token ids; knows no files, no text and no clock but the one given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from whisper.model import Whisper
    from whisper.tokenizer import Tokenizer


@dataclass(frozen=True)
class DecodedClip:
    """Tokens of one clip, without the end token.

    Attributes:
        tokens: ids of the text.
        times: the clock after each token, as long as ``tokens``.
        end: the clock when the end token (or the limit) was reached.
        compute_s: the clip's share of the decode seconds: every pass divided by the number of clips in it.
        passes: forward passes of the decoder that this clip took part in.
        ended: whether the model ended the text; False when the token limit cut it.
    """

    tokens: tuple[int, ...]
    times: tuple[float, ...]
    end: float
    compute_s: float
    passes: int
    ended: bool


def suppressed_tokens(tokenizer: Tokenizer) -> list[int]:
    """Tokens that are never written: sounds and music, and every control token but the end (whisper's default set)."""
    control = [tokenizer.transcribe, tokenizer.translate, tokenizer.sot, tokenizer.sot_prev, tokenizer.sot_lm]
    return sorted({*tokenizer.non_speech_tokens, *control, tokenizer.no_speech})


def decode_greedy(
    model: Whisper, tokenizer: Tokenizer, features: torch.Tensor, clock: Callable[[], float]
) -> list[DecodedClip]:
    """Write down what was said in encoded clips.

    Args:
        model: in evaluation mode.
        tokenizer: openai-whisper's tokenizer of this model, with its language and task.
        features: the encoder's output, shape (clips, 1500, width).
        clock: seconds, monotonic.
    """
    import torch

    prompt = list(tokenizer.sot_sequence_including_notimestamps)
    # As in whisper.decode: half of the context is kept for the text before, which is never given here.
    max_tokens = model.dims.n_text_ctx // 2
    n_clips = len(features)
    penalty = torch.zeros(model.dims.n_vocab, device=features.device)
    penalty[suppressed_tokens(tokenizer)] = -torch.inf
    first_penalty = penalty.clone()
    first_penalty[[*tokenizer.encode(" "), tokenizer.eot]] = -torch.inf

    written: list[list[int]] = [[] for _ in range(n_clips)]
    times: list[list[float]] = [[] for _ in range(n_clips)]
    ends: dict[int, float] = {}
    compute_s = [0.0] * n_clips
    passes = [0] * n_clips
    rows = list(range(n_clips))  # the clip in each row of the batch
    tokens = torch.tensor([prompt] * n_clips, device=features.device)
    cache, hooks = model.install_kv_cache_hooks()
    try:
        now = clock()
        for step in range(max_tokens):
            logits = model.decoder(tokens, features, kv_cache=cache)[:, -1]
            chosen = (logits + (penalty if step else first_penalty)).argmax(dim=-1)
            before, now = now, clock()
            running = [row for row, clip in enumerate(rows) if clip not in ends]
            for row in running:
                clip, token = rows[row], int(chosen[row])
                compute_s[clip] += (now - before) / len(running)
                passes[clip] += 1
                if token == tokenizer.eot:
                    ends[clip] = now
                else:
                    written[clip].append(token)
                    times[clip].append(now)
            running = [row for row in running if rows[row] not in ends]
            if not running:
                break
            # Every compaction copies the caches, so it waits until half of the rows would go.
            if 2 * len(running) <= len(rows):
                for module in cache:
                    cache[module] = cache[module][running]
                features, chosen = features[running], chosen[running]
                rows = [rows[row] for row in running]
            tokens = chosen[:, None]
    finally:
        for hook in hooks:
            hook.remove()
    return [
        DecodedClip(
            tokens=tuple(written[clip]),
            times=tuple(times[clip]),
            end=ends.get(clip, now),
            compute_s=compute_s[clip],
            passes=passes[clip],
            ended=clip in ends,
        )
        for clip in range(n_clips)
    ]
