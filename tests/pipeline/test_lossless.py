"""Ways of decoding that are declared lossless are compared with their oracle on the run's own answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, ClassVar, cast

import pytest

from reference_model.decoding import DecodeConfig, make_strategy
from reference_model.decoding.lossless import oracle_of
from reference_model.decoding.strategies.topk import commits_per_step
from reference_model.decoding.strategy import Block, Filling, Look, register_strategy
from tttbench.cli.main import main
from tttbench.config.suite import SystemPlan
from tttbench.core.exchange import Response, Trace
from tttbench.core.system import Capability, SystemCard
from tttbench.core.task import Needs
from tttbench.pipeline import lossless
from tttbench.pipeline.lossless import first_difference
from tttbench.store.lossless import lossless_sentences
from tttbench.store.manifest import LosslessCheck, Manifest, SuiteEntry, SystemEntry, TaskEntry
from tttbench.store.rows import AnswerKey

if TYPE_CHECKING:
    from tttbench.pipeline.plan import Plan
    from tttbench.store.run_directory import RunStore


@register_strategy("test_broken")
@dataclass(frozen=True)
class Broken:
    """Says that its tokens are those of ``topk``, and writes the same code twice at the end of each block."""

    name: ClassVar[str] = "test_broken"
    next_token: ClassVar[bool] = False
    same_tokens_as: ClassVar[str] = "topk"

    def fill(self, block: Block) -> Filling:
        for count in commits_per_step(len(block), block.steps):
            if block.settled:
                return
            rows = block.open
            logits = yield Look()
            tokens, confidence = block.draw(logits[0])
            tokens[-1] = tokens[0]
            chosen = confidence.sort(descending=True, stable=True).indices[:count]
            block.commit([rows[i] for i in chosen.tolist()], tokens[chosen], confidence[chosen])


@pytest.mark.parametrize(
    ("strategy", "cache", "declared"),
    [
        ("topk", "exact", "cache exact as none"),
        ("topk", "block", ""),
        ("topk", "none", ""),
        ("speculate:depth=2,of=threshold:tau=0.8", "block", "strategy speculate as threshold:tau=0.8"),
        ("speculate", "exact", "strategy speculate as topk, cache exact as none"),
        ("mtp", "none", "strategy mtp as ar"),
    ],
)
def test_what_is_declared_lossless(strategy: str, cache: str, declared: str) -> None:
    settings = DecodeConfig(strategy=strategy, cache=cache)  # type: ignore[arg-type]  # a parameter's text
    oracle = oracle_of(settings, make_strategy(strategy))
    assert (oracle.declared if oracle else "") == declared
    if oracle is not None:
        assert oracle.settings.cache == ("none" if "cache" in declared else cache)
        assert oracle_of(oracle.settings, make_strategy(str(oracle.settings.strategy))) is None


@pytest.mark.parametrize(("every", "declared"), [(1, "cache refresh as none"), (2, None)])
def test_a_cache_that_is_refreshed_in_every_pass_is_lossless(every: int, declared: str | None) -> None:
    oracle = oracle_of(DecodeConfig(cache="refresh", refresh_every=every), make_strategy("topk"))
    assert (oracle and oracle.declared) == declared


ANSWER = Response("one two", (5, 6, 7), None, 16000, "stop", Trace(text_tokens=("one", " two"), spans=(3,)))


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        (ANSWER, ""),
        (replace(ANSWER, audio_codes=(5, 9, 7)), "audio token 1 is 6, the oracle's 9"),
        (replace(ANSWER, audio_codes=(5, 6)), "audio token 2 is 7, the oracle's none"),
        (replace(ANSWER, audio_codes=(5, 6, 7, 8)), "audio token 3 is none, the oracle's 8"),
        (
            replace(ANSWER, trace=Trace(text_tokens=("one", " too"), spans=(3,))),
            "text token 1 is ' two', the oracle's ' too'",
        ),
        (
            replace(ANSWER, trace=Trace(text_tokens=("one", " two"), spans=(1, 2))),
            "the spans of audio are (3,), the oracle's (1, 2)",
        ),
        (replace(ANSWER, text="one too"), "the text is 'one two', the oracle's 'one too'"),
    ],
)
def test_the_first_difference_names_its_place(other: Response, difference: str) -> None:
    assert first_difference(ANSWER, other) == difference


Run = Callable[..., int]


SUITE = """
limit = 2
[[tasks]]
name = "mini_qa"
scores = ["text_accuracy"]
[[systems]]
name = "ttt:mini"
label = "mine"
strategy = "{strategy}"
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run ``ttt:mini`` by a strategy on two questions, in ``tmp_path / "run"``; only what it writes is scored."""

    def call(strategy: str, *options: str) -> int:
        (tmp_path / "own.toml").write_text(SUITE.format(strategy=strategy))
        out = str(tmp_path / "run")
        return main(["run", str(tmp_path / "own.toml"), "--device", "cpu", "--out", out, *options])

    return call


def test_a_strategy_that_is_not_what_it_declares_makes_the_run_fail(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("test_broken", "--verify", "1") == 1
    said = capsys.readouterr().err
    where = "system mine, task mini_qa, sample "
    assert where in said
    assert "audio token " in said
    assert "strategy test_broken as topk, cache exact as none is declared lossless and isn't" in said
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    (check,) = manifest["systems"]["mine"]["lossless"]
    assert (check["asked"], check["n"], check["rounding"]) == (1, 1, 0)
    assert check["difference"].startswith(where)
    assert manifest["status"] == "interrupted"
    # Resumed, it fails again, and the page of what is there says why.
    assert run("test_broken", "--verify", "1", "--resume") == 1
    assert main(["report", str(tmp_path / "run")]) == 0
    page = (tmp_path / "run" / "report.html").read_text()
    assert "Not lossless (strategy test_broken as topk, cache exact as none): system mine" in page


def test_a_strategy_that_is_what_it_declares_is_recorded_with_how_many_answers_it_rests_on(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("speculate:of=topk", "--verify", "2", "--json") == 0
    out = capsys.readouterr().out
    sentence = (
        "Declared lossless (cache exact as none; strategy speculate as topk): of 1 system, 2 answers of this run were "
        "generated again by the oracle; every token is the same."
    )
    assert sentence in out
    (check,) = json.loads(out.strip().splitlines()[-1])["lossless"]["mine"]
    assert (check["task"], check["n"], check["difference"]) == ("mini_qa", 2, "")
    assert sentence in (tmp_path / "run" / "report.html").read_text()


def test_a_difference_that_float64_does_not_have_is_rounding(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In float32 the first comparison is made to differ; the next ones are true."""
    found = iter(["audio token 0 is 1, the oracle's 2"])
    monkeypatch.setattr(lossless, "first_difference", lambda a, b: next(found, first_difference(a, b)))
    assert run("topk", "--verify", "2") == 0
    (check,) = json.loads((tmp_path / "run" / "manifest.json").read_text())["systems"]["mine"]["lossless"]
    assert (check["n"], check["rounding"], check["difference"]) == (2, 1, "")
    assert "audio token 0 is 1, the oracle's 2; rounding decided, in float64 both are equal." in capsys.readouterr().err


def test_tasks_that_are_skipped_or_have_no_answer_are_nothing_to_build_a_system_for() -> None:
    card = SystemCard("s", Capability(accepts=frozenset({"text"})), details={"lossless": "cache exact as none"})
    heard, written = Needs(), Needs(frozenset({"text"}))
    tasks = {
        name: TaskEntry(name, "qa", needs=needs)
        for name, needs in (("skipped", heard), ("failed", written), ("answered", written))
    }
    manifest = Manifest(SuiteEntry("a"), {"s": SystemEntry("s", card=card)}, tasks)
    responses: dict[str, list[Response | None]] = {"skipped": [], "failed": [None], "answered": [None, Response("yes")]}

    def answers(label: str, task: str) -> list[SimpleNamespace]:
        return [
            SimpleNamespace(key=AnswerKey(label, task, str(at), 0), response=one)
            for at, one in enumerate(responses[task])
        ]

    plan = SimpleNamespace(
        suite=SimpleNamespace(verify=1), tasks=[SimpleNamespace(plan=SimpleNamespace(name=name)) for name in tasks]
    )
    store = SimpleNamespace(manifest=manifest, answers=answers)
    found = lossless.unchecked(SystemPlan("s"), cast("Plan", plan), cast("RunStore", store))
    assert [task.plan.name for task in found] == ["answered"]


def test_nothing_is_compared_unless_it_is_asked_for(run: Run, tmp_path: Path) -> None:
    assert run("test_broken") == 0
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["systems"]["mine"]["lossless"] == []


def test_what_is_said_of_rounding() -> None:
    checks = {"a": (LosslessCheck("qa", "cache exact as none", 4, 4, rounding=1),)}
    (sentence,) = lossless_sentences(checks)
    assert "of 1 system, 4 answers of this run were generated again by the oracle" in sentence
    assert sentence.endswith("; every token is the same but in 1, by rounding.")
    assert lossless_sentences({}) == []
