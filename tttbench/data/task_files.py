"""Tasks as TOML files: a source, its options, and how answers are scored. Most benchmarks are no more than that.

    title = "Digits"
    family = "asr"
    description = "Digit strings, read by several speakers."
    source = "asr_folder"
    scores = ["wer", "cer"]

The file's name is the task's. ``data`` is a folder beside the file; without it users give one, or an archive
or a list, with ``--data NAME=PATH``, and ``get`` says where to get it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Annotated

from tttbench.core.blame import blamed
from tttbench.core.errors import AbsentError, UserError, did_you_mean
from tttbench.core.language import language_fault
from tttbench.core.plugins import SourceEntry, sources, tasks
from tttbench.core.sample import Modality, Sample
from tttbench.core.scores import ScoreEntry, scores_from
from tttbench.core.tables import Check, Document, Name, read_table
from tttbench.core.task import HubFiles, Needs, Task
from tttbench.data.asked import Asking, asked, fault_of
from tttbench.data.documents import read_toml
from tttbench.data.packed import is_archive, list_packed


@dataclass(frozen=True)
class TaskNeeds:
    """The table ``needs``: what a system must accept and produce."""

    accepts: frozenset[Modality] = frozenset({"audio"})
    produces: frozenset[Modality] = frozenset({"text"})
    turns: bool = False


@dataclass(frozen=True)
class TaskFile:
    """The keys of a task's file; see ``Task`` for what they mean.

    Attributes:
        source: name of the source that lists the samples, with its ``options``.
        data: folder of the data, as seen from the file; ``""``: given by the user.
        get: where to get the data, the end of a sentence.
        hub: the data set of the hub that ``tttbench data get`` fetches; ``get`` is then made of it.
        size, hours, license: of the published data: how many samples and hours of audio, and on which terms.
        allow_outside: whether lists may name audio outside of the data's folder.
        speak: voice that asks written questions, ``ENGINE:SPEAKER``.
        conditions: ways to ask the same questions, each a task; the file's name is that of the first.
    """

    title: Name
    family: Name
    description: str
    source: Name
    scores: Annotated[tuple[ScoreEntry, ...], Check(fewest=1)]
    judged: Annotated[tuple[ScoreEntry, ...], Check(fewest=1, fix="leave the key out")] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    data: str = ""
    get: str = ""
    hub: HubFiles | None = None
    size: Annotated[int, Check(least=0)] = 0
    hours: Annotated[float, Check(least=0)] = 0.0
    license: Annotated[str, Check(one_line=True)] = ""
    instruction: str = ""
    language: str = ""
    max_seconds: Annotated[float, Check(above=0)] = 30.0
    needs: TaskNeeds = field(default_factory=TaskNeeds)
    doubles_as: tuple[Name, ...] = ()
    cluster: str = ""
    allow_outside: bool = False
    missing: Annotated[str, Check(one_line=True)] = ""
    speak: str = ""
    conditions: Annotated[tuple[Name, ...], Check(fewest=1, fix="leave the key out")] = ()


_ONLY_TASKS = {"source", "family", "scores", "options", "instruction"}
"""Keys by which a file is a task, complete or not."""


def load(path: Path) -> None:
    """Register the task of a TOML file; one that holds nothing that only tasks have (a suite, say) is passed over.

    Raises:
        UserError: naming the file, the key and what to do.
    """
    document = read_toml(path)
    if isinstance(document.values, Mapping) and _ONLY_TASKS & document.values.keys():
        tasks.add(path.stem, lambda: task_from(document, path))
        for asking in _others(document.values):
            tasks.add(path.stem + asking.suffix, partial(task_from, document, path, asking))


def _others(values: Mapping[object, object]) -> list[Asking]:
    """The conditions beside the first, as far as they can be read: the first task says what is wrong with them."""
    given = values.get("conditions")
    texts = [one for one in given if isinstance(one, str)] if isinstance(given, list) else []
    wrong = len(texts) < 2 or fault_of(texts, voice="any")
    return [] if wrong else [Asking(one, str(values.get("speak", ""))) for one in texts[1:]]


def task_from(document: Document, path: Path, asking: Asking | None = None) -> Task:
    """Return the task of a file that has been read.

    Args:
        document: its content.
        path: the file; its stem is the task's name.
        asking: another of its conditions than the first.

    Raises:
        UserError: naming the file, the key and what to do.
    """
    found = read_table(TaskFile, document)
    try:
        entry = sources.get(found.source)
    except UserError as error:
        raise document.error("source", str(error)) from error
    for option in found.options:
        if option not in entry.options:
            raise document.error(
                "options", f"{found.source} has no {option!r:.60}. {did_you_mean(option, entry.options)}"
            )
    if fault := language_fault(found.language):
        raise document.error("language", fault)
    if found.speak and not found.conditions:
        found = replace(found, conditions=("clean",))
    if fault := fault_of(found.conditions, found.speak):
        raise document.error("conditions", fault)
    ways = [Asking(condition, found.speak) for condition in found.conditions]
    way = asking or (ways[0] if ways else None)
    several = len(ways) > 1
    name = path.stem + (asking.suffix if asking else "")
    if found.get and found.hub is not None:
        raise document.error("get", "stands beside 'hub', of which it is made; remove one.")
    get = found.get if found.hub is None else f"{found.hub.sentence} (tttbench data get {path.stem})"
    beside = path.parent / found.data if found.data else None

    def samples(data: Path | None) -> Sequence[Sample]:
        listed = _listed(name, found, entry, data or beside, get)
        return listed if way is None else asked(listed, way, found.language, f"task {name!r}")

    accepts = found.needs.accepts if way is None else way.accepts
    return Task(
        name=name,
        title=f"{found.title}, {way.title}" if way and several else found.title,
        family=found.family,
        description=found.description,
        scores=scores_from(found.scores, f"{document.source}: scores"),
        judged=scores_from(found.judged, f"{document.source}: judged"),
        samples=samples,
        instruction=found.instruction,
        needs=Needs(accepts, found.needs.produces, found.needs.turns),
        language=found.language,
        max_seconds=found.max_seconds,
        doubles_as=() if asking else (*(path.stem + one.suffix for one in ways[1:]), *found.doubles_as),
        cluster=found.cluster,
        data=beside,
        size=found.size,
        hours=found.hours,
        license=found.license,
        condition=way.condition if way and several else "",
        condition_of=path.stem if several else "",
        get=get,
        hub=found.hub,
        allow_outside=found.allow_outside,
        missing=found.missing,
    )


def _listed(name: str, found: TaskFile, entry: SourceEntry, folder: Path | None, get: str) -> Sequence[Sample]:
    if folder is None:
        where = f" Get it {get.rstrip(chr(46))}" if get else " Make one"
        raise AbsentError(f"{name}: needs a folder of data, or an archive.{where} and give it with --data {name}=PATH.")
    with blamed(f"task {name!r}: its source {found.source!r}"):
        if is_archive(folder):
            return list_packed(folder, lambda inside: entry.read(inside, **found.options))
        return entry.read(folder, **found.options)
