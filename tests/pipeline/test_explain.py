"""``tttbench explain``: of runs and of files of texts, in the terminal, as JSON and as a page."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tttbench.cli.main import main
from tttbench.store.read_model import Run

from .conftest import Ended

REFERENCES = "a\tThe white paper\nb\tOne <b>colour</b>\n"


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    (tmp_path / "refs.tsv").write_text(REFERENCES, encoding="utf-8")
    (tmp_path / "one.tsv").write_text("a\tthe whitepaper\n\nb\tone color\n", encoding="utf-8")
    (tmp_path / "two.tsv").write_text("a\tThe white paper\n", encoding="utf-8")
    return tmp_path


def explain(capsys: pytest.CaptureFixture[str], *words: str | Path) -> Ended:
    capsys.readouterr()
    status = main(["explain", *map(str, words)])
    captured = capsys.readouterr()
    return Ended(status, captured.out, captured.err)


def values(document: dict[str, Any], rows: str, column: int = 0) -> dict[str, float]:
    (one,) = document["explanations"]
    return {row["name"]: row["cells"][column]["value"] for row in one[rows] if row["cells"]}


def test_files_of_answers_are_explained(texts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = texts / "page.html"
    files = [texts / "one.tsv", texts / "two.tsv"]
    ended = explain(capsys, *files, "--references", texts / "refs.tsv", "--json", "--html", page)
    assert ended.status == 0
    found = values(ended.document, "presets")
    assert (found["raw"], found["whisper-en"], found["open-asr-2026-07"]) == (1.0, 0.4, 0.0)
    # What isn't answered counts as if every word had been left out.
    assert values(ended.document, "presets", 1)["raw"] == 0.4
    assert "refs: Word error rate in %, 2 samples" in ended.out
    assert "split and joined words forgiven: 1 sample, e.g." in ended.out
    assert "  a: 2 → 0 errors" in ended.out
    html = page.read_text(encoding="utf-8")
    assert "<b>colour</b>" not in html
    assert "open-asr-2026-07, one step after the other" in html
    assert "1 dropped" in html


def test_only_line_ends_end_a_line(texts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (texts / "refs.tsv").write_text("a\tthe\u2028white\x85paper\r\nb\tone\x0ccolor\r\n", encoding="utf-8", newline="")
    (texts / "one.tsv").write_text("a\tthe white paper\r\nb\tone color", encoding="utf-8", newline="")
    ended = explain(capsys, texts / "one.tsv", "--references", texts / "refs.tsv", "--json")
    assert values(ended.document, "presets")["raw"] == 0


def test_runs_are_explained_as_they_were_scored(
    tones: Callable[..., Ended], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    assert tones("--out", run, "--tasks", "tone_asr").status == 0
    with Run.open(run) as opened:
        assert opened.summary is not None
        scored = {one.system: one.value for one in opened.summary.results if one.metric == "wer"}
    document = explain(capsys, run, "--json", "--examples", "0").document
    (one,) = document["explanations"]
    ours = next(row for row in one["presets"] if row["name"] == "en")
    assert {label: cell["value"] for label, cell in zip(one["columns"], ours["cells"], strict=True)} == scored
    assert all(cell["moved"] == [] for row in one["steps"] for cell in row["cells"])
    twice = explain(capsys, run, run, "--task", "tone_asr", "--json").document
    assert twice["explanations"][0]["columns"] == [f"{run}: {label}" for label in one["columns"]] * 2


def test_answers_are_explained_as_written_and_as_spoken(
    tones: Callable[..., Ended], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    assert tones("--out", run, "--tasks", "tone_qa").status == 0
    with Run.open(run) as opened:
        assert opened.summary is not None
        results = opened.summary.results
        scored = {
            metric: {one.system: one.value for one in results if (one.metric, one.task) == (metric, "tone_qa")}
            for metric in ("text_accuracy", "spoken_accuracy")
        }
    ended = explain(capsys, run, "--json")
    for one, metric in zip(ended.document["explanations"], ("text_accuracy", "spoken_accuracy"), strict=True):
        ours = next(row for row in one["presets"] if row["name"] == "ours (answer_match@2)")
        found = {label: cell["value"] for label, cell in zip(one["columns"], ours["cells"], strict=True)}
        assert found == {label: scored[metric][label] for label in found}
    assert "Written answers right in %" in ended.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["one.tsv", "--references", "missing.tsv"], "missing.tsv: no such file"),
        (["bad.tsv", "--references", "refs.tsv"], "bad.tsv, line 1: has no tab"),
        (["double.tsv", "--references", "refs.tsv"], "double.tsv, line 2: the id 'a' is there twice"),
        (["strange.tsv", "--references", "refs.tsv"], "no reference for the id 'c'"),
        (["empty.tsv", "--references", "refs.tsv"], "empty.tsv: has no line"),
        (["one.tsv", "--references", "refs.tsv", "--steps", "raw"], "--steps raw: is no preset that is made of steps"),
        (["one.tsv", "--references", "refs.tsv", "--language", "Engl_ish"], "--language must be a BCP 47 tag"),
        (["one.tsv", "--references", "refs.tsv", "--task", "nonsense"], "--task nonsense: files of answers have no"),
        (["run", "--language", "en"], "--language: is of the texts of --references"),
        (["one.tsv", "--references", "refs.tsv", "--html", "missing/page.html"], "--html missing/page.html"),
    ],
)
def test_what_cannot_be_explained_is_named(
    texts: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    monkeypatch.chdir(texts)
    for name, text in (("bad", "a text\n"), ("double", "a\tx\na\ty\n"), ("strange", "c\tx\n"), ("empty", "\n")):
        Path(f"{name}.tsv").write_text(text, encoding="utf-8")
    ended = explain(capsys, *words)
    assert ended.status == 2
    assert message in ended.err


def test_json_tells_what_failed(texts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ended = explain(capsys, texts / "nothing", "--json")
    assert (ended.status, json.loads(ended.out)["status"]) == (2, "failed")


@pytest.mark.parametrize("language", ["zh-TW", "cmn-Hans", "yue"])
def test_what_is_written_in_chinese_characters_is_explained_by_character(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], language: str
) -> None:
    (tmp_path / "refs.tsv").write_text("a\t佢哋喺度\n", encoding="utf-8")
    (tmp_path / "one.tsv").write_text("a\t佢地喺度\n", encoding="utf-8")
    ended = explain(
        capsys, tmp_path / "one.tsv", "--references", tmp_path / "refs.tsv", "--language", language, "--json"
    )
    found = values(ended.document, "presets")
    assert (found["zh"], "en" in found) == (0.25, False)


def test_a_language_without_spaces_is_explained_by_character(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "refs.tsv").write_text("a\t今日は雨です\n", encoding="utf-8")
    (tmp_path / "one.tsv").write_text("a\t今日は雪です。\n", encoding="utf-8")
    ended = explain(
        capsys, tmp_path / "one.tsv", "--references", tmp_path / "refs.tsv", "--language", "ja-JP", "--json"
    )
    found = values(ended.document, "presets")
    assert found["raw"] == pytest.approx(2 / 6)
    assert found["whisper-basic"] == pytest.approx(1 / 6)
    assert "refs: Error rate by character in %" in ended.out
