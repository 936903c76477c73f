"""The scores of a run: which scorers apply to which system's answers, built once. Scores nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from functools import partial

from tttbench.core.blame import blamed
from tttbench.core.errors import UserError
from tttbench.core.plugins import build_scorer
from tttbench.core.sample import Sample
from tttbench.core.scorer import CorpusScorer, Scorer, ScoreSpec
from tttbench.core.scores import score_spec
from tttbench.core.task import why_not
from tttbench.scorers.edit_rates import transcriber_errors
from tttbench.store.manifest import Manifest, SystemEntry, TaskEntry


@dataclass(frozen=True)
class Column:
    """A score of a task: its id, and the scorer that was built for it."""

    id: str
    scorer: Scorer


class Columns:
    """The scores of every task of a run."""

    def __init__(self, manifest: Manifest, wrapped: Callable[[Scorer], Scorer] = lambda scorer: scorer) -> None:
        """Build all scorers, each ``wrapped``; raises ``UserError`` for a scorer or option that there isn't."""
        self._by_task = {
            name: tuple(Column(one.id, wrapped(one.scorer)) for one in columns(task.scores))
            for name, task in manifest.tasks.items()
        }
        self._specs = {name: task.scores for name, task in manifest.tasks.items()}
        self._wrapped = wrapped
        self._of_transcribers = self._own_errors(lambda task: manifest.tasks[task].language)

    def of_corpora(self, samples: Callable[[str], Sequence[Sample]], language: Callable[[str], str]) -> Columns:
        """Return the same with what is known of the samples: of a corpus, and of the language of the answers.

        Args:
            samples: lists those of a task.
            language: of a task's answers; before, the errors of transcribers are counted as the task's own language
                has it, in which the answers needn't be.

        Raises:
            UserError: the samples of a task can't tell what a scorer takes of them.
        """
        by_task = {}
        for task, own in self._by_task.items():
            by_task[task] = of_corpus(own, partial(samples, task), f"task {task!r}: scores")
        found = copy(self)
        found._by_task = by_task
        found._of_transcribers = self._own_errors(language)
        return found

    def _own_errors(self, language: Callable[[str], str]) -> dict[str, tuple[Column, ...]]:
        return {
            task: tuple(Column(one.id, self._wrapped(one.scorer)) for one in _own_errors(transcribers, language(task)))
            for task, specs in self._specs.items()
            if (transcribers := _transcribers(specs))
        }

    def of_task(self, task: str) -> Sequence[Column]:
        """All scores of a task, in table order."""
        return self._by_task[task]

    def of_system(self, label: str, system: SystemEntry, task: str) -> Sequence[Column]:
        """Those that apply to what a system produces: no metrics of speech for one that only writes."""
        produces = None if system.card is None else system.card.capability.produces
        return [one for one in self._by_task[task] if applies(one.scorer, produces) and not _compares(one, label)]

    def of_reference(self, task: str) -> Sequence[Column]:
        """Those that the topline holds: what is spoken, against right answers, and transcribers' errors; no gaps."""
        spoken = (one for one in self._by_task[task] if "audio" in one.scorer.reads)
        return [*(one for one in spoken if one.scorer.info.direction != "none"), *self.of_transcribers(task)]

    def of_transcribers(self, task: str) -> Sequence[Column]:
        """Those that reference audio alone has: the errors of each transcriber itself."""
        return self._of_transcribers.get(task, ())

    def __iter__(self) -> Iterator[Column]:
        """All scores of all tasks."""
        for found in self._by_task.values():
            yield from found


def _transcribers(specs: Sequence[ScoreSpec]) -> list[str]:
    return list(dict.fromkeys(one.options["transcriber"] for one in specs if one.options.get("transcriber")))


def _own_errors(transcribers: Sequence[str], language: str) -> Iterator[Column]:
    """What each transcriber gets wrong by itself; ids as those of scores, of several with its name."""
    for at, name in enumerate(transcribers):
        scorer = transcriber_errors(name, language)
        yield Column(scorer.name if not at else score_spec(scorer.name, "", {"transcriber": name}, "").id, scorer)


def columns(specs: Sequence[ScoreSpec]) -> tuple[Column, ...]:
    """Build the scorers of ``specs``."""
    return tuple(Column(spec.id, build_scorer(spec)) for spec in specs)


def of_corpus(own: Sequence[Column], samples: Callable[[], Sequence[Sample]], where: str) -> tuple[Column, ...]:
    """Return the scores of a task, those of a corpus with its samples; ``where`` begins messages."""
    found = []
    for column in own:
        scorer = column.scorer
        with blamed(f"{where}: {column.id!r}"):
            if isinstance(scorer, CorpusScorer):
                try:
                    column = Column(column.id, scorer.of_corpus(samples()))
                except UserError as error:
                    raise UserError(f"{where}: {error}") from error
        found.append(column)
    return tuple(found)


def derivers_of(specs: Iterable[ScoreSpec]) -> list[str]:
    """Names of the derivers that scores are sure to need, each once: transcribers, judges and those of plug-ins."""
    found: dict[str, None] = {}
    for spec in specs:
        if transcriber := spec.options.get("transcriber"):
            found[f"transcriber:{transcriber}"] = None
        found |= dict.fromkeys(getattr(build_scorer(spec), "derivers", ()))
    return list(found)


def applies(scorer: Scorer, produces: frozenset[str] | None) -> bool:
    """Whether a system that produces that can be scored; None: what it produces isn't known."""
    if produces is None or "audio" in produces:
        return True
    return not scorer.reads & {"audio", "codes"}


def _compares(column: Column, label: str) -> bool:
    """Whether the score compares with the very system it is of."""
    return getattr(column.scorer, "oracle", None) == label


def reason_to_skip(system: SystemEntry, task: TaskEntry) -> str:
    """Why a system isn't given a task; ``""`` if it is, or if what it is capable of isn't known yet."""
    if system.card is None:
        return ""
    return why_not(system.card.capability, task.needs, task.family, task.language)
