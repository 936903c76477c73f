"""WenetSpeech as published, in small, and the reader of long JSON lists that it needs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tttbench.core.errors import UserError
from tttbench.core.plugins import build_task
from tttbench.core.sample import AudioRef
from tttbench.data import json_stream
from tttbench.data.audio import read_audio
from tttbench.data.json_stream import read_entries
from tttbench.data.sources.wenetspeech import list_wenetspeech


def segment(sid: str, begin: float, end: float, text: str, *subsets: str) -> dict[str, Any]:
    return {"sid": sid, "begin_time": begin, "end_time": end, "text": text, "subsets": list(subsets), "confidence": 1.0}


def audios() -> list[dict[str, Any]]:
    return [
        {"aid": "Y1", "path": "audio/train/Y1.opus", "segments": [segment("Y1_S1", 0.0, 1.0, "训练", "L", "M")]},
        {
            "aid": "N1",
            "path": "audio/test_net/N1.opus",
            "segments": [
                segment("N1_S1", 0.25, 0.75, "你好", "TEST_NET"),
                segment("N1_S2", 1, 1.5, "世界", "TEST_NET"),
            ],
        },
        {"aid": "N2", "path": "audio/test_net/N2.opus", "segments": [segment("N2_S1", 0, 2, "再见", "TEST_NET")]},
        {"aid": "M1", "path": "audio/test_meeting/M1.opus", "segments": [segment("M1_S1", 3, 4, "会", "TEST_MEETING")]},
    ]


def write(folder: Path, entries: object) -> Path:
    document = {"data": "WenetSpeech", "version": 1.0, "language": ["zh", {"a": None}], "audios": entries, "end": 3}
    (folder / "WenetSpeech.json").write_text(json.dumps(document, ensure_ascii=False, indent=2), encoding="utf-8")
    return folder


def test_segments_of_a_subset_with_recordings_as_clusters(tmp_path: Path) -> None:
    write(tmp_path, audios())
    at = tmp_path / "audio/test_net"
    assert [(s.id, s.audio, s.reference, s.cluster) for s in list_wenetspeech(tmp_path)] == [
        ("N1_S1", AudioRef(at / "N1.opus", start_s=0.25, end_s=0.75), "你好", "N1"),
        ("N1_S2", AudioRef(at / "N1.opus", start_s=1.0, end_s=1.5), "世界", "N1"),
        ("N2_S1", AudioRef(at / "N2.opus", start_s=0.0, end_s=2.0), "再见", "N2"),
    ]
    found = [[s.id for s in build_task(f"wenetspeech_{name}").samples(tmp_path)] for name in ("net", "meeting")]
    assert found == [["N1_S1", "N1_S2", "N2_S1"], ["M1_S1"]]


def test_a_segment_of_an_opus_file_is_what_lies_there(tmp_path: Path) -> None:
    write(tmp_path, audios())
    (tmp_path / "audio/test_net").mkdir(parents=True)
    t = np.arange(2 * 16_000) / 16_000
    wave = np.where(t < 1, 0.05, 0.5) * np.sin(2 * np.pi * 300 * t)
    soundfile.write(tmp_path / "audio/test_net/N1.opus", wave, 16_000, format="OGG", subtype="OPUS")
    quiet, loud = (s.audio for s in list_wenetspeech(tmp_path)[:2])
    assert quiet is not None
    assert loud is not None
    heights = [float(np.abs(read_audio(one).samples[1000:-1000]).max()) for one in (quiet, loud)]
    assert heights == pytest.approx([0.05, 0.5], rel=0.2)
    assert len(read_audio(loud).samples) == read_audio(loud).sample_rate // 2
    assert f"{loud.listed}".endswith("entry 2 (path, segments[1].begin_time, segments[1].end_time)")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"sid": "N1_S2"}, r"the id 'N1_S2' already stands in entry 2"),
        ({"text": " "}, r"WenetSpeech\.json, entry 3: field 'segments\[0\]\.text': is empty"),
        ({"text": None}, r"entry 3: field 'segments\[0\]\.text'"),
        ({"end_time": 0}, r"entry 3: fields 'segments\[0\]\.begin_time', 'end_time': must be seconds"),
        ({"begin_time": -1}, r"entry 3: field 'segments\[0\]\.begin_time': must be a number of 0 or more"),
        ({"begin_time": None}, r"entry 3: fields 'segments\[0\]\.begin_time'"),
        ({"subsets": "TEST_NET"}, r"entry 3: field 'segments\[0\]\.subsets': must be a list"),
    ],
)
def test_a_wrong_segment_is_named(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    entries = audios()
    entries[2]["segments"][0] |= change
    with pytest.raises(UserError, match=says):
        list_wenetspeech(write(tmp_path, entries))


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ([1], "entry 1: is not a JSON object"),
        ([{"aid": "a", "path": "a.opus"}], "entry 1: has no field 'segments'"),
        ([{"aid": "a", "segments": [segment("s", 0, 1, "好", "TEST_NET")]}], "entry 1: has no field 'path'"),
        ([{"aid": "a", "path": "", "segments": [segment("s", 0, 1, "好", "TEST_NET")]}], "field 'path': is empty"),
        ([], "holds no segment of the subset TEST_NET"),
        ({}, "has no list 'audios'"),
    ],
)
def test_a_wrong_list_is_named(tmp_path: Path, entries: object, says: str) -> None:
    with pytest.raises(UserError, match=says):
        list_wenetspeech(write(tmp_path, entries))


def test_a_segment_that_stands_twice_in_one_recording_is_named_with_both_places(tmp_path: Path) -> None:
    twice = [segment("N1_S1", 0, 1, "你", "TEST_NET"), segment("N1_S1", 1, 2, "好", "TEST_NET")]
    write(tmp_path, [{"aid": "N1", "path": "N1.opus", "segments": twice}])
    says = r"entry 1 \(segments\[1\]\.sid\): the id 'N1_S1' already stands in entry 1 \(segments\[0\]\.sid\)"
    with pytest.raises(UserError, match=says):
        list_wenetspeech(tmp_path)


def test_the_folder_and_the_subset_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"holds no WenetSpeech\.json"):
        list_wenetspeech(tmp_path)
    with pytest.raises(UserError, match="option 'subset' of wenetspeech: must be one of DEV"):
        list_wenetspeech(tmp_path, "TEST_NETS")


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 1000])
def test_entries_are_the_same_wherever_the_file_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    path = tmp_path / "list.json"
    entries = [12345, -1.5e3, 'a"]}\\,你', None, True, [], {}, [[1, {"x": [2]}]], {"audios": [0]}, ""]
    path.write_text(json.dumps({"before": 1234, "list": entries, "after": {"list": [9]}}, ensure_ascii=False))
    monkeypatch.setattr(json_stream, "_CHUNK", chunk)
    assert list(read_entries(path, "list")) == list(enumerate(entries, 1))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not valid JSON behind entry 0: expected {"),
        ("[1]", "not valid JSON behind entry 0: expected {"),
        ("{}", "has no list 'list'"),
        ('{"list": 3}', "has no list 'list'"),
        ('{"list": [1, 2', "not valid JSON behind entry 2: expected , or ]"),
        ('{"list": [1, 2, ]}', "not valid JSON behind entry 2: Expecting value"),
        ('{"list": [1, {"a": "b', "not valid JSON behind entry 1: Unterminated string"),
        ('{"list": [1]', "not valid JSON behind entry 1: expected , or }"),
        ('{"list": [1] "a": 1}', "not valid JSON behind entry 1: expected , or }"),
        ('{"list": [' + "[" * 100_000, "nested too deeply"),
        ('{"list": [' + "1" * 5_000 + "]}", "a number has too many digits"),
    ],
)
def test_a_list_that_is_cut_short_or_damaged_is_an_error(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "list.json"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        list(read_entries(path, "list"))
    assert says in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_list_that_is_no_text_or_no_file(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    path.write_bytes(b'{"list": ["\xff"]}')
    with pytest.raises(UserError, match="is not UTF-8 behind entry 0"):
        list(read_entries(path, "list"))
    with pytest.raises(UserError, match="not a file"):
        list(read_entries(tmp_path, "list"))
    with pytest.raises(UserError, match="cannot be read"):
        list(read_entries(tmp_path / "none.json", "list"))
