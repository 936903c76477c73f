"""From a run directory to a ``ReportView``: reads manifest, summary and journal; knows nothing of HTML."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tttbench.core.records import Score, Status
from tttbench.core.serialize import frontier_from_plain, probe_from_plain, result_from_plain
from tttbench.probes.latency import Timed, figures
from tttbench.scorers.status import request_status
from tttbench.store.rows import StoredAnswer
from tttbench.store.run_directory import RunStore

from .diff import word_diff
from .labels import MISSING
from .view import DiffChunk, Fact, Latency, ReportView, Row, ScoreView, Skipped, SystemView, TaskView


def load(run_dir: Path) -> ReportView:
    """Read a run.

    Raises:
        UserError: there is no run, it can't be read, or it has not come to a summary yet.
    """
    with RunStore.open(run_dir) as store:
        manifest, summary = store.manifest, store.summary
        results = [result_from_plain(e) for part in ("results", "gaps", "ceiling") for e in summary[part]]
        probes = tuple(probe_from_plain(entry) for entry in summary["probes"])
        systems = tuple(_system(label, entry) for label, entry in manifest["systems"].items())
        tasks = tuple(_task(name, entry) for name, entry in manifest["tasks"].items())
        rows = [_row(answer, _metrics(tasks, answer.task)) for answer in store.answers()]
    order = {name: at for at, name in enumerate([*(t.name for t in tasks), *(s.name for s in systems)])}
    # The journal sorts by name; the page follows the suite. Sorting is stable, so samples keep their order.
    rows.sort(key=lambda row: (order.get(row.task, len(order)), order.get(row.system, len(order))))
    suite = manifest["suite"]
    sessions = manifest.get("sessions", [])
    return ReportView(
        name=run_dir.resolve().name,
        suite=suite["name"],
        title=suite.get("title", ""),
        status=summary["status"],
        command=shlex.join(sessions[0]["command"]) if sessions else "",
        expected=summary["expected"],
        systems=systems,
        tasks=tasks,
        results=tuple(results),
        probes=probes,
        rows=tuple(rows),
        skipped=tuple(Skipped(**entry) for entry in summary["skipped"]),
        facts=tuple(_overview(manifest)),
        manifest=tuple(flatten(manifest)),
        frontier=tuple(frontier_from_plain(entry) for entry in summary.get("frontier", ())),
    )


def _system(label: str, entry: Mapping[str, Any]) -> SystemView:
    """``used_strategy`` is known once the system has been built; until then there is the one asked for."""
    strategy = entry.get("used_strategy") or entry["strategy"]
    return SystemView(label, strategy, tuple(flatten(entry)), entry.get("batch_size", 1))


def _task(name: str, entry: Mapping[str, Any]) -> TaskView:
    hidden = ("title", "description", "kind", "metrics")
    return TaskView(
        name,
        entry.get("title") or name,
        entry["kind"],
        entry.get("description", ""),
        tuple(entry.get("metrics", ())),
        tuple(flatten({key: value for key, value in entry.items() if key not in hidden})),
    )


def _metrics(tasks: Sequence[TaskView], task: str) -> tuple[str, ...]:
    return next((view.metrics for view in tasks if view.name == task), ())


def _overview(manifest: Mapping[str, Any]) -> Iterator[Fact]:
    """The line below the title."""
    sessions = manifest.get("sessions", [])
    machine, versions = manifest.get("machine", {}), manifest.get("versions", {})
    if sessions and sessions[0].get("started_at"):
        yield Fact("on", str(sessions[0]["started_at"]).replace("T", " ").replace("+00:00", " UTC"))
    if device := device_name(machine):
        yield Fact("device", device)
    if machine.get("cores"):
        yield Fact("cores", str(machine["cores"]))
    for package in ("tttbench", "torch"):
        if package in versions:
            yield Fact(package, str(versions[package]))
    judge = manifest.get("judge", {}).get("system")
    if judge:
        yield Fact("judge", str(judge))
    yield Fact("seed", str(manifest["suite"].get("seed", "")))


def device_name(machine: Mapping[str, Any]) -> str:
    """The device of a manifest's ``machine``, with the name of its GPU or processor; empty if unknown."""
    hardware = machine.get("gpu") or machine.get("processor")
    return f"{machine.get('device', '')}, {hardware}".strip(", ") if hardware else ""


def flatten(value: object, name: str = "") -> Iterator[Fact]:
    """Yield nested plain values as dotted names with their texts; lists of plain values stay on one line."""
    if isinstance(value, Mapping):
        for key, entry in value.items():
            yield from flatten(entry, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list) and any(isinstance(entry, Mapping | list) for entry in value):
        for index, entry in enumerate(value):
            yield from flatten(entry, f"{name}[{index}]")
    elif isinstance(value, list):
        yield Fact(name, ", ".join(map(_plain, value)))
    else:
        yield Fact(name, _plain(value))


def _plain(value: object) -> str:
    return MISSING if value is None else {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _row(answer: StoredAnswer, metrics: Sequence[str]) -> Row:
    sample, response = answer.sample, answer.response
    rank = {metric: at for at, metric in enumerate(metrics)}
    scores = sorted(answer.scores, key=lambda score: (rank.get(score.metric, len(rank)), score.metric))
    status = request_status(answer.status, (score.status for score in scores))
    expected = sample.answer_text or (sample.reference if sample.kind == "asr" else "")
    written = answer.text or expected
    return Row(
        system=answer.system,
        task=answer.task,
        id=sample.id,
        kind=sample.kind,
        status=status,
        message=answer.error or answer.heard_error or _reason(status, answer),
        question=sample.text,
        reference=sample.reference,
        aliases=sample.aliases,
        answer_text=sample.answer_text,
        text=answer.text,
        heard=answer.heard,
        true_heard=answer.truth_heard,
        finish_reason="" if response is None else response.finish_reason,
        text_diff=_scored_alignment(scores) or (word_diff(expected, answer.text) if expected and answer.text else ()),
        heard_diff=word_diff(written, answer.heard) if written and answer.heard else (),
        scores=tuple(
            ScoreView(s.metric, None if math.isnan(s.value) else s.value, s.kind, s.status, _note(s)) for s in scores
        ),
        input_audio=answer.input_audio or "",
        answer_audio=answer.audio or "",
        true_audio=answer.truth_audio or "",
        metadata=dict(sample.metadata),
        latency=_latency(answer),
        trace=None if response is None else response.trace,
        codes=0 if response is None else len(response.audio_codes or ()),
        sample_rate=0 if response is None else response.sample_rate,
    )


def _reason(status: Status, answer: StoredAnswer) -> str:
    """Why a request is ``empty``; for all else the message comes from elsewhere."""
    if status != "empty":
        return ""
    missing = [] if _has_words(answer.text) else ["no word was written"]
    if answer.audio is None and answer.sample.kind == "qa":
        missing.append("nothing was said")
    elif answer.heard is not None and not _has_words(answer.heard):
        missing.append("no word was heard in what was said")
    return " and ".join(missing)


def _has_words(text: str) -> bool:
    return any(map(str.isalnum, text))


def _scored_alignment(scores: Sequence[Score]) -> tuple[DiffChunk, ...]:
    """The alignment behind the word error rate: what is marked is what was counted, after normalisation."""
    for score in scores:
        segments = score.detail.get("alignment")
        if score.metric == "wer" and score.status == "ok" and isinstance(segments, list):
            return tuple(DiffChunk(entry["op"], entry["ref"], entry["hyp"]) for entry in segments)
    return ()


def _note(score: Score) -> str:
    """How a score came about, from its detail."""
    detail = score.detail
    if score.kind == "rate" and "substitutions" in detail:
        edits = f"{detail['substitutions']} substituted, {detail['deletions']} missing, {detail['insertions']} added"
        return f"{edits}, of {score.denominator:g}"
    matched = detail.get("matched")
    return f"found “{matched}”" if matched else ""


def _latency(answer: StoredAnswer) -> Latency:
    """The figures of one request, by the definitions of the latency probe."""
    response = answer.response
    if response is None:
        return Latency()
    n_codes = len(response.audio_codes or ())
    timed = Timed(response.trace, n_codes, response.sample_rate, answer.answer_s, answer.input_s)
    found = {figure.metric: figure.value for figure in figures(timed, speaks=timed.answer_s > 0)}
    return Latency(
        ttft_s=found.get("ttft"),
        ttfa_codes_s=found.get("ttfa_codes"),
        ttfa_wave_s=found.get("ttfa_wave"),
        complete_s=found.get("latency"),
        rtf=found.get("rtf", found.get("rtf_input")),
        nfe_per_code=found.get("nfe_per_code"),
    )
