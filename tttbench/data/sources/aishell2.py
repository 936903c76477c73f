"""AISHELL-2's development and test sets as published: one folder per channel and split.

``CHANNEL/SPLIT`` holds ``wav.scp`` (id, tab, path as seen from that folder), ``trans.txt`` (id, tab, text without
blanks between words) and the recordings.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from shlex import quote

from tttbench.core.errors import UserError
from tttbench.core.plugins import register_source
from tttbench.core.sample import AudioRef, Place, Sample
from tttbench.data.sources.listing import UniqueIds, read_lines
from tttbench.data.sources.published import check_option, id_and_text, inner_of
from tttbench.data.sources.transcribed import Transcribed, found_in, samples_of
from tttbench.data.sources.utterance import Utterance

CHANNELS = ("iOS", "Android", "Mic")
SPLITS = ("dev", "test")

_SPEAKER = re.compile(r"(.+)W\d+", re.DOTALL)
"""In an id, e.g. ``ID0012W0030``: channel, split and speaker, then the utterance."""


def read_aishell2(folder: Path, channel: str = "iOS", split: str = "test") -> Transcribed:
    """Read ``trans.txt`` and ``wav.scp`` of a channel and split. Recordings without a transcript are counted.

    Args:
        folder: ``AISHELL-DEV-TEST-SET``, the folder that holds it, or that of the channel and split itself.
        channel: ``"iOS"``, ``"Android"`` or ``"Mic"``.
        split: ``"dev"`` or ``"test"``.

    Raises:
        UserError: no such folder, an archive that isn't unpacked, a line that is wrong, an utterance without audio.
    """
    at = _folder(folder, channel, split)
    recordings = _recordings(at / "wav.scp")
    utterances = []
    path = at / "trans.txt"
    for number, line in read_lines(path):
        row = id_and_text(Place(path, number), line, "\t")
        name = row.text("id")
        if name not in recordings:
            raise UserError(
                f"{row.place}: field 'id': {name!r:.80} isn't in wav.scp. Add it there, or delete the line."
            )
        speaker = _SPEAKER.fullmatch(name)
        utterances.append(
            Utterance(name, recordings[name], row.text("text"), row.at("id"), "" if speaker is None else speaker[1])
        )
    without = len(recordings.keys() - {one.id for one in utterances})
    return found_in("aishell2", at, utterances, {"rows of wav.scp without a transcript": without})


def _folder(folder: Path, channel: str, split: str) -> Path:
    """The folder of the channel and split, which may be the given one."""
    own = f"{channel}/{split}"
    give = f"Give the folder AISHELL-DEV-TEST-SET, with {own}/wav.scp and trans.txt."
    for archives in (folder / channel, folder / "AISHELL-DEV-TEST-SET" / channel):
        if not (archives / split).is_dir() and (archives / f"{split}.tar.gz").is_file():
            give = f"Unpack {split}.tar.gz in place: cd {quote(str(archives))}; tar xzf {split}.tar.gz"
    return inner_of(folder, ["AISHELL-DEV-TEST-SET"], own, "wav.scp", give)


def _recordings(path: Path) -> dict[str, AudioRef]:
    found = {}
    ids = UniqueIds()
    for number, line in read_lines(path):
        row = id_and_text(Place(path, number), line, "\t", "path")
        name = row.text("id")
        ids.add(name, row.at("id"))
        found[name] = row.audio("path")
    return found


@register_source("aishell2", options=("channel", "split"), summary="AISHELL-2's development and test sets as published")
def list_aishell2(folder: Path, channel: str = "iOS", split: str = "test") -> Sequence[Sample]:
    """List the utterances of a channel and split; what is left out is said in a warning.

    Raises:
        UserError: as ``read_aishell2``; no such channel or split.
    """
    check_option("aishell2", "channel", channel, CHANNELS)
    check_option("aishell2", "split", split, SPLITS)
    return samples_of(read_aishell2(folder, channel, split), folder)
