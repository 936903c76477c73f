"""Header against data in every container that is read: nothing that was cut, joined or damaged passes as whole."""

from __future__ import annotations

import io
import re
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tttbench.core.errors import InputError
from tttbench.core.exchange import Waveform
from tttbench.data.audio import load_audio
from tttbench.data.decoding import decode

from .audio_files import KINDS, RATE, ffmpeg, pcm_chunks, speech, wav

SPEECH = speech()
FILES = {name: kind.encoded(SPEECH) for name, kind in KINDS.items()}


def read(content: bytes) -> Waveform:
    return decode(io.BytesIO(content), "f", 0.0, None).samples


def refusal(content: bytes) -> str:
    with pytest.raises(InputError) as caught:
        read(content)
    assert str(caught.value).startswith("f: ")
    return str(caught.value)


@pytest.mark.parametrize("name", KINDS)
def test_a_whole_file_is_read(name: str) -> None:
    found = read(FILES[name])
    # Codecs that work in blocks fill up the last one.
    assert 0 <= len(found) - len(SPEECH) < 1200
    assert np.abs(found[500 : len(SPEECH) - 500] - SPEECH[500:-500]).max() < KINDS[name].error


@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=60)
@given(share=st.floats(0.02, 0.9999))
def test_no_beginning_of_a_file_is_taken_for_the_whole(name: str, share: float) -> None:
    refusal(FILES[name][: int(len(FILES[name]) * share)])


@pytest.mark.parametrize("name", [name for name in KINDS if name not in ("caf, alac", "opus", "vorbis", "mp3", "flac")])
def test_half_a_file_is_told_in_seconds_of_header_and_data(name: str, tmp_path: Path) -> None:
    whole = len(read(FILES[name])) / RATE
    path = tmp_path / "half"
    path.write_bytes(FILES[name][: len(FILES[name]) // 2])
    with pytest.raises(InputError) as caught:
        load_audio(path)
    assert str(caught.value).startswith(f"{path}: is cut short or damaged: its header says ")
    says, there = map(float, re.findall(r"([\d.]+) s(?:, | can be read)", str(caught.value)))
    assert says == pytest.approx(whole, abs=0.002)
    # Headers are up to 4 kB long.
    assert whole / 2 - 0.13 < there < whole / 2 + 0.02


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("flac", "its header says 0.500 s, 0.000 s can be read"),
        ("mp3", "its header says 0.576 s, 0.180 s can be read"),
        ("opus", "the end of the stream isn't"),
        ("vorbis", "the end of the stream isn't"),
        ("caf, alac", "bytes of audio"),
    ],
)
def test_half_a_file_of_codecs(name: str, says: str) -> None:
    assert says in refusal(FILES[name][: len(FILES[name]) // 2])


@pytest.mark.parametrize("name", [name for name in KINDS if name not in ("mp3", "opus", "vorbis")])
def test_a_second_file_behind_the_first_is_not_passed_over(name: str) -> None:
    assert "holds two files, one behind the other" in refusal(FILES[name] * 2)


@pytest.mark.parametrize("name", ["mp3", "opus", "vorbis"])
def test_joined_streams_are_read_one_after_the_other(name: str) -> None:
    kind = KINDS[name]
    other = kind.encoded(speech(0.3, seed=1))
    expected = np.concatenate([read(FILES[name]), read(other), read(FILES[name])])
    found = read(FILES[name] + other + FILES[name])
    np.testing.assert_array_equal(found, expected)
    segment = decode(io.BytesIO(FILES[name] + other), "f", 0.4, 0.7)
    rate = segment.sample_rate
    np.testing.assert_array_equal(segment.samples, expected[round(0.4 * rate) : round(0.7 * rate)])


@pytest.mark.parametrize("name", ["mp3", "opus"])
def test_streams_of_two_rates_cannot_be_joined(name: str) -> None:
    kind = KINDS[name]
    other = type(kind)(kind.format, kind.subtype, rate=24_000).encoded(speech(rate=24_000))
    assert "joined of streams of 16,000 Hz and 24,000 Hz" in refusal(FILES[name] + other)


SIZES = [0, 8, 36, 0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFDB, 0xFFFFFFFF]


@pytest.mark.parametrize("data", [size for size in SIZES if size not in (8, 36)])
@pytest.mark.parametrize("riff", SIZES)
def test_a_header_of_a_pipe_is_read_to_the_end(riff: int, data: int) -> None:
    expected = read(wav(SPEECH))
    np.testing.assert_array_equal(read(wav(SPEECH, riff=riff, data=data)), expected)
    assert "holds two files" in refusal(wav(SPEECH, riff=riff, data=data) * 2)


@pytest.mark.parametrize(
    "options",
    [("wav",), ("-rf64", "always", "wav"), ("w64",), ("aiff",), ("au",), ("caf",), ("flac",), ("-c:a", "mulaw", "wav")],
)
def test_what_ffmpeg_writes_to_a_pipe_is_read_whole(tmp_path: Path, options: tuple[str, ...]) -> None:
    if "mulaw" in options:
        options = ("-c:a", "pcm_mulaw", "wav")
    whole = read(ffmpeg(tmp_path, SPEECH, *options))
    piped = ffmpeg(tmp_path, SPEECH, *options, piped=True)
    assert len(whole) == len(SPEECH)
    np.testing.assert_array_equal(read(piped), whole)
    assert "holds two files" in refusal(piped * 2)


def test_streamed_flac_that_is_cut(tmp_path: Path) -> None:
    piped = ffmpeg(tmp_path, speech(3.0), "flac", piped=True)
    assert refusal(piped[: len(piped) // 2]).startswith("f: is cut short or damaged: 1.")


def riff(*chunks: tuple[bytes, bytes], order: str = "<", padded: bool = True, magic: bytes = b"RIFF") -> bytes:
    body = b"WAVE"
    for kind, content in chunks:
        body += struct.pack(f"{order}4sI", kind, len(content)) + content + b"\0" * (len(content) % 2 if padded else 0)
    return struct.pack(f"{order}4sI", magic, len(body)) + body


def bytes_of(n: int) -> tuple[bytes, bytes]:
    """``fmt`` and ``data`` of ``n`` samples of 8 bits."""
    return struct.pack("<HHIIHH", 1, 1, 8_000, 8_000, 1, 8), bytes(range(n))


@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("n", [6, 7])
def test_chunks_of_odd_length_with_and_without_padding(n: int, padded: bool) -> None:
    form, data = bytes_of(n)
    for chunks in (
        [(b"fmt ", form), (b"data", data)],
        [(b"fmt ", form), (b"data", data), (b"LIST", b"INFO")],
        [(b"fmt ", form), (b"LIST", b"INFOa"), (b"data", data)],
        [(b"junk", b"abc"), (b"fmt ", form), (b"bext", b"x" * 603), (b"data", data), (b"id3 ", b"ID3")],
    ):
        assert len(read(riff(*chunks, padded=padded))) == n


def test_relatives_of_wav() -> None:
    form, data = pcm_chunks(SPEECH)
    expected = read(wav(SPEECH))
    long = struct.pack("<QQQI", 0, len(data), len(SPEECH), 0)
    whole = riff((b"ds64", long), (b"fmt ", form), (b"data", data), magic=b"RF64")
    unsaid = whole.replace(struct.pack("<4sI", b"data", len(data)), struct.pack("<4sI", b"data", 0xFFFFFFFF))
    for content in (whole, unsaid, b"BW64" + unsaid[4:]):
        np.testing.assert_array_equal(read(content), expected)
        assert "its header says 0.500 s, 0.475 s can be read" in refusal(content[:-800])
    big = struct.pack(">HHIIHH", 1, 1, RATE, 2 * RATE, 2, 16)
    swapped = np.frombuffer(data, "<i2").astype(">i2").tobytes()
    np.testing.assert_array_equal(read(riff((b"fmt ", big), (b"data", swapped), order=">", magic=b"RIFX")), expected)


def test_audio_beyond_the_end_that_the_header_gives() -> None:
    half = len(SPEECH)  # bytes: a half of the samples
    assert "0.250 s follow behind its end" in refusal(wav(SPEECH, data=half))
    form, data = pcm_chunks(SPEECH)
    two = riff((b"fmt ", form), (b"data", data), (b"data", data))
    assert "holds two chunks of audio" in refusal(two)
    # What players and phones leave behind the audio.
    for tail in (b"\0" * 9_000, b"TAG" + b"x" * 125, b"ID3\3\0\0\0\0\x3f\x7f" + b"x" * 9_000, b"?" * 100):
        assert len(read(wav(SPEECH) + tail)) == len(SPEECH)


def test_an_empty_wav_with_tags_is_empty() -> None:
    form, _ = pcm_chunks(SPEECH)
    assert "holds no samples (0 frames)" in refusal(riff((b"fmt ", form), (b"data", b""), (b"LIST", b"INFO" * 99)))
    assert "holds no samples (0 frames)" in refusal(riff((b"fmt ", form), (b"data", b"")))


@pytest.mark.parametrize(
    ("format", "subtype"),
    [
        ("VOC", "PCM_16"),
        ("IRCAM", "PCM_16"),
        ("SVX", "PCM_16"),
        ("PAF", "PCM_16"),
        ("HTK", "PCM_16"),
        ("MAT5", "PCM_16"),
    ],
)
def test_containers_that_cannot_be_checked_are_not_read(format: str, subtype: str) -> None:
    kind = type(KINDS["wav"])(format, subtype)
    assert "Convert it to wav or flac" in refusal(kind.encoded(SPEECH))


def outcome(content: bytes) -> str:
    """What became of a file: ``ok`` or the message."""
    try:
        found = read(content)
    except InputError as error:
        return str(error)
    return "ok" if len(found) and np.isfinite(found).all() else "nothing"


@settings(max_examples=1000)
@given(st.sampled_from(sorted(FILES)), st.integers(0, 2**32), st.binary(min_size=1, max_size=8))
def test_damage_anywhere_gives_audio_or_a_message(name: str, at: int, damage: bytes) -> None:
    content = FILES[name]
    # Half of the damage goes where the headers are.
    place = at // 2 % 128 if at % 2 else at // 2 % len(content)
    assert outcome(content[:place] + damage + content[place + len(damage) :]).startswith(("ok", "f: "))


BEGINNINGS = (b"RIFF", b"RF64", b"riff", b"FORM", b"caff", b".snd", b"NIST_1A\n", b"fLaC", b"OggS", b"ID3", b"\xff\xfb")


@settings(max_examples=500)
@given(st.sampled_from(BEGINNINGS), st.binary(max_size=200))
def test_any_bytes_give_audio_or_a_message(begin: bytes, rest: bytes) -> None:
    assert outcome(begin + rest).startswith(("ok", "f: "))
