"""Suites: which systems are given which tasks, with which settings; read from TOML and fully checked.

Knows the form of a suite, not whether its names exist: that is the registry's business. Every error names the file,
the field and the fix.
"""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

from tttbench.config.ablate import OFF, AblateEntry, Ablation, ablations
from tttbench.config.protocol import ProtocolNote
from tttbench.config.strategies import strategy_text
from tttbench.core.errors import UserError, did_you_mean
from tttbench.core.json_values import JsonObject, JsonValue
from tttbench.core.judging import KIND, judge_options
from tttbench.core.language import primary_language
from tttbench.core.scorer import ScoreSpec
from tttbench.core.scores import ScoreEntry, scores_from
from tttbench.core.shipped import shipped
from tttbench.core.tables import Check, Count, Document, Name, read_table
from tttbench.data.documents import read_toml, renamed

Transcribers = str | Mapping[str, str]
"""A system that transcribes, or one for each language: by the first part of its tag, and by ``OTHER`` for the rest."""

AUTO, OTHER = "auto", "other"
"""The transcriber that is chosen by language and by what is on this machine; the key of all other languages."""


@dataclass(frozen=True)
class SystemPlan:
    """One system of a suite.

    Attributes:
        name: as registered, e.g. ``"ttt:mini"``.
        strategy: decoding strategy; ``""`` means the system's own default.
        batch_size: requests a call; None means the suite's.
        settings: decode settings by name, passed on to the system.
        called: the name in tables and in the run directory; ``""`` means ``name``, or ``name@strategy``.
        get: how to come by it where it isn't here; for messages alone.
    """

    name: str
    strategy: str = ""
    batch_size: int | None = None
    settings: JsonObject = field(default_factory=dict)
    called: str = ""
    get: str = ""

    @property
    def label(self) -> str:
        """The name in tables and in the run directory."""
        return self.called or (f"{self.name}@{self.strategy}" if self.strategy else self.name)


@dataclass(frozen=True)
class TaskPlan:
    """One task of a suite: at most ``limit`` samples (None: all), read from ``data`` (None: what is shipped).

    ``scores`` and ``language`` are taken in place of the task's own; empty means those.
    """

    name: str
    limit: int | None = None
    data: Path | None = None
    scores: tuple[ScoreSpec, ...] = ()
    language: str = ""


@dataclass(frozen=True)
class Suite:
    """What a run does.

    Attributes:
        name: file name without ``.toml``; ``CUSTOM`` where the tasks are others than the file's.
        title: one line for lists and reports; ``""`` where what is run isn't the whole suite and nothing more.
        systems: the systems, in table order; labels are unique.
        tasks: the tasks, in table order; names are unique.
        transcriber: system that transcribes spoken answers, e.g. ``"whisper:tiny.en"``, or ``AUTO``; one for all, or
            one a language; ``""`` for none.
        judge: language model that grades answers, e.g. ``"openai_chat:MODEL"``, also with ``,OPTION=VALUE``; ``""`` for
            none. With one, tasks have their judged scores, too.
        seed: seeds every request, together with task and sample id.
        batch_size: requests a call, where a system names no other. None, as by default: each request alone, so that its
            latency is its own; derivations then go eight at a time, which changes no latency.
        resamples: bootstrap resamples behind every interval.
        warmup: requests that each system is given beforehand, unmeasured, so that first-use costs are in no metric.
        repeats: how often each sample is asked for, with seeds of their own.
        add: scores beside those of the tasks; see ``pipeline.default_scores.added``.
        oracle: label of the system whose codes all others are compared with; ``""`` for none.
        timeout_s: seconds that a system may take for a request, or a deriver for an input; then it counts as an error.
        ablations: which of the systems are others with something switched off.
        verify: answers of each task that a system declared lossless has compared with its oracle; 0 for none.
        protocol: notes on the protocol that it follows, if it follows one.
    """

    name: str
    title: str
    systems: tuple[SystemPlan, ...]
    tasks: tuple[TaskPlan, ...]
    transcriber: Transcribers = ""
    judge: str = ""
    seed: int = 0
    batch_size: int | None = None
    resamples: int = 2000
    warmup: int = 1
    oracle: str = ""
    repeats: int = 1
    add: tuple[ScoreSpec, ...] = ()
    timeout_s: float = 300.0
    ablations: tuple[Ablation, ...] = ()
    verify: int = 0
    protocol: tuple[ProtocolNote, ...] = ()


def suite_files(extra: Iterable[Path] = ()) -> dict[str, Path]:
    """Return the suites that can be named: those of ``tasks/suites``, and of ``extra`` folders the ``*.toml`` files.

    A task's file lies in such a folder, too; what marks it is its ``source``.
    """
    shipped_ones = sorted((shipped("tasks") / "suites").glob("*.toml"))
    own = [path for folder in extra for path in sorted(folder.glob("*.toml")) if not _is_task(path)]
    return {path.stem: path for path in (*shipped_ones, *own)}


def _is_task(path: Path) -> bool:
    try:
        values = read_toml(path).values
    except UserError:
        return False  # whoever asks for it is told what is wrong
    return isinstance(values, Mapping) and "source" in values


def load_suite(name: str, extra: Iterable[Path] = ()) -> Suite:
    """Read the suite called ``name``, or the one in the file ``name`` if that ends in ``.toml``.

    Raises:
        UserError: no such suite, or anything wrong in its file.
    """
    known = suite_files(extra)
    path = Path(name) if name.endswith(".toml") else known.get(name)
    if path is None:
        raise UserError(f"Unknown suite {name!r}. {did_you_mean(name, known)}")
    absent = f"Give a suite's name ({', '.join(sorted(known))}) or file."
    return parse_suite(path.stem, read_toml(path, absent=absent), path.parent)


@dataclass(frozen=True)
class _SystemEntry:
    """A ``[[systems]]`` table."""

    name: Name
    strategy: str | JsonObject | None = None
    batch_size: Count | None = None
    decode: JsonObject = field(default_factory=dict)
    grid: Mapping[
        str, Annotated[tuple[bool | int | float | str | tuple[int, ...], ...], Check(fewest=1, unique=True)]
    ] = field(default_factory=dict)
    label: Annotated[str, Check(one_line=True)] = ""
    get: str = ""


@dataclass(frozen=True)
class _TaskEntry:
    """A ``[[tasks]]`` table."""

    name: Name
    limit: Count | None = None
    data: Path | None = None
    scores: Annotated[tuple[ScoreEntry, ...], Check(fewest=1, fix="leave the key out for the task's own")] = ()
    language: str = ""


@dataclass(frozen=True)
class _SuiteFile:
    """The whole file; see ``Suite`` for what the fields mean."""

    systems: Annotated[tuple[_SystemEntry, ...], Check(fewest=1, fix="add at least one [[systems]] table")]
    tasks: Annotated[tuple[_TaskEntry, ...], Check(fewest=1, unique=("name",), fix="add at least one [[tasks]] table")]
    title: str = ""
    limit: Count | None = None
    transcriber: Transcribers = ""
    judge: str = ""
    seed: int = 0
    batch_size: Count | None = None
    resamples: Count = 2000
    warmup: Annotated[int, Check(least=0)] = 1
    repeats: Count = 1
    add: tuple[ScoreEntry, ...] = ()
    oracle: str = ""
    timeout_s: Annotated[float, Check(above=0)] = 300.0
    ablate: tuple[AblateEntry, ...] = ()
    verify: Annotated[int, Check(least=0)] = 0
    protocol: tuple[ProtocolNote, ...] = ()


def parse_suite(name: str, document: Document, folder: Path) -> Suite:
    """Return the suite in a document; ``folder`` is where the paths in it count from.

    Raises:
        UserError: a key that is unknown, missing or of the wrong type, or an entry given twice.
    """
    document = _renamed(document)
    given = read_table(_SuiteFile, document)
    judge_options(given.judge, f"{document.source}: judge")
    _check_transcribers(given.transcriber, document)
    systems = [plan for at, entry in enumerate(given.systems) for plan in _systems(entry, at, document)]
    tasks = [
        TaskPlan(
            name=entry.name,
            limit=given.limit if entry.limit is None else entry.limit,
            data=None if entry.data is None else folder / entry.data,
            scores=scores_from(entry.scores, f"{document.source}: tasks[{at}].scores"),
            language=entry.language,
        )
        for at, entry in enumerate(given.tasks)
    ]
    by_label = {plan.label: plan for plan in systems}
    switched = [one for at, entry in enumerate(given.ablate) for one in ablations(entry, at, [*by_label], document)]
    for one in switched:
        base = by_label[one.base]
        systems.append(replace(base, settings={**base.settings, **OFF[one.switch]}, called=one.system))
    labels = [plan.label for plan in systems]
    refuse_twice(labels, f"{document.source}: systems")
    if given.oracle and given.oracle not in labels:
        near = did_you_mean(given.oracle, labels)
        raise document.error("oracle", f"{given.oracle!r} is no system of the suite. {near}")
    return Suite(
        name=name,
        title=given.title or name,
        systems=tuple(systems),
        tasks=tuple(tasks),
        transcriber=given.transcriber,
        judge=given.judge,
        seed=given.seed,
        batch_size=given.batch_size,
        resamples=given.resamples,
        warmup=given.warmup,
        repeats=given.repeats,
        add=scores_from(given.add, f"{document.source}: add"),
        oracle=given.oracle,
        timeout_s=given.timeout_s,
        ablations=tuple(switched),
        verify=given.verify,
        protocol=given.protocol,
    )


def _check_transcribers(given: Transcribers, document: Document) -> None:
    for language in given if isinstance(given, Mapping) else ():
        if language != OTHER and (language != primary_language(language) or not language.isalpha()):
            what = f"{language!r} is no language; give the first part of a BCP 47 tag (en, zh), or {OTHER!r}."
            raise document.error("transcriber", what)


def _renamed(document: Document) -> Document:
    """The document with today's names of keys."""
    values = document.values
    if not isinstance(values, Mapping):
        return document
    tasks = values.get("tasks")
    found = (
        {
            **values,
            "tasks": [renamed(entry, "metrics", "scores", document, f"tasks[{at}].") for at, entry in enumerate(tasks)],
        }
        if isinstance(tasks, list)
        else values
    )
    # Before 0.2 the transcriber was called judge; no transcriber is named like a judge.
    judge = found.get("judge", "")
    if isinstance(judge, str) and judge.startswith(f"{KIND}:"):
        return replace(document, values=found)
    if not isinstance(judge, str) or judge.lower().startswith("openai"):
        raise document.error("judge", f"must be {KIND}:MODEL, or {KIND}:MODEL,OPTION=VALUE,… (docs/judges.md).")
    return replace(document, values=renamed(found, "judge", "transcriber", document))


_SHORT = {
    "steps_per_block": "S=",
    "block_length": "B=",
    "block_lengths": "B=",
    "cache": "",
    "refresh_every": "every ",
    "strategy": "",
}
"""How labels call the settings of a grid; others by their names."""

_LARGEST_GRID = 1000

_COUNTERPARTS = {"block_length": "block_lengths", "block_lengths": "block_length"}
"""Settings of which one takes the place of the other."""


def _systems(entry: _SystemEntry, at: int, document: Document) -> list[SystemPlan]:
    """The system of an entry, or one for every combination of the values of its ``grid``."""
    named, grid = system_plan(entry.name), entry.grid
    plan = SystemPlan(
        name=named.name,
        strategy=named.strategy
        if entry.strategy is None
        else strategy_text(entry.strategy, document, f"systems[{at}].strategy"),
        batch_size=entry.batch_size,
        settings=entry.decode,
        called=entry.label,
        get=entry.get,
    )
    if not grid:
        return [plan]
    if "strategy" in grid and plan.strategy:
        raise document.error(f"systems[{at}].grid", "has 'strategy', which the entry names too; remove one.")
    if _COUNTERPARTS.keys() <= grid.keys():
        raise document.error(f"systems[{at}].grid", "has 'block_length' and 'block_lengths'; remove one.")
    size = math.prod(len(values) for values in grid.values())
    if size > _LARGEST_GRID:
        what = f"makes {size:,} systems, at most {_LARGEST_GRID:,} can be compared; leave values out."
        raise document.error(f"systems[{at}].grid", what)
    plans = []
    for combination in itertools.product(*grid.values()):
        # Lists, as the manifest has them when it is read back.
        values = [list(value) if isinstance(value, tuple) else value for value in combination]
        settings: dict[str, JsonValue] = dict(zip(grid, values, strict=True))
        words = [f"{_SHORT.get(name, f'{name}=')}{_in_label(value)}" for name, value in settings.items()]
        strategy = str(settings.pop("strategy", plan.strategy))
        kept = {name: value for name, value in plan.settings.items() if _COUNTERPARTS.get(name) not in settings}
        merged = {**kept, **settings}
        first = plan.called or ("" if "strategy" in grid else plan.label)
        called = " ".join([first, *words]).strip()
        plans.append(replace(plan, strategy=strategy, settings=merged, called=called))
    return plans


def _in_label(value: JsonValue) -> str:
    return "+".join(map(str, value)) if isinstance(value, list) else str(value)


def system_plan(label: str) -> SystemPlan:
    """Return the plan for ``name`` or ``name@strategy``; an ``@`` inside a path is part of the name.

    What is ``recorded`` has no strategies, but names of files and of systems in it.
    """
    name, at, strategy = label.rpartition("@")
    if not (at and name) or "/" in strategy or label.startswith("recorded:") or os.path.exists(label.partition(":")[2]):
        return SystemPlan(label)
    return SystemPlan(name, strategy)


def refuse_twice(names: Sequence[str], where: str) -> None:
    """Raise ``UserError`` for a name that is given twice; ``where`` begins the message."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise UserError(f"{where}: {name!r} is given twice; remove one.")
        seen.add(name)
