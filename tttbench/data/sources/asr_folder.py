"""Any folder of transcribed speech: finds out which layout it has, and which audio files nobody transcribed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tttbench.core.errors import UserError
from tttbench.data.audio import AUDIO_SUFFIXES
from tttbench.data.sources.jsonl import read_jsonl
from tttbench.data.sources.librispeech import is_librispeech, read_librispeech
from tttbench.data.sources.listing import UniqueIds
from tttbench.data.sources.ljspeech import is_ljspeech, read_ljspeech
from tttbench.data.sources.tsv import read_tsv
from tttbench.data.sources.utterance import Utterance

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
