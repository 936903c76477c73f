"""The second mini world's test sets: an uncompressed tar each, ``samples.jsonl`` first and Opus files behind it.

How they are written stands in ``tttbench.miniworld.second.testset``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tttbench.core.errors import UserError, did_you_mean
from tttbench.core.plugins import register_source
from tttbench.core.sample import AudioRef, Renditions, Sample, Turn, spoken_sample
from tttbench.core.tables import read_table
from tttbench.data.sources.json_lists import read_json_lines
from tttbench.data.sources.listing import Row, UniqueIds

LIST = "samples.jsonl"
CONDITIONS = {"clean": "clean", "noise": "10 dB noise", "telephone": "telephone, 8 kHz μ-law"}
"""Names of the option ``condition``, and how each is called."""


@dataclass(frozen=True)
class _Recorded:
    """The field ``audio``: a file for each condition."""

    clean: Path
    noise: Path
    telephone: Path


@register_source("mini2_asr", options=("condition",), summary="the second mini world's asr.tar")
def read_mini2_asr(folder: Path, condition: str = "clean") -> Sequence[Sample]:
    """List sentences; raises ``UserError`` if the list is missing or a field of it is."""
    return [
        spoken_sample(
            row.filled("id"),
            _recorded(row, condition),
            row.filled("text"),
            language="en",
            cluster=row.filled("cluster"),
            metadata={"topic": row.filled("topic"), "voice": row.filled("voice"), "condition": CONDITIONS[condition]},
        )
        for row in _rows(folder, condition)
    ]


@register_source("mini2_qa", options=("condition",), summary="the second mini world's qa.tar")
def read_mini2_qa(folder: Path, condition: str = "clean") -> Sequence[Sample]:
    """List questions: answer, reference audio, and the audio codes of several renditions.

    Raises:
        UserError: the list is missing, or a field of it is.
    """
    return [
        spoken_sample(
            row.filled("id"),
            _recorded(row, condition),
            row.filled("answer"),
            answer=Turn("assistant", row.filled("answer"), row.audio("answer_audio")),
            language="en",
            cluster=row.filled("cluster"),
            metadata={
                "question": row.filled("question"),
                "kind": row.filled("family"),
                "voice": row.filled("voice"),
                "condition": CONDITIONS[condition],
            },
            renditions=Renditions(
                row.filled("codec_sha256"), read_table(tuple[tuple[int, ...], ...], row.cell("renditions"))
            ),
        )
        for row in _rows(folder, condition)
    ]


def _rows(folder: Path, condition: str) -> Iterator[Row]:
    if condition not in CONDITIONS:
        raise UserError(
            f"option 'condition' of a mini2 source: {condition!r:.60} is unknown. {did_you_mean(condition, CONDITIONS)}"
        )
    ids = UniqueIds()
    for row in read_json_lines(folder / LIST):
        ids.add(row.filled("id"), row.at("id"))
        yield row


def _recorded(row: Row, condition: str) -> AudioRef:
    """The recording in ``condition``; all of them must be named."""
    path: Path = getattr(read_table(_Recorded, row.cell("audio")), condition)
    return AudioRef(row.place.file.parent / path, listed=row.at("audio"))
