"""The layout of LibriSpeech: ``*.trans.txt`` at any depth, a line ``id TEXT`` each, and ``id.flac`` beside it."""

from __future__ import annotations

from pathlib import Path

from tttbench.core.errors import UserError
from tttbench.data.audio import AUDIO_SUFFIXES
from tttbench.data.sources.listing import read_lines
from tttbench.data.sources.utterance import Utterance


def is_librispeech(folder: Path) -> bool:
    """Whether there is a ``*.trans.txt`` anywhere in ``folder``."""
    return next(folder.rglob("*.trans.txt"), None) is not None


def read_librispeech(folder: Path) -> list[Utterance]:
    """Read all transcripts, in the order of their paths. The speaker is the id's part before the first ``-``.

    Raises:
        UserError: a line has an id and no text.
    """
    utterances = []
    for path in sorted(folder.rglob("*.trans.txt")):
        for number, line in read_lines(path):
            utterance_id, _, text = line.strip().partition(" ")
            if not text.strip():
                raise UserError(f"{path}, line {number}: no text after the id {utterance_id!r}. Write: id TEXT")
            speaker, dash, _ = utterance_id.partition("-")
            utterances.append(
                Utterance(
                    id=utterance_id,
                    audio=_audio_beside(path.parent / utterance_id),
                    text=text.strip(),
                    speaker=speaker if dash else "",
                    list_file=path,
                    line=number,
                )
            )
    return utterances


def _audio_beside(stem: Path) -> Path:
    """The audio file called ``stem``, FLAC as published unless only another format is there."""
    names = [stem.with_name(stem.name + suffix) for suffix in (".flac", *sorted(AUDIO_SUFFIXES - {".flac"}))]
    return next((name for name in names if name.is_file()), names[0])
