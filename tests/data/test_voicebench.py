"""VoiceBench as published, in small: every subset, and rows that are wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow
import pytest

from tttbench.core.errors import UserError
from tttbench.core.plugins import build_task
from tttbench.core.sample import AudioRef
from tttbench.data.audio import read_audio
from tttbench.data.samples import list_samples
from tttbench.data.sources.voicebench import SUBSETS, list_voicebench

from .tables import held, write_table

KWARGS = pyarrow.list_(pyarrow.struct([("num_words", pyarrow.int64()), ("relation", pyarrow.string())]))


def columns(subset: str, recordings: Sequence[bytes] = ()) -> dict[str, Any]:
    """Two rows of a subset, with these recordings or tones."""
    own: dict[str, dict[str, Any]] = {
        "ifeval": {
            "key": [1000, 1001],
            "instruction_id_list": [["length_constraints:number_words"], ["punctuation:no_comma"]],
            "kwargs": [[{"num_words": 300, "relation": "at least"}], [{"num_words": None, "relation": None}]],
        },
        "openbookqa": {"reference": ["A", "D"]},
        "mmsu": {"reference": ["B", "C"], "cot_content": ["", ""]},
        "bbh": {"reference": ["yes", "(B)"], "id": ["navigate_1", "hyperbaton_7"]},
        "sd-qa": {"reference": ["Paris", "1969"]},
    }
    audio: dict[str, Any] = {"audio": [held(100, None), held(200, None)], "prompt": ["First?", "Second?"]}
    if recordings:
        audio["audio"] = [{"bytes": content, "path": None} for content in recordings]
    return {**audio, **own.get(subset, {})}


def write(
    folder: Path, name: str = "{subset}/{split}-00000-of-00001.parquet", recordings: Sequence[bytes] = ()
) -> Path:
    """The data set as the hub has it."""
    for subset in SUBSETS:
        splits = {"sd-qa": ("aus", "usa"), "mmsu": ("biology", "law")}.get(subset, ("test",))
        for split in splits:
            types = {"kwargs": KWARGS} if subset == "ifeval" else {}
            write_table(folder / name.format(subset=subset, split=split), columns(subset, recordings), 100, **types)
    return folder


@pytest.mark.parametrize("name", ["{subset}/{split}-00000-of-00001.parquet", "{subset}/{split}/0000.parquet"])
def test_every_subset_is_listed(tmp_path: Path, name: str) -> None:
    write(tmp_path, name)
    for subset in SUBSETS:
        split = {"sd-qa": "usa", "mmsu": "law"}.get(subset, "test")
        found = list_voicebench(tmp_path, subset, split)
        table = tmp_path / name.format(subset=subset, split=split)
        assert [(s.id, s.audio) for s in found] == [
            ("0001", AudioRef(table, "audio[0]")),
            ("0002", AudioRef(table, "audio[1]")),
        ]
        right = columns(subset).get("reference", ["", ""])
        assert [s.reference for s in found] == right
        assert found == list_voicebench(tmp_path / subset, subset, split)
        assert found[0].metadata["question"] == "First?"
    assert [s.id for s in list_voicebench(tmp_path, "mmsu", "all")] == [
        *("biology-0001", "biology-0002", "law-0001", "law-0002")
    ]


def test_a_question_is_a_cluster_in_all_regions(tmp_path: Path) -> None:
    write(tmp_path)
    found = list_voicebench(tmp_path, "sd-qa", "all")
    assert [(s.id, s.cluster) for s in found] == [
        *(("aus-0001", "0001"), ("aus-0002", "0002"), ("usa-0001", "0001"), ("usa-0002", "0002"))
    ]
    turned = {name: cells[::-1] for name, cells in columns("sd-qa").items()} | {"prompt": ["Second?", "First?\n"]}
    write_table(tmp_path / "sd-qa/usa-00000-of-00001.parquet", turned)
    assert [s.cluster for s in list_voicebench(tmp_path, "sd-qa", "all")] == ["First?", "Second?", "Second?", "First?"]
    others = [*list_voicebench(tmp_path, "sd-qa", "usa"), *list_voicebench(tmp_path, "mmsu", "all")]
    assert {s.cluster for s in others} == {""}


def test_what_scores_need_is_kept(tmp_path: Path) -> None:
    write(tmp_path)
    followed = list_voicebench(tmp_path, "ifeval")[0].metadata
    assert followed["instruction_id_list"] == '["length_constraints:number_words"]'
    assert followed["kwargs"] == '[{"num_words": 300, "relation": "at least"}]'
    assert followed["key"] == "1000"
    assert [s.metadata["options"] for s in list_voicebench(tmp_path, "bbh")] == ["yes|no", "A|B"]
    assert [s.metadata["id"] for s in list_voicebench(tmp_path, "bbh")] == ["navigate_1", "hyperbaton_7"]
    assert list_voicebench(tmp_path, "openbookqa")[0].metadata["options"] == "A|B|C|D"


def test_every_task_lists_its_subset_and_audio_is_read(tmp_path: Path) -> None:
    write(tmp_path)
    for subset in SUBSETS:
        found = list_samples(build_task(f"voicebench_{subset.replace('-', '_')}"), tmp_path)
        assert len(found) == (4 if subset == "mmsu" else 2)
        assert found[1].audio is not None
        assert len(read_audio(found[1].audio).samples) == 200


@pytest.mark.parametrize(
    ("subset", "change", "says"),
    [
        ("bbh", {"reference": ["maybe", "(B)"]}, r"row 1: field 'reference': 'maybe' is no option"),
        ("openbookqa", {"reference": ["A", None]}, r"row 2: field 'reference'"),
        ("alpacaeval", {"prompt": ["x", ""]}, r"row 2: field 'prompt': is empty"),
        ("commoneval", {"audio": [held(10, None), None]}, r"row 2: field 'audio'"),
        ("wildvoice", {"prompt": None}, r"row 1: has no field 'prompt'"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, subset: str, change: dict[str, Any], says: str) -> None:
    table = {name: cells for name, cells in {**columns(subset), **change}.items() if cells is not None}
    write_table(tmp_path / subset / "test-00000-of-00001.parquet", table)
    with pytest.raises(UserError, match=says) as caught:
        list_voicebench(tmp_path, subset)
    assert "test-00000-of-00001.parquet" in str(caught.value)


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"holds no parquet of the split 'usa' of sd-qa. Give the folder of the data"):
        list_samples(build_task("voicebench_sd_qa"), tmp_path)
    with pytest.raises(UserError, match="option 'subset' of voicebench: must be one of alpacaeval"):
        list_voicebench(tmp_path, "mtbench")
    with pytest.raises(UserError, match="holds no parquet of the split 'all' of mmsu"):
        list_samples(build_task("voicebench_mmsu"), tmp_path)
