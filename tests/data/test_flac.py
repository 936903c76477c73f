"""What goes into a run's recordings comes out again."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttbench.core.errors import InputError
from tttbench.data.flac import decode_flac, encode_flac, file_stem, pcm_md5, read_flac_header


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 192_000])
def test_samples_come_back_within_half_a_step(tmp_path: Path, rate_hz: int) -> None:
    samples = np.random.default_rng(0).uniform(-0.999, 0.999, 1000).astype(np.float32)
    (tmp_path / "a.flac").write_bytes(encode_flac(samples, rate_hz))
    back, rate = decode_flac(tmp_path / "a.flac")
    assert rate == rate_hz
    assert np.abs(back - samples).max() <= 1 / 32768


def test_too_loud_samples_are_clipped_not_wrapped(tmp_path: Path) -> None:
    (tmp_path / "a.flac").write_bytes(encode_flac(np.array([1.5, -1.5], np.float32), 16_000))
    assert decode_flac(tmp_path / "a.flac")[0] == pytest.approx([1.0, -1.0], abs=1e-4)


@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros((2, 2)), np.array([0.0, np.nan]), np.array([np.inf])])
def test_what_is_no_waveform_is_refused(samples: np.ndarray) -> None:
    with pytest.raises(InputError):
        encode_flac(samples.astype(np.float32), 16_000)


def test_a_rate_that_flac_does_not_have_is_refused() -> None:
    with pytest.raises(InputError, match="0 Hz"):
        encode_flac(np.zeros(10, np.float32), 0)


def test_a_damaged_recording_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.flac").write_bytes(b"fLaC no more")
    with pytest.raises(InputError, match=r"a\.flac: cannot be read"):
        decode_flac(tmp_path / "a.flac")


def test_samples_are_rounded_as_libsndfile_rounds_them(tmp_path: Path) -> None:
    import soundfile

    samples = np.random.default_rng(0).uniform(-1.2, 1.2, 50_000).astype(np.float32)
    samples[:6] = [1, -1, 0.5 / 32_768, 1.5 / 32_768, -2.5 / 32_768, 3e38]
    soundfile.write(tmp_path / "a.flac", np.clip(samples, -1, 1), 16_000, subtype="PCM_16")
    (tmp_path / "b.flac").write_bytes(encode_flac(samples, 16_000))
    assert (decode_flac(tmp_path / "a.flac")[0] == decode_flac(tmp_path / "b.flac")[0]).all()


@pytest.mark.parametrize("rate_hz", [1, 8_000, 22_050, 192_000])
@pytest.mark.parametrize("length", [1, 100, 70_000])
def test_a_header_tells_rate_length_and_what_is_inside(tmp_path: Path, rate_hz: int, length: int) -> None:
    samples = np.linspace(-0.5, 0.5, length, dtype=np.float32)
    (tmp_path / "a.flac").write_bytes(encode_flac(samples, rate_hz))
    header = read_flac_header(tmp_path / "a.flac")
    assert (header.sample_rate, header.n_samples, header.pcm_md5) == (rate_hz, length, pcm_md5(samples))


def test_what_is_inside_does_not_depend_on_how_it_was_packed(tmp_path: Path) -> None:
    import soundfile

    samples = np.random.default_rng(0).uniform(-0.5, 0.5, 10_000).astype(np.float32)
    soundfile.write(tmp_path / "a.flac", samples, 16_000, subtype="PCM_16", compression_level=0.0)
    assert (tmp_path / "a.flac").read_bytes() != encode_flac(samples, 16_000)
    assert read_flac_header(tmp_path / "a.flac").pcm_md5 == pcm_md5(samples)


def test_a_step_of_16_bits_makes_other_content() -> None:
    samples = np.zeros(10, np.float32)
    assert pcm_md5(samples) == hashlib.md5(b"\0" * 20).hexdigest()
    assert pcm_md5(samples) != pcm_md5(samples + np.float32(1 / 32_768))
    assert pcm_md5(samples) == pcm_md5(samples + np.float32(0.4 / 32_768))


@pytest.mark.parametrize("content", [b"", b"fLaC", b"RIFF" + b"\0" * 60, b"fLaC\x04" + b"\0" * 60])
def test_a_header_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.flac").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.flac: is no FLAC file"):
        read_flac_header(tmp_path / "a.flac")


def test_a_header_of_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.flac: cannot be read"):
        read_flac_header(tmp_path / "a.flac")


def test_plain_names_stay_readable() -> None:
    assert file_stem("input", "mini_qa", "0001", "0").startswith("input--mini_qa--0001--0-")


NAMES = st.lists(st.text(st.characters(codec=None, exclude_categories=()), max_size=40), min_size=1, max_size=4)


@given(NAMES, NAMES)
def test_different_names_give_different_safe_files(names: list[str], others: list[str]) -> None:
    one, other = file_stem(*names), file_stem(*others)
    assert (one.lower() == other.lower()) == (names == others)
    assert not set(one) & set('/\\:*?"<>|\0 ')
    assert 0 < len(one.encode()) < 150
    assert not one.startswith(".")
