"""AudioCaps as published: a CSV of each split, a caption a row; recordings are its users' to get.

A clip's captions stand in as many rows as it has (1 in train, 5 in val and test). Which of the clips can still be had
differs from user to user, so those that aren't there are counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tttbench.core.errors import UserError
from tttbench.core.plugins import register_source
from tttbench.core.sample import AudioRef, Place, Sample
from tttbench.data.audio import AUDIO_SUFFIXES
from tttbench.data.sources.captions import Clip, caption_samples
from tttbench.data.sources.delimited import read_csv
from tttbench.data.sources.listing import Row
from tttbench.data.sources.published import check_option, root_of
from tttbench.data.sources.stray import names_below

SPLITS = ("train", "val", "test")

_AT = ("dataset", "AUDIOCAPS", "audiocaps")


def read_audiocaps(folder: Path, split: str) -> tuple[Path, list[Clip]]:
    """Read a split; return the folder in which its recordings were looked for, and its clips.

    Recordings are found by their name ``YOUTUBE-ID_START``, whatever their ending, at any depth.

    Raises:
        UserError: no list; a row that is wrong, naming file, line and field; a recording that is there twice.
    """
    give = f"Give the folder that holds {split}.csv and the recordings."
    path = root_of(folder, _AT, f"{split}.csv", give) / f"{split}.csv"
    captions: dict[str, list[str]] = {}
    places: dict[str, Place] = {}
    rows: dict[str, Place] = {}
    for row in read_csv(path, ","):
        _refuse_twice(row, rows)
        name = f"{_name(row, 'youtube_id')}_{_start(row)}"
        captions.setdefault(name, []).append(row.filled("caption"))
        places.setdefault(name, row.at("youtube_id, start_time"))
    files = _recordings(folder, captions)
    return folder, [
        Clip(
            name,
            AudioRef(files.get(name, folder / f"{name}.wav"), listed=places[name]),
            tuple(texts),
            places[name],
            {"youtube_id": name.rpartition("_")[0]},
        )
        for name, texts in captions.items()
    ]


def _refuse_twice(row: Row, rows: dict[str, Place]) -> None:
    """A row that stands twice would count its caption twice."""
    own = row.filled("audiocap_id")
    first = rows.setdefault(own, row.place)
    if first is not row.place:
        raise row.cell("audiocap_id").error("", f"{own!r:.40} already stands in line {first.number}. Delete one row.")


def _name(row: Row, column: str) -> str:
    name = row.filled(column)
    if "/" in name or "\\" in name:
        raise row.cell(column).error("", f"{name!r:.40} is no id of a video. Copy the list again.")
    return name


def _start(row: Row) -> str:
    start = row.filled("start_time")
    if not (start.isascii() and start.isdigit()):
        raise row.cell("start_time").error("", f"must be whole seconds, not {start!r:.40}. Copy the list again.")
    return start


def _recordings(folder: Path, wanted: dict[str, list[str]]) -> dict[str, Path]:
    """The files of the clips, by their names without the ending."""
    found: dict[str, Path] = {}
    for name in names_below(folder, AUDIO_SUFFIXES).files:
        path = Path(name)
        if path.stem not in wanted:
            continue
        if path.stem in found:
            raise UserError(f"{path}: this clip is also in {found[path.stem]}. Keep one of both in the folder.")
        found[path.stem] = path
    return found


@register_source("audiocaps", options=("split",), summary="AudioCaps (captions of sounds) as published")
def list_audiocaps(folder: Path, split: str = "test") -> Sequence[Sample]:
    """List the clips of a split whose recordings are there, each with all its captions.

    Raises:
        UserError: as ``read_audiocaps``; no such split.
    """
    check_option("audiocaps", "split", split, SPLITS)
    at, clips = read_audiocaps(folder, split)
    return caption_samples("audiocaps", folder, at, clips)
