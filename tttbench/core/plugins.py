"""What can be registered, how each kind is registered, and how it is built from its name and options.

Systems, tasks, scorers, derivers, normalizers, sources; strategies and codecs belong to the reference model, which
keeps them itself. Modules that register must import quickly: heavy imports belong inside functions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar, cast

from tttbench.core.blame import blamed, named
from tttbench.core.checked import card_of, check_deriver_facts, check_task_facts
from tttbench.core.derivation import Deriver
from tttbench.core.errors import UserError, did_you_mean
from tttbench.core.exchange import Request, Response
from tttbench.core.extras import Extra, require
from tttbench.core.json_values import JsonObject
from tttbench.core.metric import MetricInfo
from tttbench.core.missing import Lacks
from tttbench.core.normalizer import Normalizer
from tttbench.core.registry import Registry
from tttbench.core.sample import Sample
from tttbench.core.scorer import FunctionScorer, Scorer, ScorerFactory, ScoreSpec, Verdict
from tttbench.core.system import Capability, FunctionSystem, System, SystemCard, SystemFactory, SystemOptions
from tttbench.core.tables import Document
from tttbench.core.task import Task, guarded

S = TypeVar("S", bound=Callable[..., Sequence[Sample]])

SystemCheck = Callable[[str, SystemOptions], None]
"""Raises ``UserError`` for a spec or an option that is invalid. Loads nothing."""

Respond = Callable[[Request], Response | str]
"""The shortest system: from one request to a response, or to its text."""


@dataclass(frozen=True)
class Decoding:
    """What can be said about the decoding of a kind of system, without building one.

    Attributes:
        check: raises ``UserError`` for decode settings that no such system takes; of several tables later ones win.
        strategies: returns each strategy as it is written in a call, with a line about it.
        in_force: returns the decode settings that have an effect on a system; None where that can't be said.
        against: returns the strategies of the second of two specs, an AR model, or raises ``UserError`` for no pair.
    """

    check: Callable[[Sequence[Document]], object]
    strategies: Callable[[], Sequence[tuple[str, str]]]
    in_force: Callable[[str, SystemOptions], JsonObject] | None = None
    against: Callable[[str, str], Sequence[str]] | None = None


@dataclass(frozen=True)
class SystemEntry:
    """A kind of system: its factory, the specs worth listing (what follows the colon), a line about it, its check.

    ``decoding`` is None for kinds whose decoding has no settings. ``ready`` makes sure that what building it needs is
    there, and may fetch it; ``lacks`` says what of it isn't, and fetches nothing.
    """

    factory: SystemFactory | Callable[[str, SystemOptions], System | Respond]
    specs: tuple[str, ...]
    summary: str
    check: SystemCheck | None
    decoding: Decoding | None = None
    ready: SystemCheck | None = None
    lacks: Lacks | None = None


@dataclass(frozen=True)
class ScorerEntry:
    """A kind of scorer: its factory, the options that it takes, a line about it.

    ``operational``: those of its options that say how what it needs is reached, how fast, or at which price, and never
    change a score. They are in no score's id: two runs that differ in them alone have the same scores.
    """

    factory: ScorerFactory
    options: tuple[str, ...]
    summary: str
    operational: frozenset[str] = frozenset()


class DeriverFactory(Protocol):
    """Builds a deriver from what follows the colon of its name."""

    def __call__(self, spec: str, options: SystemOptions) -> Deriver:
        """Build it. Raises ``UserError`` for an unknown ``spec`` or missing or damaged weights."""
        ...


@dataclass(frozen=True)
class DeriverEntry:
    """A kind of deriver: its factory, its check (loads nothing), a line about it; ``ready``, ``lacks``: as a system.

    ``longest_s`` returns the most seconds that its own settings let an input take; None for kinds without such.
    ``recipe_of`` returns the recipe of one that hasn't been built, as far as its spec tells it.
    """

    factory: DeriverFactory
    check: SystemCheck | None
    summary: str
    ready: SystemCheck | None = None
    lacks: Lacks | None = None
    longest_s: Callable[[str, SystemOptions], float] | None = None
    recipe_of: Callable[[str], str] | None = None


Source = Callable[..., Sequence[Sample]]
"""Reads a data set as it lies on disk, ``(folder, **options) -> samples``: a listing, never audio.

Raises ``UserError`` naming file, line and field.
"""


@dataclass(frozen=True)
class SourceEntry:
    """A kind of source: its function, the options that it takes, a line about it."""

    read: Source
    options: tuple[str, ...]
    summary: str


systems: Registry[SystemEntry] = Registry("system", "tttbench.systems", package="tttbench.systems")
tasks: Registry[Callable[[], Task]] = Registry("task", "tttbench.tasks", plugins="tasks")
scorers: Registry[ScorerEntry] = Registry("scorer", "tttbench.scorers", package="tttbench.scorers")
derivers: Registry[DeriverEntry] = Registry("deriver", "tttbench.derivers", package="tttbench.derive")
normalizers: Registry[Normalizer] = Registry("normalizer", "tttbench.normalizers", package="tttbench.text")
sources: Registry[SourceEntry] = Registry("source", "tttbench.sources", package="tttbench.data.sources")


def register_system(
    name: str,
    *,
    specs: Sequence[str] = (),
    summary: str = "",
    check: SystemCheck | None = None,
    decoding: Decoding | None = None,
    ready: SystemCheck | None = None,
    lacks: Lacks | None = None,
) -> Callable[[Callable[[str, SystemOptions], System | Respond]], Callable[[str, SystemOptions], System | Respond]]:
    """Register a factory ``(spec, options) -> System`` under ``name``: it builds all systems called ``name:spec``.

    A factory may return a function from a request to a response or a text: the shortest system there is.

    Args:
        name: what stands before the colon.
        specs: specs to show in ``tttbench list systems``; others may work too.
        summary: one line for that list.
        check: finds mistyped specs and options before a run begins; without it they show when the system is built, and
            count as errors of its requests.
        decoding: its decode settings and strategies, if it has any.
        ready: called before a run begins; makes sure that what takes long to fetch, or may not be there, is: weights, a
            server. Raises ``UserError`` saying where to get it.
        lacks: returns what of that isn't there, for ``tttbench run --dry-run``; loads, fetches and asks nothing.
    """

    def register(
        factory: Callable[[str, SystemOptions], System | Respond],
    ) -> Callable[[str, SystemOptions], System | Respond]:
        systems.add(name, SystemEntry(factory, tuple(specs), summary, check, decoding, ready, lacks))
        return factory

    return register


def register_task(name: str) -> Callable[[Callable[[], Task]], Callable[[], Task]]:
    """Register a function without arguments that returns the ``Task`` called ``name``."""

    def register(make: Callable[[], Task]) -> Callable[[], Task]:
        tasks.add(name, make)
        return make

    return register


def register_scorer(
    name: str, *, options: Sequence[str] = (), summary: str = "", operational: Sequence[str] = ()
) -> Callable[[ScorerFactory], ScorerFactory]:
    """Register a factory ``(options) -> Scorer`` under ``name``: of the scorer, and of its score without another id.

    ``options`` are the names of those that it takes, ``summary`` is its line in ``tttbench list scorers``;
    ``operational`` names those that never change a score (see ``ScorerEntry``).
    """

    def register(factory: ScorerFactory) -> ScorerFactory:
        scorers.add(name, ScorerEntry(factory, tuple(options), summary, frozenset(operational)))
        return factory

    return register


def scorer(
    name: str, info: MetricInfo, *, version: int = 1, reads: Sequence[str] = ("text",)
) -> Callable[[Verdict], Verdict]:
    """Register a function ``(sample, view) -> value`` as the scorer ``name``: the shortest way to add a metric.

    Args:
        name: of the scorer and its score.
        info: how the metric is shown, aggregated and compared.
        version: raised whenever the same answer may score otherwise.
        reads: what it needs of a system's answers: ``"text"``, ``"audio"``, ``"codes"``.
    """

    if not isinstance(info, MetricInfo):
        raise UserError(f"scorer {name!r}: its info is {info!r:.60}, expected a MetricInfo.")

    def register(verdict: Verdict) -> Verdict:
        made = FunctionScorer(name, version, info, frozenset(reads), verdict)

        def build(options: Mapping[str, str]) -> Scorer:
            return made

        scorers.add(name, ScorerEntry(build, (), info.title))
        return verdict

    return register


def register_deriver(
    name: str,
    *,
    check: SystemCheck | None = None,
    summary: str = "",
    ready: SystemCheck | None = None,
    lacks: Lacks | None = None,
    longest_s: Callable[[str, SystemOptions], float] | None = None,
    recipe_of: Callable[[str], str] | None = None,
) -> Callable[[DeriverFactory], DeriverFactory]:
    """Register a factory ``(spec, options) -> Deriver`` under ``name``: it builds all derivers called ``name:spec``.

    For the other arguments see ``DeriverEntry``.
    """

    def register(factory: DeriverFactory) -> DeriverFactory:
        derivers.add(name, DeriverEntry(factory, check, summary, ready, lacks, longest_s, recipe_of))
        return factory

    return register


def register_normalizer(
    name: str, *, version: int, package: str = "", summary: str = "", extra: Extra | Literal[""] = ""
) -> Callable[[Callable[[str], str]], Callable[[str], str]]:
    """Register a function from text to text as a normalizer; see ``Normalizer``."""

    def register(normalize: Callable[[str], str]) -> Callable[[str], str]:
        normalizers.add(name, Normalizer(name, version, normalize, package, summary, extra))
        return normalize

    return register


def register_source(name: str, *, options: Sequence[str] = (), summary: str = "") -> Callable[[S], S]:
    """Register a function ``(folder, **options) -> samples`` as a source that tasks can name."""

    def register(read: S) -> S:
        sources.add(name, SourceEntry(read, tuple(options), summary))
        return read

    return register


def system_names() -> list[str]:
    """Return the full names worth listing, e.g. ``["ttt:mini", "whisper:tiny.en"]``."""
    found = []
    for name in systems.names():
        specs = systems.get(name).specs
        found += [f"{name}:{spec}" for spec in specs] or [name]
    return found


def check_system(name: str, options: SystemOptions) -> None:
    """Raise ``UserError`` for a system ``name`` that there isn't, or refuses its spec or ``options``. Loads nothing."""
    kind, _, spec = name.partition(":")
    if kind not in systems:
        known = [*system_names(), *systems.names()]
        raise UserError(f"Unknown system {name!r}. {did_you_mean(name, known)}{systems.hint()}")
    check = systems.get(kind).check
    if check is not None:
        with blamed(f"system {name!r}: its check"):
            check(spec, options)


def make_ready(name: str, options: SystemOptions, registry: Registry[SystemEntry] | Registry[DeriverEntry]) -> None:
    """Raise ``UserError`` if what a system or deriver needs to be built isn't there and can't be fetched."""
    kind, _, spec = name.partition(":")
    ready = registry.get(kind).ready if kind in registry else None  # an unknown one is found by its check
    if ready is not None:
        with blamed(f"{registry.noun} {name!r}: making it ready"):
            ready(spec, options)


def check_decoding(kind: str, tables: Sequence[Document]) -> None:
    """Raise ``UserError`` for decode settings that no system of ``kind`` takes; a kind without any checks them itself.

    ``kind`` is what stands before the colon of a system's name; for ``tables`` see ``Decoding.check``.
    """
    decoding = systems.get(kind).decoding
    if decoding is not None:
        decoding.check(tables)


def build_system(name: str, options: SystemOptions) -> System:
    """Build the system called ``name``, e.g. ``"whisper:tiny.en"``.

    Raises:
        UserError: unknown name, or whatever the factory has to say about spec and options.
    """
    check_system(name, options)
    kind, _, spec = name.partition(":")
    with blamed(f"system {name!r}: building it"):
        made = systems.get(kind).factory(spec, options)
    with blamed(f"system {name!r}: its card"):  # looking for it reads it
        is_system = isinstance(made, System)
    if callable(made) and not is_system:
        made = FunctionSystem(SystemCard(name, Capability(), strategy=options.strategy), made)
        is_system = True
    if not is_system:
        raise UserError(
            f"system {name!r}: its factory returned a {type(made).__name__}, expected a System with a card and "
            "generate(), or a function from a request to a response (docs/add_a_system.md)."
        )
    system = cast(System, made)
    card_of(system, name)
    return system


def build_task(name: str) -> Task:
    """Return the task called ``name``; raises ``UserError`` with the nearest names if there is none."""
    make = tasks.get(name)
    with blamed(f"task {name!r}"):
        task = make()
    if not isinstance(task, Task):
        raise UserError(f"task {name!r}: what is registered returned a {type(task).__name__}, expected a Task.")
    if task.name != name:
        raise UserError(f"Task {name!r} calls itself {task.name!r}; give both the same name.")
    with named(f"task {name!r}"):
        check_task_facts(task)
    return guarded(task)


def build_scorer(spec: ScoreSpec) -> Scorer:
    """Build the scorer of ``spec``; raises ``UserError`` for an unknown scorer or option."""
    entry = scorers.get(spec.scorer)
    for name, value in spec.options.items():
        if name not in entry.options:
            hint = did_you_mean(name, entry.options) if entry.options else "It has none."
            raise UserError(
                f"score {spec.scorer}:{name!s:.60}={value!s:.60}: {spec.scorer} has no option {name!r:.60}. {hint}"
            )
    with blamed(f"scorer {spec.scorer!r}"):
        made = entry.factory(spec.options)
        if not isinstance(made.info, MetricInfo):
            raise UserError(f"scorer {spec.scorer!r}: its info is {made.info!r:.60}, expected a MetricInfo.")
    return made


def build_normalizer(name: str) -> Normalizer:
    """Return the normalizer called ``name``; raises ``UserError`` if there is none, or an extra that it needs isn't."""
    found = normalizers.get(name)
    if found.extra:
        require(found.extra, f"normalizer {name!r}")
    return found


def build_deriver(name: str, options: SystemOptions) -> Deriver:
    """Build the deriver called ``name``, e.g. ``"transcriber:whisper:tiny.en"``; raises ``UserError`` if it can't."""
    check_deriver(name, options)
    kind, _, spec = name.partition(":")
    with blamed(f"deriver {name!r}: building it"):
        made = derivers.get(kind).factory(spec, options)
    with named(f"deriver {name!r}"):
        check_deriver_facts(made)
    return made


def check_deriver(name: str, options: SystemOptions) -> None:
    """Raise ``UserError`` if there is no deriver ``name``, or it refuses its spec. Loads nothing."""
    kind, _, spec = name.partition(":")
    check = derivers.get(kind).check
    if check is not None:
        with blamed(f"deriver {name!r}: its check"):
            check(spec, options)
