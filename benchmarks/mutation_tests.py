"""Which tests run which lines, and what they say of a mutant: the machinery of mutation testing.

One process imports the libraries that tests need, but nothing of ours, and forks for every mutant: a fork starts in
milliseconds where a new process takes seconds. Each of the workers has a copy of the repository to itself, in which the
mutated file lies, so processes that a test starts see the fault as well. The map of lines and tests is made under the
same conditions, by coverage.py with the test as its context; a test that doesn't pass there is used for nothing.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import math
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.mutants import Mutant, mutated

if TYPE_CHECKING:
    import pytest

LIBRARIES = (
    *(
        "torch",
        "torch.nn.functional",
        "numpy",
        "pandas",
        "scipy.stats",
        "jiwer",
        "whisper",
        "whisper_normalizer.english",
    ),
    *("soundfile", "soxr", "tokenizers", "safetensors.torch", "jinja2", "rich.console", "rich.table", "rich.progress"),
    *("matplotlib.pyplot", "hypothesis", "hypothesis.extra.numpy", "pytest", "coverage", "pytest_cov.plugin"),
)
LEFT_OUT = (
    *("tests/benchmarks", "tests/miniworld", "tests/training", "tests/published", "tests/stats"),
    *("tests/reference_model/training", "tests/reference_model/test_batch_invariance*"),
    *("tests/pages/test_browser*", "tests/systems/test_docs*", "tests/data/test_docs*", "tests/systems/test_whisper*"),
    *(f"tests/reference_model/test_{room}*" for room in ("attention", "backends", "bfloat16", "cache", "checkpoint")),
    *(f"tests/reference_model/test_{room}*" for room in ("layout", "lockstep", "likelihood", "pooled", "products")),
    *(f"tests/reference_model/test_{room}*" for room in ("roofline", "speech", "threads", "timing", "transformer")),
)
"""Tests of other rooms than the strata's, and those in a browser or in installed packages."""
EXTRA_S = 60.0
"""CPU seconds that tests may take beside ten times their usual ones, before they are stopped."""
QUIET = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "CI": "false"}


@dataclass(frozen=True)
class LineMap:
    """Tests that pass, and the lines that each runs.

    Attributes:
        seconds: test → how long it took, its own setting up included.
        lines: path → line → tests that run it themselves.
        set_up: path → line → tests whose fixtures run it; fixtures may be shared with others of the file.
        unusable: tests that failed or were skipped without a fault.
    """

    seconds: Mapping[str, float]
    lines: Mapping[str, Mapping[int, frozenset[str]]]
    set_up: Mapping[str, Mapping[int, frozenset[str]]]
    unusable: tuple[str, ...]

    def nearest(self, mutant: Mutant, budget_s: float) -> list[str]:
        """Tests that run the mutant's lines, fastest first, as many as fit; the first always does.

        Those come first that run the lines themselves, then those that may share a fixture that does. What is run when
        a module is imported is run for whichever test comes first, so all that run anything of the module stand for it.
        """
        place = None if mutant.on_import else range(mutant.first, mutant.last + 1)
        own = self._at(self.lines, mutant.path, place)
        shared = self._at(self.set_up, mutant.path, place)
        files = {test.partition("::")[0] for test in shared}
        near = {test for test in self.seconds if test.partition("::")[0] in files} - own
        taken: list[str] = []
        spent = 0.0
        for test in (*sorted(own, key=self._seconds), *sorted(near, key=self._seconds)):
            spent += self.seconds[test]
            if taken and spent > budget_s:
                break
            taken.append(test)
        return taken

    def _seconds(self, test: str) -> tuple[float, str]:
        return self.seconds[test], test

    def _at(
        self, lines: Mapping[str, Mapping[int, frozenset[str]]], path: str, place: Iterable[int] | None
    ) -> set[str]:
        of_file = lines.get(path, {})
        return {
            test
            for line in (of_file if place is None else place)
            for test in of_file.get(line, ())
            if test in self.seconds
        }


@dataclass(frozen=True)
class Outcome:
    """What the tests said.

    Attributes:
        verdict: ``killed`` (a test failed), ``timeout`` (stopped, which counts as killed), ``survived``, or
            ``untested`` (no test runs the line).
        by: the test that failed, if one did.
        n_tests: how many were to be run.
        took_s: in seconds.
    """

    verdict: str
    by: str
    n_tests: int
    took_s: float


@dataclass
class Worker:
    """A copy of the repository and the process that works in it, if one does."""

    folder: Path
    busy: _Running | None = None


@dataclass
class _Running:
    pid: int
    mutant: Mutant | None
    tests: Sequence[str]
    began_s: float
    limit_s: float
    restore: Callable[[], None] | None


def copy_repository(root: Path, folder: Path) -> None:
    """Bring a copy up to date: what git knows or would add. Recordings and weights are linked where that is possible.

    A run that was stopped leaves its fault in the copy; a file whose time or size differs is copied again.
    """
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root, stdout=subprocess.PIPE, check=True,
    ).stdout.decode()  # fmt: skip
    for name in filter(None, listed.split("\0")):
        source, target = root / name, folder / name
        if not source.is_file() or (target.exists() and _mark(target) == _mark(source)):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.suffix in (".flac", ".opus", ".safetensors", ".mp3", ".wav"):
            try:
                target.hardlink_to(source)
                continue
            except OSError:
                pass
        shutil.copy2(source, target)


def _mark(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_size


def import_libraries() -> None:
    """Import once what every fork needs, under settings that suit two of them beside each other."""
    os.environ.update(QUIET)
    for name in LIBRARIES:
        importlib.import_module(name)


def make_map(workers: Sequence[Worker], packages: Sequence[str]) -> None:
    """Run all usable tests once under coverage, each file in a process of its own: none helps another."""
    for worker in workers:
        (worker.folder / "map").mkdir(exist_ok=True)
    todo, free = _test_files(workers[0].folder), list(workers)
    running: dict[int, tuple[Worker, str]] = {}
    while todo or running:
        while todo and free:
            worker, file = free.pop(), todo.pop()
            running[_fork(worker.folder, partial(_covered, file, packages))] = worker, file
        pid, status = os.wait()
        worker, file = running.pop(pid)
        if status:  # its tests didn't come to their end
            _note(worker.folder / "map", file, {}, [file])
        free.append(worker)


def read_map(folders: Sequence[Path]) -> LineMap:
    """Put together what the workers found."""
    from coverage import CoverageData

    seconds: dict[str, float] = {}
    unusable: set[str] = set()
    lines: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    set_up: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for file in (file for folder in folders for file in sorted((folder / "map").glob("*.json"))):
        folder, plain = file.parent.parent, json.loads(file.read_text(encoding="utf-8"))
        seconds.update(plain["seconds"])
        unusable.update(plain["not_passed"])
        data = CoverageData(str(file.with_suffix(".coverage")))
        if plain["seconds"]:
            data.read()
        for name in data.measured_files():
            path = str(Path(name).relative_to(folder))
            for line, contexts in data.contexts_by_lineno(name).items():
                for context in filter(None, contexts):
                    test, _, phase = context.rpartition("|")
                    (lines if phase == "run" else set_up)[path][line].add(test)
    usable = {test: seconds[test] for test in seconds if test not in unusable}
    return LineMap(usable, _frozen(lines), _frozen(set_up), tuple(sorted(unusable)))


def begin(worker: Worker, mutant: Mutant | None, tests: Sequence[str], budget_s: float, limit_s: float) -> None:
    """Plant the fault (none: a control) in the worker's copy and start the tests.

    After ``budget_s`` no further test is begun. They are stopped after ``limit_s`` of CPU time, which a busy machine
    doesn't stretch; where they wait and use none, by the clock, after four times that and a minute.
    """
    restore: Callable[[], None] | None = None
    if mutant is not None:
        path = worker.folder / mutant.path
        source, stat = path.read_text(encoding="utf-8"), path.stat()

        def restore() -> None:
            path.write_text(source, encoding="utf-8")
            os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))

        path.write_text(mutated(source, mutant), encoding="utf-8")
    (worker.folder / "outcome.json").unlink(missing_ok=True)
    pid = _fork(worker.folder, partial(_judged, tests, budget_s, limit_s))
    worker.busy = _Running(pid, mutant, tests, time.monotonic(), 4 * limit_s + 60, restore)


def ended(worker: Worker) -> Outcome | None:
    """The outcome, if the worker's tests have ended or took too long; the copy is whole again then."""
    running = worker.busy
    assert running is not None
    took_s = time.monotonic() - running.began_s
    pid, status = os.waitpid(running.pid, os.WNOHANG)
    if not pid:
        if took_s < running.limit_s:
            return None
        _end_group(running.pid)
        os.waitpid(running.pid, 0)
    _end_group(running.pid)
    if running.restore is not None:
        running.restore()
    worker.busy = None
    if not pid or (os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL)):
        return Outcome("timeout", "", len(running.tests), took_s)
    try:
        found = json.loads((worker.folder / "outcome.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):  # the process died
        return Outcome("killed", "(the process ended)", len(running.tests), took_s)
    return Outcome("survived" if found["status"] == 0 else "killed", found["by"], len(running.tests), took_s)


@dataclass(eq=False)
class _Watcher:
    """A pytest plug-in: how long tests take, which didn't pass, which failed first; ends them after ``budget_s``."""

    budget_s: float = math.inf
    began_s: float = field(default_factory=time.monotonic)
    is_spent: bool = False
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    not_passed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] += report.duration
        if report.outcome != "passed":
            self.not_passed.append(report.nodeid)
        if report.outcome == "failed":
            self.failed.append(report.nodeid)

    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        if time.monotonic() - self.began_s > self.budget_s:
            self.is_spent, item.session.shouldstop = True, "the time is spent"

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.outcome == "failed":
            self.failed.append(report.nodeid)


def _fork(folder: Path, work: Callable[[], None]) -> int:
    """Run ``work`` in a process of its own, in ``folder`` and with the packages that lie there; returns its number."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        os.setsid()
        with open(folder / "output.txt", "wb") as output:
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
        os.chdir(folder)
        shared = os.environ.get("TTTBENCH_SHARED")
        root = Path(__file__).resolve().parent.parent
        os.environ["TTTBENCH_SHARED"] = str((root / (shared or "../shared")).resolve())
        os.environ["PYTHONPATH"] = str(folder)
        sys.path.insert(0, str(folder))
        for name in [name for name in sys.modules if name.partition(".")[0] == "benchmarks"]:
            del sys.modules[name]
        work()
        status = 0
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _covered(file: str, packages: Sequence[str]) -> None:
    import pytest

    watcher, found = _Watcher(), Path("map") / file.replace("/", ".")
    os.environ["COVERAGE_FILE"] = str(Path(f"{found}.coverage").absolute())
    coverage = [*(f"--cov={name}" for name in packages), "--cov-context=test", "--cov-report="]
    # The model's slow tests take minutes under coverage, more than a mutant has.
    chosen = ["-m", "not slow"] if file.startswith("tests/reference_model/") else []
    status = pytest.main(["-p", "no:cacheprovider", *coverage, *chosen, file], plugins=[watcher])
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise RuntimeError(f"pytest ended with {status!r}")
    _note(Path("map"), file, watcher.seconds, watcher.not_passed)


def _note(folder: Path, file: str, seconds: Mapping[str, float], not_passed: Sequence[str]) -> None:
    path = folder / f"{file.replace('/', '.')}.json"
    path.write_text(json.dumps({"seconds": seconds, "not_passed": not_passed}), encoding="utf-8")


def _judged(tests: Sequence[str], budget_s: float, limit_s: float) -> None:
    import pytest

    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(limit_s), math.ceil(limit_s)))
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    sys.dont_write_bytecode = True
    found: dict[str, object] = {"status": 1, "by": "(the tests were left by SystemExit)"}
    try:
        watcher = _Watcher(budget_s)
        options = ["-x", "-p", "no:cacheprovider", "-p", "no:cov"]
        status = pytest.main([*options, *tests], plugins=[watcher])
        if status == pytest.ExitCode.USAGE_ERROR:  # a fault that changes the names of tests
            status = pytest.main([*options, *sorted({one.partition("[")[0] for one in tests})], plugins=[watcher])
        survived = not watcher.failed and (status == pytest.ExitCode.OK or watcher.is_spent)
        found = {"status": 0 if survived else 1, "by": next(iter(watcher.failed), "")}
    finally:
        Path("outcome.json").write_text(json.dumps(found), encoding="utf-8")


def _test_files(folder: Path) -> list[str]:
    found = []
    for path in sorted((folder / "tests").glob("*/**/test_*.py")):
        name = path.relative_to(folder)
        if not any(name.match(pattern) or name.is_relative_to(pattern) for pattern in LEFT_OUT):
            found.append(str(name))
    return found


def _frozen(lines: Mapping[str, Mapping[int, set[str]]]) -> dict[str, dict[int, frozenset[str]]]:
    return {path: {line: frozenset(tests) for line, tests in of.items()} for path, of in lines.items()}


def _end_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
