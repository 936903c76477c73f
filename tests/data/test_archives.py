"""Audio that is a member of an archive, or a segment of a longer recording."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tttbench.core.errors import InputError
from tttbench.core.sample import AudioRef
from tttbench.data.archives import read_member
from tttbench.data.audio import read_audio

RATE = 8_000
SAMPLES = np.linspace(-0.5, 0.5, 2 * RATE, dtype=np.float32)
"""Two seconds that tell where a segment begins."""


def wav(samples: np.ndarray = SAMPLES) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, samples, RATE, format="WAV", subtype="FLOAT")
    return stream.getvalue()


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "a.wav"
    path.write_bytes(wav())
    return path


@pytest.fixture(params=["a.zip", "a.tar", "a.tar.gz"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / str(request.param)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as inside:
            inside.writestr("clips/one.wav", wav())
            inside.writestr("clips/two.wav", wav(SAMPLES[:100]))
            inside.mkdir("empty")
        return path
    with tarfile.open(path, "w:gz" if path.name.endswith("gz") else "w") as tape:
        for name, content in (("clips/one.wav", wav()), ("clips/two.wav", wav(SAMPLES[:100]))):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tape.addfile(member, io.BytesIO(content))
        folder = tarfile.TarInfo("empty")
        folder.type = tarfile.DIRTYPE
        tape.addfile(folder)
    return path


def test_a_member_of_an_archive_is_read(archive: Path) -> None:
    audio = read_audio(AudioRef(archive, member="clips/two.wav"))
    assert audio.sample_rate == RATE
    np.testing.assert_array_equal(audio.samples, SAMPLES[:100])


def test_a_segment_of_a_member_is_read(archive: Path) -> None:
    audio = read_audio(AudioRef(archive, member="clips/one.wav", start_s=0.5, end_s=1.25))
    np.testing.assert_array_equal(audio.samples, SAMPLES[4_000:10_000])


def test_a_member_that_is_missing_is_named_with_its_archive(archive: Path) -> None:
    with pytest.raises(InputError, match=r"holds no 'clips/three\.wav'") as error:
        read_audio(AudioRef(archive, member="clips/three.wav"))
    assert str(archive) in str(error.value)


def test_a_folder_in_an_archive_is_no_recording(archive: Path) -> None:
    # A zip archive has no folders, only names that end with a slash.
    says = "holds no 'empty'" if archive.suffix == ".zip" else "'empty' is not a file in it"
    with pytest.raises(InputError, match=says):
        read_member(archive, "empty")


@pytest.mark.parametrize("case", ["missing", "folder", "no archive", "cut zip"])
def test_what_is_no_archive_is_named(tmp_path: Path, case: str) -> None:
    path = tmp_path / "a.zip"
    if case == "folder":
        path.mkdir()
    elif case == "no archive":
        path.write_text("a letter\n" * 500)
    elif case == "cut zip":
        with zipfile.ZipFile(path, "w") as inside:
            inside.writestr("a.wav", wav())
        path.write_bytes(path.read_bytes()[:1_000])
    says = {"missing": "cannot be read", "folder": "is not a file. Give the path of a tar or zip archive"}
    with pytest.raises(InputError, match=says.get(case, "is broken or no archive")) as error:
        read_member(path, "a.wav")
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("start_s", "end_s", "first", "last"),
    [
        (0.0, None, 0, 16_000),
        (0.25, None, 2_000, 16_000),
        (0.0, 1.0, 0, 8_000),
        (1.5, 2.0, 12_000, 16_000),
        (1.0, 2.1, 8_000, 16_000),  # lists round: a tenth of a second behind the end is the end
        (1.9999, None, 15_999, 16_000),
    ],
)
def test_segments(recording: Path, start_s: float, end_s: float | None, first: int, last: int) -> None:
    audio = read_audio(AudioRef(recording, start_s=start_s, end_s=end_s))
    np.testing.assert_array_equal(audio.samples, SAMPLES[first:last])


@pytest.mark.parametrize(
    ("start_s", "end_s", "says"),
    [
        (2.0, None, r"the audio ends at 2\.00 s"),
        (0.0, 2.2, r"the audio ends at 2\.00 s"),
        (-0.1, None, "must end behind its start, from 0 s on"),
        (1.0, 1.0, "must end behind its start"),
        (1.0, 0.5, "must end behind its start"),
    ],
)
def test_a_segment_that_the_audio_does_not_hold_is_refused(
    recording: Path, start_s: float, end_s: float | None, says: str
) -> None:
    with pytest.raises(InputError, match=says) as error:
        read_audio(AudioRef(recording, start_s=start_s, end_s=end_s))
    assert str(recording) in str(error.value)


def test_a_fault_in_a_segment_is_placed_in_the_whole_recording(tmp_path: Path) -> None:
    samples = SAMPLES.copy()
    samples[12_000] = np.nan
    (tmp_path / "a.wav").write_bytes(wav(samples))
    with pytest.raises(InputError, match=r"NaN or infinite sample at 1\.500 s"):
        read_audio(AudioRef(tmp_path / "a.wav", start_s=1.0))
    assert len(read_audio(AudioRef(tmp_path / "a.wav", end_s=1.5)).samples) == 12_000
