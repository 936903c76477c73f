"""Any transcribed speech: finds out which layout a folder has, and which audio files nobody transcribed.

One source, ``asr_folder``, for all of them; its options name the list and its columns where they aren't found.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tttbench.core.errors import UserError
from tttbench.core.plugins import register_source
from tttbench.core.sample import Sample, spoken_sample
from tttbench.data.audio import AUDIO_SUFFIXES
from tttbench.data.files import RealPaths, why_not_regular
from tttbench.data.sources.columns import ROLES, Columns, check_columns, read_rows
from tttbench.data.sources.delimited import header_of, read_csv, read_tsv
from tttbench.data.sources.json_lists import first_row, read_json_lines, read_json_list
from tttbench.data.sources.kaldi import is_kaldi, read_kaldi
from tttbench.data.sources.librispeech import read_librispeech
from tttbench.data.sources.listing import Row, UniqueIds, find_column
from tttbench.data.sources.ljspeech import is_ljspeech, read_ljspeech
from tttbench.data.sources.stray import files_below, is_run, is_stray
from tttbench.data.sources.utterance import Utterance

log = logging.getLogger("tttbench")

LIST_READERS: Mapping[str, Callable[[Path], list[Row]]] = {
    ".tsv": read_tsv,
    ".csv": read_csv,
    ".jsonl": read_json_lines,
    ".ndjson": read_json_lines,
    ".json": read_json_list,
}
"""By the ending of a list's name."""

_TRANSCRIPTS = ".trans.txt"
_UNREAD_LISTS = (".parquet", ".arrow", ".manifest", ".jsonl.gz", ".tsv.gz", ".csv.gz", ".stm", ".ctm", ".yaml", ".yml")
"""How lists end that others write, and that aren't read."""


@dataclass(frozen=True)
class AsrFolder:
    """A data set: its ``layout`` (``"kaldi"``, ``"ljspeech"``, ``"librispeech"``, or a list's ending) and utterances.

    Attributes:
        layout, utterances: what was found.
        left_out: what else is there, by kind, and how many.
        untranscribed: audio files in the folder that no row names.
    """

    layout: str
    utterances: tuple[Utterance, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)
    untranscribed: tuple[Path, ...] = ()


def read_asr_folder(path: Path, columns: Columns | None = None) -> AsrFolder:
    """Read a folder in one of the layouts, or the list given by its own path.

    Args:
        path: folder or list.
        columns: names of the list's columns, where they aren't known ones.

    Raises:
        UserError: no such folder, no list in it or more than one, a column or field is missing, an id stands twice.
    """
    chosen = columns or Columns()
    if kind := why_not_regular(path):
        if kind != "a folder":
            raise UserError(f"{path}: is {kind}. Give a list of utterances, or a folder.")
    elif _is_file(path):
        return _of_list(path, chosen)
    else:
        raise UserError(f"{path}: no such folder. Give the folder of transcribed speech.")
    if is_run({entry.name for entry in path.iterdir()}):
        raise UserError(f"{path}: is a run directory. Give the data that it was made from.")
    if is_kaldi(path):
        found = read_kaldi(path)
        without = {"recordings or segments without a transcript": found.n_without_text}
        return _finish("kaldi", path, found.utterances, without)
    if is_ljspeech(path):
        return _finish("ljspeech", path, read_ljspeech(path))
    transcripts = files_below(path, (_TRANSCRIPTS,)).files
    if transcripts:
        return _finish("librispeech", path, read_librispeech(transcripts))
    return _of_list(_only_list(path), chosen)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError as error:
        raise UserError(f"{str(path)!a:.300}: cannot be read ({error.strerror}). Give a folder or a list.") from error


def _of_list(path: Path, columns: Columns) -> AsrFolder:
    suffix = path.suffix.lower()
    if suffix not in LIST_READERS:
        raise UserError(
            f"{path}: is not a list of utterances. Give a {', '.join(LIST_READERS)} file, or a folder that holds one."
        )
    rows = LIST_READERS[suffix](path)
    header = header_of(path) if not rows and suffix in (".tsv", ".csv") else None
    if header is not None:
        check_columns(header, columns)
    return _finish(suffix[1:], path.parent, read_rows(rows, columns))


def _only_list(folder: Path) -> Path:
    lists = _lists_in(folder)
    if len(lists) == 1:
        return lists[0]
    if lists:
        likely = next((one for one in lists if "test" in one.stem.lower()), lists[0])
        raise UserError(
            f"{folder}: holds several lists ({', '.join(one.name for one in lists)}). Give the one that counts, "
            f"e.g. {likely}"
        )
    raise UserError(
        f"{folder}: holds no list of utterances.{_instead(folder)} Needed is one of: a .tsv, .csv, .jsonl or .json "
        "with the columns audio and text, metadata.csv with wavs/ (LJSpeech), *.trans.txt (LibriSpeech), wav.scp "
        "(Kaldi)."
    )


def _instead(folder: Path) -> str:
    """What a folder without a list has further down, or in a form that isn't read, as a sentence; ``""`` if nothing."""
    below = files_below(folder, tuple(LIST_READERS)).files
    below = [one for one in below if one.suffix.lower() != ".json" or _is_json_list(one)]
    if below:
        return f" There is one further down: give {min(below, key=lambda path: (len(path.parts), path))}."
    unread = files_below(folder, _UNREAD_LISTS).files
    if unread:
        return f" {unread[0].name} is of a kind that isn't read here: write it as .jsonl, and its audio as files."
    return ""


def _lists_in(folder: Path) -> list[Path]:
    """The lists of a folder; JSON documents, which may be anything, if they look like one and nothing else does."""
    present = sorted(one for one in folder.iterdir() if one.suffix.lower() in LIST_READERS and not is_stray(one.name))
    present = [one for one in present if not one.is_dir()]
    lists = [one for one in present if one.suffix.lower() != ".json"]
    return lists or [one for one in present if _is_json_list(one)]


def _is_json_list(path: Path) -> bool:
    row = first_row(path)
    return row is not None and find_column(row, Columns().accepted("audio")) is not None


def _finish(
    layout: str, folder: Path, utterances: Sequence[Utterance], left_out: Mapping[str, int] | None = None
) -> AsrFolder:
    ids = UniqueIds()
    for utterance in utterances:
        ids.add(utterance.id, utterance.place)
    real = RealPaths()
    listed = {real.of(utterance.audio.path) for utterance in utterances}
    found = files_below(folder, AUDIO_SUFFIXES)
    untranscribed = tuple(file for file in found.files if real.of(file) not in listed)
    counts = Counter({"audio files without a transcript": len(untranscribed), **(left_out or {})}) + found.skipped
    return AsrFolder(layout, tuple(utterances), {kind: n for kind, n in counts.items() if n}, untranscribed)


@register_source(
    "asr_folder",
    options=("list", *ROLES),
    summary="transcribed speech: TSV, CSV, JSON lines, NeMo, Kaldi, Common Voice, audiofolder, LJSpeech, LibriSpeech",
)
def list_asr_folder(folder: Path, **options: str) -> Sequence[Sample]:
    """List the utterances of a folder in any of the layouts. What is left out is said in a warning.

    Speakers become clusters where there are at least two.

    Args:
        folder: of the data, or a list.
        options: ``list``, a list's path as seen from the folder, and names of its columns by role.

    Raises:
        UserError: the list is missing or wrong.
    """
    name = options.pop("list", "")
    if name and not os.path.lexists(folder / name):
        raise UserError(f"{folder}: the task's list {name!a:.300} isn't there. Correct the option 'list'.")
    return _samples(read_asr_folder(folder / name if name else folder, Columns(**options)), folder)


def _samples(found: AsrFolder, data: Path) -> Sequence[Sample]:
    metadata = {"layout": found.layout}
    if found.left_out:
        metadata["left_out"] = "; ".join(f"{kind}: {count}" for kind, count in found.left_out.items())
        names = [path.name for path in found.untranscribed[:3]] + ["…"] * (len(found.untranscribed) > 3)
        told = f" ({', '.join(names)})" if names else ""
        log.warning("%s: left out: %s%s", data, metadata["left_out"], told)
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
