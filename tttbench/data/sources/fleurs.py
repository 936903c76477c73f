"""FLEURS as released in TSV, ``data/CONFIG/SPLIT.tsv`` without a header and ``audio/SPLIT.tar.gz``, and in parquet.

A sentence is read by up to three speakers: its ``id`` is their cluster, and the file's name the key.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tttbench.core.errors import UserError
from tttbench.core.plugins import register_source
from tttbench.core.sample import AudioRef, Sample
from tttbench.data.archives import first_file
from tttbench.data.sources.delimited import split_fields
from tttbench.data.sources.listing import Row, read_lines
from tttbench.data.sources.parquet_lists import read_parquet, split_in
from tttbench.data.sources.published import check_option, inner_of
from tttbench.data.sources.transcribed import Transcribed, found_in, refuse_doubled_ids, samples_of
from tttbench.data.sources.utterance import Utterance

log = logging.getLogger("tttbench")

SPLITS = ("train", "dev", "test")
TEXTS = ("transcription", "raw_transcription")

_SPLITS_OF_TABLES = {"dev": "validation"}
"""What splits are called in parquet, if not as in TSV."""

_COLUMNS = ("id", "file", "raw_transcription", "transcription", "letters", "num_samples", "gender")


def read_fleurs(folder: Path, config: str, split: str = "test", text: str = "transcription") -> Transcribed:
    """Read the list of a language and split. Recordings are read from their folder if it is there, else the archive.

    Args:
        folder: of the release, ``data`` in it, or that of the language; of the parquet tables likewise, or the folder
            that holds them, whatever it is called.
        config: the language as FLEURS calls it, e.g. ``"en_us"``, ``"cmn_hans_cn"``.
        split: ``"train"``, ``"dev"`` or ``"test"``.
        text: ``"transcription"`` (lower case, without punctuation) or ``"raw_transcription"`` (as written).

    Raises:
        UserError: no list, no recordings, a line that is wrong, a recording that stands twice.
    """
    give = (
        f"Give the folder data/{config} of the release, with {split}.tsv and audio/{split}.tar.gz, or that with "
        f"{_SPLITS_OF_TABLES.get(split, split)}-….parquet."
    )
    table = _table(folder, config, split)
    if table is not None:
        return _of_table(table, text)
    root = inner_of(folder, ["data"], config, f"{split}.tsv", give)
    path = root / f"{split}.tsv"
    unpacked = next((one for one in (root / "audio" / split, root / split) if one.is_dir()), None)
    archive, inside = root / "audio" / f"{split}.tar.gz", ""
    if unpacked is None:
        if not archive.is_file():
            raise UserError(f"{archive}: no such file, nor a folder {root / 'audio' / split}. {give}")
        inside = first_file(archive, ".wav").rpartition("/")[0]
        log.warning("%s: each recording is looked for from its beginning; unpack it in place to be faster", archive)
    utterances = []
    for row in split_fields(path, read_lines(path), _COLUMNS, "\t"):
        name = row.filled("file")
        listed = row.audio("file")
        if unpacked is not None:
            audio = replace(listed, path=unpacked / name)
        else:
            audio = replace(listed, path=archive, member=f"{inside}/{name}" if inside else name)
        utterances.append(_utterance(row, "file", audio, text))
    if unpacked is not None:
        return found_in("fleurs", unpacked, utterances)
    refuse_doubled_ids(utterances)
    return Transcribed("fleurs", tuple(utterances))


def _table(folder: Path, config: str, split: str) -> Path | None:
    """The parquet of a language and split; None if there is none, or the release in TSV."""
    called = _SPLITS_OF_TABLES.get(split, split)
    below = [folder / config, folder / "data" / config]
    if any(os.path.lexists(one / f"{split}.tsv") for one in (folder, *below)):
        return None
    own = [folder] if folder.resolve().name == config else []
    return split_in([*own, *below], called) or split_in([folder], called)


def _of_table(path: Path, text: str) -> Transcribed:
    utterances = [_utterance(row, "audio", row.audio("audio"), text) for row in read_parquet(path)]
    return found_in("fleurs", path.parent, utterances)


def _utterance(row: Row, column: str, audio: AudioRef, text: str) -> Utterance:
    # The sentence takes the speaker's place, who isn't told.
    sentence = row.text_or_whole("id") or row.filled("id")
    return Utterance(row.filled(column).removesuffix(".wav"), audio, row.filled(text), row.at(column), sentence)


@register_source("fleurs", options=("config", "split", "text"), summary="FLEURS as released in TSV and in parquet")
def list_fleurs(
    folder: Path, config: str = "en_us", split: str = "test", text: str = "transcription"
) -> Sequence[Sample]:
    """List the recordings of a language and split; sentences are clusters.

    Raises:
        UserError: as ``read_fleurs``; no such split or text.
    """
    check_option("fleurs", "split", split, SPLITS)
    check_option("fleurs", "text", text, TEXTS)
    return samples_of(read_fleurs(folder, config, split, text), folder)
