"""Columns by name: where lists keep the audio, the text, the id, the speaker, the language and the segment.

A field that would change which audio is meant, and isn't understood, is an error: the whole file would be read in place
of what the list means.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tttbench.core.errors import UserError, did_you_mean
from tttbench.core.language import language_fault
from tttbench.core.sample import AudioRef
from tttbench.data.sources.listing import Row, find_column, pick_column, shortened
from tttbench.data.sources.utterance import Utterance

KNOWN: Mapping[str, tuple[str, ...]] = {
    "audio": ("audio", "audio_filepath", "audio_file", "audio_path", "path", "file", "file_name", "filename", "wav"),
    "text": ("text", "transcript", "transcription", "sentence", "reference"),
    "id": ("id", "utterance_id", "utt_id"),
    "speaker": ("speaker", "speaker_id", "client_id"),
    "language": ("language", "lang", "locale"),
    "start": ("start", "start_s", "start_time", "offset", "begin", "begin_time", "onset", "segment_start"),
    "end": ("end", "end_s", "end_time", "stop", "stop_time", "segment_end"),
    "duration": ("duration", "duration_s", "dur"),
}
"""Names under which columns are known, in any case, the first that is there winning."""

_MILLISECONDS: Mapping[str, tuple[str, ...]] = {
    "start": ("start_ms", "offset_ms", "begin_ms"),
    "end": ("end_ms", "stop_ms"),
    "duration": ("duration_ms",),
}

_NOT_READ = (
    *("start_sample", "end_sample", "start_samples", "end_samples", "sample_offset", "begin_sample"),
    *("start_frame", "end_frame", "frame_offset", "segments", "text_filepath"),
)
"""Fields that say which audio, or which text, is meant, in ways that aren't read."""

_CHANNELS = ("channel", "channels", "channel_index", "channel_selector", "audio_channel")
"""Likewise, where they hold a number; else they may be the names of broadcasters."""

_AGREE_S = 0.1
"""An end, and a start with a duration, that differ by less are the same, rounded."""


@dataclass(frozen=True)
class Columns:
    """Names of columns that a task chooses; ``""`` takes the known ones."""

    audio: str = ""
    text: str = ""
    id: str = ""
    speaker: str = ""
    language: str = ""
    start: str = ""
    end: str = ""
    duration: str = ""

    def accepted(self, role: str) -> tuple[str, ...]:
        """The names that a column may have."""
        chosen = str(getattr(self, role))
        return (chosen.strip().lower(),) if chosen else KNOWN[role]


ROLES = tuple(field.name for field in dataclasses.fields(Columns))


@dataclass(frozen=True)
class _Segment:
    """Where a segment begins and ends in seconds, and the columns that say so; ``start_s`` None if none does."""

    start_s: float | None
    end_s: float | None
    fields: tuple[str, ...]


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
    _refuse_twins(row)
    column, text_column = check_columns(row, columns)
    name, text = row.filled(column), row.text(text_column)
    segment = _segment(row, columns)
    audio = _cut(_audio(row, column, name), segment)
    speaker = _chosen(row, columns, "speaker")
    language = _chosen(row, columns, "language")
    found_language = "" if language is None else row.optional(language)
    if fault := language_fault(found_language):
        raise row.cell(str(language)).error("", fault)
    return Utterance(
        id=_id(row, columns, name, segment),
        audio=audio,
        text=text,
        place=row.place,
        speaker="" if speaker is None else row.optional(speaker),
        language=found_language,
    )


def _chosen(row: Row, columns: Columns, role: str) -> str | None:
    """The column of a role; None if there is none and the task names none."""
    found = find_column(row, columns.accepted(role))
    if found is None and getattr(columns, role):
        name = str(getattr(columns, role))
        raise UserError(f"{row.place}: has no field {name!r}. {did_you_mean(name, shortened(row.fields))}")
    return found


def _id(row: Row, columns: Columns, name: str, segment: _Segment) -> str:
    column = _chosen(row, columns, "id")
    if column is not None and row.fields[column] is not None:
        return row.filled(column)
    own = name.rpartition(".")[0] or name
    if segment.start_s is None:
        return own
    return f"{own}@{_short(segment.start_s)}-{'' if segment.end_s is None else _short(segment.end_s)}"


def _short(seconds: float) -> str:
    return f"{seconds:.6f}".rstrip("0").rstrip(".")


def _audio(row: Row, column: str, name: str) -> AudioRef:
    """The file that a row names; lists of Common Voice leave out its folder ``clips``, and old ones its ending."""
    if not {"client_id", "path", "sentence"} <= row.fields.keys():
        return row.audio(column)
    clips = row.place.file.parent / "clips"
    found = row.audio(column, clips if "/" not in name and clips.is_dir() else None)
    with_ending = Path(f"{found.path}.mp3")
    return replace(found, path=with_ending) if not found.path.suffix and os.path.exists(with_ending) else found


def _refuse_twins(row: Row) -> None:
    """Refuse keys that differ in case alone: which of them is meant?"""
    lower = [key.strip().lower() for key in row.fields]
    if len(set(lower)) < len(lower):
        known = {name for names in (*KNOWN.values(), *_MILLISECONDS.values()) for name in names}
        for name in lower:
            if name in known and lower.count(name) > 1:
                raise UserError(f"{row.place}: the field {name!r} stands there more than once. Remove all but one.")


def _cut(audio: AudioRef, segment: _Segment) -> AudioRef:
    if not segment.fields or audio.listed is None:
        return audio
    listed = replace(audio.listed, fields=", ".join([audio.listed.fields, *segment.fields]))
    return replace(audio, start_s=segment.start_s or 0.0, end_s=segment.end_s, listed=listed)


def _segment(row: Row, columns: Columns) -> _Segment:
    _refuse_unread(row)
    found = {role: _seconds(row, columns, role) for role in ("start", "end", "duration")}
    (start_at, start), (end_at, end), (duration_at, duration) = found.values()
    fields = tuple(name for name, value in found.values() if value is not None)
    if end is None and duration is None:
        if start:
            raise row.cell(start_at).error("", "begins a segment that neither an end nor a duration ends. Add one.")
        return _Segment(None, None, ())
    begin = start or 0.0
    if duration is not None:
        if not duration > 0:
            raise row.cell(duration_at).error("", "must be above 0 s. Correct it or delete the line.")
        if end is None:
            end = begin + duration
        elif abs(begin + duration - end) > _AGREE_S:
            raise row.cell(duration_at).error(
                "", f"says that the segment ends at {begin + duration:g} s, and {end_at!r} {end:g} s. Correct one."
            )
    if end is not None and not end > begin:
        where = end_at or duration_at
        raise row.cell(where).error("", f"must be behind the start ({begin:g} s). Correct it or delete the line.")
    return _Segment(start, end, fields)


def _seconds(row: Row, columns: Columns, role: str) -> tuple[str, float | None]:
    """The column of a role and its value in seconds; ``("", None)`` if no column has one."""
    chosen = _chosen(row, columns, role)
    if getattr(columns, role) and chosen is not None:
        return chosen, row.number(chosen)
    scales = {**dict.fromkeys(KNOWN[role], 1.0), **dict.fromkeys(_MILLISECONDS[role], 1000.0)}
    by_lower = {column.strip().lower(): column for column in row.fields}
    held = [(by_lower[name], row.number(by_lower[name]), scale) for name, scale in scales.items() if name in by_lower]
    held = [one for one in held if one[1] is not None]
    if len(held) > 1:
        raise row.cell(held[1][0]).error("", f"tells the {role} of a segment, and {held[0][0]!r} too. Remove one.")
    for column, value, scale in held:
        return column, None if value is None else value / scale
    return "", None


def _refuse_unread(row: Row) -> None:
    for column, value in row.fields.items():
        name = column.strip().lower()
        if value in (None, "", [], {}):
            continue
        if name in _NOT_READ:
            raise row.cell(column).error(
                "", "says which part is meant, in a way that isn't read here. Give start and end in seconds."
            )
        if name in _CHANNELS and (not isinstance(value, str) or value.strip().isdecimal()):
            raise row.cell(column).error(
                "", "chooses a channel, which isn't done here. Write the channel into a file of its own."
            )
