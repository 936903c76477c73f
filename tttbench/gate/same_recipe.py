"""Scores of a run that were made as a baseline's of another id were: those are the ones to compare.

A run scores ``wer`` by today's rules and, as ``wer_whisper-en``, by Whisper's, which older baselines call ``wer``.
"""

from __future__ import annotations

from dataclasses import replace

from tttbench.gate.snapshot import Metric, Snapshot
from tttbench.gate.verdict import Noted


def with_baseline_recipes(baseline: Snapshot, run: Snapshot) -> tuple[Snapshot, tuple[Noted, ...]]:
    """Return ``run`` with scores under the ids that the baseline has for their recipes, and what was replaced.

    A score whose recipe the run has nowhere stays, and what the run doesn't score at all is left out as before.
    """
    taken: dict[tuple[str, str, str], Metric] = {}
    for before in baseline.metrics:
        now = run.metric(before.system, before.task, before.name)
        if now is None or now.recipe == before.recipe:
            continue
        place = (before.system, before.task)
        same = (one for one in run.metrics if (one.system, one.task) == place and one.recipe == before.recipe)
        if (found := next(same, None)) is not None:
            taken[(*place, before.name)] = found
    kept = [one for one in run.metrics if (one.system, one.task, one.name) not in taken]
    metrics = (*kept, *(replace(found, name=name) for (_, _, name), found in taken.items()))
    named = dict.fromkeys((name, found.name) for (_, _, name), found in taken.items())
    notes = tuple(Noted(f"the run's score with the baseline's recipe of {name}", name, own) for name, own in named)
    return replace(run, metrics=metrics), notes
