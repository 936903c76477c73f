"""The layout of LJSpeech: ``metadata.csv`` with ``id|text|normalized text``, and ``wavs/id.wav``."""

from __future__ import annotations

from pathlib import Path

from tttbench.core.sample import AudioRef
from tttbench.data.sources.columns import KNOWN
from tttbench.data.sources.delimited import header_of, split_fields
from tttbench.data.sources.listing import Row, find_column, read_lines
from tttbench.data.sources.utterance import Utterance


def is_ljspeech(folder: Path) -> bool:
    """Whether ``folder`` has a ``metadata.csv`` that is separated by ``|``, or beside ``wavs`` without a header."""
    path = folder / "metadata.csv"
    if not path.is_file():
        return False
    lines = read_lines(path)
    header = header_of(path)
    if header is not None and find_column(header, KNOWN["audio"]) is not None:
        return False
    return (folder / "wavs").is_dir() or (bool(lines) and "|" in lines[0][1])


def read_ljspeech(folder: Path) -> list[Utterance]:
    """Read ``metadata.csv``. The text is the normalized one (numbers written out), as it was read.

    Raises:
        UserError: a line hasn't three fields, or an id or a normalized text is empty.
    """
    path = folder / "metadata.csv"
    rows = split_fields(path, read_lines(path), ["id", "text", "normalized text"], "|")
    return [
        Utterance(row.filled("id"), _audio(row, folder), row.filled("normalized text"), row.at("id")) for row in rows
    ]


def _audio(row: Row, folder: Path) -> AudioRef:
    return Row(row.place, {"id": f"{row.filled('id')}.wav"}).audio("id", folder / "wavs")
