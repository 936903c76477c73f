"""ASR lists with one JSON object a line: ``{"audio": "a.wav", "text": "…"}``, perhaps ``id`` and ``speaker``."""

from __future__ import annotations

from pathlib import Path

from tttbench.data.sources.columns import read_rows
from tttbench.data.sources.listing import read_json_lines
from tttbench.data.sources.utterance import Utterance


def read_jsonl(path: Path) -> list[Utterance]:
    """Read a JSON lines list; raises ``UserError`` for a line that isn't an object or lacks a field."""
    return read_rows(read_json_lines(path))
