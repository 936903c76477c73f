"""Any transcribed speech: finds out which layout a folder has, and which audio files nobody transcribed.

One source, ``asr_folder``, for all of them; its options name the list and its columns where they aren't found.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tttbench.core.plugins import register_source
from tttbench.core.sample import Sample
from tttbench.data.sources.columns import KNOWN, ROLES, Columns, check_columns, read_rows
from tttbench.data.sources.kaldi import is_kaldi, read_kaldi
from tttbench.data.sources.librispeech import TRANSCRIPTS, read_librispeech
from tttbench.data.sources.list_files import ListKind, given_path, is_list, only_list, read_list
from tttbench.data.sources.ljspeech import is_ljspeech, read_ljspeech
from tttbench.data.sources.nemo_tarred import MANIFEST, is_nemo_tarred, read_nemo_tarred
from tttbench.data.sources.stray import files_below
from tttbench.data.sources.transcribed import Transcribed, found_in, samples_of

_KIND = ListKind(
    "utterances",
    "transcribed speech",
    "a .tsv, .csv, .jsonl, .json or .parquet with the columns audio and text, metadata.csv with wavs/ (LJSpeech), "
    "*.trans.txt (LibriSpeech), wav.scp (Kaldi)",
    KNOWN["audio"],
)


def read_asr_folder(path: Path, columns: Columns | None = None) -> Transcribed:
    """Read a folder in one of the layouts, or the list given by its own path.

    Args:
        path: folder or list.
        columns: names of the list's columns, where they aren't known ones.

    Raises:
        UserError: no such folder, no list in it or more than one, a column or field is missing, an id stands twice.
    """
    chosen = columns or Columns()
    if is_list(path, _KIND):
        if path.name == MANIFEST:
            return read_nemo_tarred(path.parent, MANIFEST, columns=chosen)
        return _of_list(path, chosen)
    if is_kaldi(path):
        found = read_kaldi(path)
        without = {"recordings or segments without a transcript": found.n_without_text}
        return found_in("kaldi", path, found.utterances, without)
    if is_ljspeech(path):
        return found_in("ljspeech", path, read_ljspeech(path))
    if is_nemo_tarred(path):
        return read_nemo_tarred(path, columns=chosen)
    transcripts = files_below(path, (TRANSCRIPTS,)).files
    if transcripts:
        return found_in("librispeech", path, read_librispeech(transcripts))
    return _of_list(only_list(path, _KIND), chosen)


def _of_list(path: Path, columns: Columns) -> Transcribed:
    rows = read_list(path, _KIND, lambda row: check_columns(row, columns))
    return found_in(path.suffix.lower()[1:], path.parent, read_rows(rows, columns))


@register_source(
    "asr_folder",
    options=("list", "split", *ROLES),
    summary="transcribed speech: lists, parquet, NeMo, Kaldi, Common Voice, audiofolder, LJSpeech, LibriSpeech",
)
def list_asr_folder(folder: Path, **options: str) -> Sequence[Sample]:
    """List the utterances of a folder in any of the layouts. What is left out is said in a warning.

    Speakers become clusters where there are at least two.

    Args:
        folder: of the data, or a list.
        options: ``list``, a list's path as seen from the folder; ``split``, of parquet tables; and names of its columns
            by role.

    Raises:
        UserError: the list is missing or wrong.
    """
    path = given_path(folder, options.pop("list", ""), options.pop("split", ""))
    return samples_of(read_asr_folder(path, Columns(**options)), folder)
