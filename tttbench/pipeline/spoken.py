"""Stage 4, of what was spoken: lengths, silence and clipping of a system's answers to a task."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, median

from tttbench.core.errors import InputError
from tttbench.core.spoken import SpokenAnswers
from tttbench.stats.loudness import loudness
from tttbench.store.rows import StoredAnswer
from tttbench.store.run_directory import RunStore


def spoken_answers(
    system: str, task: str, answers: Sequence[StoredAnswer], store: RunStore
) -> tuple[SpokenAnswers, ...]:
    """Measure the recordings of ``answers``; nothing where nothing is spoken."""
    found, seconds, unreadable = [], [], 0
    for answer in answers:
        if answer.audio is None:
            continue
        try:
            samples, rate = store.audio(answer.audio.file)
        except InputError:
            unreadable += 1
            continue
        if len(samples):
            found.append(loudness(samples, rate))
            seconds.append(len(samples) / rate)
    if not found and not unreadable:
        return ()
    measured = SpokenAnswers(
        system,
        task,
        len(found),
        math.fsum(seconds),
        median(seconds) if seconds else math.nan,
        fmean(one.silence for one in found) if found else math.nan,
        sum(one.clipped > 0 for one in found),
        fmean(one.clipped for one in found) if found else math.nan,
        unreadable,
    )
    return (measured,)
