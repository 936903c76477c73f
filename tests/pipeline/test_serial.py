"""The executor ``serial``, executors by name, and what building a worker may end with."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from tttbench.core.derivation import DerivationInput, Derived, Need
from tttbench.core.errors import StorageError, UserError
from tttbench.core.exchange import Request, Response
from tttbench.core.sample import Turn
from tttbench.core.system import Capability, SystemCard, SystemOptions
from tttbench.pipeline.executors import executor, serial
from tttbench.pipeline.executors.lane import Lane
from tttbench.pipeline.executors.serial import SerialExecutor, SerialWorker, build
from tttbench.pipeline.executors.threads import ThreadsExecutor, ThreadsWorker
from tttbench.pipeline.jobs import DeriveItem, GenerateItem, WorkerSpec
from tttbench.store.rows import AnswerKey

OPTIONS = SystemOptions("cpu", 3, "topk", {"steps": 2})


class Echo:
    """A system that says how many requests came together."""

    card = SystemCard("echo")

    def generate(self, requests: Sequence[Request]) -> list[Response | Exception]:
        return [Response(f"{one.id} of {len(requests)}") for one in requests]


class Ears:
    """A deriver that says how many inputs came together."""

    name, recipe, batch_size = "ears", "ears@1", 2

    def derive(self, inputs: Sequence[DerivationInput]) -> list[Derived | Exception]:
        return [Derived("ok", f"{one.need.fields['text']} of {len(inputs)}") for one in inputs]


def items(*ids: str) -> list[GenerateItem]:
    return [GenerateItem(AnswerKey("s", "t", one), (Turn("user", "x"),), "qa", "", "", 30.0, 0) for one in ids]


def needs(*texts: str) -> list[DeriveItem]:
    return [DeriveItem(Need("ears", fields={"text": one})) for one in texts]


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, SystemOptions]]:
    """What was built, as it was asked for."""
    asked: list[tuple[str, str, SystemOptions]] = []

    def making(kind: str, worker: Callable[[], object]) -> Callable[[str, SystemOptions], object]:
        def make(name: str, options: SystemOptions) -> object:
            asked.append((kind, name, options))
            return worker()

        return make

    monkeypatch.setattr(serial, "build_system", making("system", Echo))
    monkeypatch.setattr(serial, "build_deriver", making("deriver", Ears))
    return asked


@pytest.mark.parametrize("name", ["serial", "threads"])
def test_systems_and_derivers_are_built_and_called_in_batches(
    built: list[tuple[str, str, SystemOptions]], name: str
) -> None:
    made = executor(name)
    with made.open(WorkerSpec("system", "echo:x", OPTIONS)) as worker:
        assert isinstance(worker.worker, Echo)
        done = [
            [(one.key.sample, one.response and one.response.text) for one in batch]
            for batch in worker.generate(items("a", "b", "c"), 2)
        ]
    assert done == [[("a", "a of 2"), ("b", "b of 2")], [("c", "c of 1")]]
    with made.open(WorkerSpec("deriver", "ears:y", OPTIONS)) as worker:
        assert isinstance(worker.worker, Ears)
        derived = [[one.derived.content for one in batch] for batch in worker.derive(needs("a", "b", "c"))]
    assert derived == [["a of 2", "b of 2"], ["c of 1"]]
    assert built == [("system", "echo:x", OPTIONS), ("deriver", "ears:y", OPTIONS)]


def test_one_after_the_other_the_machine_is_watched_and_at_once_it_is_not() -> None:
    class Wide(Echo):
        card = SystemCard("echo", Capability(concurrency=2))

    lane = Lane()
    serially = list(SerialWorker(Wide(), "cpu", lane, 300.0).generate(items("a", "b"), 1))
    lane.close()
    at_once = list(ThreadsWorker(Wide()).generate(items("a", "b"), 1))
    assert [one.conditions is None for batch in (*serially, *at_once) for one in batch] == [False, False, True, True]


def test_the_machine_is_watched_on_the_device_that_was_asked_for(
    built: list[tuple[str, str, SystemOptions]], monkeypatch: pytest.MonkeyPatch
) -> None:
    devices: list[str] = []
    monkeypatch.setattr(serial, "Watch", lambda device: devices.append(device))
    with SerialExecutor().open(WorkerSpec("system", "echo:x", SystemOptions("cuda:1"))) as worker:
        list(worker.generate(items("a"), 1))
    assert (worker.device, devices) == ("cuda:1", ["cuda:1"])


@pytest.mark.parametrize("name", ["serial", "threads"])
def test_memory_is_given_back_however_it_ends(
    built: list[tuple[str, str, SystemOptions]], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    collected: list[int] = []
    monkeypatch.setattr(f"tttbench.pipeline.executors.{name}.gc.collect", lambda: collected.append(1))
    with pytest.raises(KeyError), executor(name).open(WorkerSpec("system", "echo:x", OPTIONS)):
        raise KeyError("x")
    assert collected == [1]


@pytest.mark.parametrize(
    ("raised", "message"),
    [
        (UserError("weights: gone."), "weights: gone."),
        (StorageError("disk: full."), "disk: full."),
        (SystemExit(3), "SystemExit: 3"),
        (MemoryError("too large"), "MemoryError: too large"),
        (GeneratorExit(), "GeneratorExit: "),
    ],
)
@pytest.mark.parametrize("kind", ["system", "deriver"])
def test_whatever_a_factory_raises_is_told_in_words(
    monkeypatch: pytest.MonkeyPatch, raised: BaseException, message: str, kind: str
) -> None:
    def broken(name: str, options: SystemOptions) -> object:
        raise raised

    monkeypatch.setattr(serial, f"build_{kind}", broken)
    with pytest.raises(UserError) as error:
        build(WorkerSpec(kind, "x", OPTIONS))  # type: ignore[arg-type]  # both of the literals
    assert str(error.value) == message
    assert (error.value is raised) is isinstance(raised, UserError)


def test_who_stops_a_run_is_not_an_error_of_a_system(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(name: str, options: SystemOptions) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(serial, "build_system", stopped)
    with pytest.raises(KeyboardInterrupt):
        build(WorkerSpec("system", "x", OPTIONS))


def test_executors_by_name() -> None:
    assert isinstance(executor("serial"), SerialExecutor)
    assert isinstance(executor("threads"), ThreadsExecutor)
    for name, hint in (("thread", "Did you mean 'threads'?"), ("x", "Known: serial, threads.")):
        with pytest.raises(UserError) as raised:
            executor(name)
        assert str(raised.value) == f"--executor {name}: there is no such executor. {hint}"
