"""URO-Bench as published, in small: every set, conversations round by round, and lines that are wrong."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tttbench.core.errors import UserError
from tttbench.core.plugins import build_task, tasks
from tttbench.core.sample import CONVERSATION, AudioRef, Turn
from tttbench.data.samples import list_samples
from tttbench.data.sources.uro_bench import BASIC, SETS, list_uro_bench
from tttbench.scorers.judges import Round, question_of, rounds_of

from ..scorers.views import Seen
from .tables import tone
from .test_packed import pack

CONVERSATIONS = ("MtBenchEval-en", "SpeakerAware-en", "SpeakerAware-zh")
OPEN = ("AlpacaEval", "CommonEval", "WildchatEval", "AlpacaEval-zh", "Claude-zh", "Wildchat-zh")
OWN = {
    "GenEmotion": {"emotion": "sad"},
    "UnderEmotion": {"emotion": "angry"},
    "GenStyle": {"style": "a poem"},
    "Multilingual": {"requirement": "French"},
}


def lines(name: str) -> list[dict[str, Any]]:
    """Two lines of a set."""
    if name in CONVERSATIONS:
        rounds = [
            {"round": at, "source_wav": f"wav/{at}.wav", "source_text": f"Q{at}", "target_text": f"A{at}"}
            for at in (1, 2)
        ]
        return [{"id": own, "num_round": 2, "dialogue": rounds} for own in (7, 9)]
    own = next((fields for start, fields in OWN.items() if name.startswith(start)), {})
    target = {} if name in OPEN else {"target_text": ["one", "two"] if "Clotho" in name else "one"}
    return [{"source_wav": f"wav/{at}.wav", "source_text": f"Q{at}", **target, **own} for at in (1, 2)]


def write(folder: Path, names: Sequence[str] = SETS) -> Path:
    """The data as unpacked, with recordings."""
    for name in names:
        at = folder / ("basic" if name in BASIC else "pro") / name
        (at / "wav").mkdir(parents=True)
        (at / "test.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines(name)), encoding="utf-8")
        for number in (1, 2):
            (at / f"wav/{number}.wav").write_bytes(tone(100 * number))
    return folder


def test_every_set_has_a_task_and_is_listed(tmp_path: Path) -> None:
    write(tmp_path / "URO-Bench-data")
    assert len(SETS) == len(set(SETS)) == 40
    for name in SETS:
        task = build_task(f"uro_{name.lower().replace('-', '_')}")
        found = list_samples(task, tmp_path)
        assert len(found) == (4 if name in CONVERSATIONS else 2)
        assert found == list_samples(task, tmp_path / "URO-Bench-data")
        assert all(bool(one.references) == (name not in OPEN) for one in found)
        grades = {"GenEmotion-en", "GenEmotion-zh", "SRT-en", "SRT-zh"}
        assert bool(task.missing) == (name in grades)
        assert bool(task.judged) == (name not in grades and not name.startswith("Repeat"))
        assert task.needs.turns == (name in CONVERSATIONS)
        assert task.language == ("und" if name == "Multilingual" else "zh" if name.endswith("-zh") else "en")
        assert {spec.id for spec in task.scores} <= {
            *("answered", "wer", "cer_zh"),
            *(f"{kind}repetition_uro-{language}" for kind in ("", "spoken_") for language in ("en", "zh")),
        }
    assert len([name for name in tasks.names() if name.startswith("uro_")]) == 40


def test_questions_have_the_ids_of_the_published_answers(tmp_path: Path) -> None:
    at = write(tmp_path, ["ClothoEval-en", "Repeat", "GenStyle-en"]) / "pro/ClothoEval-en"
    found = list_uro_bench(tmp_path, set="ClothoEval-en")
    assert [(s.id, s.audio, s.references) for s in found] == [
        ("0000", AudioRef(at / "wav/1.wav"), ("one", "two")),
        ("0001", AudioRef(at / "wav/2.wav"), ("one", "two")),
    ]
    for folder in (at, at.parent):
        assert list_uro_bench(folder, set="ClothoEval-en") == found
    assert list_uro_bench(tmp_path, set="GenStyle-en")[0].metadata["style"] == "a poem"
    path = tmp_path / "basic/Repeat/test.jsonl"
    path.write_text('{"source_wav": "wav/1.wav", "source_text": "Say it"}\n')
    (sample,) = list_uro_bench(tmp_path)
    assert sample.references == ("Say it",)
    assert sample.metadata["left_out"] == "audio files without a question: 1"


def test_each_round_is_asked_after_those_before_it_with_the_systems_own_answers(tmp_path: Path) -> None:
    at = write(tmp_path, ["MtBenchEval-en"]) / "pro/MtBenchEval-en/wav"
    found = list_uro_bench(tmp_path, set="MtBenchEval-en")
    assert [(s.id, s.cluster, s.references) for s in found] == [
        *(("7-1", "7", ("A1",)), ("7-2", "7", ("A2",)), ("9-1", "9", ("A1",)), ("9-2", "9", ("A2",)))
    ]
    first, second = (Turn("user", audio=AudioRef(at / f"{number}.wav")) for number in (1, 2))
    assert found[0].turns == (first,)
    assert found[1].turns == (first, Turn("assistant", answer_to="7-1"), second)
    assert [CONVERSATION in one.metadata for one in found] == [False, True, False, True]
    assert rounds_of(found[1]) == (Round("7-1", "Q1", ("A1",)), Round("7-2", "Q2", ("A2",)))
    right = list_uro_bench(tmp_path, set="MtBenchEval-en", history="references")
    assert right[1].turns == (first, Turn("assistant", "A1"), second)
    assert rounds_of(right[1]) == rounds_of(found[1])
    with pytest.raises(UserError, match="option 'history' of uro_bench: must be one of own, references"):
        list_uro_bench(tmp_path, set="MtBenchEval-en", history="right")


@pytest.mark.parametrize("history", ["own", "references"])
def test_a_round_in_the_middle_can_be_graded_by_itself(tmp_path: Path, history: str) -> None:
    path = write(tmp_path, ["MtBenchEval-en"]) / "pro/MtBenchEval-en/test.jsonl"
    rounds = [
        {"round": at, "source_wav": "wav/1.wav", "source_text": f"Q{at}", "target_text": f"A{at}"} for at in (1, 2, 3)
    ]
    path.write_text(json.dumps({"id": 7, "num_round": 3, "dialogue": rounds}) + "\n")
    first, middle, last = list_uro_bench(tmp_path, set="MtBenchEval-en", history=history)
    seen = Seen("Now.", rounds={"7-1": Seen("Mine 1."), "7-2": Seen("Mine 2.")})
    said = ("Mine 1.", "Mine 2.") if history == "own" else ("A1", "A2")
    assert question_of(first, seen) == "Q1"
    assert question_of(middle, seen) == f"user: Q1\nassistant: {said[0]}\nuser: Q2"
    assert question_of(last, seen) == f"user: Q1\nassistant: {said[0]}\nuser: Q2\nassistant: {said[1]}\nuser: Q3"
    # The grade of the whole belongs to the last one alone.
    assert [len(rounds_of(one)) for one in (first, middle, last)] == [0, 0, 3]


def test_the_archive_needs_no_unpacking(tmp_path: Path) -> None:
    write(tmp_path / "x/URO-Bench-mini", ["SRT-zh"])
    files = {str(one.relative_to(tmp_path / "x")): one for one in sorted(tmp_path.rglob("*")) if one.is_file()}
    archive = pack(tmp_path / "URO-Bench-mini.zip", {name: one.read_bytes() for name, one in files.items()})
    found = list_samples(build_task("uro_srt_zh"), archive)
    assert [s.audio for s in found] == [
        AudioRef(archive, f"URO-Bench-mini/pro/SRT-zh/wav/{number}.wav") for number in (1, 2)
    ]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"source_text": "x"}', "line 1: has no field 'source_wav'"),
        ('{"source_wav": "a.wav", "source_text": ""}', "line 1: field 'source_text': is empty"),
        ('{"source_wav": "a.wav", "source_text": "x", "target_text": 5.5}', "line 1: field 'target_text'"),
        ('{"id": 1, "dialogue": []}', "line 1: field 'dialogue': must be a list of rounds"),
        ('{"id": 1, "dialogue": [1]}', r"line 1: field 'dialogue\[0\]': must be an object"),
        ('{"id": 1, "dialogue": [{"source_wav": "a"}]}', r"has no field 'dialogue\[0\]\.target_text'"),
        ('{"dialogue": [{}]}', "line 1: has no field 'id'"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, says: str) -> None:
    (tmp_path / "basic/Summary").mkdir(parents=True)
    (tmp_path / "basic/Summary/test.jsonl").write_text(line + "\n")
    with pytest.raises(UserError, match=says):
        list_uro_bench(tmp_path, set="Summary")


def test_a_set_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"holds no pro/MLCpro-zh/test\.jsonl. Give the folder of the data"):
        list_uro_bench(tmp_path, set="MLCpro-zh")
    with pytest.raises(UserError, match="option 'set' of uro_bench: must be one of"):
        list_uro_bench(tmp_path, set="Alpaca")
