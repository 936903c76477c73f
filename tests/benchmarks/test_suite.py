"""``benchmarks/suite.py`` at its smallest scale: parts, goals, what is saved; and that its data are what they claim."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from benchmarks import suite_parts
from benchmarks.suite import NAMES, main, markdown, rows
from benchmarks.suite_parts import PARTS, Figure, Parts
from benchmarks.suite_run import SYSTEM, write_run
from benchmarks.suite_texts import number_words, pairs
from benchmarks.written_view import WrittenView, dictated
from tttbench.core.plugins import build_scorer
from tttbench.core.scorer import ScoreSpec
from tttbench.store.run_directory import RunStore


def run(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, dict[str, Any], list[str]]:
    status = main(["--scale", "tiny", *options])
    lines = capsys.readouterr().out.splitlines()
    return status, json.loads(lines[-1]), lines[:-1]


@pytest.mark.slow
def test_every_part_is_measured_shown_and_saved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, document, table = run(capsys, "--save", str(tmp_path))
    assert (status, document["failed"], list(document["parts"])) == (0, [], list(NAMES))
    assert [line.split()[0] for line in table[1:]] == [*NAMES, "report"]
    assert json.loads((tmp_path / "suite.json").read_text()) == document
    page = (tmp_path / "suite.md").read_text()
    for name, part in document["parts"].items():
        assert all(figure["value"] > 0 for figure in part["figures"])
        assert part["machine"]["load"] >= 0
        assert f"`{name}`: {part['began']}" in page


def test_names_are_those_of_the_parts() -> None:
    assert tuple(PARTS) == NAMES


def test_a_value_up_to_its_goal_has_met_it() -> None:
    verdicts = [Figure("", value, "s", goal).verdict for value, goal in ((5.0, 5.0), (5.1, 5.0), (5.1, None))]
    assert verdicts == ["met", "missed", ""]


def test_goals_stand_beside_their_measurements() -> None:
    seconds = {"what": "report", "value": 12.345, "unit": "s", "goal": 10.0, "cpu_s": 11.0, "verdict": "missed"}
    size = {"what": "size", "value": 11.0, "unit": "MB", "goal": 15.0, "cpu_s": None, "verdict": "met"}
    assert rows({"report": {"figures": [seconds, size]}, "assess": {"error": "ValueError: no"}}) == [
        ("report", "report", "12.35 s", "11.00", "<= 10 s", "missed"),
        ("report", "size", "11.00 MB", "", "<= 15 MB", "met"),
        ("assess", "ValueError: no", "", "", "", "failed"),
    ]


def test_a_part_that_fails_is_named_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(parts: Parts) -> list[Figure]:
        raise ValueError("no words")

    monkeypatch.setattr(suite_parts, "PARTS", {**PARTS, "scoring": broken})
    status, document, table = run(capsys, "--only", "scoring", "--only", "*_counts")
    assert (status, document["failed"], list(document["parts"])) == (1, ["scoring"], ["scoring", "bootstrap_counts"])
    assert "ValueError: no words" in table[1]
    assert "failed" in markdown(document["parts"], "tiny")


def test_parts_that_were_saved_before_are_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("bootstrap_values", "bootstrap_counts"):
        _, document, _ = run(capsys, "--only", name, "--save", str(tmp_path))
        assert list(document["parts"]) == [name]
    saved = json.loads((tmp_path / "suite.json").read_text())
    assert list(saved["parts"]) == ["bootstrap_counts", "bootstrap_values"]


@pytest.mark.parametrize(
    ("content", "said"),
    [('{"scale": "full", "parts": {}}', "holds scale 'full', not 'tiny'"), ('{"parts": 3}', "not a record")],
)
def test_what_could_not_be_saved_is_not_measured(
    content: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "suite.json").write_text(content)
    with pytest.raises(SystemExit, match="2"):
        main(["--scale", "tiny", "--save", str(tmp_path)])
    err = capsys.readouterr().err
    assert said in err
    assert "…" not in err


def test_an_unknown_part_is_refused_with_the_names_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--only", "scorin"])
    assert "bootstrap_clusters" in capsys.readouterr().err


def test_sentences_have_a_dozen_words_a_tenth_of_them_wrong() -> None:
    made = pairs(2_000, 1)
    wer = build_scorer(ScoreSpec("wer", "wer"))
    scores = [wer.score(dictated("", one.reference), WrittenView(one.hypothesis)) for one in made]
    assert 0.09 < sum(s.numerator for s in scores if s) / sum(s.denominator for s in scores if s) < 0.14
    assert 11 < sum(len(one.reference.split()) for one in made) / len(made) < 14
    assert len({one.reference for one in made}) > 1_950
    assert made[:5] == pairs(5 * 400, 1)[:5] != pairs(2_000, 2)[:5]


@pytest.mark.parametrize(
    ("n", "words"),
    [(0, "zero"), (42, "forty-two"), (900, "nine hundred"), (1_005, "one thousand and five"), (20, "twenty")],
)
def test_numbers_are_written_as_they_are_spoken(n: int, words: str) -> None:
    assert number_words(n) == words


def test_answers_have_the_traces_of_block_diffusion(tmp_path: Path) -> None:
    write_run(tmp_path / "run", 120, 0)
    with RunStore.open(tmp_path / "run") as store:
        answers = list(store.answers(SYSTEM))
    assert [answer.status for answer in answers].count("error") == 1
    for answer in answers:
        if answer.response is None:
            continue
        trace, codes = answer.response.trace, len(answer.response.audio_codes or ())
        assert codes == sum(trace.spans) == len(trace.commit_step) == sum(one.n_codes for one in trace.audio_commits)
        assert all(span == 26 for span in trace.spans[:-1])
        assert "".join(trace.text_tokens) == answer.text
        assert trace.nfe == 1 + len(trace.text_tokens) + 4 * len(trace.audio_commits) >= max(trace.commit_step)
        assert all(early < late for early, late in pairwise(one.time_s for one in trace.chunks))
        assert answer.answer_s == pytest.approx(codes / 12.5)
