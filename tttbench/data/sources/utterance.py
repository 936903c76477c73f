"""What a reader of an ASR data set finds: audio files and what is said in them. Knows no format."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Utterance:
    """One line of a data set's list.

    Attributes:
        id: unique within the data set.
        audio: the file; whether it is there is not looked up, so that a missing one is an error of its request alone.
        text: what is said; may be empty (silence).
        speaker: who says it; empty if the list doesn't tell.
        list_file: the list that it stands in.
        line: its line there, from 1.
    """

    id: str
    audio: Path
    text: str
    speaker: str
    list_file: Path
    line: int
