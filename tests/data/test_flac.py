"""What goes into a run's recordings comes out again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttbench.core.errors import InputError
from tttbench.data.flac import decode_flac, encode_flac, file_stem


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


def test_plain_names_stay_readable() -> None:
    assert file_stem("mini_qa", "0001", "truth") == "mini_qa--0001--truth"


@given(st.lists(st.text(min_size=1, max_size=40), min_size=2, max_size=2, unique=True))
def test_different_names_give_different_safe_files(names: list[str]) -> None:
    one, other = (file_stem("task", name) for name in names)
    assert one != other
    assert not set(one) & set('/\\:*?"<>|\0 ')
    assert len(one.encode()) < 150
