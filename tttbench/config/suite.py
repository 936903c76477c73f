"""Suites: which systems are asked which tasks, with which settings; read from TOML and fully checked.

Knows the form of a suite, not whether its names exist: that is the registry's business. Every error names the file,
the field and the mend.
"""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar, cast

from tttbench.core.errors import UserError, did_you_mean
from tttbench.core.shipped import shipped

V = TypeVar("V")


@dataclass(frozen=True)
class SystemPlan:
    """One system of a suite.

    Attributes:
        name: as registered, e.g. ``"ttt:mini"``.
        strategy: decoding strategy; ``""`` means the system's own default.
        batch_size: requests a call; None means the suite's.
        decode: decode settings by name, passed on to the system.
        called: the name in tables and in the run directory; ``""`` means ``name``, or ``name@strategy``.
    """

    name: str
    strategy: str = ""
    batch_size: int | None = None
    decode: Mapping[str, object] = field(default_factory=dict)
    called: str = ""

    @property
    def label(self) -> str:
        """The name in tables and in the run directory."""
        return self.called or (f"{self.name}@{self.strategy}" if self.strategy else self.name)


@dataclass(frozen=True)
class TaskPlan:
    """One task of a suite: at most ``limit`` samples (None: all), read from ``data`` (None: what is shipped).

    ``metrics`` are scored in place of the task's own; empty means those.
    """

    name: str
    limit: int | None = None
    data: Path | None = None
    metrics: tuple[str, ...] = ()


@dataclass(frozen=True)
class Suite:
    """What a run does.

    Attributes:
        name: file name without ``.toml``.
        title: one line for lists and reports.
        systems: the systems, in table order; labels are unique.
        tasks: the tasks, in table order; names are unique.
        judge: system whose ears judge spoken answers, e.g. ``"whisper:tiny.en"``; ``""`` for none.
        seed: seeds every request, together with task and sample id.
        batch_size: requests a call, where a system names no other.
        resamples: bootstrap resamples behind every interval.
        warmup: requests that each system answers beforehand, unmeasured, so that first-use costs are in no figure.
        oracle: label of the system whose codes all others are compared with; ``""`` for none.
    """

    name: str
    title: str
    systems: tuple[SystemPlan, ...]
    tasks: tuple[TaskPlan, ...]
    judge: str = ""
    seed: int = 0
    batch_size: int = 8
    resamples: int = 2000
    warmup: int = 1
    oracle: str = ""


def suite_files(extra: Iterable[Path] = ()) -> dict[str, Path]:
    """Return the suites that can be named: those of ``tasks/suites`` and the ``*.toml`` files of ``extra`` folders."""
    folders = [shipped("tasks") / "suites"]
    return {path.stem: path for folder in [*folders, *extra] for path in sorted(folder.glob("*.toml"))}


def load_suite(name: str, extra: Iterable[Path] = ()) -> Suite:
    """Read the suite called ``name``, or the one in the file ``name`` if that ends in ``.toml``.

    Raises:
        UserError: no such suite, or anything wrong in its file.
    """
    known = suite_files(extra)
    path = Path(name) if name.endswith(".toml") else known.get(name)
    if path is None:
        raise UserError(f"Unknown suite {name!r}. {did_you_mean(name, known)}")
    try:
        with path.open("rb") as file:
            values = tomllib.load(file)
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file; give a suite's name ({', '.join(sorted(known))}) or file.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not valid TOML: {error}.") from error
    return parse_suite(path.stem, values, str(path))


def parse_suite(name: str, values: Mapping[str, object], source: str) -> Suite:
    """Check the values of a suite file and return the suite; ``source`` names the file in messages.

    Raises:
        UserError: a key that is unknown, missing or of the wrong type, or an entry given twice.
    """
    table = _Table(values, source, "")
    limit = table.optional_count("limit")
    suite = Suite(
        name=name,
        title=table.value("title", str, name),
        systems=tuple(plan for entry in table.tables("systems") for plan in _systems(entry)),
        tasks=tuple(_task(entry, limit, Path(source).parent) for entry in table.tables("tasks")),
        judge=table.value("judge", str, ""),
        seed=table.value("seed", int, 0),
        batch_size=table.count("batch_size", 8),
        resamples=table.count("resamples", 2000),
        warmup=table.count("warmup", 1, least=0),
        oracle=table.value("oracle", str, ""),
    )
    table.finish()
    _refuse_twice([system.label for system in suite.systems], f"{source}: systems")
    _refuse_twice([task.name for task in suite.tasks], f"{source}: tasks")
    labels = [system.label for system in suite.systems]
    if suite.oracle and suite.oracle not in labels:
        raise UserError(
            f"{source}: oracle: {suite.oracle!r} is no system of the suite. {did_you_mean(suite.oracle, labels)}"
        )
    return suite


_SHORT = {"steps_per_block": "S=", "block_length": "B=", "cache": "", "strategy": ""}
"""How labels call the settings of a grid; others by their names."""


def _systems(table: _Table) -> list[SystemPlan]:
    """The system of an entry, or one for every combination of the values of its ``grid``."""
    grid = table.lists("grid")
    plan = _system(table)
    if not grid:
        return [plan]
    if "strategy" in grid and plan.strategy:
        raise UserError(f"{table.where('grid')}: has 'strategy', which the entry names too; remove one.")
    plans = []
    for values in itertools.product(*grid.values()):
        settings = dict(zip(grid, values, strict=True))
        words = [f"{_SHORT.get(name, f'{name}=')}{value}" for name, value in settings.items()]
        strategy = str(settings.pop("strategy", plan.strategy))
        decode = {**plan.decode, **settings}
        first = plan.called or ("" if "strategy" in grid else plan.label)
        called = " ".join([first, *words]).strip()
        plans.append(replace(plan, strategy=strategy, decode=decode, called=called))
    return plans


def _system(table: _Table) -> SystemPlan:
    named = system_plan(table.required("name", str))
    plan = SystemPlan(
        name=named.name,
        strategy=table.value("strategy", str, named.strategy),
        batch_size=table.optional_count("batch_size"),
        decode=table.mapping("decode"),
        called=table.value("label", str, ""),
    )
    table.finish()
    return plan


def _task(table: _Table, limit: int | None, folder: Path) -> TaskPlan:
    data = table.value("data", str, "")
    own_limit = table.optional_count("limit")
    plan = TaskPlan(
        name=table.required("name", str),
        limit=limit if own_limit is None else own_limit,
        data=folder / data if data else None,
        metrics=table.names("metrics"),
    )
    table.finish()
    return plan


def choose(
    suite: Suite,
    *,
    systems: Sequence[str] = (),
    tasks: Sequence[str] = (),
    data: Mapping[str, Path] | None = None,
    limit: int | None = None,
    seed: int | None = None,
    batch_size: int | None = None,
) -> Suite:
    """Return the suite as the command line changes it.

    Systems and tasks that the suite has keep its settings; others get the defaults and no limit of the suite.

    Args:
        suite: what to start from.
        systems: labels (``name`` or ``name@strategy``) that replace the suite's; empty keeps those.
        tasks: names that replace the suite's; empty keeps those.
        data: folders by task name.
        limit: samples a task, instead of every limit of the suite.
        seed: instead of the suite's.
        batch_size: instead of every batch size of the suite.

    Raises:
        UserError: something given twice, or data for a task that isn't run.
    """
    _refuse_twice(systems, "--systems")
    _refuse_twice(tasks, "--tasks")
    own_systems = {plan.label: plan for plan in suite.systems}
    own_tasks = {plan.name: plan for plan in suite.tasks}
    chosen_systems = tuple(own_systems.get(label) or system_plan(label) for label in systems) or suite.systems
    chosen_tasks = tuple(own_tasks.get(name) or TaskPlan(name) for name in tasks) or suite.tasks
    folders = data or {}
    for name in folders:
        names = [plan.name for plan in chosen_tasks]
        if name not in names:
            raise UserError(f"--data {name}=…: task {name!r} is not in this run. {did_you_mean(name, names)}")
    if limit is not None:
        chosen_tasks = tuple(replace(plan, limit=limit) for plan in chosen_tasks)
    if batch_size is not None:
        chosen_systems = tuple(replace(plan, batch_size=None) for plan in chosen_systems)
    return replace(
        suite,
        systems=chosen_systems,
        tasks=tuple(replace(plan, data=folders.get(plan.name, plan.data)) for plan in chosen_tasks),
        seed=suite.seed if seed is None else seed,
        batch_size=suite.batch_size if batch_size is None else batch_size,
    )


def system_plan(label: str) -> SystemPlan:
    """Return the plan for ``name`` or ``name@strategy``; an ``@`` inside a path is part of the name."""
    name, at, strategy = label.rpartition("@")
    if at and name and "/" not in strategy:
        return SystemPlan(name, strategy)
    return SystemPlan(label)


def _refuse_twice(names: Sequence[str], where: str) -> None:
    for position, name in enumerate(names):
        if name in names[:position]:
            raise UserError(f"{where}: {name!r} stands there twice; remove one.")


class _Table:
    """A TOML table whose keys are taken one by one; what is left at the end is an error."""

    def __init__(self, values: Mapping[str, object], source: str, path: str) -> None:
        self._values = dict(values)
        self._source = source
        self._path = path
        self._known: list[str] = []

    def where(self, key: str) -> str:
        """Where a key stands, for messages."""
        return f"{self._source}: {self._path}{key}"

    def value(self, key: str, kind: type[V], default: V) -> V:
        self._known.append(key)
        found = self._values.pop(key, default)
        if not isinstance(found, kind) or (kind is not bool and isinstance(found, bool)):
            raise UserError(f"{self.where(key)}: must be a {_TYPE_NAMES[kind]}, not {found!r}.")
        return found

    def required(self, key: str, kind: type[V]) -> V:
        if key not in self._values:
            raise UserError(f"{self.where(key)}: missing; add it.")
        return self.value(key, kind, kind())

    def count(self, key: str, default: int, least: int = 1) -> int:
        found = self.value(key, int, default)
        if found < least:
            raise UserError(f"{self.where(key)}: must be {least} or more, not {found}.")
        return found

    def optional_count(self, key: str) -> int | None:
        if key in self._values:
            return self.count(key, 1)
        self._known.append(key)
        return None

    def mapping(self, key: str) -> Mapping[str, object]:
        return self.value(key, dict, {})

    def names(self, key: str) -> tuple[str, ...]:
        found = self.value(key, list, [])
        for entry in found:
            if not isinstance(entry, str):
                raise UserError(f"{self.where(key)}: must be a list of names, not {found!r}.")
        return tuple(found)

    def lists(self, key: str) -> Mapping[str, list[object]]:
        found = self.mapping(key)
        for name, values in found.items():
            if not isinstance(values, list) or not values:
                raise UserError(f"{self.where(key)}.{name}: must be a list of values, not {values!r}.")
        return cast("Mapping[str, list[object]]", found)

    def tables(self, key: str) -> list[_Table]:
        entries = self.value(key, list, [])
        if not entries:
            raise UserError(f"{self.where(key)}: missing; add at least one [[{key}]] table.")
        tables = []
        for position, entry in enumerate(entries):
            path = f"{key}[{position}]"
            if not isinstance(entry, dict):
                raise UserError(f"{self.where(path)}: must be a table ([[{key}]]), not {entry!r}.")
            tables.append(_Table(entry, self._source, f"{path}."))
        return tables

    def finish(self) -> None:
        for key in self._values:
            raise UserError(f"{self.where(key)}: unknown key. {did_you_mean(key, self._known)}")


_TYPE_NAMES: Mapping[type, str] = {str: "string", int: "whole number", list: "list of tables", dict: "table"}
