"""Where a command writes if no folder is given."""

from __future__ import annotations

from pathlib import Path


def new_folder(name: str) -> Path:
    """Return ``runs/NAME-TIME``, a folder that isn't there yet; nothing is made."""
    from datetime import datetime

    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    folder = Path("runs") / f"{name}-{stamp}"
    at = 2
    while folder.exists():
        folder = Path("runs") / f"{name}-{stamp}-{at}"
        at += 1
    return folder
