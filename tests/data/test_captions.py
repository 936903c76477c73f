"""Clotho, MACS and AudioCaps as they lie on disk, in small: what is listed, and what is said of what is wrong."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from tttbench.cli.main import main
from tttbench.core.errors import UserError
from tttbench.core.plugins import build_task
from tttbench.core.sample import Sample
from tttbench.data.samples import list_samples
from tttbench.data.sources.audiocaps import list_audiocaps
from tttbench.data.sources.clotho import list_clotho
from tttbench.data.sources.macs import list_macs

from .folders import put
from .tables import tone

HEAD = "file_name,caption_1,caption_2,caption_3,caption_4,caption_5\n"
CLOTHO = f'{HEAD}Rain (1).wav,Rain falls,"Rain, on a roof",Water drips,It rains,Heavy rain\ncafé.wav,a,b,c,d,e\n'
FACTS = (
    "file_name,keywords,sound_id,sound_link,start_end_samples,manufacturer,license\n"
    'Rain (1).wav,rain;roof,1,https://f/1,"[0, 9]",ann,CC0\ncafé.wav,bar,2,https://f/2,"[0, 9]",bé,BY\n'
)
MACS = """files:
- filename: airport-a.wav
  annotations:
  - sentence: People talk
    tags: [adults_talking]
    annotator_id: 17
  - sentence: 'no'
    tags: []
    annotator_id: 3
- filename: park-b.wav
  annotations:
  - {sentence: Birds sing, tags: [birds], annotator_id: 17}
  - {sentence: no, tags: [], annotator_id: 4}
  - {sentence: A bird, tags: [], annotator_id: 5}
"""
AUDIOCAPS = """audiocap_id,youtube_id,start_time,caption
1,-abc,30,A dog barks
2,x_y,0,"Rain, then wind"
3,-abc,30,A dog is barking
4,-abc,40,Music
5,gone,1,Nothing
"""


def clotho(folder: Path, captions: str = CLOTHO, at: str = "evaluation") -> Path:
    put(folder / "clotho_captions_evaluation.csv", captions)
    (folder / "clotho_metadata_evaluation.csv").write_bytes(FACTS.encode("iso-8859-1"))
    for name in ("Rain (1).wav", "café.wav"):
        put(folder / at / name)
    return folder


def macs(folder: Path, listed: str = MACS) -> Path:
    put(folder / "MACS.yaml", listed)
    for name in ("airport-a.wav", "park-b.wav"):
        put(folder / "audio" / name)
    return folder


def audiocaps(folder: Path, listed: str = AUDIOCAPS) -> Path:
    put(folder / "test.csv", listed)
    for name in ("audio_32000Hz/test/-abc_30.flac", "audio_32000Hz/test/-abc_40.wav", "other/x_y_0.mp3"):
        put(folder / name)
    return folder


def told(samples: list[Sample]) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(one.id, "" if one.audio is None else one.audio.path.name, one.references) for one in samples]


@pytest.mark.parametrize("at", ["evaluation", "clotho_audio_files/evaluation", "clotho_audio_evaluation/evaluation"])
def test_clotho(tmp_path: Path, at: str) -> None:
    found = list(list_clotho(clotho(tmp_path, at=at)))
    assert told(found) == [
        ("Rain (1)", "Rain (1).wav", ("Rain falls", "Rain, on a roof", "Water drips", "It rains", "Heavy rain")),
        ("café", "café.wav", ("a", "b", "c", "d", "e")),
    ]
    assert (found[0].metadata["license"], found[0].metadata["keywords"]) == ("CC0", "rain;roof")
    assert found[0].metadata["source"] == "clotho_captions_evaluation.csv:2"
    assert found[1].metadata["license"] == "BY"  # its name is in ISO 8859-1 there
    assert found[0].language == "en"


def test_clotho_without_metadata_and_in_the_folders_of_its_downloader(tmp_path: Path) -> None:
    put(tmp_path / "CLOTHO_v2.1/clotho_csv_files/clotho_captions_validation.csv", HEAD + "a.wav,a,b,c,d,e\n")
    put(tmp_path / "CLOTHO_v2.1/clotho_audio_files/validation/a.wav")
    (found,) = list_clotho(tmp_path, split="validation")
    assert "license" not in found.metadata


@pytest.mark.parametrize(
    ("captions", "says"),
    [
        (HEAD + "a.wav,a,b,,d,e\n", r"clotho_captions_evaluation\.csv, line 2: field 'caption_3': is empty"),
        (HEAD + "a.wav,a,b,c,d\n", "line 2: has 5 fields, not 6"),
        (HEAD + "b/a.wav,a,b,c,d,e\n", "line 2: field 'file_name': must be a file's name"),
        ("name,caption_1\na.wav,a\n", "line 2: has no field 'file_name'"),
        (f"{CLOTHO}café.wav,a,b,c,d,e\n", r"line 4 \(file_name\): the id 'café' already stands in line 3"),
        (HEAD + "zzz.wav,a,b,c,d,e\n", "holds none of the 1 recordings that are listed"),
    ],
)
def test_what_is_wrong_in_clotho(tmp_path: Path, captions: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        list_clotho(clotho(tmp_path, captions))


def test_clotho_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"holds no clotho_captions_evaluation\.csv"):
        list_clotho(tmp_path)
    put(tmp_path / "clotho_captions_evaluation.csv", CLOTHO)
    with pytest.raises(
        UserError, match=r"holds no folder evaluation of recordings. Unpack clotho_audio_evaluation\.7z"
    ):
        list_clotho(tmp_path)
    with pytest.raises(UserError, match=r"option 'split' of clotho.*Did you mean 'evaluation'"):
        list_clotho(tmp_path, split="evaluaton")


def test_macs(tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    found = list(list_macs(macs(tmp_path)))
    assert told(found) == [
        ("airport-a", "airport-a.wav", ("People talk", "no")),
        ("park-b", "park-b.wav", ("Birds sing", "no", "A bird")),
    ]
    assert [one.metadata["source"] for one in found] == ["MACS.yaml:2", "MACS.yaml:10"]


@pytest.mark.parametrize(
    ("listed", "says"),
    [
        (
            MACS.replace("sentence: Birds sing", "sentence: ''"),
            r"line 12: field 'files\[1\]\.annotations\[0\]\.sentence'",
        ),
        (MACS.replace("{sentence: A bird, ", "{"), r"line 14: field 'files\[1\]\.annotations\[2\]': has no 'sentence'"),
        (
            MACS.replace("filename: park-b.wav", "filename: [a]"),
            r"line 10: field 'files\[1\]\.filename': must be a text",
        ),
        (MACS.replace("park-b.wav", "../park-b.wav"), r"line 10: field 'files\[1\]\.filename': must be a file's name"),
        ("files: 3\n", "line 1: field 'files': must be a list"),
        ("a: b\n", "has no 'files'; found 'a'"),
        ("- a\n", "must be a mapping"),
        ("files: [\n", r"MACS\.yaml, line 2: not valid YAML"),
        ("files:\n- {filename: a.wav, annotations: []}\n", "is empty: a clip needs a caption"),
        ("files: []\nfiles: []\n", "field 'files': stands twice"),
        ("files:\n- {filename: a.wav, annotations: [{sentence: ~}]}\n", "sentence': is empty"),
        ("", "is empty"),
        (MACS.replace("park-b", "airport-a"), r"line 10 .*: the id 'airport-a' already stands in line 2"),
    ],
)
def test_what_is_wrong_in_macs(tmp_path: Path, listed: str, says: str) -> None:
    pytest.importorskip("yaml")
    with pytest.raises(UserError, match=says):
        list_macs(macs(tmp_path, listed))


def test_macs_needs_an_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tttbench.core.extras.is_installed", lambda module: module != "yaml")
    with pytest.raises(UserError, match=r"MACS\.yaml: reading YAML needs pyyaml.*tttbench\[captions\]"):
        list_macs(macs(tmp_path))


def test_audiocaps(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    put(audiocaps(tmp_path) / "other/stranger.wav")
    with caplog.at_level(logging.WARNING):
        found = list(list_audiocaps(tmp_path))
    assert told(found) == [
        ("-abc_30", "-abc_30.flac", ("A dog barks", "A dog is barking")),
        ("x_y_0", "x_y_0.mp3", ("Rain, then wind",)),
        ("-abc_40", "-abc_40.wav", ("Music",)),
    ]
    assert found[1].metadata["youtube_id"] == "x_y"
    left = found[0].metadata["left_out"]
    assert "clips without a recording: 1" in left
    assert "audio files without a caption: 1" in left
    assert "clips without a recording: 1" in caplog.text


@pytest.mark.parametrize(
    ("listed", "says"),
    [
        (AUDIOCAPS.replace("40,Music", "4.5,Music"), "line 5: field 'start_time': must be whole seconds, not '4.5'"),
        (AUDIOCAPS.replace("3,-abc", "1,-abc"), "line 4: field 'audiocap_id': '1' already stands in line 2"),
        (AUDIOCAPS.replace("40,Music", "40,"), "line 5: field 'caption': is empty"),
        (AUDIOCAPS.replace("gone", "a/b"), "line 6: field 'youtube_id': 'a/b' is no id"),
        (AUDIOCAPS.replace("youtube_id", "video"), "line 2: has no field 'youtube_id'"),
    ],
)
def test_what_is_wrong_in_audiocaps(tmp_path: Path, listed: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        list_audiocaps(audiocaps(tmp_path, listed))


def test_a_clip_that_is_there_twice(tmp_path: Path) -> None:
    put(audiocaps(tmp_path) / "more/-abc_30.wav")
    with pytest.raises(UserError, match=r"-abc_30\.\w+: this clip is also in"):
        list_audiocaps(tmp_path)


@pytest.mark.parametrize("name", ["clotho", "macs", "audiocaps"])
def test_tasks_say_where_to_get_the_data(name: str) -> None:
    task = build_task(name)
    assert (task.family, task.scores[0].scorer) == ("captioning", "cider_d")
    with pytest.raises(UserError, match=rf"Get it from .* and give it with --data {name}=PATH"):
        list_samples(task)


def test_captions_are_scored_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = audiocaps(tmp_path / "data")
    for path in data.rglob("*_*.*"):
        if path.suffix in (".flac", ".wav", ".mp3"):
            path.write_bytes(tone(300))
    answers = {"-abc_30": "a dog barks", "x_y_0": "", "-abc_40": "music"}
    lines = [json.dumps({"id": name, "text": text}) for name, text in answers.items()]
    put(tmp_path / "a.jsonl", "\n".join(lines))
    command = [
        *("run", "--systems", f"recorded:{tmp_path / 'a.jsonl'}", "--tasks", "audiocaps", "--json", "--device", "cpu"),
        *("--data", f"audiocaps={data}", "--transcriber", ""),
    ]
    assert main([*command, "--out", str(tmp_path / "run")]) == 0
    document = json.loads(capsys.readouterr().out.splitlines()[-1])
    found = {one["metric"]: one for one in document["results"]}
    assert 0 < found["cider_d"]["value"] < 10
    assert found["cider_d"]["empty"] == 1
    assert "idf=references of 3 clips" in found["cider_d"]["recipe"]
    assert 0 < found["rouge_l"]["value"] < 1
    assert main(["rescore", str(tmp_path / "run"), "--json"]) == 0
    again = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert again["results"] == document["results"]
    assert main([*command, "--limit", "1", "--out", str(tmp_path / "one")]) == 2
    assert "task 'audiocaps': scores: cider_d: needs at least 2 clips" in capsys.readouterr().err
