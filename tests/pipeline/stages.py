"""What the stages of a run are tried with: a reporter that writes down, workers that are there, and systems by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from tttbench.core.exchange import Request, Response
from tttbench.core.system import Capability, SystemCard
from tttbench.pipeline.executors.threads import ThreadsWorker
from tttbench.pipeline.jobs import WorkerSpec
from tttbench.pipeline.progress import Work


class Told:
    """A progress reporter that writes down what it is told; ``advanced`` as (done, errors)."""

    def __init__(self) -> None:
        self.events: list[tuple[object, ...]] = []

    def planned(self, works: Sequence[Work]) -> None:
        self.events.append(("planned", *((work.title, work.total) for work in works)))

    def started(self, work: Work) -> None:
        self.events.append(("started", work.title, work.total))

    def advanced(self, done: int, errors: int) -> None:
        self.events.append(("advanced", done, errors))

    def finished(self) -> None:
        self.events.append(("finished",))

    def note(self, message: str) -> None:
        self.events.append(("note", message))

    def failed(self, where: str, message: str) -> None:
        self.events.append(("failed", where, message))


class Workers:
    """An executor of workers that are there already, by name; an exception is raised in a worker's place."""

    def __init__(self, workers: Mapping[str, object]) -> None:
        self.workers = workers
        self.opened: list[WorkerSpec] = []

    @contextmanager
    def open(self, spec: WorkerSpec) -> Iterator[ThreadsWorker]:
        self.opened.append(spec)
        worker = self.workers[spec.name]
        if isinstance(worker, BaseException):
            raise worker
        yield ThreadsWorker(worker)  # type: ignore[arg-type]  # a system or a deriver


class Says:
    """A system that answers as a function of the request's id says, and notes the ids of each call."""

    def __init__(self, card: SystemCard, answer: Callable[[str], Response | Exception]) -> None:
        self.card = card
        self.calls: list[list[str]] = []
        self._answer = answer

    def generate(self, requests: Sequence[Request]) -> list[Response | Exception]:
        self.calls.append([one.id for one in requests])
        return [self._answer(one.id) for one in requests]


def says(answer: Callable[[str], Response | Exception] = Response, **card: object) -> Says:
    """A system called ``x`` that writes and speaks; it repeats the request's id unless told otherwise."""
    given = {"capability": Capability(produces=frozenset({"text", "audio"})), **card}
    return Says(SystemCard("x", **given), answer)  # type: ignore[arg-type]  # fields by name
