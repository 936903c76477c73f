"""Any transcribed speech: finds out which layout a folder has, and which audio files nobody transcribed.

One source, ``asr_folder``, for all of them; its options name the list and its columns where they aren't found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tttbench.core.plugins import register_source
from tttbench.core.sample import Sample, spoken_sample
from tttbench.data.sources.columns import KNOWN, ROLES, Columns, check_columns, read_rows
from tttbench.data.sources.kaldi import is_kaldi, read_kaldi
from tttbench.data.sources.librispeech import read_librispeech
from tttbench.data.sources.list_files import (
    LeftOut,
    ListKind,
    given_path,
    is_list,
    left_out,
    only_list,
    read_list,
    tell_left_out,
)
from tttbench.data.sources.listing import UniqueIds
from tttbench.data.sources.ljspeech import is_ljspeech, read_ljspeech
from tttbench.data.sources.stray import files_below
from tttbench.data.sources.utterance import Utterance

_TRANSCRIPTS = ".trans.txt"
_KIND = ListKind(
    "utterances",
    "transcribed speech",
    "a .tsv, .csv, .jsonl or .json with the columns audio and text, metadata.csv with wavs/ (LJSpeech), "
    "*.trans.txt (LibriSpeech), wav.scp (Kaldi)",
    KNOWN["audio"],
)


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
    if is_list(path, _KIND):
        return _of_list(path, chosen)
    if is_kaldi(path):
        found = read_kaldi(path)
        without = {"recordings or segments without a transcript": found.n_without_text}
        return _finish("kaldi", path, found.utterances, without)
    if is_ljspeech(path):
        return _finish("ljspeech", path, read_ljspeech(path))
    transcripts = files_below(path, (_TRANSCRIPTS,)).files
    if transcripts:
        return _finish("librispeech", path, read_librispeech(transcripts))
    return _of_list(only_list(path, _KIND), chosen)


def _of_list(path: Path, columns: Columns) -> AsrFolder:
    rows = read_list(path, _KIND, lambda row: check_columns(row, columns))
    return _finish(path.suffix.lower()[1:], path.parent, read_rows(rows, columns))


def _finish(
    layout: str, folder: Path, utterances: Sequence[Utterance], without: Mapping[str, int] | None = None
) -> AsrFolder:
    ids = UniqueIds()
    for utterance in utterances:
        ids.add(utterance.id, utterance.place)
    rest = left_out(folder, (utterance.audio for utterance in utterances), "a transcript", without)
    return AsrFolder(layout, tuple(utterances), rest.counts, rest.audio)


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
    path = given_path(folder, options.pop("list", ""))
    return _samples(read_asr_folder(path, Columns(**options)), folder)


def _samples(found: AsrFolder, data: Path) -> Sequence[Sample]:
    left = LeftOut(found.left_out, found.untranscribed)
    metadata = {"layout": found.layout, **tell_left_out(data, left)}
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
