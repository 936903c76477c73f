"""Sound over the wire: WAV and raw PCM, whole and in pieces."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
import soundfile

from tttbench.core.exchange import Waveform
from tttbench.wire.fields import WireError
from tttbench.wire.sound import (
    SoundStream,
    base64_of,
    from_base64,
    is_other_file,
    is_wav,
    pcm16_of,
    read_wav,
    wav_header,
    wav_of,
)

RAMP: Waveform = (np.arange(-5, 6) / 8).astype(np.float32)


def joined(pieces: list[bytes], stream: SoundStream) -> Waveform:
    found = np.concatenate([stream.push(piece) for piece in pieces])
    stream.finish()
    return found


def test_float32_comes_back_exactly_and_pcm16_to_half_a_step() -> None:
    odd = np.array([0.1, -0.3333333, 1.5], np.float32)
    assert np.array_equal(read_wav(wav_of(odd, 16_000, "float32")).samples, odd)
    again = read_wav(wav_of(odd, 16_000))
    assert again.rate_hz == 16_000
    assert np.abs(again.samples - np.array([0.1, -0.3333333, 32767 / 32768])).max() <= 0.5 / 32768


def test_what_is_written_is_what_another_library_reads() -> None:
    samples, rate = soundfile.read(io.BytesIO(wav_of(RAMP, 22_050)), dtype="float32")
    assert rate == 22_050
    assert np.array_equal(samples, RAMP)


@pytest.mark.parametrize("form", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("kind", ["WAV", "WAVEX"])
def test_what_another_library_writes_is_read(form: str, kind: str) -> None:
    file = io.BytesIO()
    soundfile.write(file, np.stack([RAMP, RAMP], axis=1), 8_000, subtype=form, format=kind)
    found = read_wav(file.getvalue())
    assert found.rate_hz == 8_000
    assert np.allclose(found.samples, RAMP, atol=1e-6)


@pytest.mark.parametrize("size", [1, 3, 10, 45, 1000])
@pytest.mark.parametrize(
    "head", [b"", wav_header(24_000), wav_header(24_000, n_bytes=22), wav_header(24_000, n_bytes=0)]
)
def test_pieces_of_any_size_make_the_same_sound(size: int, head: bytes) -> None:
    data = head + pcm16_of(RAMP)
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    assert np.array_equal(joined(pieces, SoundStream()), RAMP)


def test_files_one_behind_the_other_make_one_sound() -> None:
    stream = SoundStream()
    found = joined([wav_of(RAMP, 16_000), wav_of(RAMP, 16_000, "float32") + b"LIST\x00\x00\x00\x00"], stream)
    assert np.array_equal(found, np.concatenate([RAMP, RAMP]))
    assert stream.rate_hz == 16_000


def test_raw_sound_has_the_rate_that_it_is_said_to_have() -> None:
    assert SoundStream().rate_hz == 24_000
    stream = SoundStream(8_000)
    stream.push(pcm16_of(RAMP), 16_000)
    assert stream.rate_hz == 16_000


@pytest.mark.parametrize(
    ("pieces", "message"),
    [
        ([b"\0\0\0"], "within a sample"),
        ([b"\0", wav_of(RAMP, 16_000)], "within a sample"),
        ([wav_of(RAMP, 16_000)[:-2]], "cut short: 2 bytes"),
        ([wav_of(RAMP, 16_000)[:30]], "within the header"),
        ([wav_of(RAMP, 16_000), wav_of(RAMP, 24_000)], "changes from 16,000 to 24,000 Hz"),
        ([wav_of(RAMP, 7)], "7 Hz, which can't be"),
        ([wav_of(RAMP, 16_000).replace(b"WAVE", b"AVI ")], "no WAV file"),
        ([wav_of(RAMP, 16_000)[:34] + struct.pack("<H", 12) + wav_of(RAMP, 16_000)[36:]], "12 bits"),
    ],
)
def test_sound_that_cant_be_read_is_refused(pieces: list[bytes], message: str) -> None:
    with pytest.raises(WireError, match=message):
        joined(pieces, SoundStream())


def test_a_rate_that_contradicts_the_file_is_refused() -> None:
    with pytest.raises(WireError, match="said to have 24,000 Hz, but has 16,000 Hz"):
        SoundStream().push(wav_of(RAMP, 16_000), 24_000)


def test_a_whole_file_must_be_one() -> None:
    for data in (b"", b"no audio", wav_of(RAMP[:0], 16_000)):
        with pytest.raises(WireError):
            read_wav(data)


def test_base64_is_read_also_of_an_address() -> None:
    assert from_base64(base64_of(b"\0\1\2"), "x") == b"\0\1\2"
    assert from_base64("data:audio/wav;base64,AAEC", "x") == b"\0\1\2"
    for text in ("AAE", "???", "data:audio/wav,AAEC"):
        with pytest.raises(WireError, match=r"^x: "):
            from_base64(text, "x")


def test_formats_are_told_by_their_first_bytes() -> None:
    assert is_wav(wav_of(RAMP, 16_000))
    file = io.BytesIO()
    soundfile.write(file, RAMP, 16_000, format="FLAC")
    assert is_other_file(file.getvalue())
    assert not is_other_file(pcm16_of(RAMP))
