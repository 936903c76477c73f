"""In CI a test is skipped for want of what isn't installed there, and for nothing else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent

INSIDE = """
import pytest


def test_extra():
    pytest.skip("needs the extra judge")


def test_package():
    pytest.importorskip("no_such_package")


@pytest.mark.skipif(True, reason="needs the extra speech")
def test_mark():
    pass


def test_not_of_tox():
    pytest.skip("flite is not installed")


@pytest.mark.skipif(True, reason="needs the extra speaker")
def test_mark_not_of_tox():
    pass


def test_known():
    pytest.xfail("known")


def test_runs():
    pass
"""
WHOLE = 'import pytest\n\npytest.importorskip("no_such_package", reason="needs the extra judge")\n'


@pytest.mark.parametrize(
    ("ci", "failed", "skipped"),
    [
        ("true", {"test_inside.py::test_extra", "test_inside.py::test_package", "test_inside.py::test_mark"}, 2),
        ("", set(), 5),
    ],
)
def test_what_may_be_skipped(ci: str, failed: set[str], skipped: int, tmp_path: Path) -> None:
    (tmp_path / "test_inside.py").write_text(INSIDE)
    (tmp_path / "test_whole.py").write_text(WHOLE)
    (tmp_path / "conftest.py").write_text((TESTS / "conftest.py").read_text())
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--continue-on-collection-errors", "-rfE", "."],
        cwd=tmp_path,
        env={**os.environ, "CI": ci, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    found = set(re.findall(r"^(?:FAILED|ERROR) (\S+)", ended.stdout, re.MULTILINE))
    assert found == failed | ({"test_whole.py"} if ci else set())
    n_whole = 0 if ci else 1
    assert f"1 passed, {skipped + n_whole} skipped" in ended.stdout
    assert "1 xfailed" in ended.stdout
