"""Web Questions spoken by a voice, graded by match and by a judge, and corrected by labels, as the docs have it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("openai", reason="needs the extra judge")
pytest.importorskip("piper", reason="needs the extra voices")

from tttbench.cli.main import main
from tttbench.derive.judge.checking import KINDS, check_items

from ..derive.judge_server import Script, serving

N = 30
RIGHT = 0.6
TASK, JUDGE = "web_questions_spoken", "openai_chat:scripted"


class World:
    """Thirty questions as published; of the answers 60 % are right, and neither matcher nor judge sees all of it.

    Attributes:
        is_right: by answer.
        verdicts: of the judge: it takes one in four wrong answers, and refuses one in twenty right ones.
        matched: how many answers hold an alias.
    """

    def __init__(self, questions: Path, answers: Path) -> None:
        rows = json.loads(questions.read_text(encoding="utf-8"))[:N]
        rng = np.random.default_rng(5)
        right = set(rng.permutation(N)[: round(RIGHT * N)].tolist())
        self.is_right: dict[str, bool] = {}
        self.matched = 0
        for at, row in enumerate(rows):
            name = row["answers"][0]
            if at not in right:
                # Every fifth names the right answer, and settles on another one.
                text = (
                    f"Answer {at}: some say {name}, but I say Atlantis." if at % 5 == 0 else f"Answer {at}: Atlantis."
                )
            else:
                text = f"Answer {at}: {name}." if at % 6 else f"Answer {at}: {name[0]}{name}q."  # misspelled
            self.matched += at % 6 != 0 if at in right else at % 5 == 0
            self.is_right[text] = at in right
        lines = [{"id": row["qId"], "text": text} for row, text in zip(rows, self.is_right, strict=True)]
        answers.write_text("".join(json.dumps(line) + "\n" for line in lines))
        off = {text: rng.random() < (0.05 if is_right else 0.25) for text, is_right in self.is_right.items()}
        self.verdicts = {text: "yes" if one != off[text] else "no" for text, one in self.is_right.items()}

    def fill(self, sheet: Path) -> None:
        """Label a sheet by how its answers were made."""
        rows = list(csv.DictReader(io.StringIO(sheet.read_text("utf-8-sig"), newline="")))
        for row in rows:
            row["label"] = "yes" if self.is_right[row["answer"]] else "no"
        with sheet.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)


@pytest.mark.slow
def test_questions_are_spoken_answered_judged_and_corrected(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def call(*words: str, status: int = 0) -> dict[str, Any]:
        capsys.readouterr()
        assert main([*words, "--json"]) == status
        document: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
        return document

    folder = shared_data / "webquestions"
    world = World(folder / "test.json", tmp_path / "answers.jsonl")
    known = {one.answer: "yes" if KINDS[one.kind] == "yes" else "no" for one in check_items()}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TTTBENCH_CACHE", str(tmp_path / "cache"))
    with serving(Script({**world.verdicts, **known})) as script:
        monkeypatch.setenv("OPENAI_BASE_URL", script.url)
        assert call("judge", "check", JUDGE)["usable"]
        asked = [
            "--systems",
            "recorded:answers.jsonl",
            "--tasks",
            TASK,
            "--data",
            f"{TASK}={folder}",
            "--device",
            "cpu",
        ]
        asked += ["--limit", str(N), "--transcriber", "", "--judge", JUDGE, "--out", "run"]
        document = call("run", *asked, "--add", "text_accuracy:recipe=contains-alias")
    values = {one["metric"]: one["value"] for one in document["results"]}
    assert values["text_accuracy_contains-alias"] == pytest.approx(world.matched / N)
    judged = sum(verdict == "yes" for verdict in world.verdicts.values()) / N
    assert (values["answer"], judged != RIGHT) == (pytest.approx(judged), True)
    assert "piper:joe" in Path("run/manifest.json").read_text()
    spoken = list(Path("cache/speech").rglob("*.flac"))
    assert len(spoken) == N
    for score in ("answer", "text_accuracy_contains-alias"):
        sheet = Path(call("judge", "sample", "run", "--n", "20", "--score", score)["sheet"])
        world.fill(sheet)
        found = next(one for one in call("judge", "correct", "run", str(sheet))["corrected"] if one["metric"] == score)
        assert (found["raw"], found["n_labels"]) == (pytest.approx(values[score]), 20)
        assert found["ci_low"] < RIGHT < found["ci_high"]
    assert "corrected by 20 labels" in Path("run/report.html").read_text()
