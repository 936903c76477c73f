"""The tasks of LibriSpeech and Common Voice over small folders as published."""

from __future__ import annotations

from pathlib import Path

import pytest

from tttbench.core.errors import UserError
from tttbench.core.plugins import build_task
from tttbench.core.sample import AudioRef
from tttbench.data.sources.librispeech import list_librispeech

from .folders import put


@pytest.fixture
def libri(tmp_path: Path) -> Path:
    root = tmp_path / "LibriSpeech"
    put(root / "test-clean/61/70968/61-70968.trans.txt", "61-70968-0000 HE BEGAN\n61-70968-0001 GIVE NOT\n")
    put(root / "test-clean/121/1/121-1.trans.txt", "121-1-0000 ALSO A POPULAR\n")
    put(root / "test-other/367/1/367-1.trans.txt", "367-1-0000 LOBSTERS\n")
    for name in ("61/70968/61-70968-0000", "61/70968/61-70968-0001", "121/1/121-1-0000"):
        put(root / f"test-clean/{name}.flac")
    return root


def test_a_subset_with_speakers_as_clusters(libri: Path) -> None:
    at = libri / "test-clean"
    for folder in (libri, libri.parent, at):
        assert [(s.id, s.audio, s.reference, s.cluster) for s in list_librispeech(folder)] == [
            ("121-1-0000", AudioRef(at / "121/1/121-1-0000.flac"), "ALSO A POPULAR", "121"),
            ("61-70968-0000", AudioRef(at / "61/70968/61-70968-0000.flac"), "HE BEGAN", "61"),
            ("61-70968-0001", AudioRef(at / "61/70968/61-70968-0001.flac"), "GIVE NOT", "61"),
        ]
    counts = {name: len(build_task(f"librispeech_{name}").samples(libri)) for name in ("clean", "other")}
    assert counts == {"clean": 3, "other": 1}


def test_the_hubs_name_of_a_subset(libri: Path) -> None:
    at = (libri / "test-clean").rename(libri / "test_clean")
    assert len(list_librispeech(libri)) == len(list_librispeech(at)) == 3


def test_another_subset_is_never_taken_in_its_place(libri: Path) -> None:
    with pytest.raises(UserError, match="Give the folder LibriSpeech, with test-clean"):
        list_librispeech(libri / "test-other")
    with pytest.raises(UserError, match="option 'subset' of librispeech: must be one of test-clean"):
        list_librispeech(libri, "test-cleen")
    with pytest.raises(UserError, match="no such folder"):
        list_librispeech(libri / "nowhere")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("61-70968-0002", r"61-70968\.trans\.txt, line 3: field 'text': nothing follows the id"),
        (
            "61-70968-0000 TWICE",
            r"61-70968\.trans\.txt, line 3 \(id\): the id '61-70968-0000' already stands in line 1",
        ),
    ],
)
def test_a_wrong_line_is_named(libri: Path, line: str, says: str) -> None:
    with (libri / "test-clean/61/70968/61-70968.trans.txt").open("a") as file:
        file.write(line + "\n")
    with pytest.raises(UserError, match=says):
        list_librispeech(libri)


def test_a_subset_without_transcripts_is_an_error(libri: Path) -> None:
    (libri / "test-other/367/1/367-1.trans.txt").unlink()
    with pytest.raises(UserError, match=r"holds no \*\.trans\.txt"):
        list_librispeech(libri, "test-other")


OLD = "client_id\tpath\tsentence\tup_votes\tdown_votes\tage\tgender\taccent\tlocale\tsegment\n"
NEW = (
    "client_id\tpath\tsentence_id\tsentence\tsentence_domain\tup_votes\tdown_votes\tage\tgender\taccents\t"
    "variant\tlocale\tsegment\n"
)


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        (OLD, 'ann\ta.mp3\tHe said "no".\t2\t0\t\t\t\ten\t\nbob\tb.mp3\tYes.\t2\t0\t\t\t\ten\t\n'),
        (NEW, 'ann\ta.mp3\t1f\tHe said "no".\t\t2\t0\t\t\t\t\ten\t\nbob\tb.mp3\t2f\tYes.\t\t2\t0\t\t\t\t\ten\t\n'),
    ],
)
def test_common_voice_is_read_by_its_header(tmp_path: Path, header: str, rows: str) -> None:
    put(tmp_path / "test.tsv", header + rows)
    put(tmp_path / "validated.tsv", header)
    put(tmp_path / "clips/a.mp3")
    found = build_task("common_voice").samples(tmp_path)
    assert [(s.id, s.audio, s.reference, s.cluster, s.language) for s in found] == [
        ("a", AudioRef(tmp_path / "clips/a.mp3"), 'He said "no".', "ann", "en"),
        ("b", AudioRef(tmp_path / "clips/b.mp3"), "Yes.", "bob", "en"),
    ]
    put(tmp_path / "test.tsv", header.replace("path", "way") + rows)
    with pytest.raises(UserError, match="no column for the audio file"):
        build_task("common_voice").samples(tmp_path)


def test_common_voice_in_chinese(tmp_path: Path) -> None:
    put(tmp_path / "test.tsv", OLD + "ann\ta.mp3\t你好。\t2\t0\t\t\t\tzh-CN\t\n")
    (found,) = build_task("common_voice_zh").samples(tmp_path)
    assert (found.reference, found.language) == ("你好。", "zh-CN")
