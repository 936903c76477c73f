"""What hangs is the error of its request, and holds up neither the run nor the end of the process."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest

from tttbench.cli import leave as leaving
from tttbench.core import interrupts
from tttbench.core.derivation import DerivationInput, Derived, Need
from tttbench.core.errors import UserError
from tttbench.core.exchange import Request, Response
from tttbench.core.sample import Turn
from tttbench.core.system import Capability, SystemCard, SystemOptions
from tttbench.pipeline.executors.lane import HungError, Lane, OverdueError
from tttbench.pipeline.executors.serial import SerialExecutor, SerialWorker
from tttbench.pipeline.executors.threads import MOST_GIVEN_UP, ThreadsExecutor, ThreadsWorker
from tttbench.pipeline.jobs import DeriveItem, GenerateItem, WorkerSpec
from tttbench.store.frames import load
from tttbench.store.read_model import Run
from tttbench.store.rows import AnswerKey

ROOT = Path(__file__).parents[2]

PLUGIN = """
import threading, time

from tttbench.api import Capability, Response, SystemCard, register_system

WAYS = {
    "sleep": lambda: time.sleep(1e6),
    "lock": lambda: threading.Event().wait(),
    "spin": lambda: [None for _ in iter(int, 1)],
}


class Hanger:
    def __init__(self, way):
        self.card = SystemCard(f"hanger:{way}", Capability(accepts=frozenset({"audio"}), concurrency=2))
        self._way = way

    def generate(self, requests):
        for request in requests:
            if request.id == "asr-002":
                WAYS[self._way]()
        return [Response("x") for _ in requests]


@register_system("hanger")
def build(spec, options):
    if spec == "building":
        time.sleep(1e6)
    return Hanger(spec)


@register_system("leaver")
def build_leaver(spec, options):
    threading.Thread(target=threading.Event().wait).start()
    return lambda request: "x"
"""


@pytest.fixture
def call(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Call ``tttbench run`` with a plug-in that hangs at one of four samples; only a test that hangs takes a minute."""
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "hanger.py").write_text(PLUGIN)

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        fixed = ["run", "mini", "--include", str(tmp_path / "plugins"), "--tasks", "mini_asr", "--limit", "4"]
        fixed += ["--transcriber", "", "--device", "cpu", "--batch-size", "1", "--out", str(tmp_path / "run")]
        return subprocess.run(
            [sys.executable, "-m", "tttbench", *fixed, *words],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


@pytest.mark.slow
@pytest.mark.parametrize("way", ["sleep", "spin"])
def test_a_system_that_hangs_ends_a_serial_run_which_then_goes_on_without_it(
    call: Callable[..., Any], tmp_path: Path, way: str
) -> None:
    ended = call("--systems", f"hanger:{way}", "--timeout-s", "1")
    assert ended.returncode == 1, ended.stderr
    assert f"system hanger:{way}, task mini_asr, sample 'asr-002': no answer within 1 s (timeout_s)" in ended.stderr
    assert "--timeout-s 1 --resume" in " ".join(ended.stderr.split()).replace(f"--out {tmp_path / 'run'} ", "")
    with Run.open(tmp_path / "run") as run:
        assert (run.manifest.status, run.manifest.suite.timeout_s) == ("interrupted", 1.0)
    again = call("--systems", f"hanger:{way}", "--timeout-s", "1", "--resume")
    assert again.returncode == 1, again.stderr
    assert "4 of 4 requests: 3 ok, 1 error." in again.stdout
    frame = load(tmp_path / "run").samples.set_index("sample")
    assert frame.error["asr-002"] == "no answer within 1 s (timeout_s)"


@pytest.mark.slow
@pytest.mark.parametrize("executor", ["serial", "threads"])
def test_a_system_that_hangs_when_it_is_built_ends_a_run_which_then_goes_on_without_it(
    call: Callable[..., Any], tmp_path: Path, executor: str
) -> None:
    words = ("--systems", "hanger:building,echo", "--timeout-s", "0.1", "--executor", executor)
    ended = call(*words)
    assert ended.returncode == 1, ended.stderr
    assert "system hanger:building: not built within 1 s (10 times timeout_s)." in ended.stderr
    again = call(*words, "--timeout-s", "60", "--resume")
    assert again.returncode == 1, again.stderr
    assert "8 of 8 requests: 4 ok, 4 error." in again.stdout


@pytest.mark.slow
def test_threads_give_up_on_what_hangs_and_go_on(call: Callable[..., Any], tmp_path: Path) -> None:
    ended = call("--systems", "hanger:lock", "--timeout-s", "1", "--executor", "threads")
    assert ended.returncode == 1, ended.stderr
    assert "4 of 4 requests: 3 ok, 1 error." in ended.stdout
    assert load(tmp_path / "run").samples.set_index("sample").error["asr-002"] == "no answer within 1 s (timeout_s)"


@pytest.mark.slow
def test_a_thread_that_a_plug_in_leaves_running_does_not_hold_the_process(call: Callable[..., Any]) -> None:
    ended = call("--systems", "leaver", "--limit", "1")
    assert (ended.returncode, "1 of 1 requests: 1 ok." in ended.stdout) == (0, True)


class Hangs:
    """A system that waits for ever for what is called ``hang``; ``released`` lets it go."""

    def __init__(self, at_once: int = 1) -> None:
        self.card = SystemCard("hangs", Capability(concurrency=at_once))
        self.released = threading.Event()
        self.calls: list[list[str]] = []

    def generate(self, requests: Sequence[Request]) -> list[Response | Exception]:
        self.calls.append([request.id for request in requests])
        if any(request.id.startswith("hang") for request in requests):
            self.released.wait()
        return [Response(request.id) for request in requests]


class HangingEars:
    """A deriver that hangs likewise."""

    name, recipe, batch_size = "ears", "ears@1", 1

    def __init__(self) -> None:
        self.released = threading.Event()

    def derive(self, inputs: Sequence[DerivationInput]) -> list[Derived | Exception]:
        if inputs[0].need.fields["text"] == "hang":
            self.released.wait()
        return [Derived("ok", one.need.fields["text"]) for one in inputs]


def items(*ids: str) -> list[GenerateItem]:
    return [GenerateItem(AnswerKey("s", "t", one), (Turn("user", "x"),), "qa", "", "", 30.0, 0) for one in ids]


def needs(*texts: str) -> list[DeriveItem]:
    return [DeriveItem(Need("ears", fields={"text": one})) for one in texts]


def test_the_serial_executor_says_what_became_of_the_batch_that_hangs() -> None:
    system = Hangs()
    worker = SerialWorker(system, "cpu", Lane(), 0.05)
    done = worker.generate(items("a", "b", "c", "hang", "d"), 2)
    assert [one.key.sample for one in next(done)] == ["a", "b"]
    with pytest.raises(HungError) as raised:
        next(done)
    assert str(raised.value) == (
        "system s, task t, sample 'c' and 1 more: no answer within 0.1 s (timeout_s) to 2 requests."
    )
    assert raised.value.exit_status == 1
    assert [(one.key.sample, one.response, one.error) for one in raised.value.done] == [
        (sample, None, "no answer within 0.1 s (timeout_s) to 2 requests") for sample in ("c", "hang")
    ]
    assert interrupts.anything_left_behind()
    system.released.set()


GIVEN_UP = Derived("failed", error="no answer within 0.05 s (timeout_s)")


def test_a_deriver_that_hangs_has_failed_on_its_input_and_ends_a_serial_run() -> None:
    ears = HangingEars()
    done = SerialWorker(ears, "cpu", Lane(), 0.05).derive(needs("a", "hang", "b"))
    assert next(done)[0].derived == Derived("ok", "a")
    with pytest.raises(HungError) as raised:
        next(done)
    assert str(raised.value) == "ears: no answer within 0.05 s (timeout_s)."
    assert [one.derived for one in raised.value.done] == [GIVEN_UP]
    ears.released.set()


def test_threads_go_on_without_the_input_on_which_a_deriver_hangs() -> None:
    ears = HangingEars()
    done = [one.derived for batch in ThreadsWorker(ears, None, 0.05).derive(needs("a", "hang", "b")) for one in batch]
    assert done == [Derived("ok", "a"), GIVEN_UP, Derived("ok", "b")]
    ears.released.set()


def test_threads_try_the_others_of_a_batch_that_hangs_alone_and_build_another_system() -> None:
    first, others = Hangs(2), [Hangs(), Hangs()]
    worker = ThreadsWorker(first, iter(others).__next__, 0.05)
    done = [one for batch in worker.generate(items("a", "hang", "b", "c"), 2) for one in batch]
    assert sorted((one.key.sample, one.error) for one in done) == [
        ("a", ""),
        ("b", ""),
        ("c", ""),
        ("hang", "no answer within 0.05 s (timeout_s)"),
    ]
    assert first.calls == [["a", "hang"]]
    assert worker.worker is others[1]
    for system in (first, *others):
        system.released.set()


@pytest.mark.parametrize("executor", [SerialExecutor(), ThreadsExecutor()])
@pytest.mark.parametrize("kind", ["system", "deriver"])
def test_what_hangs_when_it_is_built_ends_the_run(
    monkeypatch: pytest.MonkeyPatch, executor: SerialExecutor | ThreadsExecutor, kind: Literal["system", "deriver"]
) -> None:
    released = threading.Event()
    for name in ("build_system", "build_deriver"):
        monkeypatch.setattr(f"tttbench.pipeline.executors.serial.{name}", lambda *_: released.wait())
    opening = executor.open(WorkerSpec(kind, "slow", SystemOptions(), 0.005))
    with pytest.raises(HungError) as raised, opening:
        pass
    assert str(raised.value) == f"{kind} slow: not built within 0.05 s (10 times timeout_s)."
    assert raised.value.done == ()
    released.set()


def test_a_system_that_cannot_be_built_again_is_kept_and_the_user_told_why(caplog: pytest.LogCaptureFixture) -> None:
    def gone() -> Hangs:
        raise UserError("no server")

    system = Hangs()
    worker = ThreadsWorker(system, gone, 0.05)
    done = [one for batch in worker.generate(items("hang", "b"), 1) for one in batch]
    assert [(one.key.sample, bool(one.error)) for one in done] == [("hang", True), ("b", False)]
    assert caplog.messages == [
        "what hangs could not be built anew, so the one that hangs is called again: no server",
    ]
    system.released.set()


def test_threads_stop_where_everything_hangs() -> None:
    system = Hangs(2)
    found: list[Any] = []
    with pytest.raises(HungError, match=rf"sample 'hang\d+': no answer within 0.02 s .*, the {MOST_GIVEN_UP}th call"):
        found.extend(
            one
            for batch in ThreadsWorker(system, None, 0.02).generate(items(*(f"hang{n}" for n in range(20))), 1)
            for one in batch
        )
    system.released.set()


def test_a_lane_makes_one_call_after_the_other_and_hands_on_what_is_raised() -> None:
    lane = Lane()
    threads = [lane.run(threading.current_thread) for _ in range(2)]
    assert threads[0] is threads[1] is not threading.current_thread()
    with pytest.raises(ZeroDivisionError):
        lane.run(lambda: 1 / 0, 5.0)
    assert lane.run(lambda: 3, 1e300) == 3
    lane.close()
    threads[0].join(10)
    assert not threads[0].is_alive()


def test_a_call_s_own_timeout_is_not_ours() -> None:
    def out_of_time() -> None:
        raise TimeoutError("the server's")

    lane = Lane()
    with pytest.raises(TimeoutError, match="the server's"):
        lane.run(out_of_time, 5.0)
    never = threading.Event()
    with pytest.raises(OverdueError):
        lane.run(never.wait, 0.02)
    never.set()


@pytest.mark.parametrize(
    ("ends", "status"), [(lambda: 3, 3), (lambda: sys.exit(2), 2), (lambda: sys.exit(), 0), (lambda: sys.exit("x"), 1)]
)
def test_the_process_leaves_with_the_command_s_status(
    monkeypatch: pytest.MonkeyPatch, ends: Callable[[], int], status: int
) -> None:
    monkeypatch.setattr(interrupts, "_left_behind", [])
    monkeypatch.setattr(leaving, "PATIENCE_S", 1e6)
    with pytest.raises(SystemExit) as left:
        leaving.leave(ends)
    assert left.value.code == status


def test_a_process_leaves_at_once_where_a_thread_was_given_up_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    left: list[int] = []

    def end(status: int) -> None:
        left.append(status)
        raise RuntimeError("gone")

    thread = threading.Thread(target=time.sleep, args=(0.5,), daemon=True)
    thread.start()
    monkeypatch.setattr(interrupts, "_left_behind", [thread])
    monkeypatch.setattr("tttbench.cli.leave.os._exit", end)
    with pytest.raises(RuntimeError, match="gone"):
        leaving.leave(lambda: 4)
    assert left == [4]
