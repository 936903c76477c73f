"""``llama_questions``: spoken trivia to be answered; ``llama_questions_asr``: the same, to be written down."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from tttbench.core.errors import UserError
from tttbench.core.records import Sample
from tttbench.core.registry import register_task
from tttbench.core.task import Task
from tttbench.data.sources.llama_questions import SpokenQuestion, read_llama_questions

log = logging.getLogger(__name__)

_SOURCE = "Llama Questions (google-research-datasets/LLAMA1-Test-Set, 300 questions; no licence is stated)"


@register_task("llama_questions")
def llama_questions() -> Task:
    """Answer spoken questions of general knowledge."""
    return Task(
        name="llama_questions",
        title="Llama Questions",
        kind="qa",
        description=f"Spoken questions of general knowledge, one right answer each. {_SOURCE}.",
        metrics=("spoken_accuracy", "text_accuracy"),
        samples=list_questions,
        doubles_as=("llama_questions_asr",),
        instruction="Answer the question.",
    )


@register_task("llama_questions_asr")
def llama_questions_asr() -> Task:
    """Write the same questions down."""
    return Task(
        name="llama_questions_asr",
        title="Llama Questions, transcribed",
        kind="asr",
        description=f"The spoken questions, to be written down. {_SOURCE}.",
        metrics=("wer", "cer"),
        samples=list_transcripts,
    )


def list_questions(data: Path | None) -> Sequence[Sample]:
    """List question, answer and recording; raises ``UserError`` if ``data`` isn't the published folder."""
    questions, metadata = _with_recordings(data, "llama_questions")
    return [
        Sample(
            id=question.id,
            kind="qa",
            audio=question.audio,
            reference=question.answer,
            metadata={**metadata, "question": question.question},
        )
        for question in questions
    ]


def list_transcripts(data: Path | None) -> Sequence[Sample]:
    """List the recordings with what is asked in them; raises ``UserError`` if ``data`` isn't the published folder."""
    questions, metadata = _with_recordings(data, "llama_questions_asr")
    return [
        Sample(id=question.id, kind="asr", audio=question.audio, reference=question.question, metadata=metadata)
        for question in questions
    ]


def _with_recordings(data: Path | None, task: str) -> tuple[list[SpokenQuestion], dict[str, str]]:
    """The questions whose recordings are there. How many aren't is said in a warning and in every sample's metadata."""
    if data is None:
        raise UserError(
            f"{task}: is not shipped (its licence is not stated). Fetch google-research-datasets/LLAMA1-Test-Set "
            f"and give its folder with --data {task}=DIR"
        )
    questions = read_llama_questions(data)
    present = [question for question in questions if question.audio.is_file()]
    missing = len(questions) - len(present)
    if not missing:
        return present, {}
    left_out = f"{missing} of {len(questions)} questions without a recording"
    log.warning("%s: %s in %s are left out", task, left_out, data)
    return present, {"left_out": left_out}
