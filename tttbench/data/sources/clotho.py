"""Clotho as published: ``clotho_captions_SPLIT.csv``, ``clotho_metadata_SPLIT.csv``, and the recordings of a split."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tttbench.core.errors import UserError
from tttbench.core.plugins import register_source
from tttbench.core.sample import Sample
from tttbench.data.documents import read_text
from tttbench.data.sources.captions import Clip, caption_samples
from tttbench.data.sources.delimited import parse_csv, read_csv
from tttbench.data.sources.listing import Row
from tttbench.data.sources.published import check_option, root_of

SPLITS = ("development", "validation", "evaluation")
CAPTIONS = tuple(f"caption_{number}" for number in range(1, 6))
FACTS = ("keywords", "license", "sound_link")
"""Columns of the metadata that are shown beside a clip; licenses differ from clip to clip."""

_AT = ("", "clotho_csv_files", "CLOTHO_v2.1", "CLOTHO_v2.1/clotho_csv_files")
_AUDIO_AT = ("{}", "clotho_audio_files/{}", "clotho_audio_{}/{}", "clotho_audio_{}")


def read_clotho(folder: Path, split: str) -> tuple[Path, list[Clip]]:
    """Read a split; return the folder of its recordings and its clips.

    Raises:
        UserError: a file or folder is missing; a row that is wrong, naming file, line and field.
    """
    name = f"clotho_captions_{split}.csv"
    give = "Give the folder that holds it and the recordings, as unpacked from clotho_audio_*.7z."
    at = root_of(folder, [one for one in _AT if one], name, give)
    audio = _audio_folder(folder, at, split)
    facts = _facts(at / f"clotho_metadata_{split}.csv")
    return audio, [_clip(row, audio, facts) for row in read_csv(at / name, ",")]


def _audio_folder(folder: Path, lists: Path, split: str) -> Path:
    places = [root / name.format(split, split) for root in (folder, lists, lists.parent) for name in _AUDIO_AT]
    found = next((place for place in places if place.is_dir()), None)
    if found is None:
        raise UserError(f"{folder}: holds no folder {split} of recordings. Unpack clotho_audio_{split}.7z in it.")
    return found


def _clip(row: Row, audio: Path, facts: Mapping[str, Mapping[str, str]]) -> Clip:
    name = row.filled("file_name")
    if "/" in name:
        raise row.cell("file_name").error("", "must be a file's name, without a folder. Copy the list again.")
    captions = tuple(row.filled(column) for column in CAPTIONS)
    return Clip(Path(name).stem, row.audio("file_name", audio), captions, row.at("file_name"), facts.get(name, {}))


def _facts(path: Path) -> dict[str, dict[str, str]]:
    """What the metadata say of each file; nothing where they aren't there."""
    if not path.is_file():
        return {}
    return {row.filled("file_name"): dict(_shown(row)) for row in parse_csv(_text(path), path, ",")}


def _shown(row: Row) -> Iterator[tuple[str, str]]:
    for name in FACTS:
        if text := row.optional(name):
            yield name, text


def _text(path: Path) -> str:
    """Version 2.1 is in ISO 8859-1, which reads anything; copies are in UTF-8."""
    try:
        return read_text(path)
    except UserError:
        return path.read_bytes().decode("iso-8859-1")


@register_source("clotho", options=("split",), summary="Clotho (captions of sounds) as published")
def list_clotho(folder: Path, split: str = "evaluation") -> Sequence[Sample]:
    """List the clips of a split, each with its five captions.

    Raises:
        UserError: as ``read_clotho``; no such split.
    """
    check_option("clotho", "split", split, SPLITS)
    at, clips = read_clotho(folder, split)
    return caption_samples("clotho", folder, at, clips)
