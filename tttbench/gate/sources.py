"""What stands behind the word that names a baseline or a run: a run directory, an exported file, or a saved baseline's
name. Compares nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tttbench.core.errors import UserError, did_you_mean
from tttbench.gate.baseline_file import read_baseline
from tttbench.gate.from_run import snapshot_of
from tttbench.gate.snapshot import Snapshot
from tttbench.gate.stale import staleness

FOLDER = Path("baselines")
"""Where baselines are saved unless told otherwise."""


@dataclass(frozen=True)
class Source:
    """A snapshot and, where it came from a run directory, that directory.

    ``names``: labels that its systems have in that directory, where the snapshot calls them otherwise. ``stale``: why
    an exported file no longer fits what is installed (``staleness``).
    """

    snapshot: Snapshot
    folder: Path | None
    names: Mapping[str, str] = field(default_factory=dict)
    stale: tuple[str, ...] = ()


def find_source(name: str, folder: Path) -> Source:
    """Read what ``name`` names: a run directory, a file, or a baseline in ``folder``.

    Raises:
        UserError: nothing of that name, or it can't be read.
    """
    path = Path(name)
    if os.path.isfile(path / "manifest.json"):
        return Source(snapshot_of(path), path)
    file = next((one for one in (path, folder / f"{name}.json") if os.path.isfile(one)), None)
    if file is not None:
        baseline = read_baseline(file)
        return Source(baseline.snapshot, None, stale=tuple(staleness(baseline)))
    if os.path.isdir(path):
        raise UserError(f"{name}: holds no run (no manifest.json), and {folder} no baseline of that name.")
    known = [one.stem for one in folder.glob("*.json")]
    hint = did_you_mean(name, known) if known else f"{folder} holds no baselines."
    raise UserError(f"{name}: neither a run directory nor a file, nor a baseline in {folder}. {hint}")
