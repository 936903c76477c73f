"""Lists that name parts of recordings: exactly the part is read, or an error says in which row and field why not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tttbench.core.errors import InputError, UserError
from tttbench.core.sample import Sample
from tttbench.data.audio import read_audio
from tttbench.data.sources.asr_folder import list_asr_folder

from .audio_files import speech

RATE = 8_000
WHOLE = speech(4.0, RATE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one recording of four seconds."""
    soundfile.write(tmp_path / "meeting.wav", WHOLE, RATE, subtype="FLOAT")
    return tmp_path


def read(sample: Sample) -> np.ndarray:
    assert sample.audio is not None
    return read_audio(sample.audio).samples


def rows(folder: Path, *fields: object, name: str = "l.jsonl") -> list[Sample]:
    """The samples of a list in JSON lines whose rows have these fields beside audio and text."""
    lines = [json.dumps({"audio_filepath": "meeting.wav", "text": "one", **json.loads(str(one))}) for one in fields]
    (folder / name).write_text("\n".join(lines))
    return list(list_asr_folder(folder / name))


@pytest.mark.parametrize("name", ["manifest.jsonl", "test_manifest.json"])
def test_a_manifest_of_nemo(folder: Path, name: str) -> None:
    found = rows(
        folder,
        '{"offset": 0.0, "duration": 1.25}',
        '{"offset": 1.25, "duration": 0.50, "id": "mine"}',
        '{"offset": 1.7503, "duration": 2.2497}',
        '{"duration": 3, "audio_filepath": "meeting.wav"}',
        '{"offset": null, "duration": null, "id": "all", "pred_text": "", "lang": "de-AT"}',
        name=name,
    )
    expected = [WHOLE[:10_000], WHOLE[10_000:14_000], WHOLE[14_002:], WHOLE[:24_000], WHOLE]
    for sample, samples in zip(found, expected, strict=True):
        np.testing.assert_array_equal(read(sample), samples)
    assert [one.id for one in found] == ["meeting@0-1.25", "mine", "meeting@1.7503-4", "meeting", "all"]
    assert found[-1].language == "de-AT"


def test_kaldi_with_segments(folder: Path) -> None:
    (folder / "wav.scp").write_text("rec1 meeting.wav\nrec2 ./meeting.wav\nrec3 unused.flac\n")
    (folder / "segments").write_text("u1 rec1 0.5 1.75\nu2 rec2 3.0 -1\nu3 rec1 0 4\nu4 rec1 0 1\n")
    (folder / "text").write_text("u2 two words\nu1 one\nu3\n")
    (folder / "utt2spk").write_text("u1 ann\nu2 bob\n")
    (folder / "reco2file_and_channel").write_text("rec1 meeting A\n")
    found = list_asr_folder(folder)
    assert [(one.id, one.reference, one.cluster) for one in found] == [
        ("u2", "two words", "bob"),
        ("u1", "one", "ann"),
        ("u3", "", ""),
    ]
    for sample, samples in zip(found, (WHOLE[24_000:], WHOLE[4_000:14_000], WHOLE), strict=True):
        np.testing.assert_array_equal(read(sample), samples)
    assert found[0].metadata["left_out"] == "recordings or segments without a transcript: 1"
    assert found[0].audio is not None
    assert str(found[0].audio.listed) == f"{folder}/segments, line 2 (recording, start, end)"


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        (("path", "text", "start", "end"), ("meeting.wav", "one", "0.5", "1.75")),
        (("file", "sentence", "Offset", "Duration"), ("meeting.wav", "one", "0.5", "1.25")),
        (("audio", "text", "start", "end", "duration"), ("meeting.wav", "one", ".5", "1.75", "1.25")),
        (("audio", "text", "start_ms", "end_ms"), ("meeting.wav", "one", "500", "1750")),
        (("audio", "text", "begin_ms", "duration"), ("meeting.wav", "one", "500", "1.25")),
        (("audio", "text", "onset", "stop", "channel"), ("meeting.wav", "one", "5e-1", "1.75", "BBC")),
    ],
)
@pytest.mark.parametrize("ending", ["tsv", "csv"])
def test_columns_of_start_and_end(folder: Path, header: tuple[str, ...], cells: tuple[str, ...], ending: str) -> None:
    separator = {"tsv": "\t", "csv": ","}[ending]
    (folder / f"l.{ending}").write_text(f"{separator.join(header)}\n{separator.join(cells)}\n")
    (found,) = list_asr_folder(folder)
    np.testing.assert_array_equal(read(found), WHOLE[4_000:14_000])
    assert found.id == "meeting@0.5-1.75"


def test_empty_cells_are_no_segment(folder: Path) -> None:
    (folder / "l.tsv").write_text("audio\ttext\tstart\tend\tchannel\nmeeting.wav\tone\t\t\t\n")
    (found,) = list_asr_folder(folder)
    np.testing.assert_array_equal(read(found), WHOLE)
    assert found.id == "meeting"


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ('{"offset": 1.5}', "field 'offset': begins a segment that neither an end nor a duration ends"),
        ('{"offset": -0.5, "duration": 1}', "field 'offset': must be a number of 0 or more, not -0.5"),
        ('{"offset": 1, "duration": 0}', "field 'duration': must be above 0 s"),
        ('{"offset": 1, "duration": -1}', "field 'duration': must be a number of 0 or more, not -1"),
        ('{"offset": 2, "end": 2}', r"field 'end': must be behind the start \(2 s\)"),
        ('{"offset": 2, "end": 1.5}', r"field 'end': must be behind the start \(2 s\)"),
        ('{"offset": 1, "duration": 1, "end": 3}', "'duration': says that the segment ends at 2 s, and 'end' 3 s"),
        ('{"offset": "1,5", "duration": 1}', "field 'offset': must be a number, not '1,5'"),
        ('{"offset": "nan", "duration": 1}', "field 'offset': must be a number, not 'nan'"),
        ('{"offset": "1_0", "duration": 1}', "field 'offset': must be a number, not '1_0'"),
        ('{"offset": "1e999", "duration": 1}', "field 'offset': must be a finite number"),
        ('{"offset": NaN, "duration": 1}', "field 'offset': must be a finite number"),
        ('{"offset": Infinity, "duration": 1}', "field 'offset': must be a finite number"),
        ('{"offset": true, "duration": 1}', "field 'offset': must be a number, not true"),
        ('{"offset": [1], "duration": 1}', "field 'offset': must be a number, not a list"),
        (f'{{"offset": {"1" * 400}, "duration": 1}}', "field 'offset': must be a finite number, not a number of about"),
        ('{"offset": 1, "onset": 1, "end": 2}', "'onset': tells the start of a segment, and 'offset' too"),
        ('{"end": 1, "end_ms": 1000}', "'end_ms': tells the end of a segment, and 'end' too"),
        ('{"start_sample": 16000, "end_sample": 32000}', "'start_sample': says which part is meant, in a way that"),
        ('{"frame_offset": 7}', "'frame_offset': says which part is meant, in a way that isn't read here"),
        ('{"text_filepath": "a.txt"}', "'text_filepath': says which part is meant"),
        ('{"channel": 1}', "'channel': chooses a channel, which isn't done here"),
        ('{"channel_selector": [0, 1]}', "'channel_selector': chooses a channel"),
        ('{"channel": "1"}', "'channel': chooses a channel"),
        ('{"Text": "x"}', "the field 'text' stands there more than once"),
        ('{"OFFSET": 1, "offset": 2, "end": 3}', "the field 'offset' stands there more than once"),
        ('{"lang": "English"}', "field 'lang': must be a BCP 47 tag such as 'en', 'zh' or 'pt-BR', not 'English'"),
    ],
)
def test_what_is_no_segment_is_refused_with_row_and_field(folder: Path, fields: str, says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        rows(folder, "{}", fields)
    assert str(caught.value).startswith(f"{folder}/l.jsonl, line 2: ")


@pytest.mark.parametrize("fields", ['{"offset": 3.5, "duration": 1}', '{"offset": 4, "duration": 1}', '{"end": 9}'])
def test_a_segment_behind_the_end_is_refused_with_row_and_field(folder: Path, fields: str) -> None:
    _, sample = rows(folder, '{"id": "whole"}', fields)
    named = ", ".join(["audio_filepath", *json.loads(fields)])
    with pytest.raises(InputError, match=r"the audio ends at 4\.00 s\. Correct the segment in the list") as caught:
        read(sample)
    assert str(caught.value).startswith(f"{folder}/l.jsonl, line 2 ({named}): {folder}/meeting.wav [")


@pytest.mark.parametrize(
    ("file", "line", "says"),
    [
        (
            "wav.scp",
            "rec1 sph2pipe -f wav -p a.sph |",
            "line 1: field 'path': holds a command (sph2pipe -f wav -p a.sph |…), which",
        ),
        ("wav.scp", "rec1 | cat", "line 1: field 'path': holds a command"),
        ("wav.scp", "rec1 raw.ark:1234", "line 1: field 'path': 'raw.ark:1234' is not an audio file"),
        ("wav.scp", "rec1 -", "line 1: field 'path': '-' is not an audio file"),
        ("wav.scp", "rec1", "line 1: field 'path': no path after 'rec1'. Write: recording PATH"),
        ("wav.scp", "rec1 a.wav\nrec1 b.wav", "line 2 (id): the id 'rec1' already stands in line 1"),
        ("wav.scp", "rec1 a\0.wav", r"line 1: field 'text': must not hold the character '\x00'"),
        ("segments", "u1 rec1 0", "line 1: has 3 fields, not 4. Write: utterance recording START END"),
        ("segments", "u1 rec2 0 1", "line 1: field 'recording': 'rec2' isn't in wav.scp"),
        ("segments", "u1 rec1 1 1", "line 1: field 'end': 1 must be behind the start 1"),
        ("segments", "u1 rec1 -1 1", "line 1: field 'start': must be a number of 0 or more, not -1"),
        ("segments", "u1 rec1 0 x", "line 1: field 'end': must be a number, not 'x'"),
        ("segments", "u1 rec1 0 1 2", "line 1: field 'channel': chooses the channel '2', which isn't done here"),
        (
            "segments",
            "u2 rec1 0 1",
            "text, line 1: field 'id': 'u1' isn't in segments. Add it there, or delete the line",
        ),
        (
            "reco2file_and_channel",
            "rec1 meeting B",
            "line 1: field 'channel': chooses a channel (B), which isn't done here",
        ),
        ("text", "u1\x1b one", r"line 1 (id): the id 'u1\x1b' must not hold the character '\x1b'"),
        ("utt2spk", "u1 ann\nu1 bob", "line 2 (id): the id 'u1' already stands in line 1"),
    ],
)
def test_wrong_kaldi_folders(folder: Path, file: str, line: str, says: str) -> None:
    (folder / "wav.scp").write_text("rec1 meeting.wav\n")
    (folder / "segments").write_text("u1 rec1 0 1\n")
    (folder / "text").write_text("u1 one\n")
    (folder / file).write_text(f"{line}\n")
    with pytest.raises(UserError) as caught:
        list_asr_folder(folder)
    place = "" if says.startswith("text") else f"{file}, "
    assert str(caught.value).startswith(f"{folder}/{place}{says}")


def test_a_kaldi_folder_without_text(folder: Path) -> None:
    (folder / "wav.scp").write_text("rec1 meeting.wav\n")
    with pytest.raises(UserError, match=r"text: no such file"):
        list_asr_folder(folder)
