"""Stage 4, of what was spoken: lengths, silence and clipping of a system's answers to a task."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import fmean, median

from tttbench.core.derivation import Derived, Need
from tttbench.core.errors import InputError
from tttbench.core.spoken import SpokenAnswers
from tttbench.pipeline.view import Derivations
from tttbench.scorers.speech import LOUDNESS, kept_loudness, loudness_derived
from tttbench.stats.loudness import loudness
from tttbench.store.rows import Recording
from tttbench.store.run_directory import RunStore


def measure(recordings: Iterable[Recording | None], store: RunStore, derivations: Derivations) -> None:
    """Measure recordings that haven't been, each once in a run, and keep that; what can't be read is left out."""
    made: dict[str, Derived] = {}
    for one in recordings:
        if one is None or not one.sha256 or one.sha256 in made:
            continue
        if kept_loudness(derivations.get(Need(LOUDNESS, one.sha256))) is None:
            try:
                samples, rate = store.audio(one.file)
            except InputError:
                continue
            if len(samples):
                made[one.sha256] = loudness_derived(loudness(samples, rate))
    derivations.keep(LOUDNESS, made)


def spoken_answers(
    system: str, task: str, recordings: Sequence[Recording], derivations: Derivations
) -> tuple[SpokenAnswers, ...]:
    """Return what the recordings of answers sound like, as they were measured; nothing where nothing is spoken."""
    if not recordings:
        return ()
    found, seconds = [], []
    for one in recordings:
        if (measured := kept_loudness(derivations.get(Need(LOUDNESS, one.sha256)))) is not None:
            found.append(measured)
            seconds.append(one.seconds)
    measured_all = SpokenAnswers(
        system,
        task,
        len(found),
        math.fsum(seconds),
        median(seconds) if seconds else math.nan,
        fmean(one.silence for one in found) if found else math.nan,
        sum(one.clipped > 0 for one in found),
        fmean(one.clipped for one in found) if found else math.nan,
        len(recordings) - len(found),
    )
    return (measured_all,)
