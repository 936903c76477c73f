"""Why a score that was asked for has no value in a whole run."""

from __future__ import annotations

from collections.abc import Sequence

from tttbench.core.sample import CONVERSATION
from tttbench.pipeline.scores import Column, applies, reason_to_skip
from tttbench.scorers.judged_conversations import JudgedConversation
from tttbench.store.manifest import Summary
from tttbench.store.run_directory import RunStore


def why_no_value(column: Column, store: RunStore, summary: Summary) -> str:
    """Return the end of a sentence; ``""`` where the summary says it: all answers that could have it are errors."""
    manifest, scorer = store.manifest, column.scorer
    tasks = [name for name, task in manifest.tasks.items() if any(one.id == column.id for one in task.scores)]
    could_have_it = {
        (label, name)
        for label, system in manifest.systems.items()
        for name in tasks
        if not reason_to_skip(system, manifest.tasks[name])
        and applies(scorer, None if system.card is None else system.card.capability.produces)
    }
    if could_have_it and could_have_it <= {(one.system, one.task) for one in summary.unanswered}:
        return ""
    if could_have_it and isinstance(scorer, JudgedConversation) and not _has_whole_conversation(tasks, store):
        return (
            f"no conversation of this run is complete, as no sample of {', '.join(tasks)} has the metadata "
            f"{CONVERSATION!r}, which the last round has (a limit may leave that out)"
        )
    return f"no system of this run gives what it reads ({' and '.join(sorted(scorer.reads))})"


def _has_whole_conversation(tasks: Sequence[str], store: RunStore) -> bool:
    return any(CONVERSATION in one.sample.metadata for name in tasks for one in store.samples(name))
