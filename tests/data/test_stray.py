"""What lies in a folder of data and is none: passed over, and said with a count."""

from __future__ import annotations

from pathlib import Path

import pytest

from tttbench.core.errors import UserError
from tttbench.data.sources.asr_folder import list_asr_folder, read_asr_folder
from tttbench.data.sources.stray import is_run
from tttbench.store.manifest import Manifest, SuiteEntry
from tttbench.store.run_directory import RunStore

STRAY = (
    *(".DS_Store", "._list.tsv", "._a.wav", ".hidden.flac", "Thumbs.db", "desktop.ini", "~$notes.csv", "README.txt"),
    *("a.txt", "cover.jpg", "notes.md", ".git/objects/a.wav", "__MACOSX/._a.wav", "__MACOSX/a.wav"),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "list.tsv").write_text("audio\ttext\na.wav\tone\n")
    for name in ("a.wav", *STRAY):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def run_in(folder: Path) -> None:
    """A run directory with a recording."""
    store = RunStore.create(folder, Manifest(SuiteEntry("s")))
    store.close()
    (folder / "audio" / "input.flac").touch()


def test_stray_files_are_no_lists_and_no_audio(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    (found,) = list_asr_folder(folder)
    assert found.id == "a"
    assert found.metadata["left_out"] == "hidden folders: 2; hidden files: 2"
    assert caplog.messages == [f"{folder}: left out: hidden folders: 2; hidden files: 2"]


def test_our_own_runs_are_no_data(folder: Path) -> None:
    (folder / "left.wav").touch()
    run_in(folder / "runs" / "one")
    run_in(folder / "two")
    assert is_run({one.name for one in (folder / "two").iterdir()})
    found = read_asr_folder(folder)
    assert found.left_out.audio == (folder / "left.wav",)
    assert found.left_out.counts["run folders"] == 2
    with pytest.raises(UserError, match=r"two: is a run directory\. Give the data that it was made from\."):
        read_asr_folder(folder / "two")


def test_transcripts_in_stray_folders_are_none(tmp_path: Path) -> None:
    for name in ("a", ".b", "__MACOSX", "run"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.trans.txt").write_text(f"{name.strip('._')}-1 TEXT\n")
    (tmp_path / "run" / "manifest.json").touch()
    (tmp_path / "run" / "journal.sqlite").touch()
    assert [one.id for one in read_asr_folder(tmp_path).utterances] == ["a-1"]


def test_a_folder_named_like_audio_or_a_list_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "list.tsv").write_text("audio\ttext\nsession.wav/a.wav\tone\n")
    (tmp_path / "session.wav").mkdir()
    (tmp_path / "session.wav" / "b.wav").touch()
    (tmp_path / "other.csv").mkdir()
    assert read_asr_folder(tmp_path).left_out.audio == (tmp_path / "session.wav/b.wav",)
