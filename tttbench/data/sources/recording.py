"""Which audio a row of a list means, by the names of its columns: file, segment, id and language.

A field that would change which audio is meant, and isn't understood, is an error: the whole file would be read in place
of what the list means. What is known of the audio (what is spoken, the right answer) is the readers' business.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import ClassVar

from tttbench.core.errors import UserError, did_you_mean
from tttbench.core.language import language_fault
from tttbench.core.sample import AudioRef
from tttbench.data.parquet import rate_column
from tttbench.data.sources.listing import Row, find_column, shortened

KNOWN_OF_AUDIO: Mapping[str, tuple[str, ...]] = {
    "audio": (
        *("audio", "audio_filepath", "audio_file", "audio_path", "path", "file", "file_name", "filename", "wav"),
        *("audio_filename", "wav filename", "wavpath", "wav_path"),
    ),
    "language": ("language", "lang", "locale"),
    "start": ("start", "start_s", "start_time", "offset", "begin", "begin_time", "onset", "segment_start"),
    "end": ("end", "end_s", "end_time", "stop", "stop_time", "segment_end"),
    "duration": ("duration", "duration_s", "dur"),
    "sample_rate": ("sample_rate", "sampling_rate", "samplerate", "sample_rate_hz", "sampling_rate_hz"),
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

_HERTZ = re.compile(r"(?P<number>\d+(\.\d+)?) ?(?P<kilo>k?)(hz)?", re.IGNORECASE | re.ASCII)
"""How a sample rate may be written: ``16000``, ``16k``, ``44.1 kHz``."""

_AGREE_S = 0.1
"""An end, and a start with a duration, that differ by less are the same, rounded."""


@dataclass(frozen=True)
class AudioColumns:
    """Names of columns that a task chooses; ``""`` takes the known ones, which ``KNOWN`` has by role."""

    KNOWN: ClassVar[Mapping[str, tuple[str, ...]]] = KNOWN_OF_AUDIO

    audio: str = ""
    id: str = ""
    language: str = ""
    start: str = ""
    end: str = ""
    duration: str = ""
    sample_rate: str = ""

    def accepted(self, role: str) -> tuple[str, ...]:
        """The names that a column may have."""
        chosen = str(getattr(self, role))
        return (chosen.strip().lower(),) if chosen else self.KNOWN[role]


@dataclass(frozen=True)
class Recording:
    """What a row means by its audio, and how it is called if the list gives it no id: by file and segment."""

    audio: AudioRef
    name: str


@dataclass(frozen=True)
class _Segment:
    """Where a segment begins and ends in seconds, and the columns that say so; ``start_s`` None if none does."""

    start_s: float | None
    end_s: float | None
    fields: tuple[str, ...]


_WHOLE = _Segment(None, None, ())


def recording(row: Row, columns: AudioColumns, audio: AudioRef, name: str) -> Recording:
    """Return the part of ``audio``, which the row calls ``name``, that a row means, with the sample rate it gives.

    Raises:
        UserError: the fields of the segment contradict one another, or aren't understood, as a rate may not be.
    """
    audio = _with_rate(row, columns, audio)
    segment = _segment(row, columns)
    own = name.rpartition(".")[0] or name
    if segment.start_s is not None:
        own = f"{own}@{_short(segment.start_s)}-{'' if segment.end_s is None else _short(segment.end_s)}"
    return Recording(_cut(audio, segment), own)


def chosen_column(row: Row, columns: AudioColumns, role: str) -> str | None:
    """Return the column of a role; None if there is none and the task names none.

    Raises:
        UserError: the column that the task names isn't there.
    """
    found = find_column(row, columns.accepted(role))
    if found is None and getattr(columns, role):
        name = str(getattr(columns, role))
        raise UserError(f"{row.place}: has no field {name!r:.60}. {did_you_mean(name, shortened(row.fields))}")
    return found


def language_of(row: Row, columns: AudioColumns) -> str:
    """Return the BCP 47 tag of a row; ``""`` if it has none. Raises ``UserError`` for what is no tag."""
    column = chosen_column(row, columns, "language")
    found = "" if column is None else row.optional(column)
    if fault := language_fault(found):
        raise row.cell(str(column)).error("", fault)
    return found


def refuse_twins(row: Row, columns: AudioColumns) -> None:
    """Raise ``UserError`` for known keys that differ in case alone: which of them is meant?"""
    twin = _twin(tuple(row.fields))
    if twin:
        known = {name for names in (*columns.KNOWN.values(), *_MILLISECONDS.values()) for name in names}
        for name in twin:
            if name in known:
                raise UserError(f"{row.place}: the field {name!r} stands there more than once. Remove all but one.")


# Rows of a list have the same columns, most often.
@lru_cache(maxsize=1024)
def _twin(columns: tuple[str, ...]) -> tuple[str, ...]:
    """Names that stand there more than once, but for case and blanks."""
    lower = [key.strip().lower() for key in columns]
    return tuple(name for name in lower if lower.count(name) > 1) if len(set(lower)) < len(lower) else ()


def _short(seconds: float) -> str:
    return f"{seconds:.6f}".rstrip("0").rstrip(".")


def _cut(audio: AudioRef, segment: _Segment) -> AudioRef:
    if not segment.fields or audio.listed is None:
        return audio
    listed = replace(audio.listed, fields=", ".join([audio.listed.fields, *segment.fields]))
    return replace(audio, start_s=segment.start_s or 0.0, end_s=segment.end_s, listed=listed)


def _with_rate(row: Row, columns: AudioColumns, audio: AudioRef) -> AudioRef:
    """``audio`` with the rate that the row gives, or the struct that holds it in a table: another one is an error."""
    column = chosen_column(row, columns, "sample_rate")
    if column is None and row.embedded and audio.listed is not None:
        column = rate_column(audio.listed.fields)
    if column is None or audio.listed is None or row.fields.get(column) in (None, ""):
        return audio
    value = row.fields[column]
    told = _HERTZ.fullmatch(value.strip()) if isinstance(value, str) else None
    hz = row.number(column) if told is None else float(told["number"]) * (1000 if told["kilo"] else 1)
    listed = replace(audio.listed, fields=f"{audio.listed.fields}, {column}")
    return replace(audio, rate_hz=hz, listed=listed)


def _segment(row: Row, columns: AudioColumns) -> _Segment:
    _refuse_unread(row)
    if not (columns.start or columns.end or columns.duration or _tells_times(tuple(row.fields))):
        return _WHOLE
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


def _seconds(row: Row, columns: AudioColumns, role: str) -> tuple[str, float | None]:
    """The column of a role and its value in seconds; ``("", None)`` if no column has one."""
    chosen = chosen_column(row, columns, role)
    if getattr(columns, role) and chosen is not None:
        return chosen, row.number(chosen)
    there = _columns_of_seconds(tuple(row.fields), columns.KNOWN[role], role)
    held = [(column, value, scale) for column, scale in there if (value := row.number(column)) is not None]
    if len(held) > 1:
        raise row.cell(held[1][0]).error("", f"tells the {role} of a segment, and {held[0][0]!r} too. Remove one.")
    for column, value, scale in held:
        return column, value / scale
    return "", None


@lru_cache(maxsize=1024)
def _tells_times(columns: tuple[str, ...]) -> bool:
    return any(_columns_of_seconds(columns, KNOWN_OF_AUDIO[role], role) for role in _MILLISECONDS)


@lru_cache(maxsize=1024)
def _columns_of_seconds(columns: tuple[str, ...], known: tuple[str, ...], role: str) -> tuple[tuple[str, float], ...]:
    """The columns that may tell a time, and how many of its units make a second."""
    scales = {**dict.fromkeys(known, 1.0), **dict.fromkeys(_MILLISECONDS[role], 1000.0)}
    by_lower = {column.strip().lower(): column for column in columns}
    return tuple((by_lower[name], scale) for name, scale in scales.items() if name in by_lower)


def _refuse_unread(row: Row) -> None:
    for column in _columns_unread(tuple(row.fields)):
        name, value = column.strip().lower(), row.fields[column]
        if value in (None, "", [], {}):
            continue
        if name in _NOT_READ:
            raise row.cell(column).error(
                "", "says which part is meant, in a way that isn't read here. Give start and end in seconds."
            )
        if not isinstance(value, str) or value.strip().isdecimal():
            raise row.cell(column).error(
                "", "chooses a channel, which isn't done here. Write the channel into a file of its own."
            )


@lru_cache(maxsize=1024)
def _columns_unread(columns: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(column for column in columns if column.strip().lower() in (*_NOT_READ, *_CHANNELS))
