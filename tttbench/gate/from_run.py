"""A run directory as a snapshot, by the one read model of a run; compares nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tttbench.core.task import nouns
from tttbench.gate.snapshot import (
    AnswerText,
    Metric,
    Outcome,
    SampleFacts,
    Snapshot,
    SystemFacts,
    TaskFacts,
    Timing,
)
from tttbench.probes.latency import figures
from tttbench.probes.machine_load import load_of
from tttbench.store.manifest import SystemEntry, TaskEntry
from tttbench.store.read_model import Run
from tttbench.store.rows import StoredAnswer, StoredSample
from tttbench.store.timings import timed_answer

COMPARED_METRICS = ("ttft", "ttfa_wave", "latency", "rtf", "rtf_input", "nfe_per_code")
"""Of all that a trace shows: what a user waits for, and the forward passes that it costs."""

Answers = Mapping[tuple[str, str], Sequence[StoredAnswer]]


def snapshot_of(folder: Path) -> Snapshot:
    """Read the run in ``folder``, also one that was cut off.

    Raises:
        UserError: there is no run, or it can't be read.
    """
    with Run.open(folder) as run:
        answers: dict[tuple[str, str], list[StoredAnswer]] = {}
        for answer in run.answers():
            answers.setdefault((answer.key.system, answer.key.task), []).append(answer)
        manifest, summary = run.manifest, run.summary
        repeats = manifest.suite.repeats
        unfinished = manifest.status in ("running", "interrupted")
        return Snapshot(
            source=str(folder),
            made_at=(manifest.sessions[-1].ended_at or "") if manifest.sessions else "",
            suite=manifest.suite.name,
            seed=manifest.suite.seed,
            # A run that is being resumed has a summary of before.
            status=manifest.status if unfinished or summary is None else summary.status,
            expected=0 if summary is None else summary.expected,
            answered=(0 if summary is None else summary.answered) or sum(map(len, answers.values())),
            transcribers=tuple(manifest.derivers[name].recipe for name in run.transcribers),
            versions=manifest.versions,
            machine=manifest.machine,
            systems={
                label: _system(
                    entry, {one.batch_size for key, found in answers.items() if key[0] == label for one in found}
                )
                for label, entry in manifest.systems.items()
            },
            tasks={name: _task(entry, run.samples(name), repeats) for name, entry in manifest.tasks.items()},
            metrics=_metrics(run, answers),
            timings=tuple(
                timing for (system, task), found in answers.items() for timing in _timings(system, task, found)
            ),
            loads={
                key: load
                for key, found in answers.items()
                if (load := load_of(one.conditions for one in found)) is not None
            },
            answers={key: {_id(one): _text(one, run) for one in found} for key, found in answers.items()},
        )


def _id(answer: StoredAnswer) -> str:
    return answer_id(answer.key.sample, answer.key.repeat)


def answer_id(sample: str, repeat: int) -> str:
    """The name of an answer in snapshots: the sample's, and behind it which repeat it is, from the second on."""
    return f"{sample} #{repeat + 1}" if repeat else sample


def _system(entry: SystemEntry, batch_sizes: set[int]) -> SystemFacts:
    card = entry.card
    return SystemFacts(
        name=entry.name,
        strategy=entry.used_strategy,
        decode=entry.settings,
        weights="" if card is None else card.weights_sha256,
        # Requests without an answer were in no call.
        batch_sizes=tuple(sorted(batch_sizes - {0})),
        settings={} if card is None else card.settings,
        codec="" if card is None else card.codec,
        prompts={} if card is None else card.prompts,
        identity={} if card is None else card.identity,
    )


def _task(entry: TaskEntry, samples: Sequence[StoredSample], repeats: int) -> TaskFacts:
    facts = {}
    for one in samples:
        # Several answers to a sample belong together.
        cluster = one.sample.cluster or (one.sample.id if repeats > 1 else "")
        for repeat in range(repeats):
            facts[answer_id(one.sample.id, repeat)] = SampleFacts(one.sample.reference, cluster)
    words = nouns(entry.family, entry.cluster)
    return TaskFacts(
        family=entry.family,
        instruction=entry.instruction,
        listing_sha256=entry.listing_sha256,
        own_data=entry.data is None,
        metrics=tuple(spec.id for spec in entry.scores),
        samples=facts,
        cluster=words.cluster if any(one.sample.cluster for one in samples) else words.sample,
    )


def _metrics(run: Run, answers: Answers) -> tuple[Metric, ...]:
    found = []
    for result in () if run.summary is None else run.summary.results:
        scores = {
            _id(answer): answer.scores[result.metric]
            for answer in answers.get((result.system, result.task), ())
            if result.metric in answer.scores
        }
        if scores:
            outcomes = {
                sample: Outcome(score.numerator, score.denominator, score.status) for sample, score in scores.items()
            }
            info = run.metric(result.metric)
            if info.direction == "none":  # it explains other metrics, and none of its values is worse
                continue
            found.append(Metric(result.system, result.task, result.metric, info, result.recipe, outcomes))
    return tuple(found)


def _timings(system: str, task: str, answers: Sequence[StoredAnswer]) -> list[Timing]:
    units: dict[str, str] = {}
    values: dict[str, dict[str, float]] = {}
    for answer in answers:
        one = timed_answer(answer)
        if one is None:
            continue
        # Requests that were generated together have no latency. What they took is kept all the same, so that the gate
        # can say of each figure why it isn't compared (``speed.in_batches``).
        for figure in figures(replace(one, together=1)):
            if figure.metric in COMPARED_METRICS and figure.value > 0:
                units[figure.metric] = figure.unit
                values.setdefault(figure.metric, {})[_id(answer)] = figure.value
    return [Timing(system, task, figure, units[figure], found) for figure, found in values.items()]


def _text(answer: StoredAnswer, run: Run) -> AnswerText:
    derived = run.transcript(answer.audio)
    transcript = "" if derived is None else derived.content
    error = answer.error or ("" if derived is None else derived.error)
    return AnswerText(answer.text, transcript, error, answer.response is not None and answer.response.is_cut)
