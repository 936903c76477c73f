"""Stage 4 of runs that decode one model in several ways: what speed costs, by seconds and by forward passes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tttbench.core.metric import FrontierPoint, TimedAnswers, WayOfDecoding
from tttbench.pipeline.frontier import Outcome, frontier
from tttbench.pipeline.scores import Columns
from tttbench.pipeline.ways import Decoding, ways
from tttbench.store.manifest import Manifest, SystemEntry
from tttbench.store.rows import StoredAnswer
from tttbench.store.timings import timed_answer


@dataclass(frozen=True)
class TradeOff:
    """Places of all systems by seconds, and the curves of ways of decoding."""

    places: tuple[FrontierPoint, ...] = ()
    ways: tuple[WayOfDecoding, ...] = ()


class Outcomes:
    """What the trade-off is made of, gathered while answers are scored; nothing for runs that have none.

    Runs have one with an oracle, or where two systems decode one model differently.
    """

    def __init__(self, manifest: Manifest, columns: Columns) -> None:
        """Take each task's primary metric as its quality."""
        known = {label: decoding_of(one) for label, one in manifest.systems.items()}
        self._decodings = {label: one for label, one in known.items() if one is not None}
        models = [one.model for one in self._decodings.values()]
        has_trade_off = bool(manifest.suite.oracle) or len(set(models)) != len(models)
        self._primary = {name: columns.of_task(name)[0] for name in manifest.tasks} if has_trade_off else {}
        self._found: dict[str, dict[str, list[Outcome]]] = {name: {} for name in self._primary}
        self._suite = manifest.suite

    def add(self, system: str, task: str, answers: Sequence[StoredAnswer]) -> None:
        """Take the answers of a system to a task, scored."""
        if task in self._found:
            self._found[task][system] = list(_outcomes(answers, self._primary[task].id))

    def traded(self, timed: Sequence[TimedAnswers]) -> TradeOff:
        """Return quality against seconds and codes a pass; ``timed`` says which times are marked as busy."""
        busy = {(one.system, one.task): one.busy for one in timed}
        places: list[FrontierPoint] = []
        curves: list[WayOfDecoding] = []
        draws = {"seed": self._suite.seed, "n_resamples": self._suite.resamples}
        for name, outcomes in self._found.items():
            primary = self._primary[name]
            info = primary.scorer.info
            for place in frontier(name, primary.id, info, outcomes, **draws):
                places.append(replace(place, busy=busy.get((place.system, name), "")))
            curves += ways(name, primary.id, info, self._decodings, outcomes, **draws)
        return TradeOff(tuple(places), tuple(curves))


def decoding_of(system: SystemEntry) -> Decoding | None:
    """How a system decodes, as its card says; None for one that doesn't write audio in blocks."""
    card = system.card
    if card is None or not card.strategy or not card.settings.keys() & {"block_length", "block_lengths"}:
        return None
    return Decoding(card.name, card.strategy, card.settings)


def _outcomes(answers: Sequence[StoredAnswer], score_id: str) -> Iterator[Outcome]:
    for answer in answers:
        score = answer.scores.get(score_id)
        if score is not None and math.isfinite(score.numerator):
            sample = answer.sample.sample
            one = timed_answer(answer)
            # Systems that report no times leave 0.
            seconds = (one.trace.end_s or None) if one is not None and one.together == 1 else None
            response = answer.response
            yield Outcome(
                sample.id,
                sample.cluster or sample.id,
                score.numerator,
                score.denominator,
                seconds,
                answer.key.repeat,
                codes=len(response.audio_codes or ()) if response is not None else 0,
                passes=response.trace.nfe_audio if response is not None and response.trace is not None else None,
            )
