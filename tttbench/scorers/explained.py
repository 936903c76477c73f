"""The same answers scored in several ways, side by side: each way's value, and the samples that it moves most.

Rows are ways of scoring, columns are systems. Which ways there are stands in ``explain_rates``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tttbench.core.exchange import Status
from tttbench.core.metric import MetricInfo, Score


@dataclass(frozen=True)
class Answered:
    """An answer: its sample's id and references, its text (None if there is none), and how the request ended."""

    id: str
    references: tuple[str, ...]
    text: str | None
    status: Status = "ok"

    @property
    def reference(self) -> str:
        """The first reference."""
        return self.references[0] if self.references else ""


@dataclass(frozen=True)
class Column:
    """The answers of one system."""

    label: str
    answers: tuple[Answered, ...]


@dataclass(frozen=True)
class Way:
    """A way of scoring, and what it makes of each column's answers, in their order.

    ``problem`` says why there are no scores. A metric that isn't a rate averages the samples' own values. One that
    ``counts_others`` has units of its own: nothing is set against it, and it against nothing.
    """

    name: str
    info: MetricInfo
    scores: tuple[tuple[Score, ...], ...] = ()
    problem: str = ""
    counts_others: bool = False


@dataclass(frozen=True)
class Moved:
    """A sample that a way scores otherwise than the one that it is set against.

    Attributes:
        id: of the sample.
        before, now: its errors, or its verdict.
        differed, differs: what differed between reference and answer, before and now.
    """

    id: str
    before: float
    now: float
    differed: str
    differs: str


@dataclass(frozen=True)
class Cell:
    """A value of one system.

    Attributes:
        value: in the metric's own scale; nan without any.
        change: to the row that it is set against; nan if it is set against none.
        n: answers that count; ``dropped``: others that this way leaves out.
        n_moved: samples that are scored otherwise; ``moved``: those that changed most.
    """

    value: float
    change: float
    n: int
    dropped: int
    n_moved: int
    moved: tuple[Moved, ...]


@dataclass(frozen=True)
class Row:
    """A way of scoring with its value for every system; ``problem`` and ``counts_others`` as of the way."""

    name: str
    info: MetricInfo
    cells: tuple[Cell, ...]
    problem: str = ""
    counts_others: bool = False


@dataclass(frozen=True)
class Explanation:
    """The tables of one task.

    Attributes:
        task: its name.
        what: what is explained, as a heading.
        columns: labels of the systems.
        n_samples: how many samples there are.
        presets: rows, each set against the first that has scores in the metric's own units: ``base``.
        steps_of: the preset that ``steps`` take apart, with its score where that is another than the task's; ``""`` if
            none.
        steps: rows, each with one ingredient more than the one before, which it is set against.
        steps_problem: why ``steps_of`` isn't taken apart here; ``""`` if it is.
    """

    task: str
    what: str
    columns: tuple[str, ...]
    n_samples: int
    presets: tuple[Row, ...]
    steps_of: str = ""
    steps: tuple[Row, ...] = ()
    steps_problem: str = ""

    @property
    def base(self) -> str:
        """The name of the row that the other presets are set against; ``""`` if there is none."""
        return next((row.name for row in self.presets if not (row.problem or row.counts_others)), "")


def rows_of(ways: Sequence[Way], columns: Sequence[Column], n_examples: int, *, to_first: bool) -> tuple[Row, ...]:
    """Set ways against each other.

    Args:
        ways: rows, in order.
        columns: whose answers were scored.
        n_examples: the most samples that a cell shows.
        to_first: each row is set against the first that has scores; else against the one before.
    """
    return tuple(_rows(ways, columns, n_examples, to_first=to_first))


def _rows(ways: Sequence[Way], columns: Sequence[Column], n_examples: int, *, to_first: bool) -> Iterator[Row]:
    against: Way | None = None
    for way in ways:
        if way.problem:
            yield Row(way.name, way.info, (), way.problem, counts_others=way.counts_others)
            continue
        other = None if way.counts_others else against
        cells = tuple(_cell(way, other, at, column.answers, n_examples) for at, column in enumerate(columns))
        yield Row(way.name, way.info, cells, counts_others=way.counts_others)
        if not way.counts_others and (against is None or not to_first):
            against = way


def _cell(way: Way, against: Way | None, at: int, answers: Sequence[Answered], n_examples: int) -> Cell:
    scores = way.scores[at]
    known = [score for score in scores if math.isfinite(score.numerator)]
    value = value_of(way.info, scores)
    if against is None:
        return Cell(value, math.nan, len(known), len(scores) - len(known), 0, ())
    before = against.scores[at]
    changed = [
        (one.id, was, now)
        for one, was, now in zip(answers, before, scores, strict=True)
        if was.numerator != now.numerator and math.isfinite(was.numerator) and math.isfinite(now.numerator)
    ]
    # The sort is stable: of equal changes the first sample comes first.
    most = sorted(changed, key=lambda entry: -abs(entry[2].numerator - entry[1].numerator))[:n_examples]
    moved = tuple(
        Moved(id_, was.numerator, now.numerator, _differences(was), _differences(now)) for id_, was, now in most
    )
    change = value - value_of(against.info, before)
    return Cell(value, change, len(known), len(scores) - len(known), len(changed), moved)


def value_of(info: MetricInfo, scores: Sequence[Score]) -> float:
    """The corpus value: edits over units for a rate, else the mean of the samples' values that there are."""
    if info.aggregation == "rate":
        known = [score for score in scores if math.isfinite(score.numerator)]
        total = sum(score.denominator for score in known)
        return sum(score.numerator for score in known) / total if total else math.nan
    values = [score.value for score in scores if math.isfinite(score.value)]
    return sum(values) / len(values) if values else math.nan


def number(value: float, info: MetricInfo, *, signed: bool = False) -> str:
    """A value as it is shown here: with three decimals, since steps move the third; ``"-"`` for nan."""
    if math.isnan(value):
        return "-"
    text = f"{info.shown(value):+.3f}" if signed else f"{info.shown(value):.3f}"
    return "0" if signed and not text.strip("+-0.") else text


def _differences(score: Score) -> str:
    """What differs, ``reference → answer``, commas between; ``""`` if nothing does, or that isn't known."""
    segments = score.detail.get("alignment")
    if not isinstance(segments, list):
        expected = score.detail.get("expected")
        return f"{' | '.join(map(str, expected))} → {score.detail['normalized']}" if isinstance(expected, list) else ""
    found = []
    for one in segments:
        if isinstance(one, dict) and one["op"] != "equal":
            found.append(f"{one['ref'] or '∅'} → {one['hyp'] or '∅'}")
    return ", ".join(found)
