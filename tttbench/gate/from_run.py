"""A run directory as a snapshot. Knows the store; compares nothing."""

from __future__ import annotations

import sqlite3
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tttbench.core.errors import UserError
from tttbench.core.records import Conditions
from tttbench.gate.snapshot import (
    Metric,
    Outcome,
    Peace,
    Said,
    SampleFacts,
    Snapshot,
    SystemFacts,
    TaskFacts,
    Timing,
)
from tttbench.probes.latency import Timed, figures
from tttbench.store.rows import StoredAnswer
from tttbench.store.run_directory import RunStore

COMPARED_FIGURES = ("ttft", "ttfa_wave", "latency", "rtf", "rtf_input", "nfe_per_code")
"""Of all that a trace tells: what a user waits for, and the passes of the network that it costs."""


def snapshot_of(folder: Path) -> Snapshot:
    """Read the run in ``folder``, also one that was cut off.

    Raises:
        UserError: there is no run, or it can't be read.
    """
    try:
        return _read(folder)
    except sqlite3.DatabaseError as error:
        raise UserError(f"{folder / 'journal.sqlite'}: damaged ({error}); restore it, or run again.") from error
    except KeyError as error:
        raise UserError(
            f"{folder}: field {error} is missing in manifest.json or summary.json; restore it, or run again."
        ) from error
    except (TypeError, AttributeError, ValueError) as error:
        raise UserError(f"{folder}: manifest.json or summary.json is damaged: {error}; run again.") from error


def _read(folder: Path) -> Snapshot:
    with RunStore.open(folder) as store:
        manifest = store.manifest
        summary = store.summary if (folder / "summary.json").is_file() else {}
        answers: dict[tuple[str, str], list[StoredAnswer]] = {}
        for answer in store.answers():
            answers.setdefault((answer.system, answer.task), []).append(answer)
        tasks = {
            name: TaskFacts(
                kind=task["kind"],
                instruction=task["instruction"],
                data_sha256=task["data_sha256"],
                own_data=task.get("data") is None,
                metrics=tuple(task["metrics"]),
                samples={
                    entry.sample.id: SampleFacts(entry.sample.reference, entry.sample.cluster)
                    for entry in store.samples(name)
                },
            )
            for name, task in manifest["tasks"].items()
        }
    sessions = manifest.get("sessions") or [{}]
    return Snapshot(
        source=str(folder),
        made_at=sessions[-1].get("ended_at") or "",
        suite=manifest["suite"]["name"],
        seed=manifest["suite"]["seed"],
        # A run that is gone on with has a summary of before.
        status=manifest["status"] if manifest["status"] in ("running", "interrupted") else summary.get("status", ""),
        expected=summary.get("expected", 0),
        answered=summary.get("answered", 0) or sum(map(len, answers.values())),
        judge=manifest["judge"]["recipe"],
        versions=manifest["versions"],
        machine=manifest["machine"],
        systems={
            label: _system(
                entry, {one.batch_size for key, found in answers.items() if key[0] == label for one in found}
            )
            for label, entry in manifest["systems"].items()
        },
        tasks=tasks,
        metrics=_metrics(summary, answers),
        timings=tuple(timing for (system, task), found in answers.items() for timing in _timings(system, task, found)),
        peace={key: peace for key, found in answers.items() if (peace := _peace(found)) is not None},
        said={key: {one.sample.id: _said(one) for one in found} for key, found in answers.items()},
    )


def _system(entry: Mapping[str, Any], batch_sizes: set[int]) -> SystemFacts:
    card = entry["card"]
    return SystemFacts(
        name=entry["name"],
        strategy=entry.get("used_strategy", entry["strategy"]),
        decode=entry["decode"],
        weights=card.get("weights_sha256") or "",
        # Requests without an answer were in no call.
        batch_sizes=tuple(sorted(batch_sizes - {0})),
        # Cards are free to say this in a word.
        settings=told if isinstance(told := card.get("decode", {}), Mapping) else {"decode": told},
        codec=card.get("codec_sha256") or "",
        prompts=prompts if isinstance(prompts := card.get("prompts", {}), Mapping) else {"": str(prompts)},
    )


def _metrics(
    summary: Mapping[str, Any], answers: Mapping[tuple[str, str], Sequence[StoredAnswer]]
) -> tuple[Metric, ...]:
    found = []
    for result in summary.get("results", []):
        name = result["metric"]
        scores = {
            answer.sample.id: score
            for answer in answers.get((result["system"], result["task"]), ())
            for score in answer.scores
            if score.metric == name
        }
        if scores:
            found.append(
                Metric(
                    system=result["system"],
                    task=result["task"],
                    name=name,
                    kind=next(iter(scores.values())).kind,
                    lower_is_better=result["lower_is_better"],
                    recipe=result["recipe"],
                    outcomes={
                        sample: Outcome(score.numerator, score.denominator, score.status)
                        for sample, score in scores.items()
                    },
                )
            )
    return tuple(found)


def _timings(system: str, task: str, answers: Sequence[StoredAnswer]) -> list[Timing]:
    speaks = any(answer.answer_s > 0 for answer in answers)
    units: dict[str, str] = {}
    values: dict[str, dict[str, float]] = {}
    for answer in answers:
        if answer.response is None:
            continue
        codes, rate = len(answer.response.audio_codes or ()), answer.response.sample_rate
        for figure in figures(Timed(answer.response.trace, codes, rate, answer.answer_s, answer.input_s), speaks):
            if figure.metric in COMPARED_FIGURES and figure.value > 0:
                units[figure.metric] = figure.unit
                values.setdefault(figure.metric, {})[answer.sample.id] = figure.value
    calls = _calls(answers)
    return [Timing(system, task, figure, units[figure], found, calls) for figure, found in values.items()]


def _calls(answers: Sequence[StoredAnswer]) -> dict[str, int]:
    """Answers of one call were watched together: they share its conditions."""
    numbers: dict[Conditions, int] = {}
    return {
        answer.sample.id: numbers.setdefault(answer.conditions, len(numbers))
        for answer in answers
        if answer.batch_size > 1 and answer.conditions is not None
    }


def _peace(answers: Sequence[StoredAnswer]) -> Peace | None:
    watched = [answer.conditions for answer in answers if answer.conditions is not None]
    if not watched:
        return None
    others = [one.others_cores for one in watched if one.others_cores is not None]
    return Peace(
        pace_s=statistics.median(one.pace_s for one in watched),
        others_cores=max(0.0, statistics.fmean(others)) if others else None,
    )


def _said(answer: StoredAnswer) -> Said:
    return Said(answer.text, answer.heard or "", answer.error or answer.heard_error)
