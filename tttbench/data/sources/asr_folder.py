"""Any folder of transcribed speech: finds out which layout it has, and which audio files nobody transcribed.

Sources: ``asr_folder`` for any of the layouts, ``tsv``, ``jsonl``, ``ljspeech`` and ``librispeech`` for one.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tttbench.core.errors import UserError
from tttbench.core.plugins import register_source
from tttbench.core.sample import Sample, spoken_sample
from tttbench.data.audio import AUDIO_SUFFIXES
from tttbench.data.sources.jsonl import read_jsonl
from tttbench.data.sources.librispeech import is_librispeech, read_librispeech
from tttbench.data.sources.listing import UniqueIds
from tttbench.data.sources.ljspeech import is_ljspeech, read_ljspeech
from tttbench.data.sources.tsv import read_tsv
from tttbench.data.sources.utterance import Utterance

log = logging.getLogger("tttbench")

LIST_READERS = {".tsv": read_tsv, ".jsonl": read_jsonl}


@dataclass(frozen=True)
class AsrFolder:
    """A data set: its ``layout`` (``"ljspeech"``, ``"librispeech"``, ``"tsv"``, ``"jsonl"``) and what it holds.

    ``untranscribed`` are audio files in the folder that no line of the list names.
    """

    layout: str
    utterances: tuple[Utterance, ...]
    untranscribed: tuple[Path, ...]


def read_asr_folder(path: Path) -> AsrFolder:
    """Read a folder in one of the layouts, or the list given by its own path.

    Raises:
        UserError: no such folder, no list in it or more than one, a column or field is missing, an id stands twice.
    """
    if path.is_file():
        if path.suffix.lower() not in LIST_READERS:
            raise UserError(f"{path}: is not a list of utterances. Give a .tsv or .jsonl file, or a folder.")
        return _finish(path.suffix[1:].lower(), path.parent, LIST_READERS[path.suffix.lower()](path))
    if not path.is_dir():
        raise UserError(f"{path}: no such folder. Give the folder of transcribed speech.")
    if is_ljspeech(path):
        return _finish("ljspeech", path, read_ljspeech(path))
    if is_librispeech(path):
        return _finish("librispeech", path, read_librispeech(path))
    lists = sorted(file for file in path.iterdir() if file.suffix.lower() in LIST_READERS)
    if len(lists) > 1:
        raise UserError(
            f"{path}: holds several lists ({', '.join(file.name for file in lists)}). Give the one that counts, "
            f"e.g. {lists[0]}"
        )
    if not lists:
        raise UserError(
            f"{path}: holds no list of utterances. Needed is one of: a .tsv or .jsonl with the columns audio and text, "
            "metadata.csv with wavs/ (LJSpeech), *.trans.txt (LibriSpeech)."
        )
    return _finish(lists[0].suffix[1:].lower(), path, LIST_READERS[lists[0].suffix.lower()](lists[0]))


def _finish(layout: str, folder: Path, utterances: list[Utterance]) -> AsrFolder:
    ids = UniqueIds()
    for utterance in utterances:
        ids.add(utterance.id, utterance.list_file, utterance.line)
    listed = {utterance.audio.resolve() for utterance in utterances}
    present = sorted(file for file in folder.rglob("*") if file.suffix.lower() in AUDIO_SUFFIXES)
    untranscribed = tuple(file for file in present if file.resolve() not in listed)
    return AsrFolder(layout, tuple(utterances), untranscribed)


@register_source("asr_folder", summary="transcribed speech: TSV, JSON lines, LJSpeech or LibriSpeech")
def list_asr_folder(folder: Path) -> Sequence[Sample]:
    """List the utterances of a folder in any of the layouts. Audio without a transcript is reported as a warning.

    Speakers become clusters where there are at least two.

    Raises:
        UserError: the list is missing or wrong.
    """
    return _samples(read_asr_folder(folder), folder)


@register_source("tsv", summary="a TSV list of audio and text, with or without a header")
def list_tsv(folder: Path) -> Sequence[Sample]:
    """List the one ``.tsv`` of a folder, or the file itself."""
    return _of_list(folder, ".tsv")


@register_source("jsonl", summary="JSON lines with audio and text")
def list_jsonl(folder: Path) -> Sequence[Sample]:
    """List the one ``.jsonl`` of a folder, or the file itself."""
    return _of_list(folder, ".jsonl")


@register_source("ljspeech", summary="LJSpeech's metadata.csv and wavs/")
def list_ljspeech(folder: Path) -> Sequence[Sample]:
    """List a folder of LJSpeech's layout."""
    return _samples(_finish("ljspeech", folder, read_ljspeech(folder)), folder)


@register_source("librispeech", summary="LibriSpeech's *.trans.txt with audio beside them")
def list_librispeech(folder: Path) -> Sequence[Sample]:
    """List a folder of LibriSpeech's layout."""
    return _samples(_finish("librispeech", folder, read_librispeech(folder)), folder)


def _of_list(path: Path, suffix: str) -> Sequence[Sample]:
    lists = [path] if path.is_file() else [file for file in path.glob(f"*{suffix}") if file.is_file()]
    if len(lists) != 1:
        found = f"holds {len(lists)} {suffix} files" if path.is_dir() else "is no folder"
        raise UserError(f"{path}: {found}. Give the one list, or a folder that holds one.")
    return _samples(_finish(suffix[1:], lists[0].parent, LIST_READERS[suffix](lists[0])), path)


def _samples(found: AsrFolder, data: Path) -> Sequence[Sample]:
    metadata = {"layout": found.layout}
    if found.untranscribed:
        count = len(found.untranscribed)
        names = ", ".join([*(path.name for path in found.untranscribed[:3]), *(["…"] if count > 3 else [])])
        log.warning("%s: audio files without a transcript, left out: %d (%s)", data, count, names)
        metadata["left_out"] = f"audio files without a transcript: {count}"
    several_speakers = len({utterance.speaker for utterance in found.utterances}) > 1
    return [
        spoken_sample(
            utterance.id,
            utterance.audio,
            utterance.text,
            cluster=utterance.speaker if several_speakers else "",
            metadata={**metadata, "source": f"{utterance.list_file.name}:{utterance.line}"},
        )
        for utterance in found.utterances
    ]
