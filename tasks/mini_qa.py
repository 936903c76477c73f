"""``mini_qa``, ``mini_qa_noisy``: spoken questions of the mini world, each with one right answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tttbench.core.records import Sample
from tttbench.core.registry import register_task
from tttbench.core.shipped import shipped
from tttbench.core.task import Task
from tttbench.data.sources.mini import read_mini_qa

TEST_FOLDER = shipped("tasks") / "mini" / "test"


@register_task("mini_qa")
def mini_qa() -> Task:
    """Answer clean questions."""
    return Task(
        name="mini_qa",
        title="Mini QA",
        kind="qa",
        description="Questions of the mini world (capitals, opposites, sums …) in unseen synthetic voices, clean.",
        metrics=("spoken_accuracy", "text_accuracy"),
        samples=list_clean,
    )


@register_task("mini_qa_noisy")
def mini_qa_noisy() -> Task:
    """Answer questions asked in noise."""
    return Task(
        name="mini_qa_noisy",
        title="Mini QA, noisy",
        kind="qa",
        description="The questions of mini_qa in the same voices, with noise at 10 dB.",
        metrics=("spoken_accuracy", "text_accuracy"),
        samples=list_noisy,
    )


def list_clean(data: Path | None) -> Sequence[Sample]:
    """List the clean questions of ``data`` (None: as shipped)."""
    return _list(data, noisy=False)


def list_noisy(data: Path | None) -> Sequence[Sample]:
    """List the noisy questions of ``data`` (None: as shipped); ids are those of the clean ones."""
    return _list(data, noisy=True)


def _list(data: Path | None, noisy: bool) -> list[Sample]:
    return [
        Sample(
            id=question.id,
            kind="qa",
            audio=question.noisy_audio if noisy else question.audio,
            reference=question.answer,
            aliases=question.aliases,
            answer_audio=question.answer_audio,
            answer_text=question.answer_text,
            cluster=question.cluster,
            metadata={
                "question": question.question,
                "voice": question.voice,
                "condition": "10 dB noise" if noisy else "clean",
            },
        )
        for question in read_mini_qa(data or TEST_FOLDER)
    ]
