"""Would a listener have heard gaps? Packets' arrival times replayed against a player that starts at the first one."""

from __future__ import annotations

from collections.abc import Sequence

from tttbench.core.records import Packet


def stalls(packets: Sequence[Packet], sample_rate: int) -> list[float]:
    """Return the lengths, in seconds, of the pauses in which the player had nothing to play.

    Args:
        packets: in order of arrival.
        sample_rate: of the waveform, in Hz.
    """
    found: list[float] = []
    played_until_s: float | None = None
    for packet in packets:
        if played_until_s is None:
            played_until_s = packet.time_s
        elif packet.time_s > played_until_s:
            found.append(packet.time_s - played_until_s)
            played_until_s = packet.time_s
        played_until_s += packet.n_samples / sample_rate
    return found
