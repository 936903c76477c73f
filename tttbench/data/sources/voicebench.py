"""VoiceBench as published on the hub: a folder of parquet tables for each subset, ``SUBSET/SPLIT-….parquet``.

A row has ``audio``, ``prompt`` (what is spoken in it) and by subset a ``reference``, or instructions to be followed.
No id is in all subsets: as in its own files of answers, the order is the key.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tttbench.core.errors import UserError
from tttbench.core.plugins import register_source
from tttbench.core.sample import Sample, spoken_sample
from tttbench.data.sources.listing import Row
from tttbench.data.sources.parquet_lists import read_parquet, split_in, splits_in
from tttbench.data.sources.published import check_option

OPEN = ("alpacaeval", "alpacaeval_full", "commoneval", "wildvoice", "advbench", "ifeval")
"""Subsets without a reference."""
CHOICE = ("openbookqa", "mmsu", "bbh")
REGIONAL = "sd-qa"
"""The subset whose splits are regions, where the same questions are spoken."""
SUBSETS = (*OPEN, *CHOICE, REGIONAL)

ALL = "all"
"""The option ``split`` for every split of a subset."""

_OPTIONS = {**dict.fromkeys("abcd", "A|B|C|D"), "yes": "yes|no", "no": "yes|no"}
"""Options between vertical bars, by a right one in small letters."""

_SHOWN = ("id", "key", "instruction_id_list", "kwargs")
"""Fields that are kept as they are: what a question belongs to, and the instructions that an answer must follow."""


@register_source("voicebench", options=("subset", "split"), summary="VoiceBench as published in parquet")
def list_voicebench(folder: Path, subset: str = "alpacaeval", split: str = "test") -> Sequence[Sample]:
    """List the questions of a subset.

    Args:
        folder: of the data set, or of the subset.
        subset: e.g. ``"commoneval"``.
        split: ``"test"``; of ``sd-qa`` a region such as ``"usa"``, of ``mmsu`` a domain; ``"all"`` of them. In all
            regions a question is a cluster.

    Raises:
        UserError: no such subset or split, a table that is damaged, a row that is wrong.
    """
    check_option("voicebench", "subset", subset, SUBSETS)
    own = [folder] if folder.resolve().name == subset else []
    folders = [*own, folder / subset, folder / "voicebench" / subset]
    found = _tables(folders, split)
    if not found:
        raise UserError(
            f"{folder}: holds no parquet of the split {split!a:.60} of {subset}. Give the folder of the data set, with "
            f"{subset}/{split if split != ALL else 'test'}-00000-of-….parquet."
        )
    tables = {name: read_parquet(table) for name, table in found.items()}
    clusters = _questions(tables) if subset == REGIONAL and split == ALL else {}
    samples = []
    for name, rows in tables.items():
        for number, row in enumerate(rows, 1):
            own_id = f"{number:04d}" if split != ALL else f"{name}-{number:04d}"
            samples.append(replace(_sample(row, own_id, subset, name), cluster=clusters.get((name, number), "")))
    return samples


def _questions(tables: Mapping[str, Sequence[Row]]) -> Mapping[tuple[str, int], str]:
    """What question a row of a region is, by region and number: a row's number where all regions ask the same in the
    same order, or else its text."""
    asked = {name: [" ".join(row.filled("prompt").split()) for row in rows] for name, rows in tables.items()}
    is_same = len({tuple(texts) for texts in asked.values()}) == 1
    return {
        (name, number): f"{number:04d}" if is_same else text
        for name, texts in asked.items()
        for number, text in enumerate(texts, 1)
    }


def _tables(folders: Sequence[Path], split: str) -> Mapping[str, Path]:
    """The first file of each split that is meant, by the split's name."""
    if split == ALL:
        return next((found for folder in folders if (found := splits_in(folder))), {})
    table = split_in(folders, split)
    return {} if table is None else {split: table}


def _sample(row: Row, own_id: str, subset: str, split: str) -> Sample:
    right = "" if subset in OPEN else row.filled("reference")
    shown = {"question": row.filled("prompt"), "subset": subset, "split": split}
    shown |= {key: _text(row.fields[key]) for key in _SHOWN if row.fields.get(key) is not None}
    if subset in CHOICE:
        options = _OPTIONS.get(right.strip("() ").lower())
        if options is None:
            raise row.cell("reference").error("", f"{right!a:.60} is no option. Copy the table again.")
        # Questions with two sentences in brackets have no further ones.
        shown["options"] = "A|B" if right.startswith("(") else options
    shown["source"] = f"{row.place.file.name}:{row.place.number}"
    references = (right,) if right else ()
    return spoken_sample(own_id, row.audio("audio"), *references, language="en", metadata=shown)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
