"""``--judge``: one judge for all that tasks say is judged, in a run or afterwards; the published scale and votes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("openai", reason="needs the extra judge")

from tttbench.cli.main import main

from ..data.tables import tone
from ..data.test_captions import macs
from ..data.test_voicebench import write as write_voicebench
from ..derive.judge_server import Script, serving

OPEN, QA = "voicebench_alpacaeval", "voicebench_sd_qa"
ANSWERS = {OPEN: {"0001": "Well.", "0002": "Hm."}, QA: {"0001": "It is Paris.", "0002": "In 1970."}}
JUDGE = "openai_chat:scripted"

Command = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    with serving(Script({"Well.": 5, "Hm.": 2, "It is Paris.": "yes", "In 1970.": "no"})) as script:
        monkeypatch.setenv("OPENAI_BASE_URL", script.url)
        yield script


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run ``tttbench`` with these words; ``run`` with two sets of VoiceBench, whose answers are recorded."""
    data, answers = write_voicebench(tmp_path / "voicebench"), tmp_path / "answers.jsonl"
    lines = [{"task": task, "id": key, "text": text} for task, own in ANSWERS.items() for key, text in own.items()]
    answers.write_text("".join(json.dumps(line) + "\n" for line in lines))

    def call(name: str, *words: str) -> tuple[int, dict[str, Any]]:
        started = ["--systems", f"recorded:{answers}", "--tasks", f"{OPEN},{QA}", "--device", "cpu"]
        started += ["--data", f"voicebench_*={data}", "--transcriber", "", "--out", str(tmp_path / "run")]
        given = started if name == "run" else [str(tmp_path / "run")]
        status = main([name, *given, *words, "--json"])
        return status, json.loads(capsys.readouterr().out.splitlines()[-1])

    return call


def values(document: dict[str, Any]) -> dict[tuple[str, str], float]:
    return {(one["task"], one["metric"]): one["value"] for one in document["results"]}


JUDGED = {(OPEN, "answer_voicebench-open"): 3.5, (QA, "answer_voicebench-qa"): 0.5}


def test_a_run_with_a_judge_has_the_published_scores_first(script: Script, command: Command) -> None:
    status, document = command("run", "--judge", JUDGE)
    assert status == 0
    assert JUDGED.items() <= values(document).items()
    assert next(iter(values(document))) == (OPEN, "answer_voicebench-open")
    assert {(one["n"], one["temperature"], one["top_p"], one["max_tokens"]) for one in script.bodies} == {
        (3, 0.5, 0.95, 1024)
    }
    recipe = next(one["recipe"] for one in document["results"] if one["metric"] == "answer_voicebench-open")
    assert "3 votes at temperature 0.5, top_p 0.95, 1024 tokens at most" in recipe


def test_without_one_nothing_is_judged_and_a_judge_may_come_later(script: Script, command: Command) -> None:
    _, document = command("run")
    assert {metric for _, metric in values(document)} == {"answered", "text_accuracy"}
    assert script.bodies == []
    status, document = command("rescore", "--judge", f"{JUDGE},concurrency=1")
    assert status == 0
    assert JUDGED.items() <= values(document).items()
    asked = len(script.bodies)
    assert asked == 4
    # The same judge asks nobody again, and a score that names none takes it.
    assert JUDGED.items() <= values(command("rescore", "--judge", JUDGE)[1]).items()
    assert len(script.bodies) == asked
    _, document = command("rescore", "--add", "answer=once:recipe=judge-1-5")
    assert values(document)[(OPEN, "once")] == 3.5


def test_a_score_that_names_the_run_s_judge_is_asked_for_where_that_judge_is(
    script: Script, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    more = f"answer=more:judge={JUDGE},recipe=judge-1-5"
    _, document = command("run", "--judge", f"{JUDGE},base_url={script.url}", "--add", more)
    assert values(document)[(OPEN, "more")] == 3.5


def test_another_judge_stands_beside_the_first(script: Script, command: Command) -> None:
    command("run", "--judge", JUDGE)
    script.models, script.model = ("other",), "other"
    script.verdicts = {**script.verdicts, "Hm.": 1}
    status, document = command("rescore", "--judge", "openai_chat:other")
    assert status == 0
    assert values(document)[(OPEN, "answer_voicebench-open_openai_chat-other")] == 3
    assert JUDGED.items() <= values(document).items()


def test_a_server_that_is_not_there_ends_the_run_and_says_how_to_go_without(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    status, document = command("run", "--judge", JUDGE)
    assert status == 2
    assert "--judge '' asks no judge" in document["error"]


@pytest.mark.parametrize(
    ("judge", "why"),
    [
        ("whisper:x", "must be openai_chat:MODEL"),
        (f"{JUDGE},recipe=judge-1-5", "must be OPTION=VALUE"),
        (JUDGE, "no task of this run says what a judge grades of it"),
    ],
)
def test_what_is_no_judge_and_a_run_with_nothing_to_be_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], judge: str, why: str
) -> None:
    run = [
        "--systems",
        "echo",
        "--tasks",
        "mini_asr",
        "--limit",
        "1",
        "--device",
        "cpu",
        "--out",
        str(tmp_path / "run"),
    ]
    if judge == JUDGE:  # nor does a run begin in which it would have nothing to do
        assert main(["run", *run, "--transcriber", "", "--judge", judge]) == 2
        assert (why in capsys.readouterr().err, (tmp_path / "run").exists()) == (True, False)
    assert main(["run", *run, "--transcriber", ""]) == 0
    assert main(["rescore", str(tmp_path / "run"), "--judge", judge]) == 2
    assert why in capsys.readouterr().err


def test_captions_are_graded_beside_their_references(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], script: Script
) -> None:
    pytest.importorskip("yaml")
    data, answers = macs(tmp_path / "MACS"), tmp_path / "captions.jsonl"
    for recording in data.rglob("*.wav"):
        recording.write_bytes(tone(100))
    captions = {"airport-a": "A tram.", "park-b": "Birds."}
    answers.write_text("".join(json.dumps({"id": name, "text": text}) + "\n" for name, text in captions.items()))
    script.verdicts = {"A tram.": 10, "Birds.": 70}
    run = ["--systems", f"recorded:{answers}", "--tasks", "macs", "--data", f"macs={data}", "--judge", JUDGE]
    assert main(["run", *run, "--out", str(tmp_path / "run"), "--device", "cpu", "--json"]) == 0
    found = {one["metric"]: one["value"] for one in json.loads(capsys.readouterr().out.splitlines()[-1])["results"]}
    assert list(found) == ["clair_a", "cider_d", "rouge_l"]
    assert found["clair_a"] == 40
