"""WenetSpeech as published: ``WenetSpeech.json``, of about a gigabyte, and long Opus recordings, whose parts it names.

An entry of ``audios`` is a recording (``aid``, ``path`` as seen from the list, ``segments``); a segment has ``sid``,
``begin_time`` and ``end_time`` in seconds, ``text``, and the ``subsets`` that it belongs to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from tttbench.core.errors import UserError
from tttbench.core.plugins import register_source
from tttbench.core.sample import AudioRef, Place, Sample
from tttbench.data.json_stream import read_entries
from tttbench.data.sources.listing import Row
from tttbench.data.sources.published import check_option, root_of
from tttbench.data.sources.transcribed import Transcribed, refuse_doubled_ids, samples_of
from tttbench.data.sources.utterance import Utterance

LIST = "WenetSpeech.json"
SUBSETS = ("DEV", "TEST_NET", "TEST_MEETING", "S", "M", "L")


def read_wenetspeech(folder: Path, subset: str) -> Transcribed:
    """Read the segments of a subset, in the list's order. The recording takes the speaker's place, who isn't known.

    Args:
        folder: that holds ``WenetSpeech.json``, or the folder above it.
        subset: ``"DEV"``, ``"TEST_NET"``, ``"TEST_MEETING"`` or one of the training subsets.

    Raises:
        UserError: no list, an entry that is wrong, an id that stands twice, no segment of the subset.
    """
    root = root_of(folder, ["WenetSpeech"], LIST, f"Give the folder with {LIST} and audio/.")
    utterances = []
    for number, entry in read_entries(root / LIST, "audios"):
        place = Place(root / LIST, number, "entry")
        if not isinstance(entry, dict):
            raise UserError(f"{place}: is not a JSON object. Copy the list again.")
        recording = Row(place, entry)
        for name, segment in _segments(recording, subset):
            utterances.append(_utterance(recording, name, segment))
    if not utterances:
        raise UserError(f"{root / LIST}: holds no segment of the subset {subset}. Choose another one.")
    refuse_doubled_ids(utterances)
    return Transcribed("wenetspeech", tuple(utterances))


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


def _utterance(recording: Row, name: str, segment: Row) -> Utterance:
    return Utterance(
        id=segment.filled(f"{name}.sid"),
        audio=_cut(recording.audio("path"), name, segment),
        text=segment.filled(f"{name}.text"),
        place=recording.place,
        speaker=recording.filled("aid"),
    )


def _cut(audio: AudioRef, name: str, segment: Row) -> AudioRef:
    """The part of a recording that a segment means."""
    columns = (f"{name}.begin_time", f"{name}.end_time")
    begin, end = (segment.number(column) for column in columns)
    if begin is None or end is None or not end > begin:
        raise UserError(
            f"{segment.place}: fields {columns[0]!r}, 'end_time': must be seconds, the end behind the begin."
        )
    return replace(audio, start_s=begin, end_s=end, listed=replace(segment.place, fields=", ".join(("path", *columns))))


@register_source("wenetspeech", options=("subset",), summary="WenetSpeech as published")
def list_wenetspeech(folder: Path, subset: str = "TEST_NET") -> Sequence[Sample]:
    """List the segments of a subset; recordings are clusters.

    Raises:
        UserError: as ``read_wenetspeech``; no such subset.
    """
    check_option("wenetspeech", "subset", subset, SUBSETS)
    return samples_of(read_wenetspeech(folder, subset), folder)
