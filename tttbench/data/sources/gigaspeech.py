"""GigaSpeech as released (``GigaSpeech.json`` and long Opus recordings) and as the hub has it (parquet by segment).

Texts hold tags. Those of punctuation (``<COMMA>`` …) are taken out; an utterance with one of the tags that stand for
audio without speech (``<SIL>``, ``<MUSIC>``, ``<NOISE>``, ``<OTHER>``) is left out and counted, as in the release's own
preparation for Kaldi (SpeechColab/GigaSpeech, toolkits/kaldi/gigaspeech_data_prep.sh at 44289e4b).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from tttbench.core.errors import UserError
from tttbench.core.plugins import register_source
from tttbench.core.sample import Sample
from tttbench.data.sources.list_files import LeftOut
from tttbench.data.sources.listing import Row
from tttbench.data.sources.long_recordings import read_segments
from tttbench.data.sources.parquet_lists import read_parquet, split_in
from tttbench.data.sources.published import check_option, root_of
from tttbench.data.sources.transcribed import Transcribed, refuse_doubled_ids, samples_of
from tttbench.data.sources.utterance import Utterance

LIST = "GigaSpeech.json"
SUBSETS = ("DEV", "TEST", "XS", "S", "M", "L", "XL")

_PUNCTUATION = frozenset({"<COMMA>", "<PERIOD>", "<QUESTIONMARK>", "<EXCLAMATIONPOINT>"})
_GARBAGE = frozenset({"<SIL>", "<MUSIC>", "<NOISE>", "<OTHER>"})

_SPLITS = {"DEV": "validation", "TEST": "test"}
"""Of tables, by subset; the others are for training."""


def read_gigaspeech(folder: Path, subset: str) -> Transcribed:
    """Read the utterances of a subset, in the list's order. The recording takes the speaker's place, who isn't known.

    Args:
        folder: that holds ``GigaSpeech.json``, or the tables, or the folder above either. Tables of ``"DEV"`` and
            ``"TEST"`` may lie in a folder of any name; those of training subsets are told apart by it.
        subset: ``"DEV"``, ``"TEST"`` or one of the training subsets.

    Raises:
        UserError: neither list nor tables, an entry that is wrong, an id that stands twice, nothing of the subset.
    """
    table = _table(folder, subset) if folder.is_dir() else None
    if table is not None:
        found, where = _of_table(read_parquet(table)), str(table.parent)
    else:
        below = f"{subset.lower()}/{_SPLITS.get(subset, 'train')}-00000-of-….parquet"
        root = root_of(folder, ["GigaSpeech"], LIST, f"Give the folder with {LIST} and audio/, or that with {below}.")
        found, where = read_segments(root / LIST, f"{{{subset}}}", "text_tn"), str(root / LIST)
    return _spoken(found, subset, where)


def _spoken(found: Iterable[Utterance], subset: str, where: str) -> Transcribed:
    """Those with words, without their tags."""
    utterances, garbage = [], 0
    for one in found:
        words = one.text.split()
        if _GARBAGE & {*words}:
            garbage += 1
        else:
            utterances.append(replace(one, text=" ".join(word for word in words if word not in _PUNCTUATION)))
    if not utterances:
        raise UserError(f"{where}: holds no utterance of the subset {subset}. Choose another one.")
    refuse_doubled_ids(utterances)
    counts = {"segments without speech (<SIL>, <MUSIC>, <NOISE>, <OTHER>)": garbage} if garbage else {}
    return Transcribed("gigaspeech", tuple(utterances), LeftOut(counts))


def _table(folder: Path, subset: str) -> Path | None:
    """The first table of a subset, which the hub keeps in a folder of its name; None if there is none, or the list."""
    config = subset.lower()
    own = [folder] if folder.resolve().name.lower() == config else []
    below = [root / name for root in (folder, folder / "gigaspeech") for name in (config, f"data/{config}")]
    found = split_in([*own, *below], _SPLITS.get(subset, "train"))
    if found is not None or subset not in _SPLITS or os.path.lexists(folder / LIST):
        return found
    return split_in([folder], _SPLITS[subset])


def _of_table(rows: Sequence[Row]) -> Iterator[Utterance]:
    for row in rows:
        yield Utterance(
            id=row.filled("segment_id"),
            audio=row.audio("audio"),
            text=row.filled("text"),
            place=row.at("segment_id"),
            speaker=row.filled("audio_id"),
        )


@register_source("gigaspeech", options=("subset",), summary="GigaSpeech as released, and in parquet")
def list_gigaspeech(folder: Path, subset: str = "TEST") -> Sequence[Sample]:
    """List the utterances of a subset; recordings are clusters.

    Raises:
        UserError: as ``read_gigaspeech``; no such subset.
    """
    check_option("gigaspeech", "subset", subset, SUBSETS)
    return samples_of(read_gigaspeech(folder, subset), folder)
