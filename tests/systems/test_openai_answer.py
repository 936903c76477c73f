"""An answer as it arrives, by a clock of the test's own."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pytest
import soundfile

from tttbench.client.reply import BrokenError
from tttbench.core.exchange import Chunk, Waveform
from tttbench.systems.openai.answer import Answer, by_token, cost_of
from tttbench.wire.chat_stream import Delta
from tttbench.wire.extension import Extension
from tttbench.wire.sound import pcm16_of, wav_of
from tttbench.wire.usage import Usage

RAMP: Waveform = (np.arange(-8, 8) / 16).astype(np.float32)


def answer(form: str = "pcm16", *times_s: float) -> Answer:
    ticks: Iterator[float] = iter(times_s)
    return Answer(100.0, lambda: next(ticks), form, 24_000)


def test_each_piece_has_the_time_at_which_it_was_there() -> None:
    found = answer("pcm16", 100.5, 101.0, 101.5, 104.0)
    found.add(Delta("It"))
    found.add(Delta(" is", audio=pcm16_of(RAMP)))
    found.add(Delta(audio=pcm16_of(RAMP[:3])))
    response = found.response({})
    assert response.trace.text_times_s == (0.5, 1.0)
    assert response.trace.chunks == (Chunk(1.0, 16), Chunk(1.5, 3))
    assert response.trace.end_s == 4.0


def test_a_piece_that_ends_within_a_sample_waits_for_the_rest() -> None:
    found = answer("pcm16", 101.0, 102.0, 103.0)
    data = pcm16_of(RAMP)
    found.add(Delta(audio=data[:5]))
    found.add(Delta(audio=data[5:]))
    response = found.response({})
    assert response.trace.chunks == (Chunk(1.0, 2), Chunk(2.0, 14))
    assert response.waveform is not None
    assert np.array_equal(response.waveform, RAMP)


def test_the_words_are_the_content_or_else_what_was_spoken() -> None:
    found = answer("pcm16", *(100.0 + at for at in range(9)))
    found.add(Delta(transcript="Spoken."))
    assert found.response({}).text == "Spoken."
    found.add(Delta("Written."))
    response = found.response({})
    assert (response.text, response.trace.text_times_s) == ("Written.", (2.0,))


def test_a_refusal_is_the_answer_where_there_is_no_other() -> None:
    found = answer("pcm16", 101.0, 102.0)
    found.add(Delta(refusal="I won't."))
    assert found.response({}).text == "I won't."


@pytest.mark.parametrize("kind", ["FLAC", "OGG", "MP3"])
def test_other_formats_are_decoded_when_they_are_whole(kind: str) -> None:
    file = io.BytesIO()
    tone = np.sin(np.arange(4000) / 10).astype(np.float32) / 2
    soundfile.write(file, tone, 16_000, format=kind)
    data = file.getvalue()
    found = answer("pcm16" if kind == "FLAC" else kind.lower(), 101.0, 102.0, 103.0)
    found.add(Delta(audio=data[:100]))
    found.add(Delta(audio=data[100:]))
    response = found.response({})
    assert response.sample_rate == 16_000
    assert response.waveform is not None
    assert response.trace.chunks == (Chunk(2.0, len(response.waveform)),)
    assert abs(len(response.waveform) - 4000) < 2500


def test_a_file_that_cant_be_decoded_is_an_error() -> None:
    found = answer("flac", 101.0, 102.0)
    found.add(Delta(audio=b"fLaC nothing else"))
    with pytest.raises(BrokenError, match="the reply's audio"):
        found.response({})


def test_a_wav_file_is_read_whatever_was_asked_for() -> None:
    found = answer("mp3", 101.0, 102.0)
    found.add(Delta(audio=wav_of(RAMP, 8_000)))
    response = found.response({})
    assert response.sample_rate == 8_000


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (("a", "b", "cd", "e"), [(1.0, "a"), (1.0, "b"), (2.0, "cd"), (3.0, "e")]),
        (("abcde",), [(3.0, "abcde")]),
        (("ab", "c"), [(1.0, "ab"), (2.0, "cd"), (3.0, "e")]),
        (("abcde", ""), [(1.0, "ab"), (2.0, "cd"), (3.0, "e")]),
        ((), [(1.0, "ab"), (2.0, "cd"), (3.0, "e")]),
    ],
)
def test_tokens_have_the_time_of_the_piece_in_which_they_end(
    tokens: tuple[str, ...], expected: list[tuple[float, str]]
) -> None:
    assert by_token([(1.0, "ab"), (2.0, "cd"), (3.0, "e")], tokens) == expected


def test_tokens_of_the_object_are_told_apart() -> None:
    found = answer("pcm16", 101.0, 102.0, 103.0)
    found.add(Delta("It is"))
    found.add(Delta(finish_reason="stop", extension=Extension(text_tokens=("It", " is"))))
    trace = found.response({}).trace
    assert (trace.text_times_s, trace.text_tokens) == ((1.0, 1.0), ("It", " is"))


def test_a_cost_has_what_is_known() -> None:
    assert cost_of(None, 2, 0, 0) == {"requests": 2}
    assert cost_of(Usage(1_000_000, 500_000), 1, 2.0, 4.0) == {
        "requests": 1,
        "tokens_in": 1_000_000,
        "tokens_out": 500_000,
        "usd": 4.0,
    }
