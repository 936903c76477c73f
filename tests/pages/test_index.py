"""The index of runs: what is found below a folder, what is said of each run, and that nothing is left out."""

from __future__ import annotations

import fcntl
import json
import math
import re
import shutil
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from tttbench.core.errors import UserError
from tttbench.core.metric import MetricInfo, Result
from tttbench.core.recipe import Recipe
from tttbench.pages import render_index
from tttbench.pages.index import Column, columns, index_page
from tttbench.pages.runs import RunLine, RunSystem, read_runs

RESULT = Result("a", "qa", "spoken_accuracy", 0.9, 0.85, 0.95, 40, 38, 1, 0, 0, 1, Recipe("r"), 0.9, 0.9)
SPOKEN = MetricInfo("Spoken answers right", unit="%", scale=100, aggregation="binary")
WER = MetricInfo("Word error rate", "WER", unit="%", scale=100, direction="lower", aggregation="rate")
RUN = RunLine(
    "one",
    "done",
    suite="mini",
    started="2026-01-02 03:04",
    expected=40,
    answered=40,
    counts={"ok": 38, "empty": 1, "error": 1},
    systems=(RunSystem("a", "f" * 64, (RESULT,)), RunSystem("b", "", (replace(RESULT, system="b", value=0.5),))),
    tasks={"qa": "Questions"},
    metrics={"spoken_accuracy": SPOKEN, "wer": WER},
)
BAD = "</script><img src=x onerror=alert(1)>\"'>{{ 1 }}<!--"


def line(runs: Path, path: str) -> RunLine:
    (found,) = [run for run in read_runs(runs) if run.path == path]
    return found


def test_runs_are_found_at_any_depth_newest_first_and_undated_ones_last(runs_dir: Path) -> None:
    assert [run.path for run in read_runs(runs_dir)] == ["first", "killed", "older runs/a: b #2", "broken"]


def test_hidden_folders_links_and_the_insides_of_runs_are_passed_over(tmp_path: Path, runs_dir: Path) -> None:
    shutil.copytree(runs_dir / "first", tmp_path / "run")
    shutil.copytree(runs_dir / "first", tmp_path / "run" / "inside")
    shutil.copytree(runs_dir / "first", tmp_path / ".trash" / "run")
    (tmp_path / "latest").symlink_to(tmp_path / "run")
    assert [run.path for run in read_runs(tmp_path)] == ["run"]


def test_a_run_says_what_it_was(runs_dir: Path) -> None:
    run = line(runs_dir, "older runs/a: b #2")
    assert (run.suite, run.title, run.status, run.started) == ("other", "Another suite", "done", "2025-12-31 23:30")
    assert (run.device, run.version, run.has_report) == ("cuda, Example GPU", "0.1.0", True)
    assert (run.expected, run.answered, run.failures) == (63, 63, 2)
    assert run.systems[0].weights_sha256 == sha256(b"ttt:mini").hexdigest()


def test_columns_are_the_primary_metric_of_each_task_as_in_the_summary(runs_dir: Path) -> None:
    name = "older runs/a: b #2"
    summary = json.loads((runs_dir / name / "summary.json").read_text())
    wanted = {
        (r["system"], r["task"], r["metric"]): (r["value"], r["ci_low"], r["ci_high"])
        for r in summary["results"]
        if (r["task"], r["metric"]) in {("mini_qa", "spoken_accuracy"), ("mini_asr", "wer")}
    }
    found = {
        (r.system, r.task, r.metric): (r.value, r.ci_low, r.ci_high)
        for system in line(runs_dir, name).systems
        for r in system.results
    }
    assert found == wanted
    assert len(found) == 7


def test_a_run_that_nobody_goes_on_with_is_interrupted(runs_dir: Path) -> None:
    run = line(runs_dir, "killed")
    assert (run.status, run.answered, run.expected, run.failures) == ("interrupted", 14, None, None)
    assert run.note == "no results yet: the run has not come to its end"


def test_a_run_that_is_being_written_is_running(runs_dir: Path) -> None:
    with (runs_dir / "killed" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert line(runs_dir, "killed").status == "running"


def damaged(runs_dir: Path, tmp_path: Path, file: str, text: str | None) -> RunLine:
    shutil.copytree(runs_dir / "first", tmp_path / "run")
    if text is None:
        (tmp_path / "run" / file).unlink()
    else:
        (tmp_path / "run" / file).write_text(text)
    return line(tmp_path, "run")


@pytest.mark.parametrize(
    ("file", "text", "reason"),
    [
        ("manifest.json", '{"status"', "manifest.json: not valid JSON: Expecting ':' delimiter"),
        ("manifest.json", "[]", "manifest.json: must hold a JSON object"),
        ("manifest.json", "{}", "manifest.json: format: missing"),
        (
            "manifest.json",
            '{"format": 3, "suite": {"name": "x"}, "sessions": 3}',
            "manifest.json: sessions: must be a list",
        ),
        ("manifest.json", None, "manifest.json: is missing; restore it, or run again."),
        ("summary.json", "{}", "summary.json: format: missing"),
        (
            "summary.json",
            '{"format": 3, "status": "done", "expected": 1, "answered": 1, "results": [1]}',
            "summary.json: results[0]:",
        ),
        ("journal.sqlite", None, "journal.sqlite: is missing; restore it, or run again."),
        ("journal.sqlite", "no database at all" * 9, "journal.sqlite: damaged (file is not a database)"),
    ],
)
def test_a_run_that_cannot_be_read_says_why(
    runs_dir: Path, tmp_path: Path, file: str, text: str | None, reason: str
) -> None:
    run = damaged(runs_dir, tmp_path, file, text)
    assert run.status == "unreadable"
    assert run.note.startswith(reason)


def test_a_folder_that_cannot_be_entered_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "closed").mkdir()
    real = Path.is_file

    def is_file(path: Path) -> bool:
        if path.parent.name == "closed":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(Path, "is_file", is_file)
    assert [(run.path, run.note) for run in read_runs(tmp_path)] == [
        ("closed", "the folder can't be entered: Permission denied")
    ]


def test_columns_are_those_of_all_runs() -> None:
    other = replace(RUN, systems=(RunSystem("a", "", (replace(RESULT, metric="wer"),)),))
    assert columns([RUN, other, RUN]) == (
        Column("qa", "Questions", "spoken_accuracy", SPOKEN),
        Column("qa", "Questions", "wer", WER),
    )


def test_a_column_sorts_a_run_by_its_best_system() -> None:
    assert Column("qa", "Questions", "spoken_accuracy", SPOKEN).best(RUN) == 0.9
    assert Column("qa", "Questions", "spoken_accuracy", WER).best(replace(RUN, metrics={"spoken_accuracy": WER})) == 0.5


def test_a_run_without_a_figure_has_none_to_sort_by() -> None:
    best = Column("qa", "Questions", "wer", WER).best(RUN)
    assert best != best


def test_the_page_shows_every_figure_with_its_interval() -> None:
    text = index_page([RUN], "runs")
    assert '<b data-value="0.9">90.0\u00a0%</b> <span class="ci">85.0 to 95.0</span>' in text
    assert '<b data-value="0.5">50.0\u00a0%</b>' in text
    assert "1 empty, 1 error" in text
    assert f'<code title="SHA-256 of the weights: {"f" * 64}">ffffffffffff</code>' in text


def test_answers_that_a_limit_cut_are_counted_whatever_their_status() -> None:
    assert ">3 cut by a limit</span>" in index_page([replace(RUN, cut=3)], "runs")
    assert "cut by a limit</span>" not in index_page([RUN], "runs")


def test_runs_say_the_title_of_their_suite_beside_its_name() -> None:
    text = index_page([replace(RUN, title="mine against theirs"), replace(RUN, path="two")], "runs")
    assert '>mini<span class="counts" title="mine against theirs">mine against theirs</span></td>' in text


def test_columns_of_one_heading_are_told_apart() -> None:
    def run(task: str, metric: str, info: MetricInfo) -> RunLine:
        result = replace(RESULT, task=task, metric=metric)
        return replace(RUN, systems=(RunSystem("a", "", (result,)),), tasks={task: "Mine"}, metrics={metric: info})

    mos, percent = MetricInfo("Opinion", "MOS"), MetricInfo("Opinion", "MOS", unit="%", scale=100)
    found = columns([run("qa", "mos", mos), run("qa_2", "mos", mos), run("qa", "mos", percent)])
    assert [(c.heading, c.names) for c in found] == [
        ("Mine: MOS", "qa no unit"),
        ("Mine: MOS", "qa_2 no unit"),
        ("Mine: MOS", "qa %"),
    ]
    # The same id in another unit is another column: no run stands in both.
    assert [[math.isfinite(c.best(run("qa", "mos", percent))) for c in found]] == [[False, False, True]]
    (alone,) = columns([run("qa", "mos", mos)])
    assert alone.names == ""
    assert "Mine: MOS <code>qa_2 %</code>" in index_page([run("qa", "mos", mos), run("qa_2", "mos", percent)], "runs")


def test_reports_are_linked_relatively_whatever_the_folder_is_called(runs_dir: Path) -> None:
    links = re.findall(r'href="([^#d][^"]*)"', render_index(runs_dir).read_text())
    assert links == ["first/report.html", "older%20runs/a%3A%20b%20%232/report.html"]


def test_a_run_without_a_report_is_not_linked_and_says_so() -> None:
    text = index_page([RUN], "runs")
    assert "one/report.html" not in text
    assert "no report" in text


def test_the_folder_of_a_run_can_be_indexed_itself(runs_dir: Path, tmp_path: Path) -> None:
    shutil.copytree(runs_dir / "first", tmp_path / "run")
    assert 'href="report.html"' in render_index(tmp_path / "run").read_text()


def test_the_page_can_be_written_again(runs_dir: Path) -> None:
    assert render_index(runs_dir) == render_index(runs_dir) == runs_dir / "index.html"


def test_a_page_of_somebody_else_is_not_overwritten(runs_dir: Path, tmp_path: Path) -> None:
    shutil.copytree(runs_dir / "first", tmp_path / "run")
    (tmp_path / "index.html").write_text("<title>mine</title>")
    with pytest.raises(UserError, match=r"index\.html: was not written by tttbench; move it away"):
        render_index(tmp_path)
    assert (tmp_path / "index.html").read_text() == "<title>mine</title>"


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no run at any depth"):
        render_index(tmp_path)
    with pytest.raises(UserError, match="no such folder"):
        render_index(tmp_path / "nowhere")


def test_hostile_names_stay_text_and_nothing_is_fetched() -> None:
    result = replace(RESULT, system=BAD, task=BAD, metric=BAD)
    run = RunLine(
        *(BAD, BAD, BAD),
        has_report=True,
        suite=BAD,
        title=BAD,
        started=BAD,
        counts={"error": 1},
        device=BAD,
        version=BAD,
        systems=(RunSystem(BAD, BAD, (result,)),),
        tasks={BAD: BAD},
    )
    text = index_page([run], BAD)
    assert "<img" not in text
    assert text.count("<script") == text.count("</script>") == 1
    assert not re.search(r"https?://|@import|url\((?!#)|<link(?! rel=\"icon\" href=\"data:,\")", text)
