"""Stage 4 of runs that decode one model in several ways: what speed costs, by seconds and by forward passes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tttbench.core.metric import FrontierPoint, TimedAnswers, WayOfDecoding
from tttbench.pipeline.frontier import Outcome, frontier
from tttbench.pipeline.scores import Columns, reason_to_skip
from tttbench.pipeline.ways import Decoding, ways
from tttbench.store.manifest import Manifest, SystemEntry
from tttbench.store.rows import StoredAnswer
from tttbench.store.run_directory import RunStore
from tttbench.store.timings import timed_answer


@dataclass(frozen=True)
class TradeOff:
    """Places of all systems by seconds, and the curves of ways of decoding."""

    places: tuple[FrontierPoint, ...] = ()
    ways: tuple[WayOfDecoding, ...] = ()


def trade_off(store: RunStore, columns: Columns, timed: Sequence[TimedAnswers]) -> TradeOff:
    """Quality, by each task's primary metric, against seconds and codes a pass.

    Empty for runs without an oracle in which no two systems decode one model differently.
    """
    manifest = store.manifest
    known = {label: decoding_of(one) for label, one in manifest.systems.items()}
    decodings = {label: one for label, one in known.items() if one is not None}
    models = [one.model for one in decodings.values()]
    if not manifest.suite.oracle and len(set(models)) == len(models):
        return TradeOff()
    busy = {(one.system, one.task): one.busy for one in timed}
    places: list[FrontierPoint] = []
    curves: list[WayOfDecoding] = []
    draws = {"seed": manifest.suite.seed, "n_resamples": manifest.suite.resamples}
    for name in manifest.tasks:
        primary = columns.of_task(name)[0]
        outcomes = _outcomes(store, manifest, name, primary.id)
        info = primary.scorer.info
        for place in frontier(name, primary.id, info, outcomes, **draws):
            places.append(replace(place, busy=busy.get((place.system, name), "")))
        curves += ways(name, primary.id, info, decodings, outcomes, **draws)
    return TradeOff(tuple(places), tuple(curves))


def decoding_of(system: SystemEntry) -> Decoding | None:
    """How a system decodes, as its card says; None for one that doesn't write audio in blocks."""
    card = system.card
    if card is None or not card.strategy or not card.settings.keys() & {"block_length", "block_lengths"}:
        return None
    return Decoding(card.name, card.strategy, card.settings)


def _outcomes(store: RunStore, manifest: Manifest, task: str, score_id: str) -> dict[str, list[Outcome]]:
    return {
        label: list(_of_system(store.answers(label, task), score_id))
        for label, system in manifest.systems.items()
        if not reason_to_skip(system, manifest.tasks[task])
    }


def _of_system(answers: Iterator[StoredAnswer], score_id: str) -> Iterator[Outcome]:
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
