"""The window of 30 s that moves over a clip: what of a window's tokens is kept, and where the next one begins.

The rules are those of ``whisper.transcribe``: timestamps cut a window's tokens into segments; what stands behind the
last pair of timestamps is decoded again, from there on, in the next window. Knows token ids, no audio and no model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

FRAMES = 3_000
"""Frames of a window."""

FRAMES_PER_STAMP = 2
"""A timestamp counts steps of 0.02 s, a frame is 0.01 s."""


@dataclass(frozen=True)
class Taken:
    """What becomes of a window.

    Attributes:
        kept: positions of the tokens that are kept, timestamps among them.
        advance: frames from this window's begin to the next one's.
        is_whole: whether the window is done with, so that nothing of it is decoded again.
    """

    kept: tuple[int, ...]
    advance: int
    is_whole: bool


def take(tokens: Sequence[int], n_frames: int, first_stamp: int, has_text: Callable[[Sequence[int]], bool]) -> Taken:
    """Decide what becomes of a window.

    Args:
        tokens: what was decoded in it, without the end token.
        n_frames: of the clip in it; the rest of the window is padding.
        first_stamp: id of the timestamp 0.00; all ids from there on are timestamps.
        has_text: whether tokens make more than blanks.
    """
    stamps = [token >= first_stamp for token in tokens]
    cuts = [at for at in range(1, len(tokens)) if stamps[at - 1] and stamps[at]]
    ends_in_one = stamps[-2:] == [False, True]
    if not cuts:
        # Without a pair of timestamps it is one segment, and never an instantaneous one.
        return Taken(tuple(range(len(tokens))) if has_text(tokens) else (), n_frames, True)
    if ends_in_one:
        # No speech after the last timestamp.
        cuts.append(len(tokens))
    kept = tuple(_kept(tokens, [0, *cuts], has_text))
    if ends_in_one:
        return Taken(kept, n_frames, True)
    return Taken(kept, FRAMES_PER_STAMP * (tokens[cuts[-1] - 1] - first_stamp), False)


def _kept(tokens: Sequence[int], bounds: Sequence[int], has_text: Callable[[Sequence[int]], bool]) -> Iterator[int]:
    """The positions of segments that take time and hold text."""
    for start, end in pairwise(bounds):
        if tokens[start] != tokens[end - 1] and has_text(tokens[start:end]):
            yield from range(start, end)
