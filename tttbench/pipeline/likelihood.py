"""Likelihoods of reference answers: a system that can tell them, the samples of a task, and the bits for each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tttbench.core.errors import UserError
from tttbench.core.sample import Sample
from tttbench.core.system import Nats, Scorable, System
from tttbench.stats.bootstrap import ratio_interval
from tttbench.stats.interval import Interval


@dataclass(frozen=True)
class Bits:
    """Bits a token of one kind.

    Attributes:
        value: with its 95 % interval over the samples (by cluster).
        se: standard error of the estimate by random draws, 0 where the value is exact.
        n_tokens: tokens, ends of spans included.
        exact: whether it is the likelihood, or a bound from above.
    """

    value: Interval
    se: float
    n_tokens: int
    exact: bool


@dataclass(frozen=True)
class NllResult:
    """What a system needs for the reference answers of a task; ``audio`` is None where none is spoken."""

    system: str
    task: str
    objective: str
    n: int
    text: Bits
    audio: Bits | None


def measure(system: System, task: str, samples: Sequence[Sample], family: str, *, n_draws: int, seed: int) -> NllResult:
    """Measure a system on the reference answers of ``samples``.

    Args:
        system: built.
        task: name of the task, for the result.
        samples: at least one; a spoken question needs a recording of its reference answer to give bits of audio.
        family: of the task.
        n_draws: see ``Scorable.likelihoods``.
        seed: of draws and resampling.

    Raises:
        UserError: the system tells no likelihoods, or can't take a sample.
    """
    if not isinstance(system, Scorable):
        raise UserError(f"{system.card.name}: tells no likelihoods. Give systems that do, e.g. ttt:mini or ttt:FOLDER.")
    found = system.likelihoods(samples, family, n_draws=n_draws, seed=seed)
    clusters = [sample.cluster or sample.id for sample in samples]
    text = _bits([one.text for one in found], clusters, seed)
    audio = _bits([one.audio for one in found], clusters, seed)
    return NllResult(system.card.name, task, system.objective, len(samples), text, audio if audio.n_tokens else None)


def _bits(found: Sequence[Nats], clusters: Sequence[str], seed: int) -> Bits:
    """Bits a token over all samples."""
    bits, tokens = [one.total / math.log(2) for one in found], [one.n_tokens for one in found]
    n_tokens = sum(tokens)
    se = math.sqrt(sum(one.se**2 for one in found)) / math.log(2) / max(n_tokens, 1)
    exact = all(one.exact for one in found)
    return Bits(ratio_interval(bits, tokens, seed=seed, clusters=clusters), se, n_tokens, exact)
