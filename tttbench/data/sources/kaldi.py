"""Kaldi's data folders: ``wav.scp`` (recording, path), ``text`` (utterance, words), ``segments`` and ``utt2spk``.

Commands in ``wav.scp`` are never run: a list that was fetched from somewhere must not start programs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tttbench.core.errors import UserError
from tttbench.core.sample import AudioRef, Place
from tttbench.core.tables import odd_character
from tttbench.data.sources.listing import Row, UniqueIds, read_lines
from tttbench.data.sources.utterance import Utterance


def is_kaldi(folder: Path) -> bool:
    """Whether ``folder`` has a ``wav.scp``."""
    return (folder / "wav.scp").is_file()


@dataclass(frozen=True)
class KaldiFolder:
    """The utterances of ``text``, in its order, and how many of ``segments``, or of ``wav.scp``, have no text."""

    utterances: list[Utterance]
    n_without_text: int


def read_kaldi(folder: Path) -> KaldiFolder:
    """Read a data folder; paths of ``wav.scp`` count from it.

    Raises:
        UserError: a file is missing or wrong, an utterance has no recording, a command in ``wav.scp``.
    """
    recordings = {row.name: _recording(row) for row in _rows(folder / "wav.scp")}
    segments = folder / "segments"
    audio = recordings
    if segments.is_file():
        audio = {row.name: _segment(row, recordings) for row in _rows(segments)}
    _refuse_channels(folder / "reco2file_and_channel")
    speakers = folder / "utt2spk"
    speaker_of = {row.name: row.rest for row in _rows(speakers)} if speakers.is_file() else {}
    utterances = []
    for row in _rows(folder / "text"):
        if row.name not in audio:
            named = "segments" if segments.is_file() else "wav.scp"
            raise UserError(
                f"{row.place}: field 'id': {row.name!r:.80} isn't in {named}. Add it there, or delete the line."
            )
        utterances.append(
            Utterance(
                row.name, audio[row.name], row.rest, replace(row.place, fields="id"), speaker_of.get(row.name, "")
            )
        )
    return KaldiFolder(utterances, len(audio) - len(utterances))


@dataclass(frozen=True, slots=True)
class _Line:
    """A line: its first word and what follows."""

    place: Place
    name: str
    rest: str


def _rows(path: Path) -> Iterator[_Line]:
    ids = UniqueIds()
    for number, line in read_lines(path):
        name, _, rest = line.strip().replace("\t", " ").partition(" ")
        place = Place(path, number)
        ids.add(name, replace(place, fields="id"))
        if odd_character(rest):
            Row(place, {"text": rest}).text("text")  # says what is wrong
        yield _Line(place, name, rest.strip())


def _recording(row: _Line) -> AudioRef:
    if row.rest.endswith("|") or row.rest.startswith("|"):
        raise UserError(
            f"{row.place}: field 'path': holds a command ({row.rest:.40}…), which isn't run. Run it, keep what it "
            "writes as wav or flac, and name that file."
        )
    if row.rest == "-" or re.search(r"\.(ark|scp)(:\d+)?$|:\d+$", row.rest):
        raise UserError(f"{row.place}: field 'path': {row.rest!r:.80} is not an audio file. Name a wav or flac file.")
    if not row.rest:
        raise UserError(f"{row.place}: field 'path': no path after {row.name!r:.80}. Write: recording PATH")
    return Row(row.place, {"path": row.rest}).audio("path")


def _segment(row: _Line, recordings: Mapping[str, AudioRef]) -> AudioRef:
    words = row.rest.split()
    if len(words) not in (3, 4):
        raise UserError(f"{row.place}: has {len(words) + 1} fields, not 4. Write: utterance recording START END")
    if len(words) == 4:
        raise UserError(
            f"{row.place}: field 'channel': chooses the channel {words[3]!r:.40}, which isn't done here. Write the "
            "channel into a file of its own."
        )
    recording = recordings.get(words[0])
    if recording is None:
        raise UserError(
            f"{row.place}: field 'recording': {words[0]!r:.80} isn't in wav.scp. Add it there, or delete the line."
        )
    times = Row(row.place, {"start": words[1], "end": words[2]})
    start = times.number("start")
    # Kaldi's tools take -1 for the end of the recording.
    end = None if words[2] in ("-1", "-1.0") else times.number("end")
    if start is None or (end is not None and not end > start):
        raise UserError(
            f"{row.place}: field 'end': {words[2]:.40} must be behind the start {words[1]:.40}. Correct it."
        )
    listed = Place(row.place.file, row.place.number, fields="recording, start, end")
    return AudioRef(recording.path, recording.member, start, end, listed)


def _refuse_channels(path: Path) -> None:
    if not path.is_file():
        return
    for row in _rows(path):
        if row.rest.split()[-1:] not in ([], ["A"], ["1"]):
            raise UserError(
                f"{row.place}: field 'channel': chooses a channel ({row.rest.split()[-1]:.40}), which isn't done here. "
                "Write the channel into a file of its own, and delete this file."
            )
