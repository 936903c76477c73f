"""Stages 3 and 4: every answer scored, every score aggregated, every trace measured.

Reads nothing but the run directory and the scorers, so it can be done again (``tttbench rescore``) without any system.
Raw answers are not touched.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from tttbench.core.blame import FIX, blamed, named
from tttbench.core.checked import checked_recipe, checked_score
from tttbench.core.exchange import STATUSES
from tttbench.core.metric import (
    TOPLINE,
    ProbeResult,
    Result,
    Score,
)
from tttbench.core.sample import Sample
from tttbench.core.scorer import View
from tttbench.core.task import nouns
from tttbench.pipeline.labels import corrected_results
from tttbench.pipeline.plan import kept_language
from tttbench.pipeline.scores import Column, Columns, reason_to_skip
from tttbench.pipeline.spoken import measure, spoken_answers
from tttbench.pipeline.trade_off import Outcomes
from tttbench.pipeline.view import AnswerView, Derivations, Peers, ReferenceView, has_rounds
from tttbench.scorers.aggregate import Cell, Scored, aggregate
from tttbench.store.labels import read_labels
from tttbench.store.losses import loss_paths
from tttbench.store.manifest import DerivedTotal, Manifest, Skipped, Summary, SystemCost, SystemEntry, Unanswered
from tttbench.store.rows import StoredAnswer
from tttbench.store.run_directory import RunStore
from tttbench.store.standings import Standings
from tttbench.store.timings import TimedCell, cell_of, timings_of


def summarize(store: RunStore, columns: Columns) -> Summary:
    """Score all answers of the run, keep the scores, and return the summary (see ``docs/run_directory.md``)."""
    manifest = store.manifest
    columns = columns.of_corpora(
        lambda task: _samples(task, store),
        lambda task: kept_language(_samples(task, store), manifest.tasks[task].language),
    )
    found = Summary("running", 0, 0)
    counts: Counter[str] = Counter()
    cells: list[TimedCell] = []
    memory: list[ProbeResult] = []
    standings, labels = Standings(), read_labels(store.folder)
    outcomes = Outcomes(manifest, columns)
    derivations, peers = Derivations(store), _peers(store, manifest)
    for label, system in manifest.systems.items():
        costs: list[Mapping[str, float]] = []
        for name, task in manifest.tasks.items():
            if reason := reason_to_skip(system, task):
                found = replace(found, skipped=(*found.skipped, Skipped(label, name, reason)))
                continue
            answers = list(store.answers(label, name))
            own = columns.of_system(label, system, name)
            costs += [one.response.cost for one in answers if one.response is not None and one.response.cost]
            recordings = [one.audio for one in answers if one.audio is not None]
            measure(recordings, store, derivations)
            beside = peers.with_answers(answers) if has_rounds(one.sample for one in answers) else peers
            scored = [(one, _scores(one, own, store, derivations, beside)) for one in answers]
            rescored = [replace(one, scores=scores) for one, scores in scored]
            counts.update(one.outcome for one in rescored)
            store.replace_scores(
                label,
                name,
                [(one.key.sample, one.key.repeat, of, score) for one, scores in scored for of, score in scores.items()],
            )
            for one, scores in scored:
                standings.add(one.key, one.sample.sample, scores)
            found = replace(
                found,
                expected=found.expected + task.n * manifest.suite.repeats,
                results=(*found.results, *_results(label, name, scored, own, manifest)),
                corrected=(*found.corrected, *corrected_results(label, name, scored, own, manifest, labels)),
                cut=found.cut + _cut(answers),
                unanswered=(*found.unanswered, *_unanswered(label, name, answers)),
                spoken=(*found.spoken, *spoken_answers(label, name, recordings, derivations)),
            )
            cells.append(cell_of(label, system.used_strategy, name, rescored))
            outcomes.add(label, name, rescored)
        memory += _memory(label, system)
        if costs:
            found = replace(found, asked=(*found.asked, SystemCost(label, len(costs), _total(costs))))
    answered = counts.total()
    timings = timings_of(cells)
    topline = tuple(_topline(store, manifest, columns, derivations))
    given = {one.metric for one in topline}
    of_transcribers = [column for name in manifest.tasks for column in columns.of_transcribers(name)]
    metrics = {column.id: column.scorer.info for column in columns}
    metrics |= {column.id: column.scorer.info for column in of_transcribers if column.id in given}
    suite = manifest.suite
    traded = outcomes.traded(timings.answers)
    losses = loss_paths(manifest, metrics, standings, found.results)
    return replace(
        found,
        status=_run_status(found.expected, answered, counts),
        answered=answered,
        counts={status: counts[status] for status in STATUSES},
        probes=(*timings.probes, *memory),
        timed=timings.answers,
        metrics=metrics,
        topline=topline,
        frontier=traded.places,
        ways=traded.ways,
        derived=tuple(_derived(store, manifest)),
        comparisons=standings.compared(metrics, seed=suite.seed, n_resamples=suite.resamples),
        remarks=_remarks(manifest),
        lossless={label: one.lossless for label, one in manifest.systems.items() if one.lossless},
        ablations=standings.ablated(suite.ablations, metrics, seed=suite.seed, n_resamples=suite.resamples),
        losses=losses.paths,
        losses_left_out=losses.left_out,
    )


def _samples(task: str, store: RunStore) -> list[Sample]:
    return [one.sample for one in store.samples(task)]


def _remarks(manifest: Manifest) -> Mapping[str, tuple[str, ...]]:
    """What to know of systems, with their labels: of ways of decoding, and of recorded answers left over."""
    asked = sum(task.n for task in manifest.tasks.values())
    found: dict[str, tuple[str, ...]] = {}
    for label, one in manifest.systems.items():
        texts = [one.remark] if one.remark else []
        held = None if one.card is None else one.card.details.get("answers")
        if isinstance(held, int) and held > asked:
            texts.append(f"holds {held:,} answers, and this run asks for {asked:,}")
        for text in texts:
            found[text] = (*found.get(text, ()), label)
    return found


def _scores(
    answer: StoredAnswer, columns: Sequence[Column], store: RunStore, derivations: Derivations, peers: Peers
) -> dict[str, Score]:
    view = AnswerView(answer, store, derivations, peers)
    found = {column.id: _score(column, answer.sample.sample, view, answer.key.task) for column in columns}
    return {of: score for of, score in found.items() if score is not None}


def _score(column: Column, sample: Sample, view: View, task: str) -> Score | None:
    """The score, if there is one; a scorer that raises, or gives what can't be one, is named with the sample."""
    where = f"score {column.id!r} of sample {sample.id!r} ({task}): its scorer"
    with blamed(where):
        score = column.scorer.score(sample, view)
    with named(f"{where} can't be used", FIX):
        return checked_score(score, column.scorer.info)


def _peers(store: RunStore, manifest: Manifest) -> Peers:
    """The answers of the oracle, which every other's codes are compared with."""
    oracle = manifest.suite.oracle
    if not oracle:
        return Peers()
    return Peers().with_answers(store.answers(oracle))


def _results(
    label: str,
    task: str,
    scored: Sequence[tuple[StoredAnswer, Mapping[str, Score]]],
    columns: Sequence[Column],
    manifest: Manifest,
) -> Iterator[Result]:
    if all(one.status == "error" for one, _ in scored):
        return
    for column in columns:
        with_it = [(one, scores[column.id]) for one, scores in scored if column.id in scores]
        if with_it:
            own = [Scored(one.sample.sample, score) for one, score in with_it]
            yield replace(_aggregated(label, task, column, own, manifest), cut=_cut([one for one, _ in with_it]))


def _cut(answers: Sequence[StoredAnswer]) -> int:
    return sum(one.response is not None and one.response.is_cut for one in answers)


def _unanswered(label: str, task: str, answers: Sequence[StoredAnswer]) -> Iterator[Unanswered]:
    """What to say instead of results, where there is no answer at all."""
    if answers and all(one.status == "error" for one in answers):
        reasons = Counter(_without_sample(one) for one in answers)
        yield Unanswered(label, task, len(answers), reasons.most_common(1)[0][0])


def _without_sample(answer: StoredAnswer) -> str:
    """The error without the name of its request, by which equal errors differ."""
    key = answer.key
    named = f"system {key.system}, task {key.task}, sample {key.sample!a}: "
    return answer.error.removeprefix(named).removeprefix(f"{key.sample}: ")


def _aggregated(label: str, task: str, column: Column, scored: Sequence[Scored], manifest: Manifest) -> Result:
    where = f"score {column.id!r}: its scorer's recipe"
    with blamed(where):
        recipe = column.scorer.recipe(manifest.recipes())
    with named(f"{where} can't be used", FIX):
        recipe = checked_recipe(recipe)
    entry = manifest.tasks[task]
    counted = nouns(entry.family, entry.cluster)
    cell = Cell(label, task, column.id, column.scorer.info, recipe, counted.sample, counted.cluster)
    return aggregate(cell, scored, seed=manifest.suite.seed, n_resamples=manifest.suite.resamples)


def _topline(store: RunStore, manifest: Manifest, columns: Columns, derivations: Derivations) -> Iterator[Result]:
    """The scores of spoken answers on reference audio: what the transcriber allows at best, and its own errors."""
    for name in manifest.tasks:
        own, no_scores = columns.of_reference(name), {column.id for column in columns.of_transcribers(name)}
        samples = [entry for entry in store.samples(name) if entry.answer_audio is not None]
        if not own or not samples:
            continue
        if any(getattr(column.scorer, "measures", False) for column in own):
            measure((entry.answer_audio for entry in samples), store, derivations)
        rows: list[tuple[str, int, str, Score]] = []
        by_column: dict[str, list[Scored]] = {}
        for entry in samples:
            view = ReferenceView(entry, store, derivations)
            for column in own:
                score = _score(column, entry.sample, view, name)
                if score is not None:
                    if column.id not in no_scores:
                        rows.append((entry.sample.id, 0, column.id, score))
                    by_column.setdefault(column.id, []).append(Scored(entry.sample, score))
        store.replace_scores(TOPLINE, name, rows)
        for column in own:
            if scored := by_column.get(column.id):
                yield _aggregated(TOPLINE, name, column, scored, manifest)


def _derived(store: RunStore, manifest: Manifest) -> Iterator[DerivedTotal]:
    """What each deriver made; of several names that make the same, such as a judge asked faster, the first."""
    names: dict[str, str] = {}
    for name, recipe in manifest.recipes().items():
        names.setdefault(recipe, name)
    for recipe, name in names.items():
        made = store.derived_all(recipe).values()
        cost: Counter[str] = Counter(store.spent(recipe))
        for one in made:
            cost.update(one.cost)
        yield DerivedTotal(name, len(made), sum(one.status == "failed" for one in made), dict(cost))


def _total(costs: Iterable[Mapping[str, float]]) -> Mapping[str, float]:
    total: Counter[str] = Counter()
    for cost in costs:
        total.update(cost)
    return dict(total)


def _memory(label: str, system: SystemEntry) -> Iterator[ProbeResult]:
    if system.peak_rss_bytes:
        nan = float("nan")
        peak = system.peak_rss_bytes / 1e6
        yield ProbeResult(label, system.used_strategy, "", "peak_memory", "MB", peak, nan, nan, 1)


def _run_status(expected: int, answered: int, counts: Mapping[str, int]) -> str:
    if answered < expected:
        return "incomplete"
    return "done_with_errors" if counts["error"] or counts["derivation_failed"] else "done"
