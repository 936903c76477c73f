"""``mini_asr``, ``mini_asr_noisy``: sentences of the mini world in voices no model has heard, to be written down."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tttbench.core.records import Sample
from tttbench.core.registry import register_task
from tttbench.core.shipped import shipped
from tttbench.core.task import Task
from tttbench.data.sources.mini import read_mini_asr

TEST_FOLDER = shipped("tasks") / "mini" / "test"


@register_task("mini_asr")
def mini_asr() -> Task:
    """Write down clean speech."""
    return Task(
        name="mini_asr",
        title="Mini ASR",
        kind="asr",
        description="Sentences of the mini world (a closed domain of 250 words) in unseen synthetic voices, clean.",
        metrics=("wer", "cer"),
        samples=list_clean,
    )


@register_task("mini_asr_noisy")
def mini_asr_noisy() -> Task:
    """Write down speech in noise."""
    return Task(
        name="mini_asr_noisy",
        title="Mini ASR, noisy",
        kind="asr",
        description="The sentences of mini_asr in the same voices, with noise at 10 dB.",
        metrics=("wer", "cer"),
        samples=list_noisy,
    )


def list_clean(data: Path | None) -> Sequence[Sample]:
    """List the clean recordings of ``data`` (None: as shipped)."""
    return _list(data, noisy=False)


def list_noisy(data: Path | None) -> Sequence[Sample]:
    """List the noisy recordings of ``data`` (None: as shipped); ids are those of the clean ones."""
    return _list(data, noisy=True)


def _list(data: Path | None, noisy: bool) -> list[Sample]:
    return [
        Sample(
            id=utterance.id,
            kind="asr",
            audio=utterance.noisy_audio if noisy else utterance.audio,
            reference=utterance.text,
            cluster=utterance.cluster,
            metadata={"voice": utterance.voice, "condition": "10 dB noise" if noisy else "clean"},
        )
        for utterance in read_mini_asr(data or TEST_FOLDER)
    ]
