"""The folder of Llama Questions as published: ``llama_questions_300.tsv`` and the recordings ``1.wav``, ``2.wav`` …"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tttbench.core.errors import UserError
from tttbench.core.plugins import register_source
from tttbench.core.sample import AudioRef, Sample, spoken_sample
from tttbench.data.sources.delimited import split_fields
from tttbench.data.sources.listing import UniqueIds, pick_column, read_lines

log = logging.getLogger("tttbench")

LIST_NAME = "llama_questions_300.tsv"


@dataclass(frozen=True)
class SpokenQuestion:
    """One row: the number of the recording (its name without ``.wav``), the file, question and answer."""

    id: str
    audio: AudioRef
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
        audio = row.audio(wav)
        ids.add(audio.path.stem, row.at(wav))
        found.append(SpokenQuestion(audio.path.stem, audio, row.filled(question), row.filled(answer)))
    return found


@register_source("llama_questions", options=("part",), summary="Llama Questions as published")
def list_llama_questions(folder: Path, part: str = "answers") -> Sequence[Sample]:
    """List the recordings with their right answers, or (``part = "transcripts"``) with what is asked in them.

    Those whose recordings are missing are left out; how many is said in a warning and in every sample's metadata.

    Raises:
        UserError: ``folder`` isn't the published folder, or there is no such part.
    """
    if part not in ("answers", "transcripts"):
        raise UserError(f"option 'part' of llama_questions: must be 'answers' or 'transcripts', not {part!r:.60}.")
    questions = read_llama_questions(folder)
    # A pipe or a broken link counts: whoever checks the samples refuses it.
    present = [question for question in questions if os.path.lexists(question.audio.path)]
    metadata = {}
    if missing := len(questions) - len(present):
        metadata["left_out"] = f"{missing} of {len(questions)} questions without a recording"
        log.warning("%s: %s are left out", folder, metadata["left_out"])
    return [
        spoken_sample(
            one.id,
            one.audio,
            one.answer if part == "answers" else one.question,
            language="en",
            metadata={**metadata, "question": one.question} if part == "answers" else metadata,
        )
        for one in present
    ]
