"""The layout of LibriSpeech: ``*.trans.txt`` at any depth, a line ``id TEXT`` each, and ``id.flac`` beside it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tttbench.core.sample import Place
from tttbench.data.audio import AUDIO_SUFFIXES
from tttbench.data.sources.listing import read_lines
from tttbench.data.sources.published import id_and_text
from tttbench.data.sources.utterance import Utterance


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
                    place=row.place,
                    speaker=speaker if dash else "",
                )
            )
    return utterances


def _audio_beside(stem: str) -> Path:
    """The audio file called ``stem``, FLAC as published unless only another format is there."""
    names = [Path(stem + suffix) for suffix in (".flac", *sorted(AUDIO_SUFFIXES - {".flac"}))]
    # A pipe or a broken link counts: whoever checks the samples refuses it.
    return next((name for name in names if os.path.lexists(name)), names[0])
