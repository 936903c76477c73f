"""AISHELL-1 and AISHELL-2 as published, in small: what is read, what is reported."""

from __future__ import annotations

import io
import logging
import tarfile
from pathlib import Path

import pytest

from tttbench.core.errors import UserError
from tttbench.core.plugins import build_task
from tttbench.core.sample import AudioRef
from tttbench.data.sources.aishell1 import list_aishell1
from tttbench.data.sources.aishell2 import list_aishell2

from .folders import put

TRANSCRIPT = "transcript/aishell_transcript_v0.8.txt"


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """``data_aishell``: a test set of two speakers, and a line of a speaker of another split."""
    root = tmp_path / "data_aishell"
    lines = ["BAC009S0002W0122 而 对 楼市", "BAC009S0764W0121 甚至 出现  交易", "BAC009S0765W0001 你好\t世界"]
    put(root / TRANSCRIPT, "\n".join(lines) + "\n")
    for name in ("S0764/BAC009S0764W0121", "S0765/BAC009S0765W0001"):
        put(root / "wav/test" / f"{name}.wav")
    return root


def pack(path: Path, member: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        archive.addfile(tarfile.TarInfo(member), io.BytesIO())


def test_blanks_are_joined_and_speakers_are_clusters(first: Path) -> None:
    found = list_aishell1(first)
    assert [(s.id, s.audio, s.reference, s.cluster) for s in found] == [
        ("BAC009S0764W0121", AudioRef(first / "wav/test/S0764/BAC009S0764W0121.wav"), "甚至出现交易", "S0764"),
        ("BAC009S0765W0001", AudioRef(first / "wav/test/S0765/BAC009S0765W0001.wav"), "你好世界", "S0765"),
    ]
    assert [s.id for s in build_task("aishell1").samples(first.parent)] == [s.id for s in found]


def test_recordings_without_a_line_are_counted(first: Path, caplog: pytest.LogCaptureFixture) -> None:
    put(first / "wav/test/S0765/BAC009S0765W0002.wav")
    put(first / "wav/train/S0002/BAC009S0002W0999.wav")
    with caplog.at_level(logging.WARNING):
        found = list_aishell1(first)
    assert found[0].metadata["left_out"] == "audio files without a transcript: 1"
    assert "BAC009S0765W0002.wav" in caplog.text


def test_a_missing_recording_is_listed_with_its_line(first: Path) -> None:
    (first / "wav/test/S0765/BAC009S0765W0001.wav").unlink()
    audio = list_aishell1(first)[1].audio
    assert audio is not None
    assert str(audio.listed) == f"{first / TRANSCRIPT}, line 3 (id)"


@pytest.mark.parametrize(
    ("member", "says"),
    [
        ("test/S0766/BAC009S0766W0001.wav", "1 speakers' archives of 'test' aren't unpacked"),
        ("S0766/BAC009S0766W0001.wav", "Unpack them in place"),
        ("train/S0766/BAC009S0766W0001.wav", ""),
    ],
)
def test_archives_that_are_not_unpacked_are_an_error_if_they_may_be_of_the_split(
    first: Path, member: str, says: str
) -> None:
    pack(first / "wav/S0766.tar.gz", member)
    pack(first / "wav/S0764.tar.gz", "test/S0764/BAC009S0764W0121.wav")  # unpacked already
    if not says:
        assert len(list_aishell1(first)) == 2
        return
    with pytest.raises(UserError, match=says):
        list_aishell1(first)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("BAC009S0764W0001", r"line 4: field 'text': nothing follows the id 'BAC009S0764W0001'"),
        ("BAC009S0764W0121 甚至", r"line 4 \(id\): the id 'BAC009S0764W0121' already stands in line 2"),
        ("speech 甚至", r"line 4: field 'id': names no speaker"),
    ],
)
def test_a_wrong_line_is_named(first: Path, line: str, says: str) -> None:
    with (first / TRANSCRIPT).open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    with pytest.raises(UserError, match=says):
        list_aishell1(first)


def test_other_folders_and_splits_are_refused(first: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Give the folder data_aishell"):
        list_aishell1(first / "wav")
    with pytest.raises(UserError, match="no such folder"):
        list_aishell1(tmp_path / "nowhere")
    with pytest.raises(UserError, match="holds no speaker's folder"):
        list_aishell1(first, "dev")
    with pytest.raises(UserError, match="option 'split' of aishell1: must be one of train, dev, test, not 'tets'"):
        list_aishell1(first, "tets")


@pytest.fixture
def second(tmp_path: Path) -> Path:
    root = tmp_path / "AISHELL-DEV-TEST-SET"
    at = root / "iOS/test"
    put(at / "wav.scp", "IT0011W0001\twav/T0011/IT0011W0001.wav\nIT0012W0001\twav/T0012/IT0012W0001.wav\n")
    put(at / "trans.txt", "IT0011W0001\t打开 WIFI\nIT0012W0001\t换一首歌\n")
    for name in ("T0011/IT0011W0001", "T0012/IT0012W0001"):
        put(at / "wav" / f"{name}.wav")
    return root


def test_lists_separated_by_tabs_with_paths_from_the_splits_folder(second: Path) -> None:
    at = second / "iOS/test"
    for folder in (second, second.parent, at):
        assert [(s.id, s.audio, s.reference, s.cluster) for s in list_aishell2(folder)] == [
            ("IT0011W0001", AudioRef(at / "wav/T0011/IT0011W0001.wav"), "打开 WIFI", "IT0011"),
            ("IT0012W0001", AudioRef(at / "wav/T0012/IT0012W0001.wav"), "换一首歌", "IT0012"),
        ]
    assert len(build_task("aishell2").samples(second)) == 2


def test_the_channel_and_split_are_options(second: Path) -> None:
    (second / "iOS/test").rename(second / "iOS/dev")
    assert len(list_aishell2(second, split="dev")) == 2
    (second / "iOS").rename(second / "Mic")
    assert len(list_aishell2(second, channel="Mic", split="dev")) == 2
    with pytest.raises(UserError, match=r"holds no iOS/test/wav\.scp"):
        list_aishell2(second)
    with pytest.raises(UserError, match="must be one of iOS, Android, Mic"):
        list_aishell2(second, channel="ios")
    with pytest.raises(UserError, match=r"holds no iOS/test/wav\.scp"):
        list_aishell2(second / "Mic/dev")


def test_an_archive_of_the_split_is_to_be_unpacked(second: Path) -> None:
    pack(second / "Android/test.tar.gz", "test/wav.scp")
    with pytest.raises(UserError, match=r"Unpack test\.tar\.gz in place: cd .*Android; tar xzf test\.tar\.gz"):
        list_aishell2(second, channel="Android")


@pytest.mark.parametrize(
    ("name", "line", "says"),
    [
        ("trans.txt", "IT0013W0001\t好", r"trans\.txt, line 3: field 'id': 'IT0013W0001' isn't in wav\.scp"),
        ("trans.txt", "IT0011W0001\t好", r"trans\.txt, line 3 \(id\): the id 'IT0011W0001' already stands in line 1"),
        ("trans.txt", "IT0011W0002\t ", r"trans\.txt, line 3: field 'text': nothing follows the id"),
        ("wav.scp", "IT0011W0002 wav/a.wav", r"wav\.scp, line 3: field 'path': nothing follows the id"),
        (
            "wav.scp",
            "IT0011W0001\twav/a.wav",
            r"wav\.scp, line 3 \(id\): the id 'IT0011W0001' already stands in line 1",
        ),
    ],
)
def test_a_wrong_line_of_the_second_is_named(second: Path, name: str, line: str, says: str) -> None:
    with (second / "iOS/test" / name).open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    with pytest.raises(UserError, match=says):
        list_aishell2(second)


def test_recordings_that_only_wav_scp_names_are_counted(second: Path) -> None:
    put(second / "iOS/test/trans.txt", "IT0011W0001\t打开\n")
    (found,) = list_aishell2(second)
    assert "rows of wav.scp without a transcript: 1" in found.metadata["left_out"]
