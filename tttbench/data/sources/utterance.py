"""What a reader of an ASR data set finds: audio and what is said in it. Knows no format."""

from __future__ import annotations

from dataclasses import dataclass

from tttbench.core.sample import AudioRef, Place


@dataclass(frozen=True, slots=True)
class Utterance:
    """One row of a data set's list.

    Attributes:
        id: unique within the data set.
        audio: a file or a segment of one; whether it is there is not looked up.
        text: what is said; may be empty (silence).
        place: where it stands; its field is that of the id.
        speaker: who says it; empty if the list doesn't tell.
        language: BCP 47 tag; empty if the list doesn't tell.
    """

    id: str
    audio: AudioRef
    text: str
    place: Place
    speaker: str = ""
    language: str = ""
