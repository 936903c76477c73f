"""The folder of Llama Questions as published: ``llama_questions_300.tsv`` and the recordings ``1.wav``, ``2.wav`` …"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tttbench.core.errors import UserError
from tttbench.data.sources.listing import UniqueIds, pick_column, read_lines, split_fields

LIST_NAME = "llama_questions_300.tsv"


@dataclass(frozen=True)
class SpokenQuestion:
    """One row: the number of the recording (its name without ``.wav``), the file, question and answer."""

    id: str
    audio: Path
    question: str
    answer: str


def read_llama_questions(folder: Path) -> list[SpokenQuestion]:
    """Read all rows of the list, whether or not their recordings are there.

    Raises:
        UserError: the list is missing, lacks a column or a field, or names one recording twice.
    """
    path = folder / LIST_NAME
    if not path.is_file():
        raise UserError(
            f"{path}: no such file. Give the folder as published, with {LIST_NAME} and the recordings N.wav."
        )
    lines = read_lines(path)
    if not lines:
        raise UserError(f"{path}: is empty. Copy the published list again.")
    header = [column.strip() for column in lines[0][1].split("\t")]
    # The header as a row of its own: a wrong column is then reported for the line it stands in.
    named = split_fields(path, lines[:1], header, "\t")[0]
    question, answer, wav = (
        pick_column(named, [name.lower()], name) for name in ("Questions", "Answer", "Wav Filename")
    )
    found = []
    ids = UniqueIds()
    for row in split_fields(path, lines[1:], header, "\t"):
        audio = folder / row.filled(wav)
        ids.add(audio.stem, path, row.line)
        found.append(SpokenQuestion(audio.stem, audio, row.filled(question), row.filled(answer)))
    return found
