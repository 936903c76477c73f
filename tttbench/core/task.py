"""What a task is: a name, where its samples come from, what it needs of a system, and how answers are scored.

A task reads listings, never audio; it knows no system. Most tasks are a TOML file of ``tasks/``; a Python file that is
loaded from there, or from a folder given with ``--include``, registers one with
``tttbench.core.registry.register_task``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

from tttbench.core.blame import blamed
from tttbench.core.errors import UserError
from tttbench.core.language import primary_language
from tttbench.core.sample import Modality, Sample
from tttbench.core.scorer import ScoreSpec
from tttbench.core.system import Capability
from tttbench.core.tables import Check, Name


@dataclass(frozen=True)
class Needs:
    """What a task needs of a system: what it must accept, what it must produce, and conversations of several turns."""

    accepts: frozenset[Modality] = frozenset({"audio"})
    produces: frozenset[Modality] = frozenset({"text"})
    turns: bool = False


@dataclass(frozen=True)
class HubFiles:
    """Where a task's data lie on the Hugging Face hub.

    Attributes:
        repo: the data set's id, ``OWNER/NAME``.
        files: paths in it, or patterns of them, e.g. ``"mmsu/*.parquet"``; each must fit a file.
        data: the part of them that a run is given with ``--data``; ``""``: the folder that holds all.
    """

    repo: Annotated[Name, Check(one_line=True)]
    files: Annotated[tuple[Name, ...], Check(fewest=1)]
    data: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[\w.-]+/[\w.-]+", self.repo, re.ASCII):
            raise ValueError(f"repo must be OWNER/NAME, not {self.repo[:70]!r}")

    @property
    def sentence(self) -> str:
        """Where to get them, as ``Task.get`` says it."""
        return f"from Hugging Face's {self.repo}: {', '.join(self.files)}"


@dataclass(frozen=True, kw_only=True)
class Task:
    """One set of samples and how answers to them are scored.

    Attributes:
        name: the name it is registered under.
        title: a few words for tables.
        family: ``"asr"``, ``"qa"``, ``"dialogue"``, ``"captioning"``, ``"translation"``, ``"repetition"`` … or any
            other: chooses a system's own prompt and how a page lays samples out.
        description: one or two sentences: what it measures, where the data come from, under which license.
        scores: in table order; the first is the primary metric.
        judged: further ones, before those, where a run has a judge; ``answer`` …, whose judge is the run's.
        samples: lists the samples. Its argument is the path of ``--data TASK=PATH``; None means the data that are
            shipped, or a ``UserError`` that says how to get them. The order is fixed: ``--limit`` takes the first.
        instruction: what to do, in words; sent to systems that take one.
        needs: of a system.
        language: BCP 47 tag of its answers where samples don't say; ``""`` if unknown.
        max_seconds: the longest spoken answer worth waiting for.
        doubles_as: names of tasks over the same data that are run along with this one.
        cluster: what samples with the same ``Sample.cluster`` share, e.g. ``"speaker"``; ``""``: as its family has it.
        data: folder of the data that it brings along; None if it has none, or makes them.
        size: how many samples the published data have; 0 if that isn't known, or is the user's business.
        hours: of audio in them; 0 if that isn't known.
        license: of the data, e.g. ``"CC BY 4.0"``; ``""`` if it isn't known.
        get: where to get them, the end of a sentence; ``""`` if they are shipped or made.
        condition: how its questions are asked, where the same are asked in several ways: ``"text"``, ``"clean"``, …
        condition_of: the name that all those tasks share; ``""`` where there is one way.
        hub: where ``tttbench data get`` fetches them from; None if it can't.
        missing: what its published score needs that isn't here, where there is nothing that computes it.
        allow_outside: whether its audio may lie outside of the data's folder. A task in Python is trusted code; one in
            TOML reads lists that may come from anywhere, and says so itself.
    """

    name: str
    title: str
    family: str
    description: str
    scores: tuple[ScoreSpec, ...]
    samples: Callable[[Path | None], Sequence[Sample]]
    instruction: str = ""
    needs: Needs = field(default_factory=Needs)
    language: str = ""
    max_seconds: float = 30.0
    doubles_as: tuple[str, ...] = ()
    cluster: str = ""
    data: Path | None = None
    size: int = 0
    hours: float = 0.0
    license: str = ""
    get: str = ""
    condition: str = ""
    condition_of: str = ""
    hub: HubFiles | None = None
    allow_outside: bool = True
    judged: tuple[ScoreSpec, ...] = ()
    missing: str = ""


@dataclass(frozen=True)
class Nouns:
    """What a sample of a task is called, and what samples with the same ``Sample.cluster`` share."""

    sample: str
    cluster: str


_NOUNS = {
    "asr": Nouns("utterance", "speaker"),
    "translation": Nouns("utterance", "speaker"),
    "repetition": Nouns("utterance", "speaker"),
    "qa": Nouns("question", "cluster"),
    "dialogue": Nouns("conversation", "cluster"),
    "captioning": Nouns("clip", "cluster"),
}


def nouns(family: str, cluster: str = "") -> Nouns:
    """Return the words for what a task counts; ``cluster`` is ``Task.cluster``."""
    known = _NOUNS.get(family, Nouns("sample", "cluster"))
    return Nouns(known.sample, cluster or known.cluster)


def guarded(task: Task) -> Task:
    """Return a task whose listing ends in samples with texts as ids, or in a ``UserError`` that names the task."""

    def samples(folder: Path | None) -> Sequence[Sample]:
        with blamed(f"task {task.name!r}: listing its samples"):
            found = tuple(task.samples(folder))
        for at, sample in enumerate(found):
            if not isinstance(sample, Sample) or not isinstance(sample.id, str):
                raise UserError(
                    f"task {task.name!r}: item {at} of its list is no Sample with a text as id; correct it."
                )
        return found

    return replace(task, samples=samples)


def why_not(capability: Capability, needs: Needs, family: str, language: str = "") -> str:
    """Return why a system of ``capability`` can't be given a task, as the end of a sentence; ``""`` if it can.

    Args:
        capability: of the system.
        needs, family, language: of the task.
    """
    if capability.families is not None and family not in capability.families:
        return f"is made for {', '.join(sorted(capability.families))} tasks, not {family}"
    if missing := needs.accepts - capability.accepts:
        return f"doesn't accept {' and '.join(sorted(missing))}"
    if missing := needs.produces - capability.produces:
        return f"doesn't produce {' and '.join(sorted(missing))}"
    if needs.turns and not capability.turns:
        return "doesn't take conversations of several turns"
    if capability.languages is not None:
        claimed = {primary_language(one) for one in capability.languages}
        if primary_language(language) not in claimed | {""}:
            return f"doesn't claim the language {language}"
    return ""
