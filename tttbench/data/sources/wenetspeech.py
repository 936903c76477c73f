"""WenetSpeech as published: ``WenetSpeech.json``, of about a gigabyte, and long Opus recordings with their parts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tttbench.core.errors import UserError
from tttbench.core.plugins import register_source
from tttbench.core.sample import Sample
from tttbench.data.sources.long_recordings import read_segments
from tttbench.data.sources.published import check_option, root_of
from tttbench.data.sources.transcribed import Transcribed, refuse_doubled_ids, samples_of

LIST = "WenetSpeech.json"
SUBSETS = ("DEV", "TEST_NET", "TEST_MEETING", "S", "M", "L")


def read_wenetspeech(folder: Path, subset: str) -> Transcribed:
    """Read the segments of a subset, in the list's order. The recording takes the speaker's place, who isn't known.

    Args:
        folder: that holds ``WenetSpeech.json``, or the folder above it.
        subset: ``"DEV"``, ``"TEST_NET"``, ``"TEST_MEETING"`` or one of the training subsets.

    Raises:
        UserError: no list, an entry that is wrong, an id that stands twice, no segment of the subset.
    """
    root = root_of(folder, ["WenetSpeech"], LIST, f"Give the folder with {LIST} and audio/.")
    utterances = tuple(read_segments(root / LIST, subset, "text"))
    if not utterances:
        raise UserError(f"{root / LIST}: holds no segment of the subset {subset}. Choose another one.")
    refuse_doubled_ids(utterances)
    return Transcribed("wenetspeech", utterances)


@register_source("wenetspeech", options=("subset",), summary="WenetSpeech as published")
def list_wenetspeech(folder: Path, subset: str = "TEST_NET") -> Sequence[Sample]:
    """List the segments of a subset; recordings are clusters.

    Raises:
        UserError: as ``read_wenetspeech``; no such subset.
    """
    check_option("wenetspeech", "subset", subset, SUBSETS)
    return samples_of(read_wenetspeech(folder, subset), folder)
