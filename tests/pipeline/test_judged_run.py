"""A whole run graded by a judge on loopback: paid once, taken up again, told apart where it failed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("openai", reason="needs the extra judge")

from tttbench.cli.main import main
from tttbench.core.derivation import Derived
from tttbench.core.errors import StorageError
from tttbench.store import schema
from tttbench.store.run_directory import RunStore

from ..derive.judge_server import Script, serving

ROOT = Path(__file__).parents[2]
CITIES = ["Paris", "Rome", "Madrid", "Vienna", "Oslo", "Lisbon", "Berlin", "Prague", "Athens", "Cairo"]
RIGHT = {f"It is {city}." for city in CITIES[:6]}
"""Of ten answers six are right, in words that name the city; the other four name another one."""
JUDGE = "answer:judge=openai_chat:scripted"

Command = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    with serving(Script(dict.fromkeys(RIGHT, "yes"))) as script:
        monkeypatch.setenv("OPENAI_BASE_URL", script.url)
        yield script


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run ``tttbench`` with these words; ``run`` with ten questions, whose answers are recorded."""
    questions, answers = tmp_path / "questions.jsonl", tmp_path / "answers.jsonl"
    rows = [{"id": f"q{at}", "question": f"Capital {at}?", "answer": city} for at, city in enumerate(CITIES)]
    questions.write_text("\n".join(map(json.dumps, rows)))
    said = [f"It is {city}." if at < 6 else f"It is {CITIES[0]}, not {city}!" for at, city in enumerate(CITIES)]
    answers.write_text("\n".join(json.dumps({"id": f"q{at}", "text": text}) for at, text in enumerate(said)))

    def call(name: str, *words: str) -> tuple[int, dict[str, Any]]:
        started = ["--systems", f"recorded:{answers}", "--tasks", "qa_folder_text", "--device", "cpu"]
        started += ["--data", f"qa_folder_text={questions}", "--out", str(tmp_path / "run")]
        given = started if name == "run" else [str(tmp_path / "run")]
        status = main([name, *given, *words, "--json"])
        captured = capsys.readouterr()
        document: dict[str, Any] = json.loads(captured.out.splitlines()[-1]) if captured.out else {}
        return status, {**document, "err": captured.err, "out": captured.out}

    return call


def result(document: dict[str, Any], metric: str = "answer_openai_chat-scripted") -> dict[str, Any]:
    (found,) = [one for one in document["results"] if one["metric"] == metric]
    return dict(found)


def test_answers_are_judged_once_and_what_it_cost_is_told(script: Script, command: Command, tmp_path: Path) -> None:
    status, document = command("run", "--add", f"{JUDGE},price_in=1")
    found = result(document)
    assert (status, found["value"], found["n"], found["ok"]) == (0, 0.6, 10, 10)
    assert "judge: openai_chat:scripted; prompt judge-binary@1; 1 vote" in found["recipe"]
    (total,) = document["derived"]
    assert (total["n"], total["failed"]) == (10, 0)
    assert (total["cost"]["requests"], total["cost"]["tokens_in"], total["cost"]["tokens_out"]) == (11, 1100, 55)
    line = "Judge openai_chat:scripted (judge-binary): 10 answers graded, 11 requests, 1,100 tokens in, 55 tokens out"
    assert f"{line}, less than 0.01 USD." in document["out"]
    assert line in (tmp_path / "run" / "report.html").read_text()
    assert sorted(script.answers()) == sorted({*RIGHT, *(f"It is Paris, not {city}!" for city in CITIES[6:])})
    script.bodies.clear()
    status, again = command("rescore")
    assert (status, result(again)["value"], script.bodies) == (0, 0.6, [])
    # What changes no verdict is the same judge and the same score: nobody is asked again.
    status, again = command("rescore", "--add", f"{JUDGE},concurrency=2")
    assert (status, result(again)["value"], script.bodies) == (0, 0.6, [])
    assert [one["metric"] for one in again["results"]] == [one["metric"] for one in document["results"]]
    with RunStore.open(tmp_path / "run") as store:
        (spec,) = [one for one in store.manifest.tasks["qa_folder_text"].scores if one.scorer == "answer"]
    assert spec.options == {"judge": "openai_chat:scripted", "price_in": "1", "concurrency": "2"}


def test_a_judge_and_a_score_for_it_may_be_given_in_one_call(script: Script, command: Command) -> None:
    command("run")
    status, document = command("rescore", "--judge", "openai_chat:scripted", "--add", "answer")
    assert (status, result(document, "answer")["value"], len(script.bodies)) == (0, 0.6, 10)


def test_kept_verdicts_need_no_server_no_address_and_no_package(
    script: Script, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    command("run", "--add", JUDGE)
    monkeypatch.delenv("OPENAI_BASE_URL")
    monkeypatch.setattr("tttbench.core.extras.is_installed", lambda module: module != "openai")
    status, document = command("rescore")
    assert (status, result(document)["value"]) == (0, 0.6)


def test_the_recipe_of_a_judge_that_had_nothing_to_grade_is_that_of_one_that_had(
    script: Script, command: Command, tmp_path: Path
) -> None:
    _, graded = command("run", "--add", f"{JUDGE},votes=3")
    texts = (tmp_path / "answers.jsonl").read_text().splitlines()
    (tmp_path / "answers.jsonl").write_text("\n".join(json.dumps({**json.loads(one), "text": "…"}) for one in texts))
    (tmp_path / "run").rename(tmp_path / "graded")
    script.bodies.clear()
    script.trials.clear()
    _, mute = command("run", "--add", f"{JUDGE},votes=3")
    one, other = (result(document, "answer_openai_chat-scripted_3") for document in (graded, mute))
    assert (other["recipe"], other["empty"], script.trials, script.bodies) == (one["recipe"], 10, [], [])


def test_verdicts_are_found_under_another_name_of_the_judge_and_what_they_cost_is_told(
    script: Script, command: Command, tmp_path: Path
) -> None:
    command("run", "--add", JUDGE)
    with RunStore.open(tmp_path / "run", write=True) as store:
        store.write_manifest(replace(store.manifest, derivers={}))
    script.trials.clear()
    _, document = command("rescore", "--add", f"{JUDGE},concurrency=2")
    # Nobody is asked, not even whether the server takes all parts of a request.
    assert (script.trials, [one["n"] for one in document["derived"]]) == ([], [10])


def test_a_run_with_an_id_of_all_options_keeps_it_when_it_is_scored_or_resumed(
    script: Script, command: Command, tmp_path: Path
) -> None:
    words = ("--add", f"{JUDGE},concurrency=3,retries=1")
    command("run", *words)
    former = "answer_openai_chat-scripted_3_1"
    with RunStore.open(tmp_path / "run", write=True) as store:  # as development versions wrote it
        manifest = store.manifest
        task = manifest.tasks["qa_folder_text"]
        scores = tuple(replace(one, id=former) if one.scorer == "answer" else one for one in task.scores)
        store.write_manifest(replace(manifest, tasks={"qa_folder_text": replace(task, scores=scores)}))
    script.bodies.clear()
    for name, more in (("rescore", ()), ("rescore", words), ("run", (*words, "--resume"))):
        status, document = command(name, *more)
        assert [one["metric"] for one in document["results"] if "answer" in one["metric"]] == [former], name
        assert (status, result(document, former)["value"]) == (0, 0.6)
    assert script.bodies == []


def test_other_votes_and_prompts_stand_beside_the_first(script: Script, command: Command) -> None:
    command("run", "--add", JUDGE)
    script.bodies.clear()
    script.verdicts = dict.fromkeys(RIGHT, 5)
    script.default = 2
    status, document = command("rescore", "--add", "answer=grade:judge=openai_chat:scripted,recipe=judge-1-5,votes=3")
    assert (status, result(document, "grade")["value"]) == (0, pytest.approx(3.8))
    assert (result(document)["value"], len(script.bodies)) == (0.6, 10)


def test_a_score_whose_id_another_one_has_is_refused(script: Script, command: Command) -> None:
    command("run", "--add", JUDGE)
    status, document = command("rescore", "--add", "answer=text_accuracy:judge=openai_chat:scripted")
    why = "score 'text_accuracy': the run has one of that id, by text_accuracy; give this one another: answer=ID:…"
    assert (status, why in document["error"]) == (2, True), document
    status, document = command("rescore", "--add", f"answer=answer_openai_chat-scripted:judge={JUDGE[13:]},votes=3")
    assert (status, "the run has one of that id, with another votes" in document["error"]) == (2, True), document
    # The same score again is no fault.
    assert command("rescore", "--add", JUDGE)[0] == 0


def test_verdicts_that_failed_are_outside_of_the_value_until_they_are_made_anew(
    script: Script, command: Command
) -> None:
    script.raw = {"It is Paris.": ["Hm."], "It is Paris, not Cairo!": ["Yes. No."]}
    status, document = command("run", "--add", JUDGE)
    found = result(document)
    # 5 of 8.
    assert (status, found["value"], found["derivation_failed"]) == (1, 0.625, 2)
    assert document["derived"][0]["failed"] == 2
    script.raw = {}
    script.bodies.clear()
    command("rescore")
    assert script.bodies == []
    # A server that isn't there, or a wrong score, takes nothing back.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
        status, document = command("rescore", "--retry-errors")
        assert (status, "no server answers" in document["error"]) == (2, True)
    assert command("rescore", "--retry-errors", "--add", "none_such")[0] == 2
    status, document = command("rescore")
    assert result(document)["derivation_failed"] == 2
    spent = document["derived"][0]["cost"]
    status, document = command("rescore", "--retry-errors")
    assert (status, result(document)["value"], len(script.bodies)) == (0, 0.6, 2)
    # What the replies cost that couldn't be read stays part of the cost: 1 + 10 requests, 2 again, and a trial again.
    cost = document["derived"][0]["cost"]
    assert (spent["requests"], cost["requests"], cost["tokens_in"], cost["tokens_out"]) == (11, 14, 1400, 70)
    assert command("rescore")[1]["derived"][0]["cost"] == cost


@pytest.mark.slow
def test_after_kill_9_in_the_middle_of_a_batch_only_what_is_missing_is_asked_again(
    script: Script, command: Command, tmp_path: Path
) -> None:
    assert command("run")[0] == 0
    held = "It is Rome."
    script.held = frozenset({held})
    words = ["rescore", str(tmp_path / "run"), "--add", f"{JUDGE},concurrency=10,retries=0"]
    process = subprocess.Popen(
        [sys.executable, "-m", "tttbench", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert _wait_until(lambda: len(_kept(tmp_path / "run")) == 9 and len(script.bodies) == 10, process)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(60)
    script.released.set()
    script.bodies.clear()
    status, document = command("rescore", "--add", f"{JUDGE},concurrency=10,retries=0")
    assert (status, document["results"][-1]["value"], script.answers()) == (0, 0.6, [held])


def _kept(folder: Path) -> list[str]:
    """What was derived, as a reader sees it beside the writer."""
    with contextlib.closing(schema.open_to_read(folder / schema.JOURNAL)) as journal:
        return [one for (one,) in journal.execute("SELECT status FROM derived")]


def _wait_until(is_so: Callable[[], bool], process: subprocess.Popen[bytes]) -> bool:
    """Look again and again while the process is running, for some minutes at most."""
    for _ in range(2_000):
        if process.poll() is not None:
            return False
        if is_so():
            return True
        time.sleep(0.1)
    return False


def test_a_crash_in_the_middle_of_a_batch_loses_no_verdict_that_has_arrived(
    script: Script, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    command("run")
    kept: list[str] = []
    whole = RunStore.save_derived

    def full_after_four(self: RunStore, recipe: str, derived: Mapping[str, Derived]) -> None:
        if len(kept) == 4:
            raise StorageError("the disk is full.")
        whole(self, recipe, derived)
        kept.extend(derived)

    with monkeypatch.context() as patch:
        patch.setattr(RunStore, "save_derived", full_after_four)
        assert command("rescore", "--add", f"{JUDGE},concurrency=10")[0] == 1
    for _ in range(3_000):  # what was under way reaches the server after the crash
        if len(script.bodies) == 10:
            break
        time.sleep(0.01)
    script.bodies.clear()
    status, document = command("rescore", "--add", f"{JUDGE},concurrency=10")
    assert (status, document["results"][-1]["value"], len(script.bodies)) == (0, 0.6, 6)


def test_a_judge_is_not_cut_off_by_a_limit_that_its_own_settings_go_beyond(
    script: Script, command: Command, tmp_path: Path
) -> None:
    command("run")
    with RunStore.open(tmp_path / "run", write=True) as store:
        suite = replace(store.manifest.suite, timeout_s=0.02)
        store.write_manifest(replace(store.manifest, suite=suite))
    script.held = frozenset({"It is Rome."})
    timer = threading.Timer(0.5, script.released.set)
    timer.start()
    status, document = command("rescore", "--add", f"{JUDGE},timeout_s=60,retries=0,concurrency=1")
    timer.join()
    assert (status, document["results"][-1]["value"], document["results"][-1]["ok"]) == (0, 0.6, 10)


def test_a_server_that_is_not_there_stops_a_run_before_it_begins(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    status, document = command("run", "--add", JUDGE)
    assert (status, (tmp_path / "run").exists()) == (2, False)
    assert "no server answers at http://127.0.0.1:9/v1/" in document["error"]
    # Nor does a run that is there get a score without one.
    assert command("run")[0] == 0
    status, document = command("rescore", "--add", JUDGE)
    assert status == 2
    assert [one["metric"] for one in command("rescore")[1]["results"]] == ["text_accuracy"]


def test_what_is_asked_of_answers_without_error_rates_and_of_other_tables_is_refused(
    command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("run")[0] == 0
    status, document = command("explain", "--steps", "whisper-em")
    assert (status, "is no preset that is made of steps. Did you mean 'whisper-en'" in document["error"]) == (2, True)
    status, document = command("explain", "--steps", "whisper-en")
    assert (status, "takes error rates apart, and these answers have none" in document["error"]) == (2, True)
    tables = ["tables", str(tmp_path / "run"), "--out", str(tmp_path / "tables")]
    assert main([*tables, "--name", "qa_folder_txt=web_questions"]) == 2
    assert "these runs have no such system or task. Did you mean 'qa_folder_text'?" in capsys.readouterr().err
    assert main(tables) == 0
    assert "No cell is measured: these runs have other systems or tasks (qa_folder_text)" in capsys.readouterr().out


def test_a_judge_is_given_no_task_without_questions(
    script: Script, command: Command, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from tttbench.core.scores import parse_score
    from tttbench.pipeline.default_scores import added

    assert added([parse_score(JUDGE)], (), (), "mini_asr", "asr") == ()
    assert "asks no questions that a judge could grade" in caplog.text
