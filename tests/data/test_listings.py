"""Lists in their odd forms: what each becomes, as a whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tttbench.core.errors import UserError
from tttbench.core.sample import AudioRef, Place, Sample, Turn
from tttbench.data.audio import AUDIO_SUFFIXES
from tttbench.data.sources.asr_folder import list_asr_folder, read_asr_folder
from tttbench.data.sources.delimited import read_tsv
from tttbench.data.sources.librispeech import read_librispeech
from tttbench.data.sources.listing import Row
from tttbench.data.sources.ljspeech import is_ljspeech, read_ljspeech
from tttbench.data.sources.llama_questions import SpokenQuestion, list_llama_questions, read_llama_questions
from tttbench.data.sources.mini import read_mini_asr, read_mini_qa
from tttbench.data.sources.transcribed import Transcribed
from tttbench.data.sources.utterance import Utterance


@pytest.mark.parametrize("name", ["list.tsv", "LIST.TSV"])
def test_a_list_alone_and_its_folder_give_the_same(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("id\taudio\ttext\tspeaker\nx\ta.wav\tone\tann\ny\tsub/b.c.wav\ttwo\t\nz\tnoend\t\t\n")
    expected = Transcribed(
        "tsv",
        (
            Utterance("x", AudioRef(tmp_path / "a.wav"), "one", Place(path, 2, fields="id"), "ann"),
            Utterance("y", AudioRef(tmp_path / "sub/b.c.wav"), "two", Place(path, 3, fields="id")),
            Utterance("z", AudioRef(tmp_path / "noend"), "", Place(path, 4, fields="id")),
        ),
    )
    assert read_asr_folder(path) == read_asr_folder(tmp_path) == expected


@pytest.mark.parametrize("name", ["list.jsonl", "list.JSONL"])
def test_json_lines_by_their_own_path(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(' \n{"id": null, "File": "a.wav", "TEXT": " one ", "speaker_id": "ann", "client_id": "bob"}\n')
    assert read_asr_folder(path) == Transcribed(
        "jsonl", (Utterance("a", AudioRef(tmp_path / "a.wav"), "one", Place(path, 2, fields="File"), "ann"),)
    )


@pytest.mark.parametrize(
    ("content", "n"), [("", 0), ("\n \n", 0), ("audio\ttext\n", 0), ("a.wav\tone\n", 1), (" a.WAV \tone\nb\ttwo\n", 2)]
)
def test_short_tsv_lists(tmp_path: Path, content: str, n: int) -> None:
    (tmp_path / "l.tsv").write_text(content)
    assert len(read_tsv(tmp_path / "l.tsv")) == n


def test_a_header_with_blanks_and_a_list_without_header_that_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "l.tsv").write_text(" text \t audio\none\ta.wav\n")
    assert [one.fields for one in read_tsv(tmp_path / "l.tsv")] == [{"text": "one", "audio": "a.wav"}]
    (tmp_path / "l.tsv").write_text("a.wav\tone\nb.wav\ttwo\tthree\n")
    with pytest.raises(UserError) as caught:
        read_tsv(tmp_path / "l.tsv")
    assert str(caught.value) == (
        f"{tmp_path}/l.tsv, line 2: has 3 fields, not 2 (file, text). Separate fields with tabs."
    )


def reversed_listings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have folders listed in the order opposite to that of the names, as a file system may."""
    plain_rglob, plain_iterdir = Path.rglob, Path.iterdir

    def rglob(path: Path, pattern: str) -> Iterator[Path]:
        return iter(sorted(plain_rglob(path, pattern), reverse=True))

    def iterdir(path: Path) -> Iterator[Path]:
        return iter(sorted(plain_iterdir(path), reverse=True))

    monkeypatch.setattr(Path, "rglob", rglob)
    monkeypatch.setattr(Path, "iterdir", iterdir)


def test_the_order_does_not_depend_on_the_file_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.trans.txt", "b.trans.txt"):
        (tmp_path / name).write_text(f"{name[0]} TEXT\n")
    for name in ("y.wav", "z.wav"):
        (tmp_path / name).touch()
    lists = tmp_path / "lists"
    lists.mkdir()
    for name in ("c.tsv", "d.jsonl"):
        (lists / name).touch()
    reversed_listings(monkeypatch)
    found = read_asr_folder(tmp_path)
    assert [one.id for one in found.utterances] == ["a", "b"]
    assert found.left_out.audio == (tmp_path / "y.wav", tmp_path / "z.wav")
    with pytest.raises(UserError) as caught:
        read_asr_folder(lists)
    assert str(caught.value) == (
        f"{lists}: holds several lists (c.tsv, d.jsonl). Give the one that counts, e.g. {lists}/c.tsv"
    )


def test_three_files_too_many_are_all_named_and_a_folder_is_no_list(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "l.tsv").write_text("a.wav\tone\n")
    (tmp_path / "other.tsv").mkdir()
    for name in "xyz":
        (tmp_path / f"{name}.wav").touch()
    assert list_asr_folder(tmp_path) == [
        Sample(
            "a",
            (Turn("user", "", AudioRef(tmp_path / "a.wav")),),
            ("one",),
            metadata={"layout": "tsv", "left_out": "audio files without a transcript: 3", "source": "l.tsv:1"},
        )
    ]
    assert caplog.messages == [f"{tmp_path}: left out: audio files without a transcript: 3 (x.wav, y.wav, z.wav)"]


def test_librispeech_takes_what_audio_there_is(tmp_path: Path) -> None:
    path = tmp_path / "x.trans.txt"
    path.write_text("1-2  two words \nalone WORD\n3- THREE\n4 FOUR\n")
    for suffix in AUDIO_SUFFIXES - {".flac"}:
        (tmp_path / f"1-2{suffix}").touch()
    for suffix in (".wav", ".flac"):
        (tmp_path / f"alone{suffix}").touch()
    for suffix in (".wav", ".opus", ".ogg"):
        (tmp_path / f"3-{suffix}").touch()
    assert read_librispeech([path]) == [
        Utterance("1-2", AudioRef(tmp_path / "1-2.aif"), "two words", Place(path, 1, fields="id"), "1"),
        Utterance("alone", AudioRef(tmp_path / "alone.flac"), "WORD", Place(path, 2, fields="id")),
        Utterance("3-", AudioRef(tmp_path / "3-.ogg"), "THREE", Place(path, 3, fields="id"), "3"),
        Utterance("4", AudioRef(tmp_path / "4.flac"), "FOUR", Place(path, 4, fields="id")),
    ]


@pytest.mark.parametrize(
    ("content", "has_wavs", "is_one"),
    [
        (None, True, False),
        ("", False, False),
        ("", True, True),
        ("a,b\n", False, False),
        ("a,b\n", True, True),
        ("a|1|one\nb,2\n", False, True),
        ("a,1\nb|2|two\n", False, False),
    ],
)
def test_what_is_taken_for_ljspeech(tmp_path: Path, content: str | None, has_wavs: bool, is_one: bool) -> None:
    if content is not None:
        (tmp_path / "metadata.csv").write_text(content)
    if has_wavs:
        (tmp_path / "wavs").mkdir()
    assert is_ljspeech(tmp_path) is is_one


def test_ljspeech(tmp_path: Path) -> None:
    path = tmp_path / "metadata.csv"
    path.write_text("a|1|one\n\nb|2|two\n")
    assert read_ljspeech(tmp_path) == [
        Utterance("a", AudioRef(tmp_path / "wavs/a.wav"), "one", Place(path, 1, fields="id")),
        Utterance("b", AudioRef(tmp_path / "wavs/b.wav"), "two", Place(path, 3, fields="id")),
    ]
    path.write_text("a|one\n")
    with pytest.raises(
        UserError, match=r"has 2 fields, not 3 \(id, text, normalized text\)\. Separate fields with '\|'"
    ):
        read_ljspeech(tmp_path)


HEADER = " questions\tAnswer \tWAV filename\tMore\n"


def questions(folder: Path) -> Path:
    (folder / "llama_questions_300.tsv").write_text(f"{HEADER}Who?\tAnn\t1.wav\t\nWhat?\tSea\t2.wav\tx\n")
    (folder / "2.wav").touch()
    return folder


def test_llama_questions(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = questions(tmp_path)
    assert read_llama_questions(folder) == [
        SpokenQuestion("1", AudioRef(folder / "1.wav"), "Who?", "Ann"),
        SpokenQuestion("2", AudioRef(folder / "2.wav"), "What?", "Sea"),
    ]
    turns = (Turn("user", "", AudioRef(folder / "2.wav")),)
    left_out = {"left_out": "1 of 2 questions without a recording"}
    answers = Sample("2", turns, ("Sea",), language="en", metadata={**left_out, "question": "What?"})
    assert list_llama_questions(folder) == list_llama_questions(folder, "answers") == [answers]
    assert list_llama_questions(folder, part="transcripts") == [
        Sample("2", turns, ("What?",), language="en", metadata=left_out)
    ]
    assert caplog.messages == [f"{folder}: 1 of 2 questions without a recording are left out"] * 3
    (folder / "1.wav").touch()
    assert [one.metadata for one in list_llama_questions(folder, "transcripts")] == [{}, {}]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("Question\tAnswer\tWav Filename\nQ?\tA\n", "line 1: no column for Questions; found 'Question', 'Answer'"),
        (
            f"{HEADER}Q?\tA\t1.wav\t\nR?\tB\td/1.wav\t\n",
            "line 3 (WAV filename): the id '1' already stands in line 2 (WAV filename). Give each",
        ),
        (f"{HEADER}Q?\tA\n", "line 2: has 2 fields, not 4 (questions, Answer, WAV filename, More). Separate"),
    ],
)
def test_llama_questions_that_are_wrong(tmp_path: Path, content: str, says: str) -> None:
    (tmp_path / "llama_questions_300.tsv").write_text(content)
    with pytest.raises(UserError) as caught:
        read_llama_questions(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path}/llama_questions_300.tsv, {says}")


def test_a_folder_that_is_not_that_of_llama_questions(tmp_path: Path) -> None:
    path = tmp_path / "llama_questions_300.tsv"
    with pytest.raises(UserError) as caught:
        read_llama_questions(tmp_path)
    assert str(caught.value) == (
        f"{path}: no such file. Give the folder as published, with llama_questions_300.tsv and the recordings N.wav."
    )
    path.touch()
    with pytest.raises(UserError) as caught:
        read_llama_questions(tmp_path)
    assert str(caught.value) == f"{path}: is empty. Copy the published list again."


def test_there_are_two_parts_of_llama_questions(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        list_llama_questions(questions(tmp_path), "answer")
    assert str(caught.value) == ("option 'part' of llama_questions: must be 'answers' or 'transcripts', not 'answer'.")


ROW = {"id": "1", "audio": "a.opus", "noisy_audio": "n.opus", "voice": "v", "cluster": "c"}


@pytest.mark.parametrize(
    ("given", "file", "condition"),
    [
        ({}, "a.opus", "clean"),
        ({"condition": "clean"}, "a.opus", "clean"),
        ({"condition": "noisy"}, "n.opus", "10 dB noise"),
    ],
)
def test_mini_sets(tmp_path: Path, given: dict[str, str], file: str, condition: str) -> None:
    (tmp_path / "asr.jsonl").write_text(json.dumps({**ROW, "text": "hello"}))
    answer = {"question": "Who?", "answer": "Ann", "answer_text": "It is Ann.", "answer_audio": "r.opus"}
    (tmp_path / "qa.jsonl").write_text(json.dumps({**ROW, **answer}))
    turns = (Turn("user", "", AudioRef(tmp_path / file)),)
    metadata = {"voice": "v", "condition": condition}
    assert read_mini_asr(tmp_path, **given) == [
        Sample("1", turns, ("hello",), language="en", cluster="c", metadata=metadata)
    ]
    assert read_mini_qa(tmp_path, **given) == [
        Sample(
            "1",
            turns,
            ("Ann",),
            Turn("assistant", "It is Ann.", AudioRef(tmp_path / "r.opus")),
            "en",
            "c",
            {"question": "Who?", **metadata},
        )
    ]


def test_mini_sets_have_two_conditions(tmp_path: Path) -> None:
    for read in (read_mini_asr, read_mini_qa):
        with pytest.raises(UserError, match=r"^option 'condition' of a mini source: 'clan' is unknown\. Did you mean"):
            read(tmp_path, condition="clan")
        with pytest.raises(UserError, match=r"\.jsonl: no such file\. The mini test sets come with tttbench"):
            read(tmp_path)


def test_fields_of_a_row() -> None:
    row = Row(Place(Path("d/l.jsonl"), 3), {"a": " x ", "b": "", "c": None, "n": 5})
    assert (row.text("a"), row.filled("a"), row.audio("a").path, row.optional("a")) == ("x", "x", Path("d/x"), "x")
    assert (row.text("b"), row.optional("b"), row.optional("c"), row.optional("z")) == ("", "", "", "")
    for read, column, says in (
        (row.filled, "b", "field 'b': is empty. Fill it or delete the line."),
        (row.text, "c", "field 'c': must be a string, not null."),
        (row.optional, "n", "field 'n': must be a string, not 5."),
    ):
        with pytest.raises(UserError) as caught:
            read(column)
        assert str(caught.value) == f"d/l.jsonl, line 3: {says}"
    with pytest.raises(UserError, match=r"^d/l\.jsonl, line 3: has no field 'aa'\. Did you mean 'a'"):
        row.text("aa")
