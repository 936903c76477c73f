"""The mini world's test sets: ``asr.jsonl`` and ``qa.jsonl`` with the paths of clean and noisy recordings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tttbench.core.errors import UserError
from tttbench.data.sources.listing import Row, UniqueIds, read_json_lines


@dataclass(frozen=True)
class MiniUtterance:
    """One line of ``asr.jsonl``: what is said, by which voice, clean and noisy."""

    id: str
    audio: Path
    noisy_audio: Path
    text: str
    voice: str
    cluster: str


@dataclass(frozen=True)
class MiniQuestion:
    """One line of ``qa.jsonl``.

    ``answer`` and ``aliases`` are what must be found in an answer; ``answer_text`` is the full sentence that the true
    recording ``answer_audio`` says.
    """

    id: str
    audio: Path
    noisy_audio: Path
    question: str
    answer: str
    aliases: tuple[str, ...]
    answer_text: str
    answer_audio: Path
    voice: str
    cluster: str


def read_mini_asr(folder: Path) -> list[MiniUtterance]:
    """Read ``asr.jsonl``; raises ``UserError`` if it is missing or a field of it is."""
    return [
        MiniUtterance(
            id=row.filled("id"),
            audio=folder / row.filled("audio"),
            noisy_audio=folder / row.filled("noisy_audio"),
            text=row.filled("text"),
            voice=row.filled("voice"),
            cluster=row.filled("cluster"),
        )
        for row in _rows(folder / "asr.jsonl")
    ]


def read_mini_qa(folder: Path) -> list[MiniQuestion]:
    """Read ``qa.jsonl``; raises ``UserError`` if it is missing or a field of it is."""
    return [
        MiniQuestion(
            id=row.filled("id"),
            audio=folder / row.filled("audio"),
            noisy_audio=folder / row.filled("noisy_audio"),
            question=row.filled("question"),
            answer=row.filled("answer"),
            aliases=_aliases(row),
            answer_text=row.filled("answer_text"),
            answer_audio=folder / row.filled("answer_audio"),
            voice=row.filled("voice"),
            cluster=row.filled("cluster"),
        )
        for row in _rows(folder / "qa.jsonl")
    ]


def _rows(path: Path) -> list[Row]:
    if not path.is_file():
        raise UserError(
            f"{path}: no such file. The mini test sets come with tttbench; install it again, or give a folder with "
            "asr.jsonl and qa.jsonl."
        )
    rows = read_json_lines(path)
    ids = UniqueIds()
    for row in rows:
        ids.add(row.filled("id"), path, row.line)
    return rows


def _aliases(row: Row) -> tuple[str, ...]:
    value = row.fields.get("aliases", [])
    if not isinstance(value, list) or not all(isinstance(alias, str) for alias in value):
        raise UserError(f"{row.file}, line {row.line}: field 'aliases' is {value!r}, not a list of texts.")
    return tuple(value)
