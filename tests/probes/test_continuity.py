"""Stalls of a player that starts at the first chunk, worked by hand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tttbench.core.exchange import Chunk
from tttbench.probes.continuity import stalls


def test_chunks_in_time_never_stall() -> None:
    assert stalls([Chunk(1.0, 100), Chunk(1.5, 100), Chunk(3.0, 100)], 100) == []


def test_a_late_chunk_is_waited_for() -> None:
    assert stalls([Chunk(1.0, 100), Chunk(2.5, 100)], 100) == [0.5]


def test_after_a_stall_playing_goes_on_from_there() -> None:
    # Played from 1.0 to 2.0, waited until 2.5, played until 3.5, waited until 4.0.
    assert stalls([Chunk(1.0, 100), Chunk(2.5, 100), Chunk(4.0, 100)], 100) == [0.5, 0.5]


def test_no_chunks_no_stalls() -> None:
    assert stalls([], 100) == []


@given(st.lists(st.tuples(st.floats(0, 10), st.integers(1, 500)), min_size=1, max_size=20))
def test_playback_ends_after_all_audio_and_all_stalls(given_chunks: list[tuple[float, int]]) -> None:
    chunks = [Chunk(time_s, n) for time_s, n in sorted(given_chunks)]
    audio_s = sum(chunk.n_samples for chunk in chunks) / 100
    played_until_s = chunks[0].time_s + audio_s + sum(stalls(chunks, 100))
    assert played_until_s >= chunks[-1].time_s + chunks[-1].n_samples / 100 - 1e-9
