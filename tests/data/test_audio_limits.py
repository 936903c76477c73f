"""Audio at its edges: one sample, names that can't be read, and how much is read at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from tttbench.core.errors import InputError
from tttbench.core.sample import AudioRef
from tttbench.data.archives import read_member
from tttbench.data.audio import Audio, load_audio, read_audio, resample


def test_a_segment_that_is_shorter_than_a_sample_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.ones(8_000, np.float32) / 2, 8_000)
    with pytest.raises(InputError) as caught:
        read_audio(AudioRef(tmp_path / "a.wav", start_s=0.5, end_s=0.50001))
    assert str(caught.value) == (
        f"{tmp_path}/a.wav [0.5-0.50001 s]: the segment is too short to hold a sample. Correct it in the list."
    )
    assert len(read_audio(AudioRef(tmp_path / "a.wav", start_s=0.5, end_s=0.50008)).samples) == 1


def test_one_sample_is_audio(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.array([0.5], np.float32), 8_000, subtype="FLOAT")
    found = load_audio(tmp_path / "a.wav")
    assert (found.samples.tolist(), str(found.samples.dtype), found.duration_s) == ([0.5], "float32", 1 / 8_000)
    assert len(resample(found.samples, 8_000, 16_000)) == 2


def test_bytes_of_one_byte_are_not_audio(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"R")
    with pytest.raises(
        InputError, match=r"a\.wav: is broken or not audio that is read here \(WAV, .*Convert it to wav"
    ):
        load_audio(tmp_path / "a.wav")


@pytest.mark.parametrize(("from_hz", "to_hz"), [(0, 8_000), (8_000, 0), (-1, -1), (8_000, -1), (-1, 8_000), (0, 0)])
def test_rates_that_are_none(from_hz: int, to_hz: int) -> None:
    with pytest.raises(ValueError, match=f"^sample rates must be positive, not {from_hz} and {to_hz} Hz$"):
        resample(np.zeros(0, np.float32), from_hz, to_hz)


def test_rates_of_one_and_no_samples_at_all() -> None:
    one, none = np.ones(3, np.float32), np.zeros(0, np.float32)
    assert resample(one, 1, 1) is one
    assert resample(one, 1, 2).shape == (6,)
    assert resample(one, 2, 1).shape == (2,)
    assert resample(none, 1, 2) is none


def test_what_is_resampled_is_of_32_bits_whatever_it_was() -> None:
    double = np.linspace(-1, 1, 800)
    assert resample(double, 8_000, 16_000).dtype == np.float32  # type: ignore[arg-type]  # as plug-ins do


def test_names_that_no_file_can_have(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name, shown, why in (
        ("loop", "loop", "Too many levels of symbolic links"),
        ("a\0", r"a\x00", "embedded null byte"),
        ("x" * 300, "x" * 300, "File name too long"),
    ):
        with pytest.raises(InputError) as caught:
            load_audio(tmp_path / name)
        assert (
            str(caught.value) == f"'{tmp_path}/{shown}': cannot be read ({why}). Correct the path in the task's list."
        )
        with pytest.raises(InputError) as caught:
            read_member(tmp_path / name, "a.wav")
        assert str(caught.value) == f"{tmp_path / name}: cannot be read ({why}). Check the path and its permissions."


@pytest.mark.parametrize(
    ("error", "why"), [(PermissionError(13, "Permission denied"), "Permission denied"), (OSError("odd"), "odd")]
)
def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, why: str) -> None:
    (tmp_path / "a.wav").write_bytes(b"RIFF")

    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError) as caught:
        load_audio(tmp_path / "a.wav")
    assert str(caught.value) == f"{tmp_path}/a.wav: cannot be read ({why}). Check its permissions."


def test_messages_of_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()
    for path, says in (
        (tmp_path / "none.wav", "no such audio file. Correct the path in the task's list, or put the file there."),
        (tmp_path, "is not a file. Give the path of one audio file."),
        (tmp_path / "empty.wav", "the file has 0 bytes. Copy or record it again."),
    ):
        with pytest.raises(InputError) as caught:
            load_audio(path)
        assert str(caught.value) == f"{path}: {says}"


def test_seconds_are_samples_over_rate() -> None:
    assert Audio(np.zeros(4_000, np.float32), 16_000).duration_s == 0.25


def test_three_channels_are_averaged(tmp_path: Path) -> None:
    frames = np.array([[0.75, 0.0, 0.0], [0.0, 0.375, 0.0]], np.float32)
    soundfile.write(tmp_path / "a.wav", frames, 8_000, subtype="FLOAT")
    found = load_audio(tmp_path / "a.wav").samples
    assert (found.tolist(), str(found.dtype)) == ([0.25, 0.125], "float32")
