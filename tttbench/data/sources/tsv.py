"""ASR lists separated by tabs: with a header (``audio``, ``text``, perhaps ``id``, ``speaker``), or file and text."""

from __future__ import annotations

from pathlib import Path

from tttbench.data.audio import AUDIO_SUFFIXES
from tttbench.data.sources.columns import read_rows
from tttbench.data.sources.listing import read_lines, split_fields
from tttbench.data.sources.utterance import Utterance


def read_tsv(path: Path) -> list[Utterance]:
    """Read a TSV list. A first line that begins with an audio file's name is data: the columns are then file, text.

    Raises:
        UserError: a column is missing, or a line has another number of fields than the header.
    """
    lines = read_lines(path)
    if not lines:
        return []
    header = [column.strip() for column in lines[0][1].split("\t")]
    if Path(header[0]).suffix.lower() in AUDIO_SUFFIXES:
        return read_rows(split_fields(path, lines, ["file", "text"], "\t"))
    if len(lines) == 1:
        # The header alone: checked all the same, so that a wrong file isn't taken for an empty one.
        read_rows(split_fields(path, [(lines[0][0], "\t".join(header))], header, "\t"))
        return []
    return read_rows(split_fields(path, lines[1:], header, "\t"))
