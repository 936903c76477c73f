"""The layout of LJSpeech: ``metadata.csv`` with ``id|text|normalized text``, and ``wavs/id.wav``."""

from __future__ import annotations

from pathlib import Path

from tttbench.data.sources.listing import read_lines, split_fields
from tttbench.data.sources.utterance import Utterance


def is_ljspeech(folder: Path) -> bool:
    """Whether ``folder`` has a ``metadata.csv`` that isn't separated by commas alone."""
    path = folder / "metadata.csv"
    if not path.is_file():
        return False
    lines = read_lines(path)
    return (folder / "wavs").is_dir() or (bool(lines) and "|" in lines[0][1])


def read_ljspeech(folder: Path) -> list[Utterance]:
    """Read ``metadata.csv``. The text is the normalized one (numbers written out), as it was read.

    Raises:
        UserError: a line hasn't three fields, or an id or a normalized text is empty.
    """
    path = folder / "metadata.csv"
    rows = split_fields(path, read_lines(path), ["id", "text", "normalized text"], "|")
    return [
        Utterance(
            id=row.filled("id"),
            audio=folder / "wavs" / f"{row.filled('id')}.wav",
            text=row.filled("normalized text"),
            speaker="",
            list_file=path,
            line=row.line,
        )
        for row in rows
    ]
