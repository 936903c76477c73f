"""What readers found of a data set of transcribed speech, as samples; what is left out is counted. Knows no format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tttbench.core.sample import Sample, spoken_sample
from tttbench.data.sources.list_files import LeftOut, left_out, tell_left_out
from tttbench.data.sources.listing import UniqueIds
from tttbench.data.sources.utterance import Utterance


@dataclass(frozen=True)
class Transcribed:
    """A data set: its ``layout`` (``"kaldi"``, ``"ljspeech"``, ``"librispeech"`` …, or a list's ending) and utterances.

    Attributes:
        layout, utterances: what was found.
        left_out: what else is there, and audio files in the folder that no row names.
    """

    layout: str
    utterances: tuple[Utterance, ...]
    left_out: LeftOut = field(default_factory=LeftOut)


def found_in(
    layout: str, folder: Path, utterances: Sequence[Utterance], without: Mapping[str, int] | None = None
) -> Transcribed:
    """Return the utterances of a data set whose audio lies below ``folder``, with the audio there that none names.

    Raises:
        UserError: an id stands twice, or is none.
    """
    refuse_doubled_ids(utterances)
    rest = left_out(folder, (utterance.audio for utterance in utterances), "a transcript", without)
    return Transcribed(layout, tuple(utterances), rest)


def refuse_doubled_ids(utterances: Sequence[Utterance]) -> None:
    """Raise ``UserError``, naming both rows, where an id stands twice."""
    ids = UniqueIds()
    for utterance in utterances:
        ids.add(utterance.id, utterance.place)


def samples_of(found: Transcribed, data: Path) -> Sequence[Sample]:
    """Return the samples of a data set, given as ``data``; what is left out is said in a warning.

    Speakers become clusters where there are at least two.
    """
    metadata = {"layout": found.layout, **tell_left_out(data, found.left_out)}
    several_speakers = len({utterance.speaker for utterance in found.utterances}) > 1
    return [
        spoken_sample(
            utterance.id,
            utterance.audio,
            utterance.text,
            language=utterance.language,
            cluster=utterance.speaker if several_speakers else "",
            metadata={**metadata, "source": f"{utterance.place.file.name}:{utterance.place.number}"},
        )
        for utterance in found.utterances
    ]
