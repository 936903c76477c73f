"""One bad answer is the error of its request: the run goes on, and is resumed, scored again and shown afterwards."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tttbench.cli.main import main
from tttbench.core import plugins
from tttbench.core.exchange import Request
from tttbench.core.sample import Sample, Turn
from tttbench.core.scorer import ScoreSpec
from tttbench.core.system import Capability, SystemCard
from tttbench.core.task import Needs, Task
from tttbench.store.frames import load
from tttbench.store.read_model import Run

from ..core.bad_answers import REFUSED, SPOKEN, OwnList


class MuteError(Exception):
    """An error that doesn't say what it is."""

    def __str__(self) -> str:
        raise ValueError("no words")


def leave() -> None:
    raise SystemExit(0)


def cancel() -> None:
    raise asyncio.CancelledError


def stop() -> None:
    raise KeyboardInterrupt


def raise_mute() -> None:
    raise MuteError


@dataclass(frozen=True)
class Whole:
    """What a call returns in place of a list with an answer to each request."""

    value: object


IN_PLACE_OF_A_LIST: list[tuple[object, str]] = [
    (Whole(None), "it returned a NoneType, expected a list with an answer to each request"),
    (Whole("Paris"), "it returned a str, expected a list"),
    (Whole(SPOKEN), "it returned a Response, expected a list"),
    (Whole([]), "it returned 0 answers to 1 request"),
    (Whole([SPOKEN, SPOKEN]), "it returned 2 answers to 1 request"),
    (Whole(OwnList([SPOKEN])), "ZeroDivisionError: no entries"),
    (Whole({0: SPOKEN}), "it returned a dict, expected a list"),
    (leave, "it called sys.exit(0)"),
    (cancel, "CancelledError"),
    (stop, "KeyboardInterrupt"),
    (raise_mute, "MuteError: (its message can't be read)"),
    (ValueError("\ud800 a\0b"), r"ValueError: \ud800 a\x00b"),
    (MuteError(), "MuteError: (its message can't be read)"),
]

BAD = [*REFUSED, *IN_PLACE_OF_A_LIST]


class Bad:
    """Gives the bad answer that a request names, and a good one to all others."""

    card = SystemCard("bad", Capability(produces=frozenset({"text", "audio"})))

    def generate(self, requests: Sequence[Request]) -> Any:
        found: list[Any] = []
        for request in requests:
            bad = BAD[int(request.text)][0] if request.text else SPOKEN
            if isinstance(bad, Whole):
                return bad.value
            found.append(bad() if callable(bad) and not isinstance(bad, type) else bad)
        return found


def samples(folder: Path | None) -> list[Sample]:
    """A sample for each bad answer, and good ones between them."""
    found = []
    for at in range(len(BAD)):
        found.append(Sample(f"bad {at}", (Turn("user", str(at)),), ("hi",)))
        if at % 10 == 0:
            found.append(Sample(f"good {at}", (Turn("user"),), ("hi",)))
    return found


N_GOOD = len(range(0, len(BAD), 10))


@pytest.fixture(scope="module", params=[("serial", 1), ("serial", 8), ("threads", 3)], ids=str)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A run in which most answers are bad."""
    executor, batch_size = request.param
    task = Task(
        name="hello",
        title="Hello",
        family="qa",
        description="",
        scores=(ScoreSpec("text_accuracy", "text_accuracy"),),
        samples=samples,
        needs=Needs(accepts=frozenset({"text"})),
    )
    plugins.systems.names(), plugins.tasks.names()
    with pytest.MonkeyPatch.context() as patch:
        for registry in (plugins.systems, plugins.tasks):
            patch.setattr(registry, "_entries", dict(registry._entries))
        plugins.register_system("bad")(lambda spec, options: Bad())
        plugins.register_task("hello")(lambda: task)
        folder = tmp_path_factory.mktemp("bad") / "run"
        assert main(command(folder, executor, batch_size)) == 1
        yield folder


def command(folder: Path, executor: str = "serial", batch_size: int = 1) -> list[str]:
    words = ["run", "mini", "--systems", "bad", "--tasks", "hello", "--transcriber", "", "--device", "cpu"]
    return [*words, "--executor", executor, "--batch-size", str(batch_size), "--out", str(folder)]


@pytest.fixture
def errors(run: Path) -> dict[str, str]:
    """What the run has written down, by sample."""
    with Run.open(run) as opened:
        return {one.key.sample: one.error for one in opened.answers()}


@pytest.mark.parametrize("at", range(len(BAD)))
def test_a_bad_answer_is_the_error_of_its_request(errors: dict[str, str], at: int) -> None:
    error, says = errors[f"bad {at}"], BAD[at][1]
    assert says in error
    if at < len(REFUSED):
        assert error.startswith(f"system bad, task hello, sample 'bad {at}': the system's answer can't be kept: {says}")


def test_all_others_are_answered(errors: dict[str, str], run: Path) -> None:
    good = {sample: error for sample, error in errors.items() if sample.startswith("good")}
    assert good == dict.fromkeys(good, "")
    assert (len(good), len(errors)) == (N_GOOD, N_GOOD + len(BAD))
    frame = load(run).samples
    assert (frame.status == "error").sum() == len(BAD)
    assert frame[frame.status == "ok"]["text_accuracy"].tolist() == [1.0] * N_GOOD


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (lambda run: [*command(run), "--resume"], 1),
        (lambda run: ["rescore", str(run)], 1),
        (lambda run: ["rescore", str(run), "--add", "wer:recipe=raw"], 1),
        (lambda run: ["report", str(run)], 0),
        (lambda run: [*command(run), "--resume", "--retry-errors"], 1),
    ],
)
def test_the_run_goes_on(
    run: Path, words: Callable[[Path], list[str]], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words(run)) == status
    told = capsys.readouterr()
    assert "defect" not in told.err
    with Run.open(run) as opened:
        assert sum(1 for one in opened.answers() if one.status == "error") == len(BAD)
        assert opened.summary is not None
        assert opened.summary.counts["ok"] == N_GOOD
    with closing(sqlite3.connect(f"file:{run / 'journal.sqlite'}?mode=ro", uri=True)) as journal:
        assert journal.execute("PRAGMA integrity_check").fetchone() == ("ok",)


BAD_CARDS: list[tuple[object, str]] = [
    (SystemCard("x", Capability(concurrency=0)), "capability.concurrency: must be 1 or more, not 0."),
    (SystemCard("x", None), "capability: must be an object, not null."),  # type: ignore[arg-type]
    (SystemCard("x", prompts={"qa": 5}), "prompts.qa: must be a string, not 5."),  # type: ignore[dict-item]
    (SystemCard("x", weights_sha256=None), "weights_sha256: must be a string, not null."),  # type: ignore[arg-type]
    ({"name": "x"}, "must be a SystemCard, not a dict."),
]


@pytest.mark.parametrize(("card", "says"), BAD_CARDS, ids=range(len(BAD_CARDS)))
def test_a_system_that_describes_itself_wrongly_fails_its_own_requests_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], card: Any, says: str
) -> None:
    class Described(Bad):
        pass

    Described.card = card
    plugins.systems.names()
    monkeypatch.setattr(plugins.systems, "_entries", dict(plugins.systems._entries))
    plugins.register_system("described")(lambda spec, options: Described())
    folder = tmp_path / "run"
    words = ["run", "mini", "--tasks", "mini_asr", "--limit", "1", "--device", "cpu", "--transcriber", ""]
    words += ["--systems", "described,echo", "--out", str(folder)]
    assert main(words) == 1
    assert f"system 'described': its card: {says}" in capsys.readouterr().err
    assert main([*words, "--resume"]) == 1
    frame = load(folder).samples
    assert frame.set_index("system").status.to_dict() == {"described": "error", "echo": "ok"}
