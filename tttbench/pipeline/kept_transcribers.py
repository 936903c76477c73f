"""What transcribes in a run that is resumed: the same as before, unless the call names another.

A transcriber that is chosen anew could be another one, as what is on the machine, the device or the suite may have
changed: everything would be transcribed again, and scores of one id would mean something else than before.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tttbench.config.suite import AUTO
from tttbench.core.scorer import ScoreSpec
from tttbench.pipeline.full_names import WHISPER, is_bare, named_in_full
from tttbench.store.run_directory import RunStore

log = logging.getLogger("tttbench")


@dataclass(frozen=True)
class KeptTranscribers:
    """The transcribers of a run that is resumed.

    Attributes:
        scores: of the run, by task.
        given: ``--transcriber`` of the call that resumes it; None without. ``auto``, and ``whisper`` without a model,
            leave the choice open, and so is what is begun with them when it is resumed with the same command.
    """

    scores: Mapping[str, Sequence[ScoreSpec]]
    given: str | None = None

    def in_scores(self, task: str, scores: Iterable[ScoreSpec]) -> tuple[ScoreSpec, ...]:
        """Return scores as they are asked for now, each with the transcriber that the run has for it, if it names none.

        Those whose id the run doesn't have are as they were.
        """
        known = {one.id: one for one in self.scores.get(task, ())}
        return tuple(self._kept(one, known.get(one.id)) for one in scores)

    def in_place_of(self, task: str, transcriber: str) -> str:
        """Return what transcribes for all other scores of a task; ``transcriber`` is what would if the run were new."""
        names = (one.options.get("transcriber", "") for one in self.scores.get(task, ()))
        return next((name for name in names if name and _fits(name, self.given)), transcriber)

    def tell(self, task: str, scores: Sequence[ScoreSpec], of_new_run: Sequence[ScoreSpec]) -> None:
        """Warn of scores that would have another transcriber in a new run."""
        new = {one.id: one.options.get("transcriber", "") for one in of_new_run}
        pairs = ((one.options.get("transcriber", ""), new.get(one.id, "")) for one in scores)
        for kept, other in dict.fromkeys(pair for pair in pairs if all(pair) and pair[0] != pair[1]):
            log.warning(
                "--resume: task %s: %s goes on transcribing, as in the run so far; a new run would take %s "
                "(--transcriber %s transcribes everything again by that).",
                *(task, kept, other, other),
            )

    def _kept(self, spec: ScoreSpec, known: ScoreSpec | None) -> ScoreSpec:
        name = "" if known is None or known.scorer != spec.scorer else known.options.get("transcriber", "")
        asked = spec.options.get("transcriber", self.given)
        if not name or not _fits(name, asked):
            return spec
        return replace(spec, options={**spec.options, "transcriber": name})


def kept_transcribers(folder: Path, given: str | None) -> KeptTranscribers:
    """Return those of the run in ``folder``; ``given``: see ``KeptTranscribers``.

    Raises:
        UserError: there is no run, or it can't be read.
    """
    with RunStore.open(folder) as store:
        manifest = named_in_full(store.manifest)
    return KeptTranscribers({name: task.scores for name, task in manifest.tasks.items()}, given)


def _fits(transcriber: str, asked: str | None) -> bool:
    """Whether a transcriber may stay where ``asked`` is asked for; None: nothing is."""
    if asked is None or asked == AUTO:
        return True
    return is_bare(asked) and transcriber.partition(":")[0] == WHISPER
