"""Would playback have gaps? The chunks' arrival times replayed against a player that starts at the first one."""

from __future__ import annotations

from collections.abc import Sequence

from tttbench.core.exchange import Chunk


def stalls(chunks: Sequence[Chunk], sample_rate: int) -> list[float]:
    """Return the lengths, in seconds, of the pauses in which the player had nothing to play.

    Args:
        chunks: in order of arrival.
        sample_rate: of the waveform, in Hz.
    """
    found: list[float] = []
    played_until_s: float | None = None
    for chunk in chunks:
        if played_until_s is None:
            played_until_s = chunk.time_s
        elif chunk.time_s > played_until_s:
            found.append(chunk.time_s - played_until_s)
            played_until_s = chunk.time_s
        played_until_s += chunk.n_samples / sample_rate
    return found
