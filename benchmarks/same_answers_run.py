"""What ``same_answers.py`` reads of a run directory: the one place that knows how it is laid out (format 2).

Another format is read by changing ``read_run`` and ``read_results`` so that they give the same values under the same
names: then hashes of runs made before and after a change of the format can be compared.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FORMAT = 2


class ComparisonError(Exception):
    """There is nothing to compare with or to compare; the message says why and what to do."""


@dataclass(frozen=True)
class Score:
    """One metric of one answer. ``normalized``: the texts that were compared, where the run keeps them."""

    value: float | None
    numerator: float | None
    denominator: float | None
    status: str
    normalized: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """What a run keeps of one answer; None for what there isn't. The reference audio counts as a system.

    ``codes``: None also where there are none. ``steps``: for each code the forward pass that committed it.
    ``transcript``: what the run's transcriber wrote of the spoken answer.
    """

    system: str
    task: str
    sample: str
    text: str | None
    codes: tuple[int, ...] | None
    finish_reason: str | None
    nfe: int | None
    steps: tuple[int, ...] | None
    status: str | None
    transcript: str | None
    scores: Mapping[str, Score]


@dataclass(frozen=True)
class Result:
    """One metric of a system on a task; ``counts``: samples by status, where there are any."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    counts: Mapping[str, int]


def read_run(folder: Path) -> Iterator[Answer]:
    """Yield the answers of a run directory of format 2, each task's in the order of its samples.

    Expected: ``manifest.json`` with ``format`` 2 and the transcriber's ``judge.recipe``; ``journal.sqlite`` with the
    tables ``samples``, ``answers`` (the response as JSON), ``transcripts`` (by the recording's sha256) and ``scores``
    (the score as JSON; ``detail`` holds the normalized texts). The scores of the
    reference audio stand under a system of their own.

    Raises:
        ComparisonError: the folder isn't such a run.
    """
    manifest = _manifest(folder)
    journal = sqlite3.connect(f"{(folder / 'journal.sqlite').resolve().as_uri()}?mode=ro", uri=True)
    try:
        scores: dict[tuple[str, str, str], dict[str, Score]] = {}
        for system, task, sample, metric, content in journal.execute(
            "SELECT system, task, sample, metric, content FROM scores"
        ):
            scores.setdefault((system, task, sample), {})[metric] = _score(json.loads(content))
        rows = journal.execute(
            "SELECT a.system, a.task, a.sample, a.status, a.answer, t.text FROM answers a "
            "JOIN samples s ON s.task = a.task AND s.sample = a.sample "
            "LEFT JOIN transcripts t ON t.audio_sha256 = a.audio_sha256 AND t.recipe = ?1 "
            "UNION ALL SELECT DISTINCT c.system, c.task, c.sample, NULL, NULL, t.text FROM scores c "
            "JOIN samples s ON s.task = c.task AND s.sample = c.sample "
            "LEFT JOIN transcripts t ON t.audio_sha256 = s.truth_sha256 AND t.recipe = ?1 "
            "WHERE c.system = 'true recordings' ",
            (manifest["judge"]["recipe"],),
        ).fetchall()
        position = {
            (task, sample): at for task, sample, at in journal.execute("SELECT task, sample, position FROM samples")
        }
    except sqlite3.Error as error:
        raise ComparisonError(f"{folder / 'journal.sqlite'}: not a journal of format 2 ({error})") from error
    finally:
        journal.close()
    for system, task, sample, status, content, transcript in sorted(
        rows, key=lambda row: (row[1], row[0], position[row[1], row[2]])
    ):
        response = json.loads(content) if content else {}
        yield Answer(
            system=system,
            task=task,
            sample=sample,
            text=response.get("text"),
            codes=tuple(response.get("audio_codes") or ()) or None,
            finish_reason=response.get("finish_reason"),
            nfe=response["trace"]["nfe"] if response else None,
            steps=tuple(response["trace"]["commit_step"]) or None if response else None,
            status=status,
            transcript=transcript,
            scores=scores.get((system, task, sample), {}),
        )


def read_results(folder: Path) -> dict[tuple[str, str], dict[str, Result]]:
    """Results of a run directory of format 2 by system and task, then metric: ``summary.json``'s three lists of them.

    Raises:
        ComparisonError: the folder isn't such a run, or one that has not come to its end.
    """
    _manifest(folder)
    if not (folder / "summary.json").is_file():
        raise ComparisonError(f"{folder}: has no summary.json, the run has not come to its end; finish it first")
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    found: dict[tuple[str, str], dict[str, Result]] = {}
    for one in (*summary["results"], *summary["gaps"], *summary["ceiling"]):
        counts = {name: one[name] for name in ("ok", "empty", "unparsed", "judge_failed", "error") if one[name]}
        value, low, high = (_rounded(one[name]) for name in ("value", "ci_low", "ci_high"))
        result = Result(value, low, high, one["n"], counts)
        found.setdefault((one["system"], one["task"]), {})[one["metric"]] = result
    return found


def _manifest(folder: Path) -> dict[str, Any]:
    if not (folder / "manifest.json").is_file() or not (folder / "journal.sqlite").is_file():
        raise ComparisonError(f"{folder}: holds no run (no manifest.json and journal.sqlite)")
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    if manifest.get("format") != FORMAT:
        raise ComparisonError(f"{folder}: has format {manifest.get('format')}, this benchmark reads {FORMAT}")
    return manifest


def _score(content: Mapping[str, Any]) -> Score:
    detail = content.get("detail") or {}
    expected = detail.get("expected") or ()
    texts = (detail.get("reference"), detail.get("hypothesis"), detail.get("normalized"), *expected)
    value, numerator, denominator = (_rounded(content[name]) for name in ("value", "numerator", "denominator"))
    return Score(value, numerator, denominator, content["status"], tuple(text for text in texts if text is not None))


def _rounded(value: float | None) -> float | None:
    """To 12 significant digits; None stays, it stands for NaN."""
    return None if value is None else float(f"{float(value):.12g}")
