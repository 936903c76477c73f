"""Results corrected by a person's labels, and by what a label finds its answer. Draws and reads no sheets."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence

from tttbench.core.metric import Corrected, Score
from tttbench.pipeline.scores import Column
from tttbench.scorers.aggregate import cluster_labels
from tttbench.stats.prediction_powered import corrected_mean
from tttbench.store.manifest import Manifest
from tttbench.store.rows import AnswerKey, StoredAnswer


def graded_text(score: Score) -> str | None:
    """Return the text that a score is of, as scorers of answers keep it; None if it keeps none."""
    found = score.detail.get("answer")
    return found if isinstance(found, str) else None


def is_counted(score: Score) -> bool:
    """Whether a score has part in its result."""
    return score.status != "derivation_failed" and math.isfinite(score.value)


def is_open(score: Score) -> bool:
    """Whether a person could see it otherwise: there is an answer, and it was graded."""
    return is_counted(score) and score.status == "ok" and bool(graded_text(score))


def item_of(manifest: Manifest, key: AnswerKey, score_id: str, score: Score) -> str:
    """Return what names a graded answer in sheets: that of no other run, task or text.

    Scoring again and resuming change none of it. Digits behind a letter, as spreadsheets take ``1234e5678`` for a
    number.
    """
    task, system = manifest.tasks[key.task], manifest.systems[key.system]
    began = manifest.sessions[0].started_at if manifest.sessions else ""
    card = "" if system.card is None else system.card.digest
    run = [began, manifest.suite.seed, task.listing_sha256, card]
    parts = [run, key.system, key.task, key.sample, key.repeat, score_id, graded_text(score)]
    return f"i{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:20]}"


def corrected_results(
    label: str,
    task: str,
    scored: Sequence[tuple[StoredAnswer, Mapping[str, Score]]],
    columns: Sequence[Column],
    manifest: Manifest,
    labels: Mapping[str, float],
) -> Iterator[Corrected]:
    """Yield a system's results on a task as labels correct them: of the scores that have any.

    Args:
        label, task: whose.
        scored: its answers with their scores.
        columns: the scores.
        manifest: of the run.
        labels: by ``item_of``.
    """
    for column in columns if labels else ():
        with_it = [
            (one, scores[column.id]) for one, scores in scored if column.id in scores and is_counted(scores[column.id])
        ]
        given = [
            labels.get(item_of(manifest, one.key, column.id, score), math.nan) if is_open(score) else math.nan
            for one, score in with_it
        ]
        labeled = [(value, score.value) for value, (_, score) in zip(given, with_it, strict=True) if value == value]
        if not labeled:
            continue
        info = column.scorer.info
        values = [score.value for _, score in with_it]
        found = corrected_mean(
            info,
            values,
            [is_open(score) for _, score in with_it],
            given,
            seed=manifest.suite.seed % 2**32,
            clusters=cluster_labels([one.sample.sample for one, _ in with_it]),
        )
        differ = sum(one != other for one, other in labeled)
        raw = math.fsum(values) / len(values)
        yield Corrected(
            *(label, task, column.id, found.estimate, found.low, found.high, raw, len(values), len(labeled), differ)
        )
