"""From the journal to the summary: every answer scored, every metric aggregated, every trace measured.

Reads nothing but the run directory and the scorers, so it can be done again (``tttbench rescore``) without asking any
system. Raw answers are not touched.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tttbench.core.records import STATUSES, FrontierPoint, ProbeResult, Result, Sample, Score, Status
from tttbench.core.registry import scorers
from tttbench.core.scorer import Answer, Scorer
from tttbench.pipeline.frontier import Outcome, frontier
from tttbench.probes.latency import Timed, latency_probes
from tttbench.scorers.aggregate import Scored, aggregate
from tttbench.scorers.agreement import oracle_agreement
from tttbench.scorers.gap import spoken_gap
from tttbench.scorers.status import request_status
from tttbench.store.rows import StoredAnswer, StoredSample
from tttbench.store.run_directory import FORMAT, TRUTH, RunStore


def assess(store: RunStore) -> dict[str, Any]:
    """Score all answers of the run, keep the scores, and return the summary (see ``docs/run_directory.md``)."""
    manifest = store.manifest
    recipe = manifest["judge"]["recipe"]
    results: list[Result] = []
    gaps: list[Result] = []
    probes: list[ProbeResult] = []
    skipped: list[dict[str, str]] = []
    counts: Counter[str] = Counter()
    expected = 0
    oracle = manifest["suite"].get("oracle", "")
    oracle_codes = {(one.task, one.sample.id): _codes(one) for one in store.answers(oracle)} if oracle else {}
    outcomes: dict[str, dict[str, list[Outcome]]] = {}
    for label, system in manifest["systems"].items():
        for name, task in manifest["tasks"].items():
            if system.get("kinds") is not None and task["kind"] not in system["kinds"]:
                skipped.append({"system": label, "task": name, "reason": f"doesn't answer {task['kind']} requests"})
                continue
            expected += task["n"]
            answers = list(store.answers(label, name))
            speaks = system["card"].get("speaks", True)
            metrics = [scorer for scorer in _scorers(task["metrics"]) if speaks or not scorer.needs_heard]
            scored = score_answers(answers, metrics, recipe)
            counts.update(request_status(answer.status, (score.status for score in ss)) for answer, ss in scored)
            agreeing = [] if label == oracle else _agreement(answers, oracle_codes, oracle)
            kept = [(answer.sample.id, s) for answer, ss in scored for s in ss]
            store.replace_scores(label, name, kept + [(one.sample.id, one.score) for one in agreeing])
            cells, gap = _results(label, name, [(answer.sample, ss) for answer, ss in scored], metrics, manifest)
            results += cells
            if agreeing:
                results.append(_aggregated(label, name, agreeing, manifest, lower_is_better=False))
            if oracle:
                outcomes.setdefault(name, {})[label] = _outcomes(scored, task["metrics"][0])
            gaps += gap
            probes += _probes(label, system, name, answers)
        if system.get("peak_rss_bytes"):
            probes.append(_once(label, system, "peak_memory", "MB", system["peak_rss_bytes"] / 1e6))
    answered = counts.total()
    return {
        "format": FORMAT,
        "status": _run_status(expected, answered, counts),
        "expected": expected,
        "answered": answered,
        "counts": {status: counts[status] for status in STATUSES},
        "results": results,
        "gaps": gaps,
        "ceiling": _ceiling(store, manifest, recipe),
        "probes": probes,
        "frontier": [place for name in outcomes for place in _places(name, outcomes[name], manifest)],
        "skipped": skipped,
    }


def _codes(answer: StoredAnswer) -> Sequence[int]:
    return () if answer.response is None else answer.response.audio_codes or ()


def _places(
    name: str, outcomes: Mapping[str, Sequence[Outcome]], manifest: Mapping[str, Any]
) -> tuple[FrontierPoint, ...]:
    """Quality, by the task's first metric, against seconds."""
    metric = scorers.get(manifest["tasks"][name]["metrics"][0])
    seed, n_resamples = manifest["suite"]["seed"], manifest["suite"]["resamples"]
    return frontier(
        name, metric.name, outcomes, lower_is_better=metric.lower_is_better, seed=seed, n_resamples=n_resamples
    )


def _outcomes(scored: Sequence[tuple[StoredAnswer, tuple[Score, ...]]], metric: str) -> list[Outcome]:
    found = []
    for answer, scores in scored:
        score = next((score for score in scores if score.metric == metric), None)
        if score is not None and math.isfinite(score.numerator):
            cluster = answer.sample.cluster or answer.sample.id
            # Systems that tell no times leave 0.
            seconds = (answer.response.trace.end_s or None) if answer.response is not None else None
            found.append(Outcome(answer.sample.id, cluster, score.numerator, score.denominator, seconds))
    return found


def _agreement(
    answers: Sequence[StoredAnswer], oracle_codes: Mapping[tuple[str, str], Sequence[int]], oracle: str
) -> list[Scored]:
    """The answers to which the oracle's is known, and of which one of the two speaks."""
    found = []
    for answer in answers:
        expected = oracle_codes.get((answer.task, answer.sample.id))
        if expected is not None and (expected or _codes(answer)):
            score = oracle_agreement(_codes(answer), expected, answer.status, oracle)
            found.append(Scored(answer.sample, score))
    return found


def _aggregated(
    label: str, task: str, scored: Sequence[Scored], manifest: Mapping[str, Any], *, lower_is_better: bool
) -> Result:
    seed, n_resamples = manifest["suite"]["seed"], manifest["suite"]["resamples"]
    return aggregate(label, task, scored, seed=seed, n_resamples=n_resamples, lower_is_better=lower_is_better)


def score_answers(
    answers: Sequence[StoredAnswer], metrics: Sequence[Scorer], judge: str
) -> list[tuple[StoredAnswer, tuple[Score, ...]]]:
    """Return each answer with its scores, in the order of ``metrics``; ``judge`` is the recipe of the ears."""
    return [
        (answer, tuple(scorer.score(answer.sample, to_score(answer, scorer, judge)) for scorer in metrics))
        for answer in answers
    ]


def to_score(answer: StoredAnswer, scorer: Scorer, judge: str) -> Answer:
    """Return what ``scorer`` is shown of an answer: the judge's failure concerns those alone that need its ears."""
    status: Status = answer.status
    if scorer.needs_heard and status == "ok" and answer.audio is not None and answer.heard is None:
        status = "judge_failed"
    return Answer(answer.text, answer.heard, status, judge)


def _scorers(names: Sequence[str]) -> list[Scorer]:
    return [scorers.get(name) for name in names]


def _results(
    label: str,
    task: str,
    scored: Sequence[tuple[Sample, tuple[Score, ...]]],
    metrics: Sequence[Scorer],
    manifest: Mapping[str, Any],
) -> tuple[list[Result], list[Result]]:
    if not scored:
        return [], []
    seed, n_resamples = manifest["suite"]["seed"], manifest["suite"]["resamples"]
    by_metric = {
        scorer.name: [Scored(sample, scores[at]) for sample, scores in scored] for at, scorer in enumerate(metrics)
    }
    cells = [
        _aggregated(label, task, by_metric[scorer.name], manifest, lower_is_better=scorer.lower_is_better)
        for scorer in metrics
    ]
    written, spoken = by_metric.get("text_accuracy"), by_metric.get("spoken_accuracy")
    if not written or not spoken:
        return cells, []
    return cells, [spoken_gap(label, task, written, spoken, seed=seed, n_resamples=n_resamples)]


def _ceiling(store: RunStore, manifest: Mapping[str, Any], recipe: str) -> list[Result]:
    results: list[Result] = []
    for name, task in manifest["tasks"].items():
        metrics = [scorer for scorer in _scorers(task["metrics"]) if scorer.needs_heard]
        samples = [entry for entry in store.samples(name) if entry.truth is not None]
        if not metrics or not samples:
            continue
        scored = [(entry.sample, _truth_scores(entry, metrics, store, recipe)) for entry in samples]
        store.replace_scores(TRUTH, name, [(sample.id, score) for sample, scores in scored for score in scores])
        results += _results(TRUTH, name, scored, metrics, manifest)[0]
    return results


def _truth_scores(entry: StoredSample, metrics: Sequence[Scorer], store: RunStore, recipe: str) -> tuple[Score, ...]:
    heard = None if entry.truth is None else store.transcript(entry.truth.sha256, recipe)
    failed = heard is None or bool(heard.error)
    answer = Answer(
        text=entry.sample.answer_text,
        heard=None if heard is None or failed else heard.text,
        status="judge_failed" if failed else "ok",
        judge=recipe,
    )
    return tuple(scorer.score(entry.sample, answer) for scorer in metrics)


def _probes(label: str, system: Mapping[str, Any], task: str, answers: Sequence[StoredAnswer]) -> list[ProbeResult]:
    timed = [
        Timed(
            trace=answer.response.trace,
            n_codes=len(answer.response.audio_codes or ()),
            sample_rate=answer.response.sample_rate,
            answer_s=answer.answer_s,
            input_s=answer.input_s,
        )
        for answer in answers
        if answer.response is not None
    ]
    return latency_probes(label, system.get("used_strategy", system["strategy"]), task, timed)


def _once(label: str, system: Mapping[str, Any], metric: str, unit: str, value: float) -> ProbeResult:
    return ProbeResult(
        label, system.get("used_strategy", system["strategy"]), "", metric, unit, value, float("nan"), float("nan"), 1
    )


def _run_status(expected: int, answered: int, counts: Mapping[str, int]) -> str:
    if answered < expected:
        return "incomplete"
    return "done_with_errors" if counts["error"] or counts["judge_failed"] else "done"
