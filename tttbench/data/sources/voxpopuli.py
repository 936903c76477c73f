"""VoxPopuli's transcribed speech: as its code cuts it (``asr_SPLIT.tsv``), and as the hub has it (parquet).

The release holds a list of a language beside a folder a year, ``YEAR/ID.ogg``; the year begins the id
(facebookresearch/voxpopuli, voxpopuli/get_asr_data.py at f7a3bb98). Rows without a text are left out and counted: the
raw one is missing in many.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from tttbench.core.errors import UserError
from tttbench.core.plugins import register_source
from tttbench.core.sample import AudioRef, Place, Sample
from tttbench.data.sources.delimited import split_fields
from tttbench.data.sources.list_files import LeftOut
from tttbench.data.sources.listing import Row, read_lines, refuse_doubled
from tttbench.data.sources.parquet_lists import read_parquet, split_in
from tttbench.data.sources.published import check_option, inner_of
from tttbench.data.sources.transcribed import Transcribed, refuse_doubled_ids, samples_of
from tttbench.data.sources.utterance import Utterance

SPLITS = ("train", "dev", "test")
TEXTS = ("normalized_text", "raw_text")

_BELOW = ("transcribed_data", "voxpopuli/transcribed_data", "voxpopuli")
"""Where the folders of the languages may lie in the one that is given, in the release."""

_SPLITS_OF_TABLES = {"dev": "validation"}
_WITHOUT = "rows without a text"
_UNKNOWN = ("", "None", "none")
"""What stands for a speaker who isn't known."""


def read_voxpopuli(folder: Path, config: str, split: str = "test", text: str = "normalized_text") -> Transcribed:
    """Read the utterances of a language and split.

    Args:
        folder: of the data set, or above it; or that of the language, whatever it is called.
        config: the language, as its folder is called, e.g. ``"en"``.
        split: ``"train"``, ``"dev"``, ``"test"``.
        text: the column of the references.

    Raises:
        UserError: neither list nor tables, a row that is wrong, an id that stands twice, no row with a text.
    """
    table = _table(folder, config, split) if folder.is_dir() else None
    if table is not None:
        told = [(row, "audio_id", row.audio("audio")) for row in read_parquet(table)]
        return _found(told, text, table.parent)
    marker = f"asr_{split}.tsv"
    tables = f"{_SPLITS_OF_TABLES.get(split, split)}-….parquet"
    give = f"Give the folder of the language, with {marker} and a folder a year, or that with {tables}."
    at = inner_of(folder, _BELOW, config, marker, give) if not os.path.lexists(folder / marker) else folder
    return _found([(row, "id", _clip(row, at)) for row in _rows(at / marker)], text, at / marker)


def _rows(path: Path) -> list[Row]:
    """The rows of a list, which is written without quotes."""
    (number, first), *lines = read_lines(path) or [(1, "")]
    header = [column.strip() for column in first.split("\t")]
    refuse_doubled(header, Place(path, number))
    return split_fields(path, lines, header, "\t")


def _found(told: Sequence[tuple[Row, str, AudioRef]], text: str, where: Path) -> Transcribed:
    """Those of the rows, each with the column of its id, that have a text."""
    utterances = [
        Utterance(row.filled(own), audio, row.text(text), row.at(own), _speaker(row))
        for row, own, audio in told
        if row.text(text)
    ]
    if not utterances:
        raise UserError(f"{where}: no row has a text in {text!r}. Choose another one of {', '.join(TEXTS)}.")
    refuse_doubled_ids(utterances)
    without = len(told) - len(utterances)
    return Transcribed("voxpopuli", tuple(utterances), LeftOut({_WITHOUT: without} if without else {}))


def _clip(row: Row, at: Path) -> AudioRef:
    own = row.filled("id")
    return AudioRef(at / own[:4] / f"{own}.ogg", listed=row.at("id"))


def _speaker(row: Row) -> str:
    found = row.optional("speaker_id")
    return "" if found in _UNKNOWN else found


def _table(folder: Path, config: str, split: str) -> Path | None:
    """The first table of a language and split; None if there is none, or only beside the release's list."""
    called = _SPLITS_OF_TABLES.get(split, split)
    own = [folder] if folder.resolve().name == config else []
    below = [root / config for root in (folder, folder / "voxpopuli", folder / "data")]
    found = split_in([*own, *below], called)
    lists = [folder, *(folder / root / config for root in ("", *_BELOW))]
    if found is not None or any(os.path.lexists(one / f"asr_{split}.tsv") for one in lists):
        return found
    return split_in([folder], called)


@register_source("voxpopuli", options=("config", "split", "text"), summary="VoxPopuli as released, and in parquet")
def list_voxpopuli(folder: Path, **options: str) -> Sequence[Sample]:
    """List the utterances of a language and split; speakers are clusters.

    Args:
        folder: of the data set, or of the language.
        options: ``config``, a language; ``split``; ``text``, one of ``TEXTS``.

    Raises:
        UserError: as ``read_voxpopuli``; no such split or text.
    """
    split, text = options.get("split", "test"), options.get("text", TEXTS[0])
    check_option("voxpopuli", "split", split, SPLITS)
    check_option("voxpopuli", "text", text, TEXTS)
    return samples_of(read_voxpopuli(folder, options.get("config", "en"), split, text), folder)
