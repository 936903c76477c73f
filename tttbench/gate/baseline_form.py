"""The form of a baseline file: columns in the order of a task's samples, so that a sample's id stands there once.

Format 2; format 1, which tttbench 0.1 wrote, is read as if it were (``baseline_format1``).
``tttbench.gate.baseline_file`` reads and writes it. Knows the fields and what must agree among them; compares nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from tttbench.core.exchange import Status
from tttbench.core.metric import MetricInfo
from tttbench.core.recipe import Recipe
from tttbench.core.tables import Check, MaybeNan
from tttbench.gate.snapshot import SystemFacts
from tttbench.store.manifest import Machine

KIND: Literal["tttbench baseline"] = "tttbench baseline"
FORMAT: Literal[2] = 2

Number = int | float | None
"""A figure; None where there is none."""

Texts = tuple[str, ...] | None
"""A column of strings; None where all are empty."""


@dataclass(frozen=True)
class Promotion:
    """How a file became the baseline: when, from which run, what the gate had said, and why it was accepted anyway."""

    at: str
    source: str
    verdict: str
    reason: str


@dataclass(frozen=True)
class TaskColumns:
    """A task and its samples."""

    name: str
    family: str
    instruction: str
    listing_sha256: str
    metrics: tuple[str, ...]
    own_data: bool
    samples: Annotated[tuple[str, ...], Check(unique=True)]
    references: tuple[str, ...]
    clusters: Texts
    cluster: str = "cluster"


@dataclass(frozen=True)
class MetricColumns:
    """A metric of a system on a task: ``not_ok`` has the samples that ended otherwise, ``missing`` those without it."""

    system: str
    task: str
    name: str
    info: MetricInfo
    recipe: Recipe
    numerators: tuple[Number, ...]
    denominators: tuple[Number, ...]
    not_ok: Mapping[str, Status]
    missing: tuple[str, ...]


@dataclass(frozen=True)
class TimingColumns:
    """A figure of a system on a task."""

    system: str
    task: str
    figure: str
    unit: str
    values: tuple[Annotated[float, Check(above=0)] | None, ...]


@dataclass(frozen=True)
class LoadEntry:
    """The machine while a system answered a task; see ``MachineLoad``."""

    system: str
    task: str
    calibration_s: MaybeNan
    others_cores: float | None


@dataclass(frozen=True)
class AnswerColumns:
    """A system's answers to a task: ``text`` is None for samples that it was not given.

    ``cut`` names the samples whose answer a length limit cut.
    """

    system: str
    task: str
    text: tuple[str | None, ...]
    transcripts: Texts
    errors: Texts
    cut: Texts = None


@dataclass(frozen=True)
class BaselineForm:
    """The whole file, in the order of its lines; see ``Snapshot`` and ``Baseline`` for what the fields mean."""

    kind: Literal["tttbench baseline"]
    format: Literal[2]
    tttbench: str
    made_at: str
    suite: str
    seed: int
    status: str
    expected: int
    answered: int
    transcribers: tuple[str, ...]
    versions: Mapping[str, str]
    machine: Machine
    systems: Mapping[str, SystemFacts]
    promotions: tuple[Promotion, ...]
    tasks: Annotated[tuple[TaskColumns, ...], Check(unique=("name",))]
    metrics: Annotated[tuple[MetricColumns, ...], Check(unique=("system", "task", "name"))]
    timings: Annotated[tuple[TimingColumns, ...], Check(unique=("system", "task", "figure"))]
    loads: Annotated[tuple[LoadEntry, ...], Check(unique=("system", "task"))]
    answers: Annotated[tuple[AnswerColumns, ...], Check(unique=("system", "task"))]

    def samples(self, task: str) -> tuple[str, ...]:
        """The ids of a task's samples, in the order of the columns."""
        return next(one.samples for one in self.tasks if one.name == task)


LISTS = ("tasks", "metrics", "timings", "loads", "answers")
"""The fields of ``BaselineForm`` that are written an entry a line."""


def disagreements(form: BaselineForm) -> Iterator[tuple[str, str]]:
    """What doesn't fit together, as a path and what to say: columns of another length, and names of nothing."""
    samples = {task.name: task.samples for task in form.tasks}
    for list_name in LISTS[1:]:
        for at, entry in enumerate(getattr(form, list_name)):
            where = f"{list_name}[{at}]"
            for field, known in (("system", form.systems), ("task", samples)):
                if getattr(entry, field) not in known:
                    yield f"{where}.{field}", f"{getattr(entry, field)!r} is not among the {field}s of the file."
    yield from _lengths("tasks", ("references", "clusters"), form.tasks, [task.samples for task in form.tasks])
    for list_name, columns in (
        ("metrics", ("numerators", "denominators")),
        ("timings", ("values",)),
        ("answers", ("text", "transcripts", "errors")),
    ):
        entries = getattr(form, list_name)
        yield from _lengths(list_name, columns, entries, [samples.get(entry.task) for entry in entries])


def _lengths(
    list_name: str, columns: Sequence[str], entries: Sequence[object], samples: Sequence[Sequence[str] | None]
) -> Iterator[tuple[str, str]]:
    for at, (entry, of_entry) in enumerate(zip(entries, samples, strict=True)):
        for column in columns:
            values = getattr(entry, column)
            if values is not None and of_entry is not None and len(values) != len(of_entry):
                yield f"{list_name}[{at}].{column}", f"has {len(values)} values for {len(of_entry)} samples."
