"""Whether a baseline still fits what is installed: data, scorers, age. Compares no runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from tttbench.core.errors import UserError
from tttbench.core.plugins import build_scorer, build_task
from tttbench.core.scorer import ScoreSpec
from tttbench.data.samples import list_samples
from tttbench.gate.baseline_file import Baseline
from tttbench.gate.snapshot import Metric, Snapshot
from tttbench.pipeline.default_scores import WHISPER_ENGLISH
from tttbench.pipeline.plan import listing_sha256
from tttbench.scorers.former import former_score

OLD_DAYS = 90
"""A baseline that is older is pointed out: the machine and the versions below have moved on."""


def staleness(baseline: Baseline, now: datetime | None = None) -> list[str]:
    """Return why a run of today would not, or should not, be compared with ``baseline``; none if it would."""
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
            samples = [sample for sample in list_samples(task) if sample.id in facts.samples]
            references = {sample.id: sample.reference for sample in samples}
        except UserError:  # not here, or it can't be built or listed: of its data nothing is known
            continue
        if facts.listing_sha256:
            others = listing_sha256(samples, task.language) != facts.listing_sha256
        else:  # of before 0.2, an entry a sample
            others = any(one not in references for one in facts.samples)
        if others or any(facts.samples[one].reference != reference for one, reference in references.items()):
            found.append(f"the data of {name} have changed")
    return found


def _recipes(snapshot: Snapshot) -> list[str]:
    """Scores whose scorer, of the same name, makes them otherwise now. Who transcribes is the run's choice."""
    found = []
    for metric in {one.name: one for one in snapshot.metrics}.values():
        try:
            options = {"oracle": metric.recipe.options.removeprefix("oracle=")} if metric.recipe.options else {}
            recipe = build_scorer(ScoreSpec(metric.recipe.scorer.partition("@")[0], metric.name, options)).recipe({})
        except Exception:  # an unknown scorer, one whose options aren't known, or a third party's whose recipe raises
            continue
        same = {"transcriber": "", "judge": "", "prompt_sha256": ""}
        if metric.recipe.scorer.partition("@")[0] == metric.name and replace(recipe, **same) != replace(
            metric.recipe, **same
        ):
            found += _otherwise(metric)
    return found


def _otherwise(metric: Metric) -> list[str]:
    """A score that is made otherwise now; none if every run has it made as then, too."""
    former = former_score(metric.recipe)
    if former == f"{WHISPER_ENGLISH.scorer}:recipe={WHISPER_ENGLISH.options['recipe']}":
        return []
    how = f" (runs to compare with it need --add {former})" if former else ""
    return [f"{metric.name} is scored differently now{how}"]
