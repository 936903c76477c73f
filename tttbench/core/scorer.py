"""What a scorer is and what it sees of an answer. Knows no particular scorer; does no I/O."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from tttbench.core.derivation import Derived, Need
from tttbench.core.exchange import Status, Trace, Waveform
from tttbench.core.metric import MetricInfo, Score, plain_score
from tttbench.core.recipe import Recipe
from tttbench.core.sample import Sample


@dataclass(frozen=True)
class ScoreSpec:
    """A score as a task or suite asks for it: which scorer, with which options, under which id.

    ``SCORE[=ID]:OPTION=VALUE,…`` on the command line, a table in a suite.

    Attributes:
        scorer: name of the scorer, e.g. ``"wer"``.
        id: name of the column, of results and in rules; unique within a task.
        options: by name; the scorer refuses those that it doesn't know.
    """

    scorer: str
    id: str
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SpokenAudio:
    """A recording of the run: the sha256 of its file, its length, its rate in Hz."""

    sha256: str
    seconds: float
    sample_rate: int


class View(Protocol):
    """What a scorer sees of one answer: the system's, or the reference audio in its place."""

    @property
    def status(self) -> Status:
        """How the request ended before scoring: ``ok``, ``empty`` or ``error``."""
        ...

    @property
    def text(self) -> str:
        """The written answer; ``""`` after an error."""
        ...

    @property
    def audio(self) -> SpokenAudio | None:
        """The spoken answer; None if there is none."""
        ...

    def waveform(self) -> Waveform | None:
        """Read the spoken answer: mono float32, shape (n,), at ``audio.sample_rate``."""
        ...

    @property
    def input_s(self) -> float:
        """Seconds of audio that the system was given; 0 if it was given none."""
        ...

    @property
    def input_audio(self) -> SpokenAudio | None:
        """The audio of the request's last turn; None if it has none."""
        ...

    @property
    def reference_audio(self) -> SpokenAudio | None:
        """The recording of the sample's reference answer; None if there is none."""
        ...

    @property
    def codes(self) -> tuple[int, ...] | None:
        """The audio codes of the spoken answer; None if the system has none."""
        ...

    @property
    def codec(self) -> str:
        """Fingerprint of the codec of ``codes``; ``""`` if it isn't known."""
        ...

    @property
    def trace(self) -> Trace | None:
        """When everything happened; None after an error."""
        ...

    @property
    def finish_reason(self) -> str:
        """``"stop"``, ``"length"`` or a system's own word; ``""`` after an error."""
        ...

    def derived(self, need: Need) -> Derived | None:
        """The derivation that was asked for in ``Scorer.needs``; None if it hasn't been made (yet)."""
        ...

    def answer_to(self, sample_id: str) -> View | None:
        """The same system's answer to another round of a conversation, in the same repeat; None if there is none.

        Only in tasks with samples that have ``tttbench.core.sample.CONVERSATION`` in their metadata, or turns with
        ``answer_to``.
        """
        ...

    def peer(self, system: str) -> View | None:
        """Another system's answer to the same sample and repeat; None if there is none."""
        ...


class Scorer(Protocol):
    """A metric: one pure verdict per answer, and what is needed to aggregate and name it.

    Built from a ``ScoreSpec`` by what is registered with ``tttbench.core.registry.register_scorer``.
    """

    @property
    def info(self) -> MetricInfo:
        """How the metric is shown, aggregated and compared."""
        ...

    @property
    def reads(self) -> frozenset[str]:
        """What it needs of a system's answers: ``"text"``, ``"audio"``, ``"codes"``; others are left out."""
        ...

    def recipe(self, recipes: Mapping[str, str]) -> Recipe:
        """Return how its scores are made.

        Args:
            recipes: by deriver name, the recipe of each deriver that was built.
        """
        ...

    def needs(self, sample: Sample, view: View) -> Iterable[Need]:
        """Yield the derivations without which ``score`` can't be taken.

        Called again when those have been made, until nothing new is needed: a judge may need a transcript first.
        """
        ...

    def score(self, sample: Sample, view: View) -> Score | None:
        """Score one answer; None where the metric doesn't apply to it. Must not raise, whatever the answer holds."""
        ...


@runtime_checkable
class CorpusScorer(Protocol):
    """A scorer whose verdicts depend on all samples of a task, e.g. on how rare words are in their references."""

    def of_corpus(self, samples: Sequence[Sample]) -> Scorer:
        """Return the scorer for a task. Its recipe must name what it took of the samples.

        Raises:
            UserError: they can't tell what it needs.
        """
        ...


class ScorerFactory(Protocol):
    """Builds a scorer from the options of a spec."""

    def __call__(self, options: Mapping[str, str]) -> Scorer:
        """Build it. Raises ``UserError`` naming the option and the fix."""
        ...


Verdict = Callable[[Sample, View], Score | float | bool | None]
"""The shortest scorer: from a sample and what it sees of an answer to a value."""


class FunctionScorer:
    """A scorer made of a function, for metrics that need no options and no derivations."""

    def __init__(self, name: str, version: int, info: MetricInfo, reads: frozenset[str], verdict: Verdict) -> None:
        """Score with ``verdict``; a plain number becomes a score over 1."""
        self.info = info
        self.reads = reads
        self._name = f"{name}@{version}"
        self._verdict = verdict

    def recipe(self, recipes: Mapping[str, str]) -> Recipe:
        """Return name and version."""
        return Recipe(self._name)

    def needs(self, sample: Sample, view: View) -> Iterable[Need]:
        """Need nothing."""
        return ()

    def score(self, sample: Sample, view: View) -> Score | None:
        """Call the function; an answer that isn't there scores the worse end of the range, or has no value without."""
        if view.status == "error":
            worst = {"lower": self.info.most, "higher": self.info.least, "none": math.nan}[self.info.direction]
            return plain_score(worst if math.isfinite(worst) else math.nan, "error")
        found = self._verdict(sample, view)
        if found is None or isinstance(found, Score):
            return found
        if not hasattr(found, "__float__"):  # float() would read a text, too
            raise TypeError(f"it returned a {type(found).__name__}, expected a number, a Score or None")
        return plain_score(float(found))
