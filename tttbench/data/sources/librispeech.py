"""The layout of LibriSpeech: ``*.trans.txt`` at any depth, a line ``id TEXT`` each, and ``id.flac`` beside it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tttbench.core.errors import UserError
from tttbench.core.plugins import register_source
from tttbench.core.sample import Place, Sample
from tttbench.data.audio import AUDIO_SUFFIXES
from tttbench.data.sources.listing import read_lines
from tttbench.data.sources.published import check_option, id_and_text, inner_of
from tttbench.data.sources.stray import files_below
from tttbench.data.sources.transcribed import found_in, samples_of
from tttbench.data.sources.utterance import Utterance

TRANSCRIPTS = ".trans.txt"
"""How the lists end."""

SUBSETS = (
    *("test-clean", "test-other", "dev-clean", "dev-other"),
    *("train-clean-100", "train-clean-360", "train-other-500"),
)


def read_librispeech(lists: Sequence[Path]) -> list[Utterance]:
    """Read all transcripts, in the given order. The speaker is the id's part before the first ``-``.

    Raises:
        UserError: a line has an id and no text.
    """
    utterances = []
    for path in lists:
        for number, line in read_lines(path):
            row = id_and_text(Place(path, number), line, " ")
            utterance_id = row.text("id")
            speaker, dash, _ = utterance_id.partition("-")
            utterances.append(
                Utterance(
                    id=utterance_id,
                    audio=replace(row.audio("id"), path=_audio_beside(f"{path.parent}/{utterance_id}")),
                    text=row.text("text"),
                    place=row.at("id"),
                    speaker=speaker if dash else "",
                )
            )
    return utterances


def _audio_beside(stem: str) -> Path:
    """The audio file called ``stem``, FLAC as published unless only another format is there."""
    names = [Path(stem + suffix) for suffix in (".flac", *sorted(AUDIO_SUFFIXES - {".flac"}))]
    # A pipe or a broken link counts: whoever checks the samples refuses it.
    return next((name for name in names if os.path.lexists(name)), names[0])


@register_source("librispeech", options=("subset",), summary="LibriSpeech as published")
def list_librispeech(folder: Path, subset: str = "test-clean") -> Sequence[Sample]:
    """List the utterances of a subset; speakers are clusters. What is left out is said in a warning.

    Args:
        folder: ``LibriSpeech``, the folder that holds it, or that of the subset itself, ``-`` in its name or ``_``.
        subset: e.g. ``"test-clean"``.

    Raises:
        UserError: no such subset or folder, no transcripts in it, a line that is wrong, an id that stands twice.
    """
    check_option("librispeech", "subset", subset, SUBSETS)
    at = _subset_in(folder, subset)
    lists = files_below(at, (TRANSCRIPTS,)).files
    if not lists:
        raise UserError(f"{at}: holds no *{TRANSCRIPTS}. Unpack {subset}.tar.gz again.")
    return samples_of(found_in("librispeech", at, read_librispeech(lists)), folder)


def _subset_in(folder: Path, subset: str) -> Path:
    give = f"Give the folder LibriSpeech, with {subset}."
    other = subset.replace("-", "_")
    if folder.resolve().name == other or os.path.lexists(folder / other):
        return inner_of(folder, [], other, ".", give)
    return inner_of(folder, ["LibriSpeech"], subset, ".", give)
