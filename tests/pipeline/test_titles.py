"""A run is called what was run: a suite's title and transcriber stand over that suite alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tttbench.cli.main import main
from tttbench.config.choose import CUSTOM, choose
from tttbench.config.suite import load_suite
from tttbench.pages.load import load as load_view
from tttbench.pages.page import page
from tttbench.pages.verdict import verdict
from tttbench.store.read_model import Run

MINI = load_suite("mini")


@pytest.mark.parametrize(
    ("systems", "tasks", "name", "has_title"),
    [
        ([], [], "mini", True),
        (["ttt:mini", "ttt:mini-ar", "ttt:mini-nar", "whisper:tiny.en"], [], "mini", True),
        (["ttt:mini"], [], "mini", False),
        (["echo"], [], "mini", False),
        ([], ["mini_qa"], "mini", False),
        (["echo"], ["asr_folder"], CUSTOM, False),
        ([], ["mini_qa", "asr_folder"], CUSTOM, False),
    ],
)
def test_a_suite_s_name_and_title_are_those_of_the_whole_suite(
    systems: list[str], tasks: list[str], name: str, has_title: bool
) -> None:
    chosen = choose(MINI, systems=systems, tasks=tasks, limit=3, seed=4)
    assert (chosen.name, bool(chosen.title)) == (name, has_title)


def test_own_recordings_in_a_suite_s_task_are_no_longer_that_suite(tmp_path: Path) -> None:
    chosen = choose(MINI, data={"mini_asr": tmp_path})
    assert (chosen.name, chosen.title) == ("mini", "")


def test_an_oracle_that_isn_t_run_is_no_oracle() -> None:
    suite = load_suite("decoding")
    assert suite.oracle
    assert choose(suite, systems=["ttt:mini"]).oracle == ""
    assert choose(suite, systems=[suite.oracle, "ttt:mini"]).oracle == suite.oracle


def test_an_own_system_on_own_recordings_says_nothing_of_the_mini_world(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "recordings"
    data.mkdir()
    for name in ("a", "b"):
        soundfile.write(data / f"{name}.wav", np.zeros(800, np.float32), 8_000)
    (data / "list.tsv").write_text("id\taudio\ttext\na\ta.wav\thello\nb\tb.wav\thello\n")
    answers = tmp_path / "answers.jsonl"
    answers.write_text("".join(json.dumps({"id": name, "text": "hello"}) + "\n" for name in ("a", "b")))
    words = ["run", "--systems", f"recorded:{answers}", "--tasks", "asr_folder", "--data", f"asr_folder={data}"]
    assert main([*words, "--device", "cpu", "--out", str(tmp_path / "run")]) == 0
    with Run.open(tmp_path / "run") as run:
        suite = run.manifest.suite
        assert suite.name == CUSTOM
        assert suite.title.startswith(f"recorded:{answers} on ")
        assert run.transcribers == ()
    view = load_view(tmp_path / "run")
    html = page(view)
    for text in (*verdict(view), html, capsys.readouterr().out):
        assert "Mini world" not in text
        assert "hybrid" not in text
    assert not [fact for fact in view.facts if fact.name == "transcriber"]
    # It is the same run when it goes on.
    assert main([*words, "--device", "cpu", "--out", str(tmp_path / "run"), "--resume"]) == 0
