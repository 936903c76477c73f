"""``asr_folder``: speech recognition on a folder of the user's own recordings, in any of the common layouts."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from tttbench.core.errors import UserError
from tttbench.core.records import Sample
from tttbench.core.registry import register_task
from tttbench.core.task import Task
from tttbench.data.sources.asr_folder import read_asr_folder

log = logging.getLogger(__name__)


@register_task("asr_folder")
def asr_folder() -> Task:
    """Word error rate on ``--data asr_folder=DIR``."""
    return Task(
        name="asr_folder",
        title="ASR, own folder",
        kind="asr",
        description=(
            "Transcribed speech of your own: TSV or JSON lines with audio and text, LJSpeech (its normalised text) or "
            "LibriSpeech; wav, flac, mp3, ogg, opus, any sample rate. Audio that no list names is counted and left out."
        ),
        metrics=("wer", "cer"),
        samples=partial(list_samples, "asr_folder"),
    )


@register_task("asr_folder_zh")
def asr_folder_zh() -> Task:
    """Character error rate on ``--data asr_folder_zh=DIR``."""
    return Task(
        name="asr_folder_zh",
        title="ASR, own folder, Chinese",
        kind="asr",
        description="Transcribed Chinese speech of your own, in the layouts of asr_folder; compares bare characters.",
        metrics=("cer_zh",),
        samples=partial(list_samples, "asr_folder_zh"),
    )


def list_samples(task: str, data: Path | None) -> Sequence[Sample]:
    """List the utterances of the folder ``data`` for ``task``. Audio without a transcript is reported as a warning.

    Speakers become clusters where there are at least two.

    Raises:
        UserError: no folder given, or its list is wrong.
    """
    if data is None:
        raise UserError(f"{task}: needs a folder of transcribed speech. Give it with --data {task}=DIR")
    found = read_asr_folder(data)
    metadata = {"layout": found.layout}
    if found.untranscribed:
        count = len(found.untranscribed)
        names = ", ".join([*(path.name for path in found.untranscribed[:3]), *(["…"] if count > 3 else [])])
        log.warning("%s: %s: audio files without a transcript, left out: %d (%s)", task, data, count, names)
        metadata["left_out"] = f"audio files without a transcript: {count}"
    several_speakers = len({utterance.speaker for utterance in found.utterances}) > 1
    return [
        Sample(
            id=utterance.id,
            kind="asr",
            audio=utterance.audio,
            reference=utterance.text,
            cluster=utterance.speaker if several_speakers else "",
            metadata={**metadata, "source": f"{utterance.list_file.name}:{utterance.line}"},
        )
        for utterance in found.utterances
    ]
