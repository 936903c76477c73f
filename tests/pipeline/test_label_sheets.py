"""Answers drawn for a person to label, and results corrected by the labels; sheets that don't fit are refused."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("openai", reason="needs the extra judge")

from tttbench.cli.main import main

from ..derive.judge_server import Script, serving

N = 120
RIGHT = 0.6
SCORE = "judged"


class World:
    """A hundred and twenty questions; of recorded answers 60 % are right, and the judge is wrong on 15 %."""

    def __init__(self, folder: Path) -> None:
        rng = np.random.default_rng(1)
        self.folder = folder
        self.questions = folder / "questions.jsonl"
        rows = [{"id": f"q{at}", "question": f"What is {at}?", "answer": f"word{at}"} for at in range(N)]
        self.questions.write_text("\n".join(map(json.dumps, rows)))
        order = rng.permutation(N)
        self.is_right = {f"it is word{at}": bool(order[at] < RIGHT * N) for at in range(N)}
        # Wrong ones are right to the matcher, too: only a person knows.
        answers = [json.dumps({"id": f"q{at}", "text": f"it is word{at}"}) for at in range(N)]
        self.answers = folder / "answers.jsonl"
        self.answers.write_text("\n".join(answers))
        self.verdicts = {
            text: "yes" if is_right != bool(rng.random() < 0.15) else "no" for text, is_right in self.is_right.items()
        }

    def asks(self, out: str, *words: str, systems: str = "") -> list[str]:
        """The command that runs the recorded answers into the folder ``out``."""
        asked = ["run", "--systems", systems or f"recorded:{self.answers}", "--tasks", "qa_folder_text"]
        data = ["--data", f"qa_folder_text={self.questions}", "--out", str(self.folder / out)]
        return [*asked, *data, "--device", "cpu", "--batch-size", "60", *words]

    def label(self, sheet: Path, *, limit: int = N) -> None:
        """Fill in what a person would say, as a spreadsheet writes it."""
        rows = list(csv.DictReader(io.StringIO(sheet.read_text("utf-8-sig"), newline="")))
        for row in rows[:limit]:
            row["label"] = "Yes" if self.is_right[row["answer"]] else "no"
        with sheet.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), delimiter=";")
            writer.writeheader()
            writer.writerows(rows)


Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The world with a run of it that a judge has graded, in the folder ``run``."""
    made = World(tmp_path_factory.mktemp("world"))
    with serving(Script(made.verdicts)) as script:
        add = f"answer:judge=openai_chat:scripted,base_url={script.url}"
        assert main(made.asks("run", "--add", add.replace("answer:", f"answer={SCORE}:"))) == 0
    return made


@pytest.fixture
def world(judged: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A copy of that run, from where the commands are given."""
    shutil.copytree(judged.folder / "run", tmp_path / "run")
    monkeypatch.chdir(tmp_path)
    return judged


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    def call(*words: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main([str(word) for word in words])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


def swapped(text: str) -> str:
    """A sheet in which one column alone was sorted: two answers have each other's place."""
    head, *rows = [line.split(";") for line in text.split("\r\n") if line]
    rows[0][4], rows[1][4] = rows[1][4], rows[0][4]
    return "\r\n".join(";".join(row) for row in (head, *rows))


def corrected(out: str) -> dict[str, Any]:
    (found,) = json.loads(out.splitlines()[-1])["corrected"]
    return dict(found)


def test_a_sheet_corrects_the_result_within_its_interval(world: World, command: Command) -> None:
    status, out, _ = command("judge", "sample", "run", "--n", "80")
    sheet = Path(f"labels-qa_folder_text-{SCORE}.csv")
    assert status == 0
    assert f"{sheet}: 80 answers of {SCORE} on qa_folder_text, in random order" in out
    text = sheet.read_text("utf-8-sig")
    assert len(text.splitlines()) == 81
    assert "recorded:" not in text  # which system it was would sway a person
    world.label(sheet)
    status, out, _ = command("judge", "correct", "run", sheet, "--json")
    found = corrected(out)
    raw = sum(one == "yes" for one in world.verdicts.values()) / N
    assert (status, found["raw"], found["n"], found["n_labels"]) == (0, pytest.approx(raw), N, 80)
    assert found["ci_low"] < RIGHT < found["ci_high"]
    assert abs(found["value"] - RIGHT) < 0.1
    report = Path("run/report.html").read_text()
    assert f"corrected by 80 labels (the score is off on {found['n_differ']})" in report
    # It stays when the run is scored again, the raw value beside it.
    status, out, _ = command("rescore", "run", "--json")
    document = json.loads(out.splitlines()[-1])
    assert corrected(out) == found
    (value,) = [one["value"] for one in document["results"] if one["metric"] == SCORE]
    assert value == pytest.approx(raw)


def test_a_label_for_every_answer_is_the_truth(world: World, command: Command) -> None:
    status, _, err = command("judge", "sample", "run", "--n", "500", "--out", "all.csv")
    assert (status, "There are no more that could be labeled; 500 were asked for." in err) == (0, True)
    world.label(Path("all.csv"))
    found = corrected(command("judge", "correct", "run", "all.csv", "--json")[1])
    assert found["value"] == pytest.approx(RIGHT)


def test_a_spreadsheet_may_change_an_answer_s_looks_and_the_case_of_columns(world: World, command: Command) -> None:
    command("judge", "sample", "run", "--n", "20", "--out", "s.csv")
    world.label(Path("s.csv"))
    text = Path("s.csv").read_text("utf-8-sig").replace("it is", "It  is").replace("label", " Label ", 1)
    Path("s.csv").write_text(text.replace("Yes", "  YES "), encoding="utf-8-sig")
    assert corrected(command("judge", "correct", "run", "s.csv", "--json")[1])["n_labels"] == 20


def test_a_correction_stays_within_the_range_and_says_if_labels_are_too_few(world: World, command: Command) -> None:
    command("judge", "sample", "run", "--n", "5", "--out", "s.csv")
    sheet = Path("s.csv")
    sheet.write_text(sheet.read_text("utf-8-sig").replace(",\n", ",1\n"))
    out = command("judge", "correct", "run", "s.csv", "--json")[1]
    assert corrected(out)["value"] <= 1
    assert "corrected by 5 labels (the score is off on " in out
    assert "; too few labels for an interval)" in out


def test_rows_without_a_label_are_left_out_and_json_lines_work_as_well(world: World, command: Command) -> None:
    assert command("judge", "sample", "run", "--n", "40", "--out", "s.jsonl")[0] == 0
    rows = [json.loads(line) for line in Path("s.jsonl").read_text().splitlines()]
    assert set(rows[0]) == {"item", "task", "question", "right_answers", "answer", "audio", "label"}
    for row in rows[:25]:
        row["label"] = int(world.is_right[row["answer"]])
    Path("s.jsonl").write_text("\n".join(map(json.dumps, rows)))
    found = corrected(command("judge", "correct", "run", "s.jsonl", "--json")[1])
    assert found["n_labels"] == 25


@pytest.mark.parametrize("label", [1, 1.0, True, "1", "yes", "TRUE"])
def test_labels_may_be_numbers_and_truth_values_of_json(world: World, command: Command, label: object) -> None:
    command("judge", "sample", "run", "--n", "20", "--out", "s.jsonl")
    rows = [{**json.loads(line), "label": label} for line in Path("s.jsonl").read_text().splitlines()]
    assert all(row["item"][0].isalpha() for row in rows)  # or a spreadsheet takes it for a number
    Path("s.jsonl").write_text("\n".join(map(json.dumps, rows)))
    found = corrected(command("judge", "correct", "run", "s.jsonl", "--json")[1])
    assert (found["n_labels"], found["value"]) == (20, pytest.approx(1.0, abs=0.35))
    assert {one["value"] for one in json.loads(Path("run/labels.json").read_text())["labels"]} == {1.0}


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"label": 4}, "line 1 (label): '4' must be yes or no"),
        ({"label": [1]}, "line 1 (label): must be text or a number, not [1]"),
        ({"label": {"a": 1}}, "line 1 (label): must be text or a number"),
        ({"item": 7, "label": 1}, "line 1 (item): '7' is no graded answer"),
        ({"item": ["x"], "label": 1}, "line 1 (item): must be text or a number"),
    ],
)
def test_labels_of_json_that_are_none_are_named_with_line_and_field(
    world: World, command: Command, row: dict[str, object], why: str
) -> None:
    command("judge", "sample", "run", "--n", "20", "--out", "s.jsonl")
    first = json.loads(Path("s.jsonl").read_text().splitlines()[0])
    Path("s.jsonl").write_text(json.dumps({**first, **row}))
    status, _, err = command("judge", "correct", "run", "s.jsonl")
    assert (status, f"s.jsonl, {why}" in err) == (2, True), err


def test_answers_are_drawn_at_random_and_the_same_seed_draws_the_same(world: World, command: Command) -> None:
    drawn: list[list[str]] = []
    for seed in ("0", "0", "1"):
        name = f"s{len(drawn)}.csv"
        command("judge", "sample", "run", "--n", "50", "--seed", seed, "--out", name)
        drawn.append([row["item"] for row in csv.DictReader(Path(name).read_text("utf-8-sig").splitlines())])
    assert drawn[0] == drawn[1]
    assert len(set(drawn[0])) == 50
    assert set(drawn[2]) != set(drawn[0])


def test_systems_have_equal_shares_of_a_sheet(world: World, command: Command) -> None:
    half = world.folder / "half.jsonl"
    half.write_text("\n".join(world.answers.read_text().splitlines()[:10]))
    command(*world.asks("two", systems=f"recorded:{world.answers},recorded:{half}"))
    _, out, _ = command("judge", "sample", world.folder / "two", "--n", "60", "--out", "s.csv", "--json")
    # The one with ten answers gives all of them.
    assert json.loads(out.splitlines()[-1])["by_system"] == {f"recorded:{world.answers}": 50, f"recorded:{half}": 10}


def test_a_sheet_of_another_run_is_refused_and_nothing_changes(world: World, command: Command) -> None:
    command("judge", "sample", "run", "--n", "20", "--out", "s.csv")
    world.label(Path("s.csv"))
    other = world.folder / "other.jsonl"
    other.write_text(world.answers.read_text())
    assert command(*world.asks("other", systems=f"recorded:{other}"))[0] == 0
    status, _, err = command("judge", "correct", world.folder / "other", "s.csv")
    assert status == 2
    assert "s.csv, line 2 (item): " in err
    assert "The sheet was drawn from another run, task or transcript" in err
    assert not (world.folder / "other" / "labels.json").exists()


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (lambda text: text.replace("Yes", "maybe"), "'maybe' must be yes or no"),
        (lambda text: text.replace("Yes", "0.5"), "'0.5' must be yes or no"),
        (lambda text: text.replace("Yes", "").replace(";no", ";"), "holds no label"),
        (lambda text: text.replace("label", "verdict", 1), "line 2: has no field 'label' (fields: 'item', "),
        (lambda text: text + text.split("\r\n", 1)[1], "has a label already"),
        (lambda text: "", "holds no rows"),
        (lambda text: text.replace("label", "item", 1), "the column 'item' stands 2 times"),
        (lambda text: text.replace("Yes", "Yes;no", 1), "has 8 fields, not 7"),
        (lambda text: text.replace(";qa_folder_text;", ";mini_qa;", 1), "(task): 'mini_qa', but the item is of 'qa_fo"),
        (lambda text: swapped(text), "is another item's answer. Columns were mixed up"),
    ],
)
def test_what_is_wrong_with_a_sheet_is_named(
    world: World, command: Command, edit: Callable[[str], str], why: str
) -> None:
    command("judge", "sample", "run", "--n", "20", "--out", "s.csv")
    world.label(Path("s.csv"))
    Path("s.csv").write_bytes(edit(Path("s.csv").read_bytes().decode()).encode())
    status, _, err = command("judge", "correct", "run", "s.csv")
    assert (status, "s.csv" in err, why in err) == (2, True, True), err
    assert not Path("run/labels.json").exists()


def test_scores_by_match_can_be_corrected_too_and_a_sheet_is_never_written_over(world: World, command: Command) -> None:
    status, out, _ = command("judge", "sample", "run", "--n", "30", "--score", "text_accuracy", "--out", "s.csv")
    assert (status, "30 answers of text_accuracy" in out) == (0, True)
    world.label(Path("s.csv"))
    found = corrected(command("judge", "correct", "run", "s.csv", "--json")[1])
    assert (found["metric"], found["raw"]) == ("text_accuracy", 1.0)
    assert found["value"] < 0.9
    for words, why in (
        (["--out", "s.csv"], "is there already, maybe with labels"),
        (["--out", "s.xlsx"], "must end in .csv or .jsonl"),
        (["--task", "qa", "--out", "t.csv"], "has no such task. Known: qa_folder_text"),
        (["--score", "wer", "--out", "t.csv"], "no answer can be labeled for it"),
    ):
        status, _, err = command("judge", "sample", "run", *words)
        assert (status, why in err) == (2, True), err


def test_labels_of_answers_that_are_not_scored_so_any_longer_are_counted(world: World, command: Command) -> None:
    Path("run/labels.json").write_text(
        '{"labels": [{"item": "a", "value": 1}, {"item": "b", "value": 0}], "format": 1}'
    )
    status, _, err = command("rescore", "run")
    assert (status, "2 labels of labels.json aren't used" in err) == (0, True), err


def test_labels_that_are_damaged_are_named(world: World, command: Command) -> None:
    Path("run/labels.json").write_text('{"labels": [{"item": "a", "value": "yes"}], "format": 1}')
    status, _, err = command("rescore", "run")
    assert (status, "labels.json: labels[0].value" in err) == (2, True), err
