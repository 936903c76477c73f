"""AISHELL-1 as published: one transcript for all splits, and ``wav/SPLIT/SPEAKER/ID.wav``.

The transcript's words are separated by blanks, which nobody writes in Chinese: they are joined.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from shlex import quote

from tttbench.core.errors import UserError
from tttbench.core.plugins import register_source
from tttbench.core.sample import Place, Sample
from tttbench.data.archives import first_file
from tttbench.data.sources.listing import read_lines
from tttbench.data.sources.published import check_option, id_and_text, root_of
from tttbench.data.sources.stray import is_stray
from tttbench.data.sources.transcribed import Transcribed, found_in, samples_of
from tttbench.data.sources.utterance import Utterance

SPLITS = ("train", "dev", "test")
TRANSCRIPT = "transcript/aishell_transcript_v0.8.txt"

_SPEAKER = re.compile(r"(S\d+)W\d+")
"""In an id, e.g. ``BAC009S0764W0121``."""


def read_aishell1(folder: Path, split: str = "test") -> Transcribed:
    """Read the lines of the transcript whose speakers have a folder in ``wav/SPLIT``.

    Args:
        folder: ``data_aishell``, or the folder that holds it.
        split: ``"train"``, ``"dev"`` or ``"test"``.

    Raises:
        UserError: no transcript, no such split, speakers' archives that aren't unpacked, a line that is wrong.
    """
    root = root_of(folder, ["data_aishell"], TRANSCRIPT, "Give the folder data_aishell, as unpacked.")
    wavs = root / "wav"
    _refuse_packed(wavs, split)
    at = wavs / split
    speakers = _folders(at)
    if not speakers:
        raise UserError(
            f"{at}: holds no speaker's folder. Unpack the archives of {wavs} there, or choose another split."
        )
    utterances = []
    path = root / TRANSCRIPT
    for number, line in read_lines(path):
        place = Place(path, number)
        own = _SPEAKER.search(line.split(maxsplit=1)[0])
        if own is None:
            raise UserError(f"{place}: field 'id': names no speaker. Write ids such as BAC009S0764W0121.")
        speaker = own[1]
        if speaker not in speakers:
            continue
        row = id_and_text(place, line)
        audio = replace(row.audio("id"), path=at / speaker / f"{row.text('id')}.wav")
        utterances.append(Utterance(row.text("id"), audio, "".join(row.text("text").split()), row.at("id"), speaker))
    return found_in("aishell1", at, utterances)


def _folders(path: Path) -> set[str]:
    if not path.is_dir():
        return set()
    return {one.name for one in path.iterdir() if one.is_dir() and not is_stray(one.name)}


def _refuse_packed(wavs: Path, split: str) -> None:
    """Raise ``UserError`` if a speaker of the split, or of one that can't be told, is there as an archive alone."""
    unpacked = {speaker for one in SPLITS for speaker in _folders(wavs / one)}
    packed = [path for path in sorted(wavs.glob("S*.tar.gz")) if path.name.split(".")[0] not in unpacked]
    missing = [path for path in packed if _split_of(path) in ("", split)]
    if missing:
        raise UserError(
            f"{wavs}: {len(missing)} speakers' archives of {split!r} aren't unpacked ({missing[0].name} …). "
            f"Unpack them in place: cd {quote(str(wavs))}; for a in S*.tar.gz; do tar xzf $a; done"
        )


def _split_of(archive: Path) -> str:
    """The split that an archive unpacks to; ``""`` if its first file doesn't tell."""
    parts = PurePosixPath(first_file(archive)).parts
    return next((part for part in parts if part in SPLITS), "")


@register_source("aishell1", options=("split",), summary="AISHELL-1 as published")
def list_aishell1(folder: Path, split: str = "test") -> Sequence[Sample]:
    """List the utterances of a split; recordings without a line in the transcript are counted in a warning.

    Raises:
        UserError: as ``read_aishell1``; no such split.
    """
    check_option("aishell1", "split", split, SPLITS)
    return samples_of(read_aishell1(folder, split), folder)
