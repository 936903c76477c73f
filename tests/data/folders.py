"""Small data sets, written file by file where a test wants them."""

from __future__ import annotations

from pathlib import Path


def put(path: Path, text: str = "") -> Path:
    """Write a text file, with the folders above it; without a text, an empty file stands for audio that isn't read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
