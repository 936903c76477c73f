"""Server-sent events: what is written is read, whatever pieces it arrives in."""

from __future__ import annotations

import pytest

from tttbench.wire.fields import WireError
from tttbench.wire.sse import COMMENT, Decoder, Event, encoded


def read(data: bytes, size: int, largest: int = 1000) -> list[Event]:
    decoder = Decoder(largest)
    found = [event for at in range(0, len(data), size) for event in decoder.push(data[at : at + size])]
    assert decoder.finish()
    return found


STREAM = encoded({"a": "ä\n"}) + COMMENT + encoded("two\nlines", "named") + encoded("[DONE]")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_are_read_in_any_pieces(size: int) -> None:
    events = read(STREAM, size)
    assert events == [Event('{"a":"ä\\n"}'), Event("two\nlines", "named"), Event("[DONE]")]
    assert [event.is_done for event in events] == [False, False, True]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("size", [1, 5, 100])
def test_all_three_line_ends_are_read(end: bytes, size: int) -> None:
    data = b"data: 1" + end + b"data:2" + end + end + b": nothing" + end + b"data: 3" + end + end
    # A carriage return at the very end may be half of a line end: the next line tells.
    assert read(data + b"\n", size) == [Event("1\n2"), Event("3")]


def test_an_event_arrives_with_its_last_byte() -> None:
    decoder = Decoder()
    assert list(decoder.push(b"data: x\n")) == []
    assert list(decoder.push(b"\n")) == [Event("x")]


def test_a_stream_that_ends_within_an_event_says_so() -> None:
    for data in (b"data: x\n", b"data"):
        decoder = Decoder()
        assert not list(decoder.push(data))
        assert not decoder.finish()


@pytest.mark.parametrize("data", [b"data: " + b"x" * 2000, b"data: xxxxxxxx\n" * 200])
def test_an_event_that_is_too_large_is_refused(data: bytes) -> None:
    with pytest.raises(WireError, match="larger than 1,000 bytes"):
        read(data, 50)


def test_what_is_no_utf8_is_refused() -> None:
    with pytest.raises(WireError, match="UTF-8"):
        read(b"data: \xff\n\n", 100)
