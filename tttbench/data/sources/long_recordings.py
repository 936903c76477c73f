"""Lists of long recordings whose parts are named, as WenetSpeech and GigaSpeech publish them: one large JSON document.

An entry of ``audios`` is a recording (``aid``, ``path`` as seen from the list, ``segments``); a segment has ``sid``,
``begin_time`` and ``end_time`` in seconds, a text, and the ``subsets`` that it belongs to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tttbench.core.errors import UserError
from tttbench.core.sample import AudioRef, Place
from tttbench.data.json_stream import read_entries
from tttbench.data.sources.listing import Row
from tttbench.data.sources.utterance import Utterance


def read_segments(path: Path, subset: str, text: str) -> Iterator[Utterance]:
    """Yield the segments of a subset, in the list's order. The recording takes the speaker's place, who isn't known.

    Args:
        path: of the list, which is read entry by entry.
        subset: as segments call it.
        text: the field of a segment that holds what is spoken.

    Raises:
        UserError: no list, or an entry that is wrong.
    """
    for number, entry in read_entries(path, "audios"):
        place = Place(path, number, "entry")
        if not isinstance(entry, dict):
            raise UserError(f"{place}: is not a JSON object. Copy the list again.")
        recording = Row(place, entry)
        for name, segment in _segments(recording, subset):
            yield Utterance(
                id=segment.filled(f"{name}.sid"),
                audio=_cut(recording.audio("path"), name, segment),
                text=segment.filled(f"{name}.{text}"),
                place=replace(recording.place, fields=f"{name}.sid"),
                speaker=recording.filled("aid"),
            )


def _segments(recording: Row, subset: str) -> Iterator[tuple[str, Row]]:
    """The segments of the subset, each with its place in the entry; their fields are named with it."""
    cell = recording.cell("segments")
    if not isinstance(cell.values, list):
        raise cell.error("", "must be a list. Copy the list again.")
    for at, segment in enumerate(cell.values):
        name = f"segments[{at}]"
        subsets = segment.get("subsets") if isinstance(segment, dict) else None
        if not isinstance(segment, dict) or not isinstance(subsets, list):
            raise UserError(f"{recording.place}: field '{name}.subsets': must be a list. Copy the list again.")
        if subset in subsets:
            yield name, Row(recording.place, {f"{name}.{key}": value for key, value in segment.items()})


def _cut(audio: AudioRef, name: str, segment: Row) -> AudioRef:
    """The part of a recording that a segment means."""
    columns = (f"{name}.begin_time", f"{name}.end_time")
    begin, end = (segment.number(column) for column in columns)
    if begin is None or end is None or not end > begin:
        raise UserError(
            f"{segment.place}: fields {columns[0]!r}, 'end_time': must be seconds, the end behind the begin."
        )
    return replace(audio, start_s=begin, end_s=end, listed=replace(segment.place, fields=", ".join(("path", *columns))))
