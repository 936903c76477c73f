"""FLEURS as released in TSV, in small: recordings in the archive and unpacked, and what is reported."""

from __future__ import annotations

import io
import logging
import tarfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tttbench.core.errors import InputError, UserError
from tttbench.core.plugins import build_task
from tttbench.core.sample import AudioRef
from tttbench.data.audio import read_audio
from tttbench.data.sources.fleurs import list_fleurs

from .tables import held, write_table

ROWS = (
    '1675\t10164.wav\tHe said "no".\the said no\th e | s a i d | n o |\t8000\tFEMALE',
    "1675\t10200.wav\tHe said no.\the said no\th e | s a i d | n o |\t8000\tMALE",
    "1700\t99.wav\tYes!\tyes\ty e s |\t4000\tMALE",
)


def wav(n: int) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, np.linspace(-0.5, 0.5, n), 16_000, format="WAV")
    return stream.getvalue()


def pack(path: Path, members: dict[str, bytes]) -> None:
    with tarfile.open(path, "w:gz") as archive:
        folder = tarfile.TarInfo("test")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """``data/en_us`` with an archive that holds two of three recordings."""
    root = tmp_path / "data/en_us"
    (root / "audio").mkdir(parents=True)
    (root / "test.tsv").write_text("\n".join(ROWS) + "\n", encoding="utf-8")
    pack(root / "audio/test.tar.gz", {"test/10164.wav": wav(8000), "test/99.wav": wav(4000)})
    return root


def test_file_names_are_keys_and_sentences_clusters(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    archive = root / "audio/test.tar.gz"
    expected = [
        ("10164", AudioRef(archive, "test/10164.wav"), "he said no", "1675"),
        ("10200", AudioRef(archive, "test/10200.wav"), "he said no", "1675"),
        ("99", AudioRef(archive, "test/99.wav"), "yes", "1700"),
    ]
    with caplog.at_level(logging.WARNING):
        for folder in (root, root.parent, root.parent.parent):
            assert [(s.id, s.audio, s.reference, s.cluster) for s in list_fleurs(folder)] == expected
    assert "unpack it in place" in caplog.text
    assert len(build_task("fleurs_en").samples(root)) == 3


def test_recordings_are_read_from_the_archive_and_missing_ones_named(root: Path) -> None:
    first, second, third = (s.audio for s in list_fleurs(root))
    assert first is not None
    assert second is not None
    assert third is not None
    assert [len(read_audio(one).samples) for one in (first, third)] == [8000, 4000]
    with pytest.raises(InputError, match=r"test\.tsv, line 2 \(file\): .*holds no 'test/10200\.wav'"):
        read_audio(second)


@pytest.mark.parametrize("inside", ["", "./test/", "any/test/"])
def test_members_are_found_wherever_the_archive_keeps_them(root: Path, inside: str) -> None:
    pack(root / "audio/test.tar.gz", {f"{inside}10164.wav": wav(8000)})
    audio = list_fleurs(root)[0].audio
    assert audio is not None
    assert len(read_audio(audio).samples) == 8000


@pytest.mark.parametrize("place", ["audio/test", "test"])
def test_an_unpacked_folder_is_taken_first(root: Path, place: str) -> None:
    (root / place).mkdir()
    (root / place / "left.wav").touch()
    found = list_fleurs(root)
    assert found[0].audio == AudioRef(root / place / "10164.wav")
    assert found[0].metadata["left_out"] == "audio files without a transcript: 1"


def test_the_reference_may_be_the_text_as_written(root: Path) -> None:
    assert [s.reference for s in list_fleurs(root, text="raw_transcription")] == [
        'He said "no".',
        "He said no.",
        "Yes!",
    ]
    with pytest.raises(UserError, match="option 'text' of fleurs: must be one of transcription, raw_transcription"):
        list_fleurs(root, text="raw")


def test_another_language_or_split_is_refused(root: Path) -> None:
    with pytest.raises(UserError, match=r"holds no cmn_hans_cn/test\.tsv"):
        build_task("fleurs_zh").samples(root)
    with pytest.raises(UserError, match=r"holds no en_us/dev\.tsv"):
        list_fleurs(root, split="dev")
    with pytest.raises(UserError, match="option 'split' of fleurs"):
        list_fleurs(root, split="validation")


def test_tables_may_lie_in_a_folder_of_any_name(tmp_path: Path, root: Path) -> None:
    columns = {
        "id": [1675],
        "audio": [held(800, "10164.wav")],
        "transcription": ["he said no"],
        "raw_transcription": ["He said no."],
    }
    path = write_table(tmp_path / "downloads/test-00000-of-00001.parquet", columns)
    write_table(tmp_path / "downloads/validation-00000-of-00001.parquet", columns)
    for config in ("en_us", "yue_hant_hk"):
        found = list_fleurs(path.parent, config=config)
        assert [(one.id, one.audio) for one in found] == [("10164", AudioRef(path, "audio[0]"))]
    # A folder of the language's name comes first, and so does the release in TSV.
    own = write_table(path.parent / "en_us/test-00000-of-00001.parquet", columns)
    assert [one.audio for one in list_fleurs(path.parent)] == [AudioRef(own, "audio[0]")]
    write_table(root / "test-00000-of-00001.parquet", columns)
    assert len(list_fleurs(root)) == len(ROWS)
    with pytest.raises(UserError, match=r"holds no en_us/train\.tsv.* or that with train-….parquet\.$"):
        list_fleurs(path.parent, split="train")


def test_a_list_without_recordings_is_an_error(root: Path) -> None:
    (root / "audio/test.tar.gz").unlink()
    with pytest.raises(UserError, match=r"test\.tar\.gz: no such file, nor a folder"):
        list_fleurs(root)


def test_a_broken_archive_is_an_error(root: Path) -> None:
    (root / "audio/test.tar.gz").write_bytes(b"no archive")
    with pytest.raises(UserError, match="is broken or no archive"):
        list_fleurs(root)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (ROWS[2], r"line 4 \(file\): the id '99' already stands in line 3"),
        ("1\ta.wav\tA\t\ta |\t1\tMALE", "line 4: field 'transcription': is empty"),
        ("1\t\tA\ta\ta |\t1\tMALE", "line 4: field 'file': is empty"),
        ("\ta.wav\tA\ta\ta |\t1\tMALE", "line 4: field 'id': is empty"),
        ("1\ta.wav\tA\ta", "line 4: has 4 fields, not 7"),
    ],
)
def test_a_wrong_line_is_named(root: Path, line: str, says: str) -> None:
    with (root / "test.tsv").open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    with pytest.raises(UserError, match=says):
        list_fleurs(root)
