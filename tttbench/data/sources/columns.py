"""The column names under which ASR lists (TSV, JSON lines) keep id, file, text and speaker, and rows read by them."""

from __future__ import annotations

from collections.abc import Sequence

from tttbench.data.sources.listing import Row, pick_column
from tttbench.data.sources.utterance import Utterance

AUDIO_COLUMNS = ("audio", "audio_filepath", "audio_file", "audio_path", "path", "file", "file_name", "filename", "wav")
TEXT_COLUMNS = ("text", "transcript", "transcription", "sentence", "reference")
ID_COLUMNS = ("id", "utterance_id", "utt_id")
SPEAKER_COLUMNS = ("speaker", "speaker_id", "client_id")


def read_rows(rows: Sequence[Row]) -> list[Utterance]:
    """Turn rows with named fields into utterances. Paths count from the list's folder; a missing id is the path's.

    Raises:
        UserError: no field for the file or the text.
    """
    return [_read_row(row) for row in rows]


def _read_row(row: Row) -> Utterance:
    column = pick_column(row, AUDIO_COLUMNS, "the audio file")
    audio = row.filled(column)
    text = row.text(pick_column(row, TEXT_COLUMNS, "what is spoken"))
    names = {column.strip().lower(): column for column in row.fields}
    own_id = next((row.optional(names[name]) for name in ID_COLUMNS if name in names), "")
    speaker = next((row.optional(names[name]) for name in SPEAKER_COLUMNS if name in names), "")
    return Utterance(
        id=own_id or audio.rpartition(".")[0] or audio,
        audio=row.path(column),
        text=text,
        speaker=speaker,
        list_file=row.file,
        line=row.line,
    )
