"""Stalls of a player that starts at the first packet, worked by hand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tttbench.core.records import Packet
from tttbench.probes.continuity import stalls


def test_packets_in_time_never_stall() -> None:
    assert stalls([Packet(1.0, 100), Packet(1.5, 100), Packet(3.0, 100)], 100) == []


def test_a_late_packet_is_waited_for() -> None:
    assert stalls([Packet(1.0, 100), Packet(2.5, 100)], 100) == [0.5]


def test_after_a_stall_playing_goes_on_from_there() -> None:
    # Heard from 1.0 to 2.0, waited until 2.5, heard until 3.5, waited until 4.0.
    assert stalls([Packet(1.0, 100), Packet(2.5, 100), Packet(4.0, 100)], 100) == [0.5, 0.5]


def test_no_packets_no_stalls() -> None:
    assert stalls([], 100) == []


@given(st.lists(st.tuples(st.floats(0, 10), st.integers(1, 500)), min_size=1, max_size=20))
def test_playback_ends_after_all_audio_and_all_stalls(given_packets: list[tuple[float, int]]) -> None:
    packets = [Packet(time_s, n) for time_s, n in sorted(given_packets)]
    audio_s = sum(packet.n_samples for packet in packets) / 100
    played_until_s = packets[0].time_s + audio_s + sum(stalls(packets, 100))
    assert played_until_s >= packets[-1].time_s + packets[-1].n_samples / 100 - 1e-9
