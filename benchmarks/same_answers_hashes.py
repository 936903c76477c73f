"""A run as hashes of its answers, the file that keeps them, and what differs between two of them.

Each kind of content (text, codes, status, number of forward passes and which of them committed each code, transcript,
each metric's scores and normalized texts) has for each system and task one digest of all samples, which decides, and
a few digits of every sample's hash, which name those that differ. Numbers have 12 significant digits.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.same_answers_run import Answer, ComparisonError, Result, read_results, read_run

WIDTH = 6
"""Hexadecimal digits kept of a sample's hash."""
ABSENT = "." * WIDTH
SHOWN = 6
"""Sample ids in a line; the rest is counted."""


@dataclass(frozen=True)
class Cell:
    """A system on a task. ``hashes``: kind of content → digest of all samples and the packed hashes of each."""

    system: str
    task: str
    hashes: Mapping[str, str]
    results: Mapping[str, Result]


@dataclass(frozen=True)
class Section:
    """One run, reduced. ``made``: when, by which versions, on what. ``samples``: task → ids, in the hashes' order."""

    command: str
    made: Mapping[str, Any]
    samples: Mapping[str, Sequence[str]]
    cells: Sequence[Cell]


def reduce_run(folder: Path, command: str, made: Mapping[str, Any]) -> tuple[Section, list[Answer]]:
    """Return a run directory as hashes, and the answers themselves."""
    answers, results = list(read_run(folder)), read_results(folder)
    samples: dict[str, list[str]] = {}
    cells: dict[tuple[str, str], dict[str, Answer]] = {key: {} for key in results}
    for one in answers:
        if one.sample not in samples.setdefault(one.task, []):
            samples[one.task].append(one.sample)
        cells.setdefault((one.system, one.task), {})[one.sample] = one
    reduced = [
        Cell(system, task, _hashes(samples[task], found), results.get((system, task), {}))
        for (system, task), found in cells.items()
    ]
    return Section(command, made, samples, reduced), answers


def _contents(answer: Answer) -> dict[str, object]:
    """The answer by kind of content, as JSON values; None for what there isn't."""
    found: dict[str, object] = {
        "text": answer.text,
        "codes": answer.codes,
        "status": None if answer.status is None else [answer.status, answer.finish_reason],
        "nfe": answer.nfe,
        "steps": answer.steps,
        "transcript": answer.transcript,
    }
    for metric, score in sorted(answer.scores.items()):
        found[f"score {metric}"] = [score.value, score.numerator, score.denominator, score.status]
        found[f"normalized {metric}"] = score.normalized or None
    return found


def _hashes(samples: Sequence[str], answers: Mapping[str, Answer]) -> dict[str, str]:
    contents = {sample: _contents(answer) for sample, answer in answers.items()}
    hashes = {}
    for kind in dict.fromkeys(kind for one in contents.values() for kind in one):
        values = {sample: contents.get(sample, {}).get(kind) for sample in samples}
        full = {sample: _sha256(value) for sample, value in values.items() if value is not None}
        if full:
            short = [full.get(sample, ABSENT)[:WIDTH] for sample in samples]
            packed = f"{short[0]}*" if len(set(short)) == 1 else "".join(short)
            hashes[kind] = f"{_sha256(full)[:16]} {packed}"
    return hashes


def _sha256(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()


def _unpacked(hashes: str, samples: Sequence[str]) -> dict[str, str]:
    packed = hashes.partition(" ")[2]
    if packed.endswith("*"):
        return dict.fromkeys(samples, packed[:-1])
    return {sample: packed[WIDTH * at : WIDTH * (at + 1)] for at, sample in enumerate(samples)}


def differences(old: Section, new: Section, answers: Sequence[Answer]) -> list[str]:
    """Return lines to read: for each system and task the kinds, samples and results that differ; none if all is equal.

    Args:
        old: what is expected.
        new: what was found.
        answers: those of ``new``: the first that differs is shown.
    """
    was, now = ({(one.system, one.task): one for one in section.cells} for section in (old, new))
    contents = {(one.system, one.task, one.sample): _contents(one) for one in answers}
    lines = []
    for system, task in dict.fromkeys((*was, *now)):
        found = []
        if (system, task) not in now:
            found = ["not in the run"]
        elif (system, task) not in was:
            found = ["not in the file"]
        else:
            before, after = was[system, task], now[system, task]
            for kind in dict.fromkeys((*before.hashes, *after.hashes)):
                one, other = before.hashes.get(kind, ""), after.hashes.get(kind, "")
                # `one` is "" where the kind is new: then each sample that has it differs.
                first, second = (
                    _unpacked(hashes or f" {ABSENT}*", section.samples.get(task, ()))
                    for hashes, section in ((one, old), (other, new))
                )
                ids = [at for at in dict.fromkeys((*first, *second)) if first.get(at, ABSENT) != second.get(at, ABSENT)]
                if ids:
                    show = contents.get((system, task, ids[0]), {}).get(kind)
                    found.append(_told(kind, ids, len({**first, **second}), show))
                elif one.partition(" ")[0] != other.partition(" ")[0]:
                    found.append(f"{kind}: the samples' order, or one whose short hash is equal by chance")
            for metric in dict.fromkeys((*before.results, *after.results)):
                value, later = before.results.get(metric), after.results.get(metric)
                if value != later:
                    found.append(f"result {metric}: {_shown(value)} -> {_shown(later)}")
        lines += [f"  {system} · {task}", *(f"    {line}" for line in found)] if found else []
    return lines


def _told(kind: str, ids: Sequence[str], n: int, now: object) -> str:
    more = f" and {len(ids) - SHOWN} more" if len(ids) > SHOWN else ""
    text = json.dumps(now, ensure_ascii=False)
    text = text if len(text) <= 100 else f"{text[:97]}..."
    return f"{kind}: {len(ids)} of {n} samples: {', '.join(ids[:SHOWN])}{more}; {ids[0]} now {text}"


def _shown(result: Result | None) -> str:
    if result is None:
        return "none"
    counts = ", ".join(f"{count} {status}" for status, count in result.counts.items())
    return f"{result.value} [{result.low}, {result.high}] n={result.n} ({counts})"


def load_sections(path: Path) -> dict[str, Section]:
    """Read the file; no sections where there is none.

    Raises:
        ComparisonError: the file isn't one of this benchmark's.
    """
    if not path.exists():
        return {}
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))["sections"]
        return {name: _section(one) for name, one in plain.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ComparisonError(f"{path}: not a file of this benchmark ({error!r}); restore it") from error


def _section(plain: Mapping[str, Any]) -> Section:
    cells = [
        Cell(**{**one, "results": {metric: Result(**result) for metric, result in one["results"].items()}})
        for one in plain["cells"]
    ]
    return Section(plain["command"], plain["made"], plain["samples"], cells)


def save_sections(path: Path, sections: Mapping[str, Section]) -> None:
    """Write the file, one line for each system and task, so that a change of it can be read."""
    parts = []
    for name, one in sections.items():
        ids = ",\n".join(f"   {json.dumps(task)}: {json.dumps(ids)}" for task, ids in one.samples.items())
        cells = ",\n".join(f"   {json.dumps(asdict(cell), separators=(',', ':'))}" for cell in one.cells)
        parts.append(
            f'  {json.dumps(name)}: {{\n   "command": {json.dumps(one.command)},\n   "made": {json.dumps(one.made)},\n'
            f'   "samples": {{\n{ids}\n   }},\n   "cells": [\n{cells}\n   ]\n  }}'
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(
        '{\n "benchmark": "same_answers",\n "sections": {\n' + ",\n".join(parts) + "\n }\n}\n", encoding="utf-8"
    )
    partial.replace(path)
