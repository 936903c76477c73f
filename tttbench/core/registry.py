"""Where things of one kind are found by name: built in, from entry points, or from a folder given with ``--include``.

Built-in modules and files are found by themselves: adding one is enough. A plug-in that breaks, in whatever way, is a
warning that names it and costs nobody else anything. Which kinds there are stands in ``tttbench.core.plugins``.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import logging
import os
import pkgutil
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Generic, Literal, TypeVar

from tttbench.core.errors import UserError, did_you_mean, kind_and_message
from tttbench.core.shipped import shipped

T = TypeVar("T")

log = logging.getLogger("tttbench")

MIGRATION_PAGE = "docs/change_a_plugin.md"

_MOST_NAMED = 3
"""Plug-ins that broke and are named in a message; each had a warning of its own."""

_discovering = threading.RLock()
"""One thread finds entries, and others wait until all are there. One lock for all kinds: some need others."""

_MODULES_OF_0_1 = (
    "tttbench.records",
    "tttbench.registry",
    "tttbench.systems.base",
    "tttbench.data.task",
    "tttbench.data.readers",
    "tttbench.scoring",
    "tttbench.execution",
    "tttbench.errors",
    "tttbench.tasks",
    "tttbench.reports",
    "tttbench.core.records",
)


class Registry(Generic[T]):
    """Names of one kind and what stands behind them; what may hold more is loaded on first use."""

    def __init__(
        self,
        noun: str,
        group: str,
        *,
        package: str = "",
        plugins: Literal["tasks", "reports", ""] = "",
        more: Callable[[], Iterator[tuple[str, T]]] | None = None,
    ) -> None:
        """Make a registry.

        Args:
            noun: what an entry is called in messages, e.g. ``"task"``.
            group: entry-point group of third parties; each entry names a module that registers when imported.
            package: package whose modules, at any depth, register themselves when imported; ``""`` where there is none.
            plugins: shipped folder whose Python files are loaded as those of ``--include`` are.
            more: yields entries that are found otherwise (files of another kind), with their names.
        """
        self.noun = noun
        self._group = group
        self._package = package
        self._plugins: Literal["tasks", "reports", ""] = plugins
        self._more = more
        self._entries: dict[str, T] = {}
        self._files: dict[str, Path] = {}  # of entries from ``--include`` folders
        self._begun = False
        self._discovered = False
        self.problems: dict[str, str] = {}
        """Plug-ins that could not be loaded, and why."""

    def add(self, name: str, entry: T) -> None:
        """Register ``entry``; a name that is taken by something else is an error."""
        if not name or not isinstance(name, str):
            raise UserError(f"A {self.noun} needs a name, not {name!r}.")
        if name in self._entries:
            file = self._files.get(name)
            if file is None or _including:
                raise UserError(f"{self.noun} {name!r} is registered twice; rename one of them.")
            # What is built in is found later than what was included, and keeps its name all the same.
            included_problems[str(file)] = f"{self.noun} {name!r} is built in; give yours another name"
            log.warning("%s: %s", file, included_problems[str(file)])
            del self._files[name]
        self._entries[name] = entry
        if _including:
            self._files[name] = _including[-1]

    def names(self) -> list[str]:
        """Return all names, sorted."""
        self._discover()
        return sorted(self._entries)

    def __contains__(self, name: object) -> bool:
        """Whether there is an entry of that name."""
        self._discover()
        return name in self._entries

    def get(self, name: str) -> T:
        """Return the entry, or raise ``UserError`` with the nearest names."""
        self._discover()
        if name not in self._entries:
            for file, why in included_problems.items():
                if Path(file).stem == name:
                    raise UserError(f"{self.noun} {name!r}: {file} could not be loaded: {why}")
            raise UserError(f"Unknown {self.noun} {name!r:.99}. {did_you_mean(name, self._entries)}{self.hint()}")
        return self._entries[name]

    def hint(self) -> str:
        """What stands behind the message about an unknown name: plug-ins that broke, or how plug-ins are given."""
        broken = list({**self.problems, **included_problems}.items())
        named = "".join(f" ({plugin} could not be loaded: {why})" for plugin, why in broken[:_MOST_NAMED])
        more = f" ({len(broken) - _MOST_NAMED:,} more could not be loaded)" if len(broken) > _MOST_NAMED else ""
        return named + more or " A plug-in's folder is given with --include."

    def _discover(self) -> None:
        if self._discovered:
            return
        with _discovering:
            # A module that is being loaded for it may ask for names itself: it sees those that there are by then.
            if not self._begun:
                self._begun = True
                # Where a file that is being included asks for names, what is built in isn't of that file.
                including = _including[:]
                _including.clear()
                try:
                    self._find()
                finally:
                    _including[:] = including
                self._discovered = True

    def _find(self) -> None:
        if self._package:
            package = importlib.import_module(self._package)
            for info in pkgutil.walk_packages(package.__path__, f"{self._package}."):
                importlib.import_module(info.name)
        if self._plugins:
            for path in sorted(shipped(self._plugins).glob("*/*")):
                load_file(path)
        for name, entry in self._more() if self._more is not None else ():
            self.add(name, entry)
        for point in importlib.metadata.entry_points(group=self._group):
            try:
                importlib.import_module(point.module)
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # even sys.exit() in a plug-in must not end somebody's run
                self.problems[point.module] = why_it_failed(error)
                log.warning("plug-in %s could not be loaded: %s", point.module, self.problems[point.module])


_including: list[Path] = []
"""The file of an ``--include`` folder that is being loaded; a loading file may include another folder."""

included_problems: dict[str, str] = {}
"""Files of ``--include`` folders that could not be loaded, and why."""


def include(folder: Path) -> None:
    """Load every Python file, and every task in TOML, of ``folder``, so that what is registered can be used by name.

    A file that breaks is a warning; what it would have registered is unknown then.

    Raises:
        UserError: no such folder.
    """
    if not os.path.isdir(folder):
        hint = " Give the folder that holds it." if os.path.isfile(folder) else ""
        raise UserError(f"--include {folder}: no such folder.{hint}")
    # Python first: files of other kinds may name what is registered there.
    for path in sorted(folder.iterdir(), key=lambda one: (one.suffix in _LOADERS, one)):
        _including.append(path)
        try:
            load_file(path)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # even sys.exit() in a plug-in must not end somebody's run
            # A message about a TOML file names it already.
            included_problems[str(path)] = why_it_failed(error).removeprefix(str(path)).lstrip(":, ")
            log.warning("%s could not be loaded: %s", path, included_problems[str(path)])
        finally:
            _including.pop()


_LOADERS = {".toml": "tttbench.data.task_files"}
"""Modules whose ``load(path)`` takes files of other kinds."""

_loaded: set[Path] = set()


def load_file(path: Path) -> None:
    """Load a plug-in once: a Python file, under a name that nothing else imports, or a task in TOML."""
    whole = path.resolve()
    if whole in _loaded or path.suffix not in (".py", *_LOADERS) or not path.is_file():
        return
    _loaded.add(whole)
    if path.suffix in _LOADERS:
        importlib.import_module(_LOADERS[path.suffix]).load(path)
        return
    name = f"tttbench_included:{whole}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UserError(f"{path}: not a Python file that can be loaded.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise


def why_it_failed(error: BaseException) -> str:
    """Return why a plug-in could not be loaded, in a sentence; one that was written for 0.1 is pointed to its page."""
    if isinstance(error, ImportError) and (error.name or "").startswith(_MODULES_OF_0_1):
        return f"it was written for tttbench 0.1 (imports {error.name}); {MIGRATION_PAGE} says how to change it"
    if isinstance(error, UserError):
        return str(error)
    return kind_and_message(error)
