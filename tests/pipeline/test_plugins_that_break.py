"""Plug-ins that break when they are used: the message names them, nothing else of the run is lost."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest

from tttbench.cli.main import main
from tttbench.core import plugins
from tttbench.core.errors import UserError
from tttbench.core.exchange import Message, Request, Response
from tttbench.core.metric import MetricInfo, Score, plain_score, score_fault
from tttbench.core.sample import Sample
from tttbench.core.scorer import View
from tttbench.core.system import Capability, SystemCard
from tttbench.pipeline.jobs import BadAnswerError, respond_all
from tttbench.store.frames import load

from .conftest import Ended

Tones = Callable[..., Ended]
VALUE = MetricInfo("Value", lowest=0, highest=1)


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[[Sample], Any]], None]:
    """Register scorers of written answers for one test."""
    plugins.scorers.names()
    monkeypatch.setattr(plugins.scorers, "_entries", dict(plugins.scorers._entries))

    def one(name: str, verdict: Callable[[Sample], Any]) -> None:
        @plugins.scorer(name, VALUE)
        def _(sample: Sample, view: View) -> Any:
            return verdict(sample)

    return one


def raising(sample: Sample) -> float:
    if sample.id == "q3":
        raise ValueError("bad score")
    return 1.0


def raising_late(sample: Sample) -> float:
    """Only in the task with answers, when the scores of the other have been kept."""
    if sample.answer is not None:
        raise RuntimeError
    return 1.0


def ending(sample: Sample) -> float:
    raise GeneratorExit


def leaving(sample: Sample) -> float:
    raise SystemExit(3)


BROKEN: dict[str, tuple[Callable[[Sample], Any], str]] = {
    "raises": (raising, "of sample 'q3' (tone_asr): its scorer raised ValueError: bad score ("),
    "raises late": (raising_late, "of sample 'q0' (tone_qa): its scorer raised RuntimeError ("),
    "leaves": (leaving, "of sample 'q0' (tone_asr): its scorer raised SystemExit: 3 ("),
    "generator": (ending, "of sample 'q0' (tone_asr): its scorer raised GeneratorExit ("),
    "text": (
        lambda sample: "1",
        "its scorer raised TypeError: it returned a str, expected a number, a Score or None (",
    ),
    "list": (lambda sample: [1], "its scorer raised TypeError: it returned a list, expected a number"),
    "huge": (lambda sample: 10**400, "its scorer raised OverflowError: int too large"),
    "nan": (lambda sample: float("nan"), "its scorer can't be used: numerator and denominator must be finite numbers"),
    "beyond": (lambda sample: 5, "the value 5.0 lies outside of the metric's range, 0 to 1. Fix it, or leave it out."),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_scorer_that_breaks_is_named_with_the_sample_and_leaves_the_run_as_it_was(
    tones: Tones, tmp_path: Path, register: Callable[..., None], capsys: pytest.CaptureFixture[str], name: str
) -> None:
    run = tmp_path / "run"
    assert tones("--out", run).status == 0
    before = [json.loads((run / file).read_text()) for file in ("manifest.json", "summary.json")]
    verdict, says = BROKEN[name]
    register("broken", verdict)
    assert main(["rescore", str(run), "--add", "broken"]) == 2
    told = capsys.readouterr().err
    assert "score 'broken' of sample " in told
    assert says in told
    assert "defect" not in told
    assert [json.loads((run / file).read_text()) for file in ("manifest.json", "summary.json")] == before
    assert "broken" not in load(run).samples.columns
    # The next call isn't hindered.
    register("whole", lambda sample: 1.0)
    assert main(["rescore", str(run), "--add", "whole"]) == 0
    assert load(run).samples["whole"].dropna().tolist() == [1.0] * 12


def test_a_scorer_that_breaks_in_a_run_costs_no_answer(
    tones: Tones, tmp_path: Path, register: Callable[..., None]
) -> None:
    register("broken", raising)
    run = tmp_path / "run"
    ended = tones("--out", run, "--add", "broken")
    assert ended.status == 2
    assert "score 'broken' of sample 'q3'" in ended.err
    assert len(load(run).samples) == 12
    again = tones("--out", run, "--resume", "--json")
    assert (again.status, again.document["counts"]["ok"]) == (0, 12)


def test_a_metric_that_nobody_could_show_is_refused_when_it_is_made() -> None:
    for field, value in (("direction", "sideways"), ("aggregation", "mode")):
        with pytest.raises(ValueError, match=rf"MetricInfo\.{field}: must be .*, not '{value}'"):
            MetricInfo("Q", **cast("dict[str, Any]", {field: value}))
    with pytest.raises(ValueError, match=r"MetricInfo\.title: must be a text, not ''"):
        MetricInfo("")
    with pytest.raises(UserError, match="scorer 'q': its info is 'info', expected a MetricInfo"):
        plugins.scorer("q", cast("MetricInfo", "info"))


@pytest.mark.parametrize(
    ("score", "fault"),
    [
        (plain_score(0.5), ""),
        (plain_score(1.0 + 1e-12), ""),
        (plain_score(-1e-12), ""),
        (plain_score(1.1), "the value 1.1 lies outside of the metric's range, 0 to 1"),
        (plain_score(-0.1), "the value -0.1 lies outside of the metric's range, 0 to 1"),
        (plain_score(float("nan"), "derivation_failed"), ""),
        (
            Score(float("inf"), 1, 1, "ok"),
            "the value must be a finite number, not inf; an answer without one has another status",
        ),
        (Score(0.5, 1, float("nan"), "ok"), "numerator and denominator must be finite numbers, not 1 and nan"),
        (0.5, "it returned a float, expected a Score or None"),
    ],
)  # fmt: skip
def test_what_can_be_a_score(score: object, fault: str) -> None:
    assert score_fault(score, VALUE) == fault


def test_a_rate_without_reference_units_has_no_value_and_a_range_may_be_open() -> None:
    rate = MetricInfo("WER", aggregation="rate", direction="lower", lowest=0)
    assert score_fault(Score(float("nan"), 2, 0, "ok"), rate) == ""
    assert score_fault(Score(7.0, 7, 1, "ok"), rate) == ""
    assert score_fault(Score(-1.0, -1, 1, "ok"), rate) == "the value -1.0 lies outside of the metric's range, 0 to …"


class Broken:
    """A system whose ``generate`` does what it was made with."""

    card = SystemCard("broken", Capability())

    def __init__(self, does: Callable[[Sequence[Request]], object]) -> None:
        self._does = does

    def generate(self, requests: Sequence[Request]) -> Sequence[Response | Exception]:
        return cast("Sequence[Response | Exception]", self._does(requests))


def leave(requests: Sequence[Request]) -> None:
    raise SystemExit(3)


@pytest.mark.parametrize(
    ("does", "says"),
    [
        (lambda requests: None, "it returned a NoneType, expected a list with an answer to each request"),
        (lambda requests: (one for one in requests), "it returned a generator, expected a list"),
        (lambda requests: "x", "it returned a str, expected a list"),
        (lambda requests: [], "it returned 0 answers to 1 request"),
        (lambda requests: ["x", "y", "z"], "it returned 3 answers to 1 request"),
        (lambda requests: ["x" for _ in requests], "the system's answer can't be kept: must be a Response, not 'x'"),
        (leave, "it called sys.exit(3)"),
    ],
)
def test_whatever_a_system_returns_is_the_error_of_its_requests(
    does: Callable[[Sequence[Request]], object], says: str
) -> None:
    requests = [Request(name, (Message("user", "x"),)) for name in "ab"]
    outcomes = respond_all(Broken(does), requests)
    assert len(outcomes) == 2
    for outcome in outcomes:
        assert isinstance(outcome, RuntimeError | BadAnswerError)
        assert str(outcome).startswith(says)


def test_a_check_that_breaks_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def check(spec: str, options: object) -> None:
        raise ValueError("oops")

    plugins.systems.names()
    monkeypatch.setattr(plugins.systems, "_entries", dict(plugins.systems._entries))
    plugins.register_system("badly-checked", check=check)(lambda spec, options: Broken(lambda requests: []))
    assert main(["run", "mini", "--limit", "1", "--systems", "badly-checked:x"]) == 2
    told = capsys.readouterr().err
    assert "system 'badly-checked:x': its check raised ValueError: oops (" in told
    assert "test_plugins_that_break.py, line " in told


@pytest.mark.parametrize("executor", ["serial", "threads"])
def test_a_card_that_is_read_once_too_often_ends_no_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, executor: str
) -> None:
    """A card may come from a server that is gone later on."""

    class Shy(Broken):
        reads = 0
        most = 10**9

        @property
        def card(self) -> SystemCard:  # type: ignore[override]  # an attribute of other systems
            Shy.reads += 1
            if Shy.reads > Shy.most:
                raise RuntimeError("no card")
            return SystemCard("shy")

    plugins.systems.names()
    monkeypatch.setattr(plugins.systems, "_entries", dict(plugins.systems._entries))
    plugins.register_system("shy")(lambda spec, options: Shy(lambda requests: [Response("x")] * len(requests)))
    words = ["run", "mini", "--systems", "shy", "--tasks", "mini_asr", "--limit", "1", "--device", "cpu"]
    words += ["--transcriber", "", "--executor", executor, "--out"]
    assert main([*words, str(tmp_path / "run")]) == 0
    needed = Shy.reads
    for most in range(needed):
        Shy.reads, Shy.most = 0, most
        assert main([*words, str(tmp_path / str(most))]) in (1, 2)


FUNCTION = """
from tttbench.api import register_system

@register_system("{name}")
def build(spec, options):
    return lambda request: "{answer}"
"""

CLASS = """
from tttbench.api import Response, SystemCard, register_system

class Says:
    card = SystemCard("{name}"{identity})

    def generate(self, requests):
        return [Response("{answer}") for _ in requests]

@register_system("{name}")
def build(spec, options):
    return Says()
"""


TOLD = ", identity={{'version': '1'}}"


@pytest.mark.parametrize(
    ("kind", "source", "status"),
    [
        ("function", FUNCTION, 2),
        ("class", CLASS, 2),
        ("told", CLASS.replace("{identity}", ", identity={{'v': '1'}}"), 1),
    ],
)
def test_a_plug_in_that_was_edited_is_another_system_unless_its_card_says_what_it_is_made_of(
    tmp_path: Path, kind: str, source: str, status: int
) -> None:
    """Else a resumed run would hold the answers of both under one name."""
    name, file = f"edited_{kind}", tmp_path / "plugins" / f"edited_{kind}.py"
    file.parent.mkdir()

    def call(answer: str, *more: str) -> subprocess.CompletedProcess[str]:
        file.write_text(source.format(name=name, answer=answer, identity=""))
        words = ["run", "mini", "--include", str(file.parent), "--systems", name, "--tasks", "mini_asr", "--limit", "2"]
        words += ["--transcriber", "", "--device", "cpu", "--out", str(tmp_path / "run"), *more]
        env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        command = [sys.executable, "-m", "tttbench", *words]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False)

    assert call("one").returncode == 0
    with closing(sqlite3.connect(tmp_path / "run" / "journal.sqlite")) as journal:
        journal.execute("UPDATE answers SET status = 'error', response = NULL WHERE sample = 'asr-001'")
        journal.commit()
    again = call("two", "--resume", "--retry-errors")
    texts = load(tmp_path / "run").samples.set_index("sample").text.to_dict()
    if status == 2:
        assert again.returncode == 2
        assert f"identity of system {name} differs: the run has {{'plugin_sha256': " in again.stderr
        assert "two" not in texts.values()
    else:
        assert (again.returncode, texts) == (0, {"asr-000": "one", "asr-001": "two"})
