"""GigaSpeech as released and in parquet, in small: tags, segments without speech, and what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tttbench.core.errors import UserError
from tttbench.core.plugins import build_task, normalizers
from tttbench.core.sample import AudioRef
from tttbench.data.samples import list_samples
from tttbench.data.sources.gigaspeech import list_gigaspeech

from .tables import held, write_table

TEXTS = [
    "FOUR O'CLOCK TOMORROW AFTERNOON <COMMA> SAID WILLIAMS <PERIOD>",
    "<MUSIC>",
    "UH STATE-OF-THE-ART <QUESTIONMARK>",
    "<SIL>",
]


def segment(at: int, text: str, *subsets: str) -> dict[str, Any]:
    sid = f"POD1_S{at:07d}"
    times = {"begin_time": float(at), "end_time": at + 0.5}
    return {"sid": sid, "speaker": "N/A", **times, "text_tn": text, "subsets": list(subsets)}


def write(folder: Path, *segments: dict[str, Any]) -> Path:
    recording = {"aid": "POD1", "title": "A", "path": "audio/podcast/P0001/POD1.opus", "segments": list(segments)}
    document = {"dataset": "GigaSpeech", "language": "EN", "version": "v1.0.0", "audios": [recording]}
    (folder / "GigaSpeech.json").write_text(json.dumps(document), encoding="utf-8")
    return folder


def released(folder: Path) -> Path:
    of_test = [segment(at, text, "{TEST}") for at, text in enumerate(TEXTS)]
    return write(folder, *of_test, segment(9, "TRAINED ON", "{XL}", "{L}"))


def in_tables(folder: Path, name: str) -> Path:
    columns = {
        "segment_id": [f"POD1_S{at:07d}" for at in range(len(TEXTS))],
        "speaker": ["N/A"] * 4,
        "text": TEXTS,
        "audio": [held(1600, f"POD1_S{at:07d}.wav") for at in range(len(TEXTS))],
        "begin_time": [0.0] * 4,
        "end_time": [0.5] * 4,
        "audio_id": ["POD1"] * 4,
    }
    write_table(folder / name, columns)
    return folder


def test_tags_are_taken_out_and_segments_without_speech_counted(tmp_path: Path) -> None:
    found = list_samples(build_task("gigaspeech"), released(tmp_path))
    at = tmp_path / "audio/podcast/P0001/POD1.opus"
    assert [(one.id, one.audio, one.reference) for one in found] == [
        ("POD1_S0000000", AudioRef(at, start_s=0, end_s=0.5), "FOUR O'CLOCK TOMORROW AFTERNOON SAID WILLIAMS"),
        ("POD1_S0000002", AudioRef(at, start_s=2, end_s=2.5), "UH STATE-OF-THE-ART"),
    ]
    assert found[0].metadata["left_out"] == "segments without speech (<SIL>, <MUSIC>, <NOISE>, <OTHER>): 2"
    assert [one.reference for one in list_gigaspeech(tmp_path, subset="XL")] == ["TRAINED ON"]


@pytest.mark.parametrize(
    "name", ["test/test-00000-of-00001.parquet", "data/test/test-00000-of-00001.parquet", "test/test/0000.parquet"]
)
def test_its_tables_give_the_same_texts(tmp_path: Path, name: str) -> None:
    released(tmp_path)
    texts = {one.id: one.reference for one in list_gigaspeech(tmp_path)}
    (tmp_path / "hub").mkdir()
    found = list_gigaspeech(in_tables(tmp_path / "hub", name))
    assert {one.id: one.reference for one in found} == texts
    assert found[0].audio is not None
    assert (found[0].audio.path, found[0].audio.member) == (tmp_path / "hub" / name, "audio[0]")
    assert found[0].metadata["left_out"].endswith(": 2")


def test_tables_of_its_test_sets_may_lie_in_a_folder_of_any_name(tmp_path: Path) -> None:
    for name in ("test-00000-of-00001.parquet", "validation-00000-of-00001.parquet", "train-00000-of-00001.parquet"):
        in_tables(tmp_path, name)
    for subset, name in (("TEST", "test"), ("DEV", "validation")):
        audio = list_gigaspeech(tmp_path, subset=subset)[0].audio
        assert audio is not None
        assert audio.path == tmp_path / f"{name}-00000-of-00001.parquet"
    # Which training subset a table is of, its folder tells alone.
    with pytest.raises(UserError, match=r"holds no GigaSpeech\.json\. Give the folder .* xs/train-00000-of-….parquet"):
        list_gigaspeech(tmp_path, subset="XS")
    released(tmp_path)
    assert {one.audio.path.suffix for one in list_gigaspeech(tmp_path) if one.audio} == {".opus"}


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"text_tn": ""}, r"GigaSpeech\.json, entry 1: field 'segments\[0\]\.text_tn': is empty"),
        ({"sid": None}, r"entry 1: field 'segments\[0\]\.sid'"),
        ({"end_time": 0.0}, r"entry 1: fields 'segments\[0\]\.begin_time', 'end_time': must be seconds"),
        ({"subsets": "{TEST}"}, r"entry 1: field 'segments\[0\]\.subsets': must be a list"),
        ({"text_tn": "<OTHER>"}, "holds no utterance of the subset TEST"),
    ],
)
def test_a_wrong_segment_is_named(tmp_path: Path, changed: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError, match=says):
        list_gigaspeech(write(tmp_path, {**segment(0, "A WORD", "{TEST}"), **changed}))


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"holds no GigaSpeech\.json\. Give the folder with GigaSpeech\.json and"):
        list_gigaspeech(tmp_path)
    with pytest.raises(UserError, match="option 'subset' of gigaspeech: must be one of DEV, TEST"):
        list_gigaspeech(tmp_path, subset="test")
    twice = segment(0, "A WORD", "{TEST}")
    says = r"entry 1 \(segments\[1\]\.sid\): the id 'POD1_S0000000' already stands in entry 1 \(segments\[0\]\.sid\)"
    with pytest.raises(UserError, match=says):
        list_gigaspeech(write(tmp_path, twice, twice))


def test_it_is_scored_without_fillers_tags_and_hyphens() -> None:
    normalize = normalizers.get("gigaspeech").normalize
    assert normalize("Uh, UM state-of-the-art <COMMA> um") == "UH, STATE OF THE ART"
