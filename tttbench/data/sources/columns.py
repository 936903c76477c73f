"""Columns of transcribed speech by name: where lists keep the audio, the text, the id, the speaker and the language."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from tttbench.core.sample import AudioRef
from tttbench.data.sources.listing import Row, pick_column
from tttbench.data.sources.recording import (
    KNOWN_OF_AUDIO,
    AudioColumns,
    chosen_column,
    language_of,
    recording,
    refuse_twins,
)
from tttbench.data.sources.utterance import Utterance

KNOWN: Mapping[str, tuple[str, ...]] = {
    "audio": KNOWN_OF_AUDIO["audio"],
    "text": ("text", "transcript", "transcription", "sentence", "reference"),
    "id": ("id", "utterance_id", "utt_id"),
    "speaker": ("speaker", "speaker_id", "client_id"),
    **KNOWN_OF_AUDIO,
}
"""Names under which columns are known, in any case, the first that is there winning."""

ROLES = tuple(KNOWN)


@dataclass(frozen=True)
class Columns(AudioColumns):
    """Names of columns that a task chooses; ``""`` takes the known ones."""

    KNOWN: ClassVar[Mapping[str, tuple[str, ...]]] = KNOWN

    text: str = ""
    speaker: str = ""


def read_rows(rows: Sequence[Row], columns: Columns | None = None) -> list[Utterance]:
    """Turn rows with named fields into utterances. Paths count from the list's folder; a missing id is the path's.

    Raises:
        UserError: no field for the file or the text, or one that doesn't hold what it should.
    """
    chosen = columns or Columns()
    return [_read_row(row, chosen) for row in rows]


def check_columns(row: Row, columns: Columns) -> tuple[str, str]:
    """Return the columns of the audio and of the text; raises ``UserError`` if ``row`` has none of either."""
    audio = pick_column(row, columns.accepted("audio"), "the audio file")
    return audio, pick_column(row, columns.accepted("text"), "what is spoken")


def _read_row(row: Row, columns: Columns) -> Utterance:
    refuse_twins(row, columns)
    column, text_column = check_columns(row, columns)
    name, text = row.filled(column), row.text(text_column)
    found = recording(row, columns, _audio(row, column, name), name)
    speaker = chosen_column(row, columns, "speaker")
    language = language_of(row, columns)
    own = chosen_column(row, columns, "id")
    if own is not None and row.fields[own] is None:
        own = None
    return Utterance(
        id=found.name if own is None else row.text_or_whole(own) or row.filled(own),
        audio=found.audio,
        text=text,
        place=row.at(column if own is None else own),
        speaker="" if speaker is None or row.fields[speaker] is None else row.text_or_whole(speaker),
        language=language,
    )


def _audio(row: Row, column: str, name: str) -> AudioRef:
    """The file that a row names; lists of Common Voice leave out its folder ``clips``, and old ones its ending."""
    if not {"client_id", "path", "sentence"} <= row.fields.keys():
        return row.audio(column)
    clips = row.place.file.parent / "clips"
    found = row.audio(column, clips if "/" not in name and clips.is_dir() else None)
    with_ending = Path(f"{found.path}.mp3")
    return replace(found, path=with_ending) if not found.path.suffix and os.path.exists(with_ending) else found
