"""From a run to a ``ReportView``, by the one read model of a run; knows nothing of HTML."""

from __future__ import annotations

import math
import shlex
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from tttbench.core.exchange import Status
from tttbench.core.judging import JUDGE
from tttbench.core.metric import Comparison, MetricInfo, Score
from tttbench.core.recipe import Recipe
from tttbench.core.sample import CONVERSATION, QUESTIONS
from tttbench.core.serialize import plain_fields, to_plain
from tttbench.pipeline.provisional import open_to_show
from tttbench.probes.latency import figures, timed
from tttbench.scorers.normal_form import normal_form
from tttbench.store.manifest import Machine, Manifest, Summary, SystemEntry, TaskEntry
from tttbench.store.read_model import TRANSCRIBER, Run
from tttbench.store.rows import StoredAnswer
from tttbench.store.standings import Standings

from .diff import word_diff
from .labels import MISSING, cost_line, judge_line
from .view import DiffChunk, Fact, Latency, ReportView, Row, ScoreView, SystemView, TaskView

_SHOWN_ELSEWHERE = ("question", CONVERSATION, QUESTIONS)
"""Metadata that a sample's page shows in a place of its own, or that only scorers read."""


def load(run_dir: Path) -> ReportView:
    """Read a run; one that hasn't come to its end as far as it has come.

    Raises:
        UserError: there is no run, or it can't be read.
    """
    with open_to_show(run_dir) as run:
        manifest, summary = run.manifest, run.summary
        assert summary is not None  # made if need be
        timings = run.timings()
        scored = _scored(summary)
        rows = [_row(answer, run, scored.get(answer.key.task, {})) for answer in run.answers()]
        comparisons = summary.comparisons or _compared(run, summary)
    order = {name: at for at, name in enumerate([*manifest.tasks, *manifest.systems])}
    # The journal sorts by name; the page follows the suite. Sorting is stable, so samples keep their order.
    rows.sort(key=lambda row: (order.get(row.task, len(order)), order.get(row.system, len(order))))
    return ReportView(
        name=run_dir.resolve().name,
        suite=manifest.suite.name,
        title=manifest.suite.title,
        status=summary.status,
        command=shlex.join(manifest.sessions[0].command) if manifest.sessions else "",
        expected=summary.expected,
        systems=tuple(_system(label, entry) for label, entry in manifest.systems.items()),
        tasks=tuple(_task(name, entry) for name, entry in manifest.tasks.items()),
        results=(*summary.results, *summary.topline),
        probes=timings.probes,
        rows=tuple(rows),
        metrics=summary.metrics,
        skipped=summary.skipped,
        facts=tuple(_overview(manifest, run.transcribers)),
        manifest=tuple(flatten(to_plain(manifest))),
        frontier=summary.frontier,
        ways=summary.ways,
        timed=timings.answers,
        comparisons=comparisons,
        ablations=summary.ablations,
        lossless=summary.lossless,
        unanswered=summary.unanswered,
        losses=summary.losses,
        losses_left_out=summary.losses_left_out,
        corrected=summary.corrected,
        costs=(
            *(judge_line(one) for one in summary.derived if one.deriver.startswith(JUDGE)),
            *map(cost_line, summary.asked),
        ),
        spoken=summary.spoken,
    )


def _compared(run: Run, summary: Summary) -> tuple[Comparison, ...]:
    """The comparisons of a run that was made before summaries had them."""
    standings, suite = Standings(), run.manifest.suite
    for answer in run.answers() if len(run.manifest.systems) > 1 else ():
        standings.add(answer.key, answer.sample.sample, answer.scores)
    return standings.compared(summary.metrics, seed=suite.seed, n_resamples=suite.resamples)


def _system(label: str, entry: SystemEntry) -> SystemView:
    return SystemView(label, entry.used_strategy, tuple(flatten(to_plain(entry))), entry.remark)


def _task(name: str, entry: TaskEntry) -> TaskView:
    hidden = ("title", "description", "family", "scores")
    facts = {key: value for key, value in plain_fields(entry).items() if key not in hidden}
    ids = tuple(spec.id for spec in entry.scores)
    return TaskView(name, entry.title or name, entry.family, entry.description, ids, tuple(flatten(facts)))


def _overview(manifest: Manifest, transcribers: tuple[str, ...]) -> Iterator[Fact]:
    """The line below the title."""
    if manifest.sessions and manifest.sessions[0].started_at:
        yield Fact("on", manifest.sessions[0].started_at.replace("T", " ").replace("+00:00", " UTC"))
    if device := device_name(manifest.machine):
        yield Fact("device", device)
    if manifest.machine.cores:
        yield Fact("cores", str(manifest.machine.cores))
    for package in ("tttbench", "torch"):
        if package in manifest.versions:
            yield Fact(package, manifest.versions[package])
    if transcribers:
        yield Fact("transcriber", ", ".join(name.removeprefix(TRANSCRIBER) for name in transcribers))
    yield Fact("seed", str(manifest.suite.seed))


def device_name(machine: Machine) -> str:
    """The device of a run, with the name of its GPU or processor; empty if unknown."""
    hardware = machine.gpu or machine.processor
    return f"{machine.device}, {hardware}".strip(", ") if hardware else ""


def flatten(value: object, name: str = "") -> Iterator[Fact]:
    """Yield nested plain values as dotted names with their texts; lists of plain values stay on one line."""
    if isinstance(value, Mapping):
        for key, entry in value.items():
            yield from flatten(entry, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list) and any(isinstance(entry, Mapping | list) for entry in value):
        for index, entry in enumerate(value):
            yield from flatten(entry, f"{name}[{index}]")
    elif isinstance(value, list):
        yield Fact(name, ", ".join(map(_plain, value)) or MISSING)
    else:
        yield Fact(name, _plain(value))


def _plain(value: object) -> str:
    return (
        MISSING
        if value is None or value == ""
        else {True: "yes", False: "no"}[value]
        if isinstance(value, bool)
        else str(value)
    )


def _scored(summary: Summary) -> dict[str, dict[str, Recipe]]:
    """The recipes of the scores by task and id, in table order."""
    found: dict[str, dict[str, Recipe]] = {}
    for result in summary.results:
        found.setdefault(result.task, {}).setdefault(result.metric, result.recipe)
    return found


def _row(answer: StoredAnswer, run: Run, recipes: Mapping[str, Recipe]) -> Row:
    stored, response = answer.sample, answer.response
    sample, task = stored.sample, run.task(answer.key.task)
    rank = {spec.id: at for at, spec in enumerate(task.scores)}
    scores = dict(sorted(answer.scores.items(), key=lambda item: (rank.get(item[0], len(rank)), item[0])))
    transcripts = {name.removeprefix(TRANSCRIBER): run.transcript(answer.audio, name) for name in run.transcribers}
    texts = {name: one.content for name, one in transcripts.items() if one is not None and one.status == "ok"}
    errors = [one.error for one in transcripts.values() if one is not None and one.status == "failed"]
    transcript = next(iter(texts.values()), None)
    reference = run.transcript(stored.answer_audio)
    expected = sample.answer.text if sample.answer is not None else sample.reference if task.family == "asr" else ""
    written = answer.text or expected
    status = answer.outcome
    form = normal_form(recipes.values())
    return Row(
        system=answer.key.system,
        task=answer.key.task,
        id=sample.id,
        repeat=answer.key.repeat,
        family=task.family,
        status=status,
        message=answer.error or "; ".join(errors) or _reason(status, answer, transcript),
        question=sample.text or sample.metadata.get("question", ""),
        references=sample.references,
        answer_text="" if sample.answer is None else sample.answer.text,
        text=answer.text,
        transcript=transcript,
        more_transcripts=dict(list(texts.items())[1:]),
        reference_transcript=reference.content if reference is not None and reference.status == "ok" else None,
        finish_reason="" if response is None else response.finish_reason,
        text_diff=_scored_alignment(scores, recipes, ("wer", "cer_zh"))
        or (word_diff(expected, answer.text, form) if expected and answer.text else ()),
        transcript_diff=(_scored_alignment(scores, recipes, ("self_wer",)) if answer.text and transcript else ())
        or (word_diff(written, transcript, form) if written and transcript else ()),
        scores=tuple(
            ScoreView(
                of,
                None if math.isnan(one.value) else one.value,
                one.status,
                _note(one, run.metric(of)),
                is_left_out=bool(one.dropped),
            )
            for of, one in scores.items()
        ),
        input_audio="" if stored.input_audio is None else stored.input_audio.file,
        answer_audio="" if answer.audio is None else answer.audio.file,
        reference_audio="" if stored.answer_audio is None else stored.answer_audio.file,
        metadata={name: value for name, value in sample.metadata.items() if name not in _SHOWN_ELSEWHERE},
        latency=_latency(answer),
        trace=None if response is None else response.trace,
        codes=0 if response is None else len(response.audio_codes or ()),
        sample_rate=0 if response is None else response.sample_rate,
        wrong=status != "ok" or any(is_wrong(one, run.metric(of)) for of, one in scores.items()),
    )


def is_wrong(score: Score, info: MetricInfo) -> bool:
    """Whether a score says that something is wrong: not ok, a verdict on the worse side, or any edit."""
    if score.dropped:
        return False
    if score.status != "ok":
        return True
    if info.aggregation == "binary" and info.direction == "higher":
        return score.value < 1
    return info.aggregation != "value" and info.lower_is_better and score.value > 0


def _reason(status: Status, answer: StoredAnswer, transcript: str | None) -> str:
    """Why a request is ``empty``; for all else the message comes from elsewhere."""
    if status != "empty":
        return ""
    missing = [] if _has_words(answer.text) else ["no word was written"]
    if any(score.status == "empty" for score in answer.scores.values()) and answer.audio is None and not missing:
        missing.append("nothing was spoken")
    elif transcript is not None and not _has_words(transcript):
        missing.append("no word is in the transcript of what was spoken")
    return " and ".join(missing)


def _has_words(text: str) -> bool:
    return any(map(str.isalnum, text))


def _scored_alignment(
    scores: Mapping[str, Score], recipes: Mapping[str, Recipe], scorers: Collection[str]
) -> tuple[DiffChunk, ...]:
    """The alignment behind the first score of ``scorers``: what is marked is what was counted, after normalization."""
    for of, score in scores.items():
        segments = score.detail.get("alignment")
        scorer = recipes[of].scorer.partition("@")[0] if of in recipes else ""
        if scorer in scorers and score.status == "ok" and isinstance(segments, list):
            return tuple(DiffChunk(entry["op"], entry["ref"], entry["hyp"]) for entry in segments)
    return ()


def _note(score: Score, info: MetricInfo) -> str:
    """How a score came about, from its detail."""
    detail = score.detail
    if score.dropped:
        return f"left out: {score.dropped}"
    if info.aggregation == "rate" and "substitutions" in detail:
        edits = f"{detail['substitutions']} substituted, {detail['deletions']} missing, {detail['insertions']} added"
        return f"{edits}, of {score.denominator:g}"
    matched = detail.get("matched")
    return f"found “{matched}”" if matched else str(detail.get("error", ""))


def _latency(answer: StoredAnswer) -> Latency:
    """The latency metrics of one request, by the definitions of the latency probe."""
    if answer.response is None:
        return Latency()
    one = timed(answer.response, answer.answer_s, answer.sample.input_s, max(1, answer.batch_size))
    found = {figure.metric: figure.value for figure in figures(one)}
    return Latency(
        ttft_s=found.get("ttft"),
        ttfa_codes_s=found.get("ttfa_codes"),
        ttfa_wave_s=found.get("ttfa_wave"),
        rtf=found.get("rtf", found.get("rtf_input")),
        nfe_per_code=found.get("nfe_per_code"),
    )
