"""Folders of transcribed speech, written by hand in each layout."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tttbench.core.errors import UserError
from tttbench.data.sources.asr_folder import list_asr_folder, read_asr_folder


def found(folder: Path) -> tuple[str, list[tuple[str, Path, str, str]]]:
    data = read_asr_folder(folder)
    return data.layout, [(item.id, item.audio.path, item.text, item.speaker) for item in data.utterances]


def test_tsv_with_a_header(tmp_path: Path) -> None:
    (tmp_path / "list.tsv").write_text('speaker\tpath\tsentence\nann\tclips/a.mp3\tone "two"\n\nbob\tb.wav\tthree\n')
    assert found(tmp_path) == (
        "tsv",
        [
            ("clips/a", tmp_path / "clips/a.mp3", 'one "two"', "ann"),
            ("b", tmp_path / "b.wav", "three", "bob"),
        ],
    )


def test_tsv_without_a_header(tmp_path: Path) -> None:
    (tmp_path / "list.tsv").write_text("000.mp3\tone\n001.mp3\ttwo\n")
    assert [item[0] for item in found(tmp_path)[1]] == ["000", "001"]


def test_windows_line_ends_and_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "list.tsv").write_bytes("\ufeffaudio\ttext\r\na.wav\tone\r\n".encode())
    assert found(tmp_path)[1] == [("a", tmp_path / "a.wav", "one", "")]


def test_jsonl(tmp_path: Path) -> None:
    rows = [{"id": "x", "audio_filepath": "a.flac", "text": "one"}, {"id": "y", "audio_filepath": "b.flac", "text": ""}]
    (tmp_path / "list.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert found(tmp_path) == (
        "jsonl",
        [("x", tmp_path / "a.flac", "one", ""), ("y", tmp_path / "b.flac", "", "")],
    )


def test_ljspeech_gives_the_normalized_text(tmp_path: Path) -> None:
    (tmp_path / "wavs").mkdir()
    (tmp_path / "metadata.csv").write_text("LJ1|Mr. 5|Mister five\n")
    assert found(tmp_path) == ("ljspeech", [("LJ1", tmp_path / "wavs/LJ1.wav", "Mister five", "")])


def test_librispeech_is_found_at_any_depth(tmp_path: Path) -> None:
    chapter = tmp_path / "test" / "61" / "70968"
    chapter.mkdir(parents=True)
    (chapter / "61-70968.trans.txt").write_text("61-70968-0000 HE BEGAN\n61-70968-0001 GIVE\n")
    (chapter / "61-70968-0001.wav").touch()
    assert found(tmp_path) == (
        "librispeech",
        [
            ("61-70968-0000", chapter / "61-70968-0000.flac", "HE BEGAN", "61"),
            ("61-70968-0001", chapter / "61-70968-0001.wav", "GIVE", "61"),
        ],
    )


def test_a_list_can_be_given_by_its_own_path(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("audio\ttext\na.wav\tone\n")
    (tmp_path / "b.tsv").write_text("audio\ttext\nb.wav\ttwo\n")
    assert [item[0] for item in found(tmp_path / "b.tsv")[1]] == ["b"]


def test_a_listed_file_that_is_missing_stays_in_the_list(tmp_path: Path) -> None:
    (tmp_path / "list.tsv").write_text("audio\ttext\ngone.wav\tone\n")
    assert found(tmp_path)[1] == [("gone", tmp_path / "gone.wav", "one", "")]


def test_audio_that_no_line_names_is_counted(tmp_path: Path) -> None:
    (tmp_path / "list.tsv").write_text("audio\ttext\na.wav\tone\n")
    (tmp_path / "sub").mkdir()
    for name in ("a.wav", "b.WAV", "sub/c.flac", "notes.txt"):
        (tmp_path / name).touch()
    assert read_asr_folder(tmp_path).left_out.audio == (tmp_path / "b.WAV", tmp_path / "sub/c.flac")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("l.tsv", "clip\ttext\na.wav\tone\n", r"l\.tsv, line 2: no column for the audio file; found 'clip', 'text'"),
        ("l.tsv", "clip\ttext\n", r"l\.tsv, line 1: no column for the audio file"),
        ("l.tsv", "audio\twords\na.wav\tone\n", "no column for what is spoken.*Call it one of: text, transcript"),
        ("l.tsv", "audio\ttext\na.wav\tone\ttwo\n", r"l\.tsv, line 2: has 3 fields, not 2 \(audio, text\)"),
        ("l.tsv", "audio\ttext\n\tone\n", "line 2: field 'audio': is empty"),
        ("l.tsv", b"audio\ttext\na.wav\t\xe9t\xe9\n", r"l\.tsv, line 2: is not UTF-8"),
        (
            "l.jsonl",
            '{"audio": "a.wav", "text": "one"}\n{"audio": }',
            r"l\.jsonl, line 2: not valid JSON: Expecting value \(column 11\)",
        ),
        ("l.jsonl", "[1]", "line 1: is not a JSON object"),
        ("l.jsonl", '{"audio": "a.wav", "text": 5}', r"line 1: field 'text': must be a string, not 5\."),
        ("l.jsonl", '{"audio": "a.wav", "text": null}', r"line 1: field 'text': must be a string, not null\."),
        ("l.jsonl", r'{"audio": "a\u0000.wav", "text": ""}', r"field 'audio': must not hold the character '\\x00'\."),
        ("l.jsonl", r'{"audio": "a.wav", "text": "\ud800"}', r"field 'text': must not hold the character '\\ud800'\."),
        ("l.jsonl", '{"audio": "a.wav", "text": "a", "text": "b"}', r"l\.jsonl, line 1: text: given twice; remove"),
        ("l.jsonl", "[" * 5000, r"l\.jsonl, line 1: nested too deeply"),
        ("l.jsonl", '{"audio": "a.wav", "txt": "a"}', "line 1: no column for what is spoken"),
        ("l.tsv", "id\taudio\ttext\n\ta.wav\tone\n", "l.tsv, line 2: field 'id': is empty"),
        ("metadata.csv", "LJ1|one\n", r"metadata\.csv, line 1: has 2 fields, not 3 \(id, text, normalized text\)"),
        ("metadata.csv", "LJ1|one|\n", "line 1: field 'normalized text': is empty"),
        ("a.trans.txt", "61-1\n", "line 1: field 'text': nothing follows the id '61-1'"),
        (
            "l.tsv",
            "audio\ttext\na.wav\tone\nb.wav\ttwo\na.wav\tthree\n",
            r"line 4 \(audio\): the id 'a' already stands in line 2 \(audio\)",
        ),
        ("notes.txt", "hello", "holds no list of utterances"),
    ],
)
def test_wrong_lists_are_named_with_line_and_field(tmp_path: Path, name: str, content: str | bytes, says: str) -> None:
    if name == "metadata.csv":
        (tmp_path / "wavs").mkdir()
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError, match=says) as error:
        read_asr_folder(tmp_path)
    assert str(tmp_path) in str(error.value)


def test_two_librispeech_files_with_one_id_are_both_named(tmp_path: Path) -> None:
    (tmp_path / "a.trans.txt").write_text("1-1 ONE\n")
    (tmp_path / "b.trans.txt").write_text("1-2 TWO\n1-1 ONE\n")
    with pytest.raises(
        UserError, match=r"b\.trans\.txt, line 2 \(id\): the id '1-1' already stands in .*a\.trans\.txt, line 1"
    ):
        read_asr_folder(tmp_path)


def test_several_lists_are_not_guessed_between(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").touch()
    (tmp_path / "b.jsonl").touch()
    with pytest.raises(UserError, match=r"several lists \(a\.tsv, b\.jsonl\)"):
        read_asr_folder(tmp_path)


def test_a_list_that_the_task_names_and_that_is_missing(tmp_path: Path) -> None:
    for name in ("none.tsv", "/none.tsv"):
        with pytest.raises(UserError, match=rf"^{tmp_path}: the task's list '{name}' isn't there\. Correct the option"):
            list_asr_folder(tmp_path, list=name)


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such folder"):
        read_asr_folder(tmp_path / "nowhere")


def test_a_list_with_a_name_that_no_file_can_have(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot be read \(File name too long\)\. Give a folder or a list\."):
        read_asr_folder(tmp_path / ("x" * 300))
