"""Lists as they are published: Common Voice, audiofolder, and what of quotes and separators is meant how."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tttbench.core.errors import UserError
from tttbench.core.sample import AudioRef
from tttbench.data.sources.asr_folder import list_asr_folder
from tttbench.data.sources.delimited import read_csv, read_tsv
from tttbench.data.sources.json_lists import first_row, read_json_list

HEADER = "client_id\tpath\tsentence_id\tsentence\tup_votes\tlocale\tsegment\n"


def test_common_voice(tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    for name in ("train", "test"):
        (tmp_path / f"{name}.tsv").write_text(
            f'{HEADER}c1\tx_1.mp3\ts1\t"""Hello,"" he said."\t2\ten\t\nc2\tx_2.mp3\ts2\t"Open quote.\t2\ten\t\n'
        )
    first, second = list_asr_folder(tmp_path / "test.tsv")
    assert (first.id, first.audio, first.reference) == (
        "x_1",
        AudioRef(tmp_path / "clips/x_1.mp3"),
        '"Hello," he said.',
    )
    assert (second.reference, second.language, second.cluster) == ('"Open quote.', "en", "c2")
    with pytest.raises(UserError, match=r"several lists \(test\.tsv, train\.tsv\)\. .* e\.g\. .*/test\.tsv"):
        list_asr_folder(tmp_path)


def test_common_voice_of_the_first_releases_without_endings(tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    for name in ("a.mp3", "b"):
        (tmp_path / "clips" / name).touch()
    rows = "".join(f"c1\t{name}\ts\tHello.\t2\ten\t\n" for name in ("a", "b", "c"))
    (tmp_path / "test.tsv").write_text(HEADER + rows)
    found = list_asr_folder(tmp_path)
    assert [(one.id, one.audio) for one in found] == [
        ("a", AudioRef(tmp_path / "clips/a.mp3")),
        ("b", AudioRef(tmp_path / "clips/b")),
        ("c", AudioRef(tmp_path / "clips/c")),
    ]
    assert found[0].metadata.get("left_out") is None


def test_lists_further_down_and_of_kinds_that_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "test-00000-of-00001.arrow").touch()
    with pytest.raises(UserError, match=r"test-00000-of-00001\.arrow is of a kind that isn't read here: write it as"):
        list_asr_folder(tmp_path)
    (tmp_path / "data" / "test").mkdir()
    (tmp_path / "data" / "test" / "config.json").write_text("{}")
    (tmp_path / "data" / "test" / "metadata.jsonl").write_text('{"file_name": "1.wav", "text": "one"}')
    with pytest.raises(UserError, match=r"There is one further down\. Give \S*/data/test/metadata\.jsonl$"):
        list_asr_folder(tmp_path)


def test_lines_of_json_with_their_other_name(tmp_path: Path) -> None:
    (tmp_path / "l.ndjson").write_text('{"audio": "1.wav", "text": "one"}\n{"audio": "2.wav", "text": "two"}\n')
    assert [one.id for one in list_asr_folder(tmp_path)] == ["1", "2"]


def test_audiofolder(tmp_path: Path) -> None:
    (tmp_path / "wavs").mkdir()
    (tmp_path / "metadata.csv").write_text(
        'file_name,transcription,note\nwavs/1.wav,"Hello, you ""all""",\nwavs/2.wav,"two\nlines",x\n'
    )
    first, second = list_asr_folder(tmp_path)
    assert (first.id, first.audio, first.reference) == ("wavs/1", AudioRef(tmp_path / "wavs/1.wav"), 'Hello, you "all"')
    assert second.reference == "two\nlines"
    assert [one.metadata["source"] for one in (first, second)] == ["metadata.csv:2", "metadata.csv:3"]
    (tmp_path / "metadata.csv").unlink()
    (tmp_path / "metadata.jsonl").write_text('{"file_name": "wavs/1.wav", "text": "one"}')
    assert [one.id for one in list_asr_folder(tmp_path)] == ["wavs/1"]


@pytest.mark.parametrize(
    ("cell", "means"),
    [
        ('""" a ""b"" """', '" a "b" "'),
        ('"a ""b"""', 'a "b"'),
        ('"a"', '"a"'),
        ('""', '""'),
        ('"a', '"a'),
        ('a "b" c', 'a "b" c'),
        ('"a "b" c"', '"a "b" c"'),
        ('"a ""b" c"', '"a ""b" c"'),
    ],
)
def test_quotes_of_tsv(tmp_path: Path, cell: str, means: str) -> None:
    (tmp_path / "l.tsv").write_text(f"audio\ttext\na.wav\t{cell}\n")
    assert [row.fields["text"] for row in read_tsv(tmp_path / "l.tsv")] == [means]


def test_tsv_that_is_quoted_all_over(tmp_path: Path) -> None:
    (tmp_path / "l.tsv").write_text('"audio"\t"text"\n"a.wav"\t"one\ttwo ""three"""\n')
    assert [row.fields["text"] for row in read_tsv(tmp_path / "l.tsv")] == ['one\ttwo "three"']


@pytest.mark.parametrize("separator", [",", ";", "|", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separators_and_line_ends(tmp_path: Path, separator: str, end: str) -> None:
    lines = [separator.join(("audio", "text")), separator.join(("a.wav", "one")), "", separator.join(("b.wav", "two"))]
    for name in ("l.csv", "l.tsv"):
        (tmp_path / name).write_bytes(("\ufeff" + end.join(lines) + end).encode())
    rows = read_csv(tmp_path / "l.csv")
    assert [(row.place.number, row.fields) for row in rows] == [
        (2, {"audio": "a.wav", "text": "one"}),
        (4, {"audio": "b.wav", "text": "two"}),
    ]
    if separator == "\t":
        assert [row.fields for row in read_tsv(tmp_path / "l.tsv")] == [row.fields for row in rows]


def test_a_json_document_with_a_list(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    path.write_text('[\n{"audio": "a.wav", "text": "one"},\n{"audio": "b.wav", "text": 2}]')
    first, second = read_json_list(path)
    assert (first.text("text"), str(second.place)) == ("one", f"{path}, entry 2")
    with pytest.raises(UserError, match=r"list\.json, entry 2: field 'text': must be a string, not 2"):
        list_asr_folder(tmp_path)
    path.write_text('[{"audio": "a.wav", "text": "one"}, 3]')
    with pytest.raises(UserError, match=r"list\.json, entry 2: is not a JSON object"):
        list_asr_folder(path)


def test_json_documents_of_other_kinds_are_no_lists(tmp_path: Path) -> None:
    (tmp_path / "dataset_info.json").write_text('{"features": {}}')
    (tmp_path / "config.json").write_text("{\n")
    (tmp_path / "l.json").write_text('{"audio": "a.wav", "text": "one"}\n{"audio": "b.wav", "text": "two"}')
    assert [one.id for one in list_asr_folder(tmp_path)] == ["a", "b"]
    (tmp_path / "l.tsv").write_text("audio\ttext\nc.wav\tthree\n")
    assert [one.id for one in list_asr_folder(tmp_path)] == ["c"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("l.tsv", "audio\ttext\tText\na\tb\tc\n", "line 1: the column 'text' stands 2 times"),
        ("l.csv", "audio,text, audio \na,b,c\n", "line 1: the column 'audio' stands 2 times"),
        ("l.csv", 'audio,text\na.wav,"open\nb.wav,two\n', "line 2: not valid CSV: unexpected end of data"),
        ("l.csv", 'audio,text\na.wav,"one"two\n', "line 2: not valid CSV: "),
        ("l.csv", "audio,text\na.wav,one,two\n", "line 2: has 3 fields, not 2 (audio, text). Separate fields with ','"),
        ("l.csv", "audio,text\n,one\n", "line 2: field 'audio': is empty"),
        ("l.csv", "clip,text\n", "line 1: no column for the audio file; found 'clip', 'text'"),
        ("l.csv", f"audio,text\na.wav,{'x' * 200_000}\n", "line 2: not valid CSV: field larger than field limit"),
        (
            "l.jsonl",
            '{"audio": "a.wav", "text": "x"}\n' * 2,
            "line 2 (audio): the id 'a' already stands in line 1 (audio)",
        ),
        ("l.jsonl", '{"audio": "a.wav", "text": "x", "id": ""}', "line 1: field 'id': is empty"),
        ("l.jsonl", '{"audio": "a.wav", "text": "x", "id": "a\\tb"}', "line 1 (id): the id 'a\\tb' must not hold the"),
        ("l.jsonl", '{"audio": "a.wav", "text": "x", "id": 7.5}', "line 1: field 'id': must be a string, not 7.5"),
        ("l.jsonl", '{"audio": {"path": "a.wav"}, "text": "x"}', "line 1: field 'audio': must be a string, not an"),
        (
            "l.json",
            '[{"audio": "a.wav", "text": "x"}, {"audio": "a.wav", "text": "x"}]',
            "entry 2 (audio): the id 'a' already",
        ),
    ],
)
def test_wrong_lists_are_named_with_row_and_field(tmp_path: Path, name: str, content: str, says: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(UserError) as caught:
        list_asr_folder(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path}/{name}, {says}")


def test_a_list_in_utf_16(tmp_path: Path) -> None:
    (tmp_path / "l.tsv").write_bytes("audio\ttext\na.wav\tone\n".encode("utf-16"))
    with pytest.raises(UserError, match=r"l\.tsv, line 1: is not UTF-8"):
        list_asr_folder(tmp_path)


@pytest.mark.parametrize(
    "written", ["[{}, {}]", "{}\n{}\n", "\ufeff[\n  {},\n  {}\n]"], ids=["a document", "lines", "with a mark"]
)
@pytest.mark.parametrize("n_words", [100, 300_000, 1_000_000])
def test_a_json_list_is_known_by_its_first_object_however_long(tmp_path: Path, written: str, n_words: int) -> None:
    first, second = ({"audio_filepath": f"{name}.wav", "text": "wörd " * n_words} for name in "ab")
    content = written.replace("{}", "%s") % (json.dumps(first, ensure_ascii=False), json.dumps(second))
    (tmp_path / "test.json").write_text(content, encoding="utf-8")
    row = first_row(tmp_path / "test.json")
    assert row is not None
    assert row.fields == first
    assert [one.id for one in list_asr_folder(tmp_path)] == ["a", "b"]


@pytest.mark.parametrize(
    "content",
    [
        *("", "[", "{", "[]", "[1]", '"a"', '[{"a": 1', '{"a": 1', '{"a"\n: 1}', "[" * 2_000_000, '{"a":' * 500_000),
        *('[{"a": "' + "x" * 2_000_000, '[{"a": x' + " " * 2_000_000 + "}]", "[" + " " * 2_000_000 + "1]"),
    ],
)
def test_what_begins_with_no_whole_object_is_no_json_list(tmp_path: Path, content: str) -> None:
    (tmp_path / "test.json").write_text(content)
    assert first_row(tmp_path / "test.json") is None
