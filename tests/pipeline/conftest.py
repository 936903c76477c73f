"""The tone world as fixtures: a folder of recordings, and the command line that gives it to the tone systems."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tttbench.cli.main import main
from tttbench.core.registry import include

WORLD = Path(__file__).parent / "tone_world"
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Ended:
    """How a command ended. ``document`` is the JSON in the last line of stdout, if there is one."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out.strip().splitlines()[-1])
        return found


def tones_command(data: Path, *options: str | Path) -> list[str]:
    """The arguments of ``tttbench`` that run the tone suite on ``data``."""
    words = [str(word) for word in options]
    chosen = words[words.index("--tasks") + 1].split(",") if "--tasks" in words else ["tone_asr", "tone_qa"]
    folders = [word for task in chosen for word in ("--data", f"{task}={data}")]
    return [str(word) for word in ("run", "tones", "--include", WORLD, *folders, "--device", "cpu", *options)]


@pytest.fixture(scope="session")
def world() -> Any:
    """The module of the tone world."""
    include(WORLD)
    return sys.modules[f"tttbench_included:{(WORLD / 'tone_world.py').resolve()}"]


@pytest.fixture
def data(world: Any, tmp_path: Path) -> Path:
    """A folder with six questions in tones."""
    folder = tmp_path / "data"
    world.write_world(folder)
    return folder


@pytest.fixture
def tones(data: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Run ``tttbench run tones`` in this process with more options."""

    def run(*options: str | Path) -> Ended:
        capsys.readouterr()
        try:
            status = main(tones_command(data, *options))
        except SystemExit as exit_:
            status = int(str(exit_.code))
        captured = capsys.readouterr()
        return Ended(status, captured.out, captured.err)

    return run


@pytest.fixture
def start(data: Path) -> Callable[..., subprocess.Popen[str]]:
    """Start ``tttbench run tones`` as a process of its own, with more options and environment variables."""

    def run(*options: str | Path, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "tttbench", *tones_command(data, *options)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return run
