"""Data sets in parquet as model hubs keep them: rows and audio, splits in several files, and damage."""

from __future__ import annotations

import random
from pathlib import Path

import pyarrow
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tttbench.core.checked import checked_sample
from tttbench.core.errors import InputError, UserError
from tttbench.core.plugins import build_task
from tttbench.core.sample import AudioRef, Place
from tttbench.data.audio import read_audio
from tttbench.data.parquet import read_cell, read_rows
from tttbench.data.samples import list_samples
from tttbench.data.sources.asr_folder import list_asr_folder
from tttbench.data.sources.fleurs import list_fleurs
from tttbench.data.sources.qa_folder import list_qa_folder

from .tables import held, tone, write_table


def test_rows_are_utterances_and_their_audio_is_read_from_the_table(tmp_path: Path) -> None:
    path = write_table(
        tmp_path / "test-00000-of-00001.parquet",
        {
            "id": [7, 8, 9],
            "audio": [held(100, "a.wav"), held(200, None), held(300, "c.flac")],
            "sentence": ["one", "two", "three"],
            "speaker_id": [1, 1, 2],
        },
        rows_a_group=2,
    )
    found = list_asr_folder(tmp_path)
    assert [(s.id, s.reference, s.cluster, s.audio) for s in found] == [
        ("7", "one", "1", AudioRef(path, "audio[0]")),
        ("8", "two", "1", AudioRef(path, "audio[1]")),
        ("9", "three", "2", AudioRef(path, "audio[2]")),
    ]
    assert found[1].audio is not None
    assert found[1].audio.listed == Place(path, 2, "row", "audio")
    for order in ([0, 1, 2], [2, 0, 1, 1, 2]):
        refs = [found[at].audio for at in order]
        assert [len(read_audio(ref).samples) for ref in refs if ref is not None] == [100 * (at + 1) for at in order]


@pytest.mark.parametrize("n_rows", [1, 16, 17, 64])
@pytest.mark.parametrize("rows_a_group", [1, 16, 40])
def test_every_cell_is_found_in_any_order(tmp_path: Path, n_rows: int, rows_a_group: int) -> None:
    cells = [bytes([at]) * (at + 1) for at in range(n_rows)]
    path = write_table(tmp_path / "t.parquet", {"sound": cells}, rows_a_group, sound=pyarrow.binary())
    order = list(range(n_rows)) * 2
    for at in order + random.Random(0).sample(order, len(order)):
        assert read_cell(path, f"sound[{at}]") == cells[at]


def test_audio_without_a_name_has_the_number_of_its_row_through_all_files(tmp_path: Path) -> None:
    for at in range(2):
        columns = {"audio": [held(10, None)] * 2, "text": ["x", "y"]}
        write_table(tmp_path / f"data/test-0000{at}-of-00002.parquet", columns)
    write_table(tmp_path / "data/train-00000-of-00001.parquet", {"audio": [held(10, None)], "text": ["no"]})
    found = list_asr_folder(tmp_path, split="test")
    assert [(s.id, s.audio.path.name, s.audio.member) for s in found if s.audio is not None] == [
        ("1", "test-00000-of-00002.parquet", "audio[0]"),
        ("2", "test-00000-of-00002.parquet", "audio[1]"),
        ("3", "test-00001-of-00002.parquet", "audio[0]"),
        ("4", "test-00001-of-00002.parquet", "audio[1]"),
    ]
    assert list_asr_folder(tmp_path / "data/test-00001-of-00002.parquet") == found
    with pytest.raises(UserError, match=r"several lists \(test-00000-of-00002.parquet, train-00000-of-00001.parquet\)"):
        list_asr_folder(tmp_path / "data")
    (tmp_path / "data/test-00000-of-00002.parquet").unlink()
    with pytest.raises(UserError, match=r"1 of the 2 files of 'test' are missing, the first is number 0"):
        list_asr_folder(tmp_path, split="test")
    with pytest.raises(UserError, match=r"holds no parquet of the split 'dev'"):
        list_asr_folder(tmp_path, split="dev")


@pytest.mark.parametrize("name", ["test.parquet", "test/0000.parquet", "data/any-test-00000-of-00001.parquet"])
def test_a_split_is_found_as_hubs_name_it(tmp_path: Path, name: str) -> None:
    write_table(tmp_path / name, {"audio": [held(10, "a.wav")], "text": ["x"]})
    assert [s.id for s in list_asr_folder(tmp_path, split="test")] == ["a"]


def test_a_split_s_own_name_counts_before_names_that_end_so(tmp_path: Path) -> None:
    for at, name in enumerate(["a-test-00000-of-00001", "b-test"]):
        write_table(tmp_path / f"{name}.parquet", {"audio": [held(10, f"{at}.wav")], "text": ["x"]})
    several = r"may be the split 'test' \(a-test-00000-of-00001\.parquet, b-test\.parquet\)\..* e\.g\. a-test\."
    with pytest.raises(UserError, match=several):
        list_asr_folder(tmp_path, split="test")
    assert [s.id for s in list_asr_folder(tmp_path, split="b-test")] == ["1"]
    write_table(tmp_path / "data/test/0000.parquet", {"audio": [held(10, "own.wav")], "text": ["x"]})
    assert [s.id for s in list_asr_folder(tmp_path, split="test")] == ["own"]
    write_table(tmp_path / "test.parquet", {"audio": [held(10, "nearer.wav")], "text": ["x"]})
    assert [s.id for s in list_asr_folder(tmp_path, split="test")] == ["nearer"]


def test_paths_name_files_where_no_row_holds_its_audio(tmp_path: Path) -> None:
    outside = [{"bytes": None, "path": "sub/a.wav"}, {"bytes": None, "path": "b.wav"}]
    write_table(tmp_path / "metadata.parquet", {"audio": outside, "text": ["x", "y"]})
    assert [s.audio for s in list_asr_folder(tmp_path)] == [
        AudioRef(tmp_path / "sub/a.wav"),
        AudioRef(tmp_path / "b.wav"),
    ]
    write_table(tmp_path / "metadata.parquet", {"file_name": ["c.wav"], "text": ["x"]})
    assert [s.audio for s in list_asr_folder(tmp_path)] == [AudioRef(tmp_path / "c.wav")]


def test_columns_of_other_types_are_not_read(tmp_path: Path) -> None:
    columns = {
        "audio": [held(10, "a.wav")],
        "text": ["x"],
        "features": [[0.5]],
        "image": [b"\xff"],
        "day": [None],
        "kwargs": [[{"n": 1, "word": None}]],
        "label": pyarrow.array(["m"]).dictionary_encode(),
    }
    types = {"day": pyarrow.timestamp("s"), "image": pyarrow.binary()}
    (row,) = read_rows(write_table(tmp_path / "t.parquet", columns, 100, **types))
    assert row.fields == {
        "text": "x",
        "kwargs": [{"n": 1, "word": None}],
        "label": "m",
        "audio": "a.wav",
        "image": "",
    }
    assert row.embedded == {"audio", "image"}


def test_questions_are_read_with_their_answers(tmp_path: Path) -> None:
    columns = {"audio": [held(50, None)], "question": ["Who?"], "answers": [["Ann", "Anna"]]}
    path = write_table(tmp_path / "test-00000-of-00001.parquet", columns)
    (sample,) = list_qa_folder(tmp_path)
    assert (sample.id, sample.references, sample.audio) == ("1", ("Ann", "Anna"), AudioRef(path, "audio[0]"))
    assert sample.metadata["question"] == "Who?"
    (written,) = list_qa_folder(tmp_path, ask="text")
    assert (written.id, written.text, written.audio) == ("1", "Who?", None)


FLEURS = {
    "id": [1675, 1675, 1700],
    "num_samples": [800, 800, 400],
    "path": ["any/10164.wav", "any/10200.wav", "any/99.wav"],
    "audio": [held(800, "10164.wav"), held(810, "10200.wav"), held(400, "99.wav")],
    "transcription": ["he said no", "he said no", "yes"],
    "raw_transcription": ["He said no.", "He said no.", "Yes!"],
    "gender": [1, 0, 0],
    "lang_id": [19, 19, 19],
    "language": ["English"] * 3,
    "lang_group_id": [0] * 3,
}


@pytest.mark.parametrize("name", ["en_us/fleurs-test-00000-of-00001.parquet", "en_us/test/0000.parquet"])
def test_fleurs_in_parquet_is_read_as_in_tsv(tmp_path: Path, name: str) -> None:
    path = write_table(tmp_path / name, FLEURS)
    expected = [
        ("10164", AudioRef(path, "audio[0]"), "he said no", "1675"),
        ("10200", AudioRef(path, "audio[1]"), "he said no", "1675"),
        ("99", AudioRef(path, "audio[2]"), "yes", "1700"),
    ]
    for folder in (tmp_path, tmp_path / "en_us"):
        assert [(s.id, s.audio, s.reference, s.cluster) for s in list_fleurs(folder)] == expected
    assert list_fleurs(tmp_path, text="raw_transcription")[2].reference == "Yes!"
    assert len(list_samples(build_task("fleurs_en"), tmp_path)) == 3
    with pytest.raises(UserError, match=r"holds no en_us/dev\.tsv"):
        list_fleurs(tmp_path, split="dev")
    write_table(tmp_path / "en_us/validation-00000-of-00001.parquet", FLEURS)
    assert len(list_fleurs(tmp_path, split="dev")) == 3


@pytest.mark.parametrize(
    ("member", "says"),
    [
        ("audio[9]", "has no row 10"),
        ("text[0]", "has no column 'text' of audio"),
        ("sound[0]", "has no column 'sound' of audio"),
        ("audio", "'audio' names no row of it"),
        ("audio[1]", "row 2 has no audio in the column 'audio'"),
        ("audio[2]", "row 3 has no audio"),
    ],
)
def test_what_names_no_recording_is_an_error_of_its_request(tmp_path: Path, member: str, says: str) -> None:
    columns = {"audio": [held(10, "a"), {"bytes": None, "path": "b"}, None], "text": ["x", "y", "z"]}
    path = write_table(tmp_path / "t.parquet", columns)
    with pytest.raises(InputError, match=says) as caught:
        read_audio(AudioRef(path, member))
    assert str(path) in str(caught.value)


def test_a_row_without_audio_is_an_error_of_the_list(tmp_path: Path) -> None:
    write_table(tmp_path / "t.parquet", {"audio": [held(10, "a"), None], "text": ["x", "y"]})
    with pytest.raises(UserError, match=r"t\.parquet, row 2: field 'audio'"):
        list_asr_folder(tmp_path)


def test_what_is_no_table_is_named(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    for content in (b"", b"PAR1", b"no table"):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"t\.parquet: is damaged or no parquet"):
            list_asr_folder(path)
    with pytest.raises(InputError, match="is damaged or no parquet"):
        read_cell(path, "audio[0]")
    with pytest.raises(InputError, match="no such file"):
        read_cell(tmp_path / "none.parquet", "audio[0]")


def test_without_pyarrow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_table(tmp_path / "t.parquet", {"audio": [held(10, "a")], "text": ["x"]})
    monkeypatch.setattr("tttbench.core.extras.is_installed", lambda module: module != "pyarrow")
    with pytest.raises(UserError, match=r"t.parquet needs pyarrow, which is not installed: .*tttbench\[parquet\]"):
        list_asr_folder(path)


def outcome(path: Path) -> str:
    """What a reader says of a table, without its name; ``""`` if it gives samples that can be kept."""
    try:
        for sample in list_asr_folder(path):
            checked_sample(sample)
            if sample.audio is not None:
                read_audio(sample.audio)
    except UserError as error:
        return str(error) if str(path) not in str(error) or len(str(error)) > 2_000 else "named"
    return ""


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)
@given(seed=st.integers(0, 2**64 - 1))
def test_a_spoiled_table_gives_samples_or_a_message(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    source = tmp_path / "whole" / "t.parquet"
    if not source.exists():
        columns = {"id": ["a", "b"], "audio": [held(40, "a.wav"), held(40, "b.wav")], "text": ["one", "two"]}
        write_table(source, columns, 1)
        assert outcome(source) == ""
    content = bytearray(source.read_bytes())
    for _ in range(chance.choice((1, 1, 3, 10))):
        content[chance.randrange(len(content))] = chance.randrange(256)
    if chance.random() < 0.1:
        del content[chance.randrange(len(content)) :]
    path = tmp_path / f"t{seed}.parquet"
    path.write_bytes(content)
    assert outcome(path) in ("", "named")
    path.unlink()


def test_a_tone_is_what_was_written(tmp_path: Path) -> None:
    path = write_table(tmp_path / "t.parquet", {"audio": [held(40, "a.wav")], "text": ["x"]})
    assert read_cell(path, "audio[0]") == tone(40)


def test_a_name_that_is_a_number_is_a_table_of_its_own(tmp_path: Path) -> None:
    write_table(tmp_path / "2020.parquet", {"audio": [held(40, "a.wav")], "text": ["x"]})
    assert [s.id for s in list_asr_folder(tmp_path)] == ["a"]
