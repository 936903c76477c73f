"""FLAC at its edges: the header alone, one sample, long names."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tttbench.core.errors import InputError
from tttbench.data.flac import FlacHeader, decode_flac, encode_flac, file_stem, pcm_md5, read_flac_header

RAMP = np.linspace(-0.5, 0.5, 300, dtype=np.float32)


@pytest.mark.parametrize("first", [0x00, 0x80])
def test_a_header_alone_is_enough_whether_or_not_others_follow(tmp_path: Path, first: int) -> None:
    data = bytearray(encode_flac(RAMP, 22_050)[:42])
    data[4] = first
    (tmp_path / "a.flac").write_bytes(data)
    assert read_flac_header(tmp_path / "a.flac") == FlacHeader(22_050, 300, pcm_md5(RAMP))
    (tmp_path / "a.flac").write_bytes(data[:41])
    with pytest.raises(InputError) as caught:
        read_flac_header(tmp_path / "a.flac")
    assert str(caught.value) == f"{tmp_path}/a.flac: is no FLAC file. Restore the file, or run again."


@pytest.mark.parametrize(("at", "value"), [(0, ord("F")), (3, ord("c")), (4, 0x01), (4, 0x84)])
def test_a_header_of_something_else_is_refused(tmp_path: Path, at: int, value: int) -> None:
    data = bytearray(encode_flac(RAMP, 22_050))
    data[at] = value
    (tmp_path / "a.flac").write_bytes(data)
    with pytest.raises(InputError, match="is no FLAC file"):
        read_flac_header(tmp_path / "a.flac")


def test_recordings_are_flac_of_16_bits_read_as_float32(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(encode_flac(RAMP, 22_050))
    info = soundfile.info(tmp_path / "a.bin")
    assert (info.format, info.subtype, info.channels, info.samplerate) == ("FLAC", "PCM_16", 1, 22_050)
    samples, rate = decode_flac(tmp_path / "a.bin")
    assert (str(samples.dtype), rate, type(rate)) == ("float32", 22_050, int)


@pytest.mark.parametrize(("kind", "most"), [("float16", 65_504), ("float32", 3.4e38), ("float64", 1e300)])
def test_samples_are_quantized_to_the_nearest_step(kind: str, most: float) -> None:
    samples = np.array([1.0, 2.0, -1.0, -2.0, 0.5 / 32_768, 1.5 / 32_768, most, -most]).astype(kind)
    steps = np.array([32_767, 32_767, -32_768, -32_768, 0, 2, 32_767, -32_768], "<i2")
    assert pcm_md5(samples) == hashlib.md5(steps.tobytes()).hexdigest()


@pytest.mark.parametrize(
    ("samples", "says"),
    [
        (np.zeros(0), "A waveform must have the shape (n,) with n > 0, not (0,)."),
        (np.zeros((3, 1)), "A waveform must have the shape (n,) with n > 0, not (3, 1)."),
        (np.array([np.nan]), "The waveform holds NaN or infinity."),
        (np.array([0.0, -np.inf]), "The waveform holds NaN or infinity."),
    ],
)
def test_what_is_no_waveform_is_said(samples: np.ndarray, says: str) -> None:
    for take in (pcm_md5, lambda one: encode_flac(one, 8_000)):
        with pytest.raises(InputError) as caught:
            take(samples.astype(np.float32))
        assert str(caught.value) == says


def test_md5_is_no_matter_of_security(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = hashlib.md5

    def refusing(data: bytes, *, usedforsecurity: bool = True) -> Any:
        if usedforsecurity:
            raise ValueError("disabled for FIPS")
        return plain(data, usedforsecurity=False)

    monkeypatch.setattr("hashlib.md5", refusing)
    assert pcm_md5(np.zeros(1, np.float32)) == "c4103f122d27677c9db144cae1394a66"


def test_a_name_is_cut_after_a_hundred_characters() -> None:
    digest = hashlib.sha256(b"('%s',)" % (b"x" * 300)).hexdigest()[:12]
    assert file_stem("x" * 300) == f"{'x' * 100}-{digest}"
    assert file_stem(".a b/é.", "c.").rpartition("-")[0] == "a_b_.--c"
