"""Streams of pages and frames: chains, gaps, tags, headers that count wrongly or are missing."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tttbench.core.errors import InputError
from tttbench.core.exchange import Waveform
from tttbench.core.sample import AudioRef
from tttbench.data.audio import load_audio, read_audio
from tttbench.data.containers import mpeg, ogg
from tttbench.data.decoding import decode

from .audio_files import KINDS, RATE, ffmpeg, speech

SPEECH = speech(2.0)
MP3 = KINDS["mp3"].encoded(SPEECH)
OPUS = KINDS["opus"].encoded(SPEECH)


def read(content: bytes) -> Waveform:
    return decode(io.BytesIO(content), "f", 0.0, None).samples


def refusal(content: bytes) -> str:
    with pytest.raises(InputError) as caught:
        read(content)
    return str(caught.value)


def frames(content: bytes) -> list[bytes]:
    """The frames of an MP3 file, that of the header first."""
    return [content[one.start : one.start + one.length] for one in mpeg._frames(content, "f")]


def pages(content: bytes) -> list[bytes]:
    return [page.content for page in ogg._pages(content, "f")]


def vbr(samples: Waveform, rate: int = RATE) -> bytes:
    stream = io.BytesIO()
    soundfile.write(
        stream, samples, rate, format="MP3", subtype="MPEG_LAYER_III", bitrate_mode="VARIABLE", compression_level=0.5
    )
    return stream.getvalue()


ID3 = b"ID3\4\0\0\0\0\1\0" + b"TIT2" + b"x" * 124


@pytest.mark.parametrize("loud_first", [True, False])
def test_variable_rate_without_a_header_is_read_whole(loud_first: bool) -> None:
    quiet = np.zeros(3 * RATE, np.float32)
    parts = (SPEECH, quiet) if loud_first else (quiet, SPEECH)
    content = vbr(np.concatenate(parts))
    header, *audio = frames(content)
    assert b"Xing" in header
    assert len({len(one) for one in audio}) > 1
    found = read(b"".join(audio))
    # Every frame holds 576 samples at this rate; 529 are what every decoder lags behind.
    assert len(found) == 576 * len(audio) - 529
    # With the header, the encoder's own 576 are cut off, too, and the end is.
    whole = read(content)
    assert len(whole) == 5 * RATE
    delay = 576
    np.testing.assert_allclose(found[delay : delay + len(whole)], whole, atol=1e-6)


def test_tags_are_no_audio_wherever_they_stand() -> None:
    expected, old = read(MP3), b"TAG" + b"x" * 125
    for content in (
        ID3 + MP3,
        ID3 + ID3 + MP3,
        MP3 + b"TAG" + b"x" * 125,
        MP3 + ID3,
        b"\0" * 700 + MP3,
        MP3 + b"\0" * 700,
    ):
        np.testing.assert_array_equal(read(content), expected)
    twice = np.concatenate([expected, expected])
    for between in (ID3, old, old + ID3, b"LYRICSBEGIN" + b"x" * 99 + b"LYRICS200"):
        np.testing.assert_array_equal(read(MP3 + between + MP3), twice)


def test_a_tag_amid_one_stream_does_not_restart_it() -> None:
    header, *audio = frames(MP3)
    middle = len(audio) // 2
    split = header + b"".join(audio[:middle]) + ID3 + b"".join(audio[middle:])
    np.testing.assert_array_equal(read(split), read(MP3))


def test_frames_behind_those_that_the_header_counts_are_read() -> None:
    _, *audio = frames(MP3)
    n = 2 * len(audio)
    assert len(read(MP3 + b"".join(audio))) == 576 * n - 529


def test_a_header_that_counts_its_own_frame_is_believed() -> None:
    header, *audio = frames(MP3)
    at = header.index(b"Info" if b"Info" in header else b"Xing") + 8
    counted = header[:at] + (len(audio) + 1).to_bytes(4, "big") + header[at + 4 :]
    assert len(read(counted + b"".join(audio))) == len(SPEECH)
    # Without its last frame the bytes are too few, too.
    assert "is cut short" in refusal(counted + b"".join(audio[:-1]))


def test_a_lost_last_frame_is_missed_and_so_is_part_of_one() -> None:
    header, *audio = frames(MP3)
    whole = f"{576 * len(audio) / RATE:.3f}"
    for content in (header + b"".join(audio[:-1]), MP3[:-1], MP3[: -len(audio[-1]) + 2]):
        lost = f"{576 * (len(audio) - 1) / RATE:.3f}"
        assert f"its header says {whole} s, {lost} s can be read" in refusal(content)
    assert f"damaged: {lost} s can be read" in refusal(b"".join(audio)[:-5])


def test_bytes_amid_the_frames_that_are_none_of_them() -> None:
    header, *audio = frames(MP3)
    for junk in (b"?" * 50, b"\0" * 4_000):
        content = header + b"".join(audio[:20]) + junk + b"".join(audio[20:])
        assert f"{len(junk):,} bytes at 0.756 s are no MP3, and more audio follows them" in refusal(content)
    assert "no MPEG frames" in str(_no_frames())


def _no_frames() -> InputError:
    with pytest.raises(InputError) as caught:
        mpeg.streams(b"no", "f")
    return caught.value


def test_mono_and_stereo_are_joined_and_other_layers_read(tmp_path: Path) -> None:
    both = io.BytesIO()
    soundfile.write(both, np.stack([SPEECH, SPEECH], axis=1), RATE, format="MP3")
    np.testing.assert_array_equal(read(MP3 + both.getvalue()), np.concatenate([read(MP3), read(both.getvalue())]))
    layer_2 = ffmpeg(tmp_path, SPEECH, "mp2")
    assert len(read(layer_2)) == 1152 * -(-len(SPEECH) // 1152)
    assert len(read(layer_2 * 2)) == 2 * 1152 * -(-len(SPEECH) // 1152)
    assert "is cut short" in refusal(layer_2[:-20])


@pytest.mark.parametrize("options", [("mp3",), ("-q:a", "7", "mp3"), ("-write_xing", "0", "-q:a", "7", "mp3")])
def test_mp3_of_ffmpeg_to_file_and_pipe(tmp_path: Path, options: tuple[str, ...]) -> None:
    whole = read(ffmpeg(tmp_path, SPEECH, "-c:a", "libmp3lame", *options))
    piped = read(ffmpeg(tmp_path, SPEECH, "-c:a", "libmp3lame", *options, piped=True))
    assert len(SPEECH) <= len(whole) <= len(piped) < len(SPEECH) + 2_400


def test_reading_in_blocks_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SoundFile itself seeks after each block, at which the MP3 decoder forgets the frames before."""
    from tttbench.data import decoding

    content = vbr(speech(3.0))
    expected = read(content)
    monkeypatch.setattr(decoding, "_BLOCK_VALUES", 1_000)
    np.testing.assert_allclose(read(content), expected, atol=1e-6)


@pytest.mark.parametrize("name", KINDS)
def test_a_segment_is_the_same_samples_as_of_the_whole(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(KINDS[name].encoded(SPEECH))
    whole = load_audio(path)
    for start, end in ((0.0, 0.7), (0.3137, 1.25), (1.11, None)):
        found = read_audio(AudioRef(path, start_s=start, end_s=end))
        rate = whole.sample_rate
        expected = whole.samples[round(start * rate) : None if end is None else round(end * rate)]
        np.testing.assert_allclose(found.samples, expected, atol=1e-6)
        assert len(found.samples) == len(expected)


def test_a_page_that_is_lost_or_damaged() -> None:
    found = pages(OPUS)
    assert len(found) > 3
    assert "lacks 1 of its pages at page 3" in refusal(b"".join(found[:2] + found[3:]))
    broken = bytearray(OPUS)
    broken[-40] ^= 1
    assert "is damaged behind" in refusal(bytes(broken))
    assert "is damaged behind" in refusal(b"".join(found[:2]) + b"?" * 30 + b"".join(found[2:]))
    assert "is cut short: 0.974 s are there, and the end of the stream isn't" in refusal(b"".join(found[:3]))
    assert len(read(OPUS + b"TAG" + b"x" * 125)) == len(SPEECH)


def test_streams_side_by_side() -> None:
    one, other = pages(OPUS), pages(KINDS["vorbis"].encoded(speech(1.0)))
    both = b"".join([one[0], other[0], *one[1:], *other[1:]])
    assert "holds 2 streams of audio side by side" in refusal(both)
    # Something that isn't audio is left aside.
    skeleton = _page(b"fishead\0" + bytes(56), 2 | 4, serial=7)
    np.testing.assert_array_equal(read(skeleton + OPUS), read(OPUS))


def _page(packet: bytes, flags: int, serial: int) -> bytes:
    head = b"OggS\0" + bytes([flags]) + bytes(8) + serial.to_bytes(4, "little") + bytes(4)
    rest = bytes([1, len(packet)]) + packet
    checksum = ogg._checksum(head + bytes(4) + rest)
    return head + checksum.to_bytes(4, "little") + rest


def test_ogg_without_opus_or_vorbis(tmp_path: Path) -> None:
    assert "holds neither Opus nor Vorbis" in refusal(ffmpeg(tmp_path, SPEECH, "-c:a", "flac", "ogg"))


def test_a_checksum_of_a_page() -> None:
    """As the pages of other programs have it, and by the definition: division by 0x04c11db7, bit by bit."""
    page = pages(OPUS)[0]
    remainder = 0
    for byte in page[:22] + bytes(4) + page[26:]:
        remainder ^= byte << 24
        for _ in range(8):
            remainder = (remainder << 1 ^ (0x04C11DB7 if remainder >> 31 else 0)) & 0xFFFFFFFF
    assert remainder == int.from_bytes(page[22:26], "little")
