"""Of which tasks nobody can tell what of a spoken score is the transcriber's doing, as no right answer is recorded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tttbench.core.metric import TOPLINE, Result


def without_reference_audio(results: Iterable[Result]) -> tuple[str, ...]:
    """Return the tasks with scores of transcripts and none of reference audio, in the order of the results.

    Args:
        results: of a run, those of the reference audio among them.
    """
    found = list(results)
    told = {one.task for one in found if one.system == TOPLINE}
    return tuple(dict.fromkeys(one.task for one in found if one.recipe.transcriber and one.task not in told))


def unknown_errors(tasks: Sequence[str]) -> str:
    """Return the sentence that says so of tasks, by their names or titles; ``""`` of none."""
    if not tasks:
        return ""
    have = "has" if len(tasks) == 1 else "have"
    return f"The transcriber's own errors are unknown: {', '.join(tasks)} {have} no recordings of right answers."
