"""The mini world's test sets: ``asr.jsonl`` and ``qa.jsonl`` with the paths of clean and noisy recordings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tttbench.core.errors import UserError, did_you_mean
from tttbench.core.plugins import register_source
from tttbench.core.sample import Sample, Turn, spoken_sample
from tttbench.core.tables import read_table
from tttbench.data.sources.json_lists import read_json_lines
from tttbench.data.sources.listing import Row, UniqueIds

CONDITIONS = {"clean": ("audio", "clean"), "noisy": ("noisy_audio", "10 dB noise")}
"""Names of the option ``condition``: the field of the recording, and how it is called."""


@register_source("mini_asr", options=("condition",), summary="the mini world's asr.jsonl")
def read_mini_asr(folder: Path, condition: str = "clean") -> Sequence[Sample]:
    """List ``asr.jsonl``; raises ``UserError`` if it is missing or a field of it is."""
    field, called = _condition(condition)
    return [
        spoken_sample(
            row.filled("id"),
            row.audio(field),
            row.filled("text"),
            language="en",
            cluster=row.filled("cluster"),
            metadata={"voice": row.filled("voice"), "condition": called},
        )
        for row in _rows(folder / "asr.jsonl")
    ]


@register_source("mini_qa", options=("condition",), summary="the mini world's qa.jsonl")
def read_mini_qa(folder: Path, condition: str = "clean") -> Sequence[Sample]:
    """List ``qa.jsonl``: answer and aliases, and the reference audio of the full sentence that answers.

    Raises:
        UserError: the file is missing, or a field of it is.
    """
    field, called = _condition(condition)
    return [
        spoken_sample(
            row.filled("id"),
            row.audio(field),
            row.filled("answer"),
            *_aliases(row),
            answer=Turn("assistant", row.filled("answer_text"), row.audio("answer_audio")),
            language="en",
            cluster=row.filled("cluster"),
            metadata={"question": row.filled("question"), "voice": row.filled("voice"), "condition": called},
        )
        for row in _rows(folder / "qa.jsonl")
    ]


def _condition(name: str) -> tuple[str, str]:
    if name not in CONDITIONS:
        raise UserError(
            f"option 'condition' of a mini source: {name!r:.60} is unknown. {did_you_mean(name, CONDITIONS)}"
        )
    return CONDITIONS[name]


def _rows(path: Path) -> list[Row]:
    if not path.is_file():
        raise UserError(
            f"{path}: no such file. The mini test sets come with tttbench; install it again, or give a folder with "
            "asr.jsonl and qa.jsonl."
        )
    rows = read_json_lines(path)
    ids = UniqueIds()
    for row in rows:
        ids.add(row.filled("id"), row.at("id"))
    return rows


def _aliases(row: Row) -> tuple[str, ...]:
    return read_table(tuple[str, ...], row.cell("aliases")) if "aliases" in row.fields else ()
