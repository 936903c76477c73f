"""What readers found of a set of captioned sounds, as samples; clips that are listed and not there are counted."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tttbench.core.errors import UserError
from tttbench.core.sample import AudioRef, Place, Sample, spoken_sample
from tttbench.data.sources.list_files import left_out, tell_left_out
from tttbench.data.sources.listing import UniqueIds


@dataclass(frozen=True)
class Clip:
    """A sound and its captions.

    Attributes:
        id: unique within its set.
        audio: the recording.
        captions: of several people, none empty.
        place: where it is listed first; its field is that of the id.
        facts: shown beside it: its license, keywords …
    """

    id: str
    audio: AudioRef
    captions: tuple[str, ...]
    place: Place
    facts: Mapping[str, str] = field(default_factory=dict)


def caption_samples(layout: str, folder: Path, at: Path, clips: Sequence[Clip]) -> list[Sample]:
    """Return the samples of the clips that are there. What is left out is counted in a warning and in their metadata.

    Args:
        layout: name of the source.
        folder: as given by the user.
        at: the folder of the recordings.
        clips: as listed.

    Raises:
        UserError: an id stands twice, or no recording is there.
    """
    ids = UniqueIds()
    for clip in clips:
        ids.add(clip.id, clip.place)
    # A pipe or a broken link counts: whoever checks the samples refuses it.
    present = [clip for clip in clips if os.path.lexists(clip.audio.path)]
    missing = len(clips) - len(present)
    if clips and not present:
        raise UserError(f"{at}: holds none of the {missing:,} recordings that are listed, e.g. {clips[0].audio.path}.")
    rest = left_out(at, (clip.audio for clip in clips), "a caption", {"clips without a recording": missing})
    metadata = {"layout": layout, **tell_left_out(folder, rest)}
    return [
        spoken_sample(
            clip.id,
            clip.audio,
            *clip.captions,
            language="en",
            metadata={**metadata, **clip.facts, "source": f"{clip.place.file.name}:{clip.place.number}"},
        )
        for clip in present
    ]
