"""Where systems, tasks and scorers are found by name: built in, from entry points, or from ``--include DIR``.

Built-in systems and scorers are the modules of ``tttbench.systems`` and ``tttbench.scorers``, built-in tasks the files
of ``tasks/``: adding a file is enough.
Third parties use the entry-point groups ``tttbench.systems``, ``tttbench.tasks`` and ``tttbench.scorers`` (each entry
names a module that registers when imported), or a folder of Python files given with ``--include``. Modules that are
found here must import quickly: heavy imports belong inside functions. Decoding strategies are registered where they
are used, in ``reference_model.decoding``.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import pkgutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Literal, TypeVar

from tttbench.core.errors import UserError, did_you_mean
from tttbench.core.scorer import Scorer
from tttbench.core.shipped import shipped
from tttbench.core.system import System, SystemFactory, SystemOptions
from tttbench.core.task import Task

T = TypeVar("T")


class Registry(Generic[T]):
    """Names of one kind and what stands behind them; modules that may hold more are imported on first use."""

    def __init__(
        self, noun: str, group: str, *, package: str | None = None, plugins: Literal["tasks", "reports"] | None = None
    ) -> None:
        """Make a registry.

        Args:
            noun: what an entry is called in messages, e.g. ``"task"``.
            group: entry-point group of third parties.
            package: package whose modules register themselves when imported; None where there is none.
            plugins: shipped folder whose Python files are loaded as those of ``--include`` are.
        """
        self._noun = noun
        self._group = group
        self._package = package
        self._plugins = plugins
        self._entries: dict[str, T] = {}
        self._discovered = False
        self.problems: dict[str, str] = {}
        """Modules that could not be imported, and why."""

    def add(self, name: str, entry: T) -> None:
        """Register ``entry``; a name that is taken by something else is an error."""
        if name in self._entries:
            raise UserError(f"{self._noun} {name!r} is registered twice; rename one of them.")
        self._entries[name] = entry

    def names(self) -> list[str]:
        """Return all names, sorted."""
        self._discover()
        return sorted(self._entries)

    def get(self, name: str) -> T:
        """Return the entry, or raise ``UserError`` with the nearest names."""
        self._discover()
        if name not in self._entries:
            failed = "".join(f" ({module} could not be imported: {why})" for module, why in self.problems.items())
            raise UserError(f"Unknown {self._noun} {name!r}. {did_you_mean(name, self._entries)}{failed}")
        return self._entries[name]

    def _discover(self) -> None:
        if self._discovered:
            return
        self._discovered = True
        if self._plugins is not None:
            include(shipped(self._plugins))
        for module in self._modules():
            try:
                importlib.import_module(module)
            except ImportError as error:
                self.problems[module] = str(error)

    def _modules(self) -> Iterator[str]:
        if self._package is not None:
            package = importlib.import_module(self._package)
            yield from (info.name for info in pkgutil.walk_packages(package.__path__, f"{self._package}."))
        for entry_point in importlib.metadata.entry_points(group=self._group):
            yield entry_point.module


SystemCheck = Callable[[str, SystemOptions], None]
"""Raises ``UserError`` for a spec or an option that can't be meant. Loads nothing."""


@dataclass(frozen=True)
class SystemEntry:
    """A kind of system: its factory, the specs worth listing (what follows the colon), a line about it, its check."""

    factory: SystemFactory
    specs: tuple[str, ...]
    summary: str
    check: SystemCheck | None


systems: Registry[SystemEntry] = Registry("system", "tttbench.systems", package="tttbench.systems")
tasks: Registry[Callable[[], Task]] = Registry("task", "tttbench.tasks", plugins="tasks")
scorers: Registry[Scorer] = Registry("scorer", "tttbench.scorers", package="tttbench.scorers")


def register_system(
    name: str, *, specs: Sequence[str] = (), summary: str = "", check: SystemCheck | None = None
) -> Callable[[SystemFactory], SystemFactory]:
    """Register a factory ``(spec, options) -> System`` under ``name``: it builds all systems called ``name:spec``.

    Args:
        name: what stands before the colon.
        specs: specs to show in ``tttbench list systems``; others may work too.
        summary: one line for that list.
        check: finds mistyped specs and options before a run begins; without it they show when the system is built, and
            count as errors of its requests.
    """

    def register(factory: SystemFactory) -> SystemFactory:
        systems.add(name, SystemEntry(factory, tuple(specs), summary, check))
        return factory

    return register


def register_task(name: str) -> Callable[[Callable[[], Task]], Callable[[], Task]]:
    """Register a function without arguments that returns the ``Task`` called ``name``."""

    def register(make: Callable[[], Task]) -> Callable[[], Task]:
        tasks.add(name, make)
        return make

    return register


def register_scorer(scorer: Scorer) -> Scorer:
    """Register a scorer under its own name."""
    scorers.add(scorer.name, scorer)
    return scorer


def system_names() -> list[str]:
    """Return the full names worth listing, e.g. ``["ttt:mini", "whisper:tiny.en"]``."""
    found = []
    for name in systems.names():
        specs = systems.get(name).specs
        found += [f"{name}:{spec}" for spec in specs] or [name]
    return found


def check_system(name: str, options: SystemOptions) -> None:
    """Raise ``UserError`` if there is no system called ``name``, or none with these options; nothing is loaded."""
    kind, _, spec = name.partition(":")
    if kind not in systems.names():
        raise UserError(f"Unknown system {name!r}. {did_you_mean(name, [*system_names(), *systems.names()])}")
    check = systems.get(kind).check
    if check is not None:
        check(spec, options)


def build_system(name: str, options: SystemOptions) -> System:
    """Build the system called ``name``, e.g. ``"whisper:tiny.en"``.

    Raises:
        UserError: unknown name, or whatever the factory has to say about spec and options.
    """
    check_system(name, options)
    kind, _, spec = name.partition(":")
    return systems.get(kind).factory(spec, options)


def build_task(name: str) -> Task:
    """Return the task called ``name``; raises ``UserError`` with the nearest names if there is none."""
    task = tasks.get(name)()
    if task.name != name:
        raise UserError(f"Task {name!r} calls itself {task.name!r}; give both the same name.")
    return task


def include(folder: Path) -> None:
    """Import every Python file of ``folder``, so that what it registers can be used by name.

    Raises:
        UserError: no such folder, or a file in it cannot be imported.
    """
    if not folder.is_dir():
        raise UserError(f"--include {folder}: no such folder.")
    for path in sorted(folder.glob("*.py")):
        name = f"tttbench_included:{path.resolve()}"
        if name in sys.modules:
            continue
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise UserError(f"{path}: not a Python file that can be imported.")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except UserError:
            raise
        except Exception as error:
            del sys.modules[name]
            raise UserError(f"{path}: cannot be imported: {type(error).__name__}: {error}") from error
