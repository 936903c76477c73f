"""Greedy decoding with an openai-whisper model, many windows at once: what ``whisper.decode`` does at temperature 0.

Same tokens as ``whisper.decode``, timestamps too, in less time: rows that have ended leave the batch, and probabilities
are computed only where the no-speech gate asks for them. Knows encoded audio and token ids; knows no files, no text and
no clock but the one given.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from whisper.model import Whisper
    from whisper.tokenizer import Tokenizer

NO_SPEECH = 0.6
MEAN_LOGPROB = -1.0
"""The defaults of ``whisper.transcribe``: a window is silent where the model thinks so and isn't sure of its text."""

LATEST_FIRST_STAMP = 50
"""The text of a window begins within its first second (in steps of 0.02 s)."""


@dataclass(frozen=True)
class DecodedWindow:
    """Tokens of one window, without the end token.

    Attributes:
        tokens: ids of text and timestamps.
        times: the clock after each token, as long as ``tokens``.
        end: the clock when the end token (or the limit) was reached.
        compute_s: the window's share of the decode seconds: every pass divided by the number of windows in it.
        passes: forward passes of the decoder that this window took part in.
        ended: whether the model ended the text; False when the token limit cut it.
        is_silent: what the no-speech gate says.
    """

    tokens: tuple[int, ...]
    times: tuple[float, ...]
    end: float
    compute_s: float
    passes: int
    ended: bool
    is_silent: bool


def suppressed_tokens(tokenizer: Tokenizer) -> list[int]:
    """Tokens that are never written: sounds and music, and control tokens but the end (whisper's default set)."""
    control = [tokenizer.transcribe, tokenizer.translate, tokenizer.sot, tokenizer.sot_prev, tokenizer.sot_lm]
    return sorted({*tokenizer.non_speech_tokens, *control, tokenizer.no_speech, tokenizer.no_timestamps})


class _Window:
    """A window on its way through the steps."""

    def __init__(self) -> None:
        self.logprob: float | None = None  # of all tokens; None where the gate doesn't ask for it
        self.end: float | None = None
        self._tokens: list[int] = []
        self._times: list[float] = []
        self._passes = 0
        self._compute_s = 0.0

    def forbid(self, logits: torch.Tensor, eot: int, first_stamp: int) -> None:
        """Forbid in place, shape (vocabulary,), what breaks the rules: timestamps come in pairs and never go back."""
        if not self._tokens:
            logits[:first_stamp] = -math.inf
            logits[first_stamp + LATEST_FIRST_STAMP + 1 :] = -math.inf
            return
        follows_stamp = self._tokens[-1] >= first_stamp
        follows_text = len(self._tokens) > 1 and self._tokens[-2] < first_stamp
        if follows_stamp and not follows_text:
            logits[first_stamp:] = -math.inf
            return
        if follows_stamp:
            logits[:eot] = -math.inf
        latest = next(token for token in reversed(self._tokens) if token >= first_stamp)
        # Only the second of a pair may repeat the first: a segment takes time.
        logits[first_stamp : latest if follows_stamp else latest + 1] = -math.inf

    def add(self, token: int, logits: torch.Tensor, eot: int, first_stamp: int, now: float, compute_s: float) -> None:
        """Take the token that was chosen by ``logits`` at the time ``now``."""
        self._passes += 1
        self._compute_s += compute_s
        if self.logprob is not None:
            # Where a timestamp was chosen there was no choice of text.
            allowed = logits[first_stamp:] if token >= first_stamp else logits
            self.logprob += float(logits[token] - allowed.logsumexp(dim=-1))
        if token == eot:
            self.end = now
        else:
            self._tokens.append(token)
            self._times.append(now)

    def decoded(self, now: float) -> DecodedWindow:
        """Return what came out by the time ``now``."""
        mean = math.inf if self.logprob is None else self.logprob / (len(self._tokens) + 1)
        return DecodedWindow(
            tokens=tuple(self._tokens),
            times=tuple(self._times),
            end=now if self.end is None else self.end,
            compute_s=self._compute_s,
            passes=self._passes,
            ended=self.end is not None,
            is_silent=not mean > MEAN_LOGPROB,
        )


def decode_greedy(
    model: Whisper,
    tokenizer: Tokenizer,
    features: torch.Tensor,
    prompts: Sequence[Sequence[int]],
    clock: Callable[[], float],
) -> list[DecodedWindow]:
    """Write down what was spoken in encoded windows.

    Args:
        model: in evaluation mode.
        tokenizer: openai-whisper's tokenizer of this model.
        features: the encoder's output, shape (windows, 1500, width).
        prompts: ids before the text, one list per window, all of one length: the text before, and the start of the
            transcript with language and task.
        clock: seconds, monotonic.
    """
    import torch

    eot, first_stamp = tokenizer.eot, tokenizer.timestamp_begin
    penalty = torch.zeros(model.dims.n_vocab, device=features.device)
    penalty[suppressed_tokens(tokenizer)] = -torch.inf
    # As in whisper.decode: half of the context is kept for the text before.
    context = model.dims.n_text_ctx
    max_tokens = min(context // 2, context + 1 - len(prompts[0]))

    windows = [_Window() for _ in prompts]
    rows = list(windows)  # the window in each row of the batch
    tokens = torch.tensor([list(prompt) for prompt in prompts], device=features.device)
    cache, hooks = model.install_kv_cache_hooks()
    try:
        now = clock()
        for step in range(max_tokens):
            logits = model.decoder(tokens, features, kv_cache=cache)
            if not step:
                at_start = logits[:, list(prompts[0]).index(tokenizer.sot)].softmax(dim=-1)
                for window, no_speech in zip(windows, at_start[:, tokenizer.no_speech].tolist(), strict=True):
                    window.logprob = 0.0 if no_speech > NO_SPEECH else None
            logits = logits[:, -1] + penalty
            for row, window in enumerate(rows):
                window.forbid(logits[row], eot, first_stamp)
            chosen = _most_probable(logits, first_stamp)
            before, now = now, clock()
            running = [row for row, window in enumerate(rows) if window.end is None]
            for row in running:
                rows[row].add(int(chosen[row]), logits[row], eot, first_stamp, now, (now - before) / len(running))
            running = [row for row in running if rows[row].end is None]
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
    return [window.decoded(now) for window in windows]


def _most_probable(logits: torch.Tensor, first_stamp: int) -> torch.Tensor:
    """The most probable token of each row; a timestamp where all timestamps together are more probable than any text.

    Shape (windows, vocabulary) to (windows,).
    """
    import torch

    text, text_at = logits[:, :first_stamp].max(dim=-1)
    stamps = logits[:, first_stamp:]
    return torch.where(stamps.logsumexp(dim=-1) > text, stamps.argmax(dim=-1) + first_stamp, text_at)
