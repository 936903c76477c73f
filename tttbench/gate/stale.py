"""Whether a baseline still fits what is installed: data, scorers, age. Compares no runs."""

from __future__ import annotations

from datetime import UTC, datetime

from tttbench.core.records import Sample
from tttbench.core.registry import build_task, scorers
from tttbench.core.scorer import Answer
from tttbench.core.task import fingerprint_samples
from tttbench.gate.baseline_file import Baseline
from tttbench.gate.snapshot import Snapshot

OLD_DAYS = 90
"""A baseline that is older is pointed out: the machine and the versions below have moved on."""


def staleness(baseline: Baseline, now: datetime | None = None) -> list[str]:
    """Return why a run of today would not be comparable with ``baseline``, or had better not be; none if it would."""
    snapshot = baseline.snapshot
    return [*_age(snapshot, now or datetime.now(UTC)), *_data(snapshot), *_recipes(snapshot)]


def _age(snapshot: Snapshot, now: datetime) -> list[str]:
    try:
        days = (now - datetime.fromisoformat(snapshot.made_at)).days
    except (ValueError, TypeError):
        return ["it doesn't say when it was made"]
    return [f"{days} days old"] if days > OLD_DAYS else []


def _data(snapshot: Snapshot) -> list[str]:
    """Tasks that bring their data; those of the user's own folders can't be looked up."""
    found = []
    for name, facts in snapshot.tasks.items():
        if not facts.own_data:
            continue
        try:
            task = build_task(name)
            samples = [sample for sample in task.samples(None) if sample.id in facts.samples]
            own = task.data_fingerprint
            now = fingerprint_samples(samples) if own is None else own(None)
        except Exception:  # a third party's code, asked for what it need not have
            continue
        if now != facts.data_sha256:
            found.append(f"the data of {name} have changed")
    return found


def _recipes(snapshot: Snapshot) -> list[str]:
    """A scorer tells its recipe with any score."""
    found = []
    for metric in {one.name: one for one in snapshot.metrics}.values():
        try:
            scorer = scorers.get(metric.name)
            sample = Sample(id="", kind=snapshot.tasks[metric.task].kind, audio=None, reference="one")
            recipe = scorer.score(sample, Answer("one", "one", "ok", snapshot.judge)).recipe
        except Exception:  # likewise: an unknown scorer, or one that needs more of a sample
            continue
        if recipe != metric.recipe:
            found.append(f"{metric.name} is scored differently now")
    return found
