"""What a judge gets right of a small shipped set: whether it is usable at all. Corrects nothing.

The set (``check.jsonl``) holds answers of eight kinds. With prompts that ask for grades, an answer that is right has to
get a grade in the upper third of the scale, one that is wrong in the lower third, and one that is half right or
undecided not in the upper third.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal

from tttbench.core.derivation import Derived, Need
from tttbench.core.judging import JudgeSettings, Scale
from tttbench.core.metric import MetricInfo
from tttbench.core.tables import Document, MaybeNan, Name, read_table
from tttbench.scorers.judges import Verdict, verdict_of
from tttbench.stats.corpus import corpus_interval
from tttbench.stats.wilson import wilson_interval
from tttbench.text.alias_match import contains_alias

SET = Path(__file__).parent / "check.jsonl"

LEAST = 0.75
"""A judge is usable if the lower end of its accuracy's interval is no less, on right and on other answers alike."""
MOST_FAILED = 0.05
"""And no more of its replies can't be read."""
_AGREEMENT = MetricInfo("Agreement", lowest=0, highest=1)

Expected = Literal["yes", "no", "not yes"]
KINDS: Mapping[str, Expected] = {
    "right": "yes",
    "verbose": "yes",
    "other language": "yes",
    "misspelled": "yes",
    "wrong": "no",
    "negated": "no",
    "partial": "not yes",
    "undecided": "not yes",
}
"""What the verdict on each kind has to be; ``not yes`` is no where there is only yes and no."""


@dataclass(frozen=True)
class Item:
    """A question, its right answers, and an answer of one kind to be graded."""

    id: Name
    kind: Name
    language: Name
    question: Name
    references: tuple[Name, ...]
    answer: Name


@dataclass(frozen=True)
class Share:
    """A share of items: ``n`` were graded, ``hits`` of them as they should be; ``failed`` got no verdict."""

    title: str
    n: int
    hits: int
    failed: int
    value: MaybeNan
    ci_low: MaybeNan
    ci_high: MaybeNan


@dataclass(frozen=True)
class JudgeCheck:
    """What came of it.

    Attributes:
        judge, prompt, votes: who was checked.
        kinds: accuracy by kind; ``right`` over the kinds to be found right, ``other`` over all others.
        self_agreement: share of pairs of votes on one item that are equal, with its interval; NaN with one vote.
        with_alias: share of items on which the judge says what ``contains-alias`` says.
        usable: whether it may grade; ``reasons`` why not.
        errors: of items without a verdict, each once. ``cost``: of all.
    """

    judge: str
    prompt: str
    votes: int
    kinds: tuple[Share, ...]
    right: Share
    other: Share
    self_agreement: MaybeNan
    self_agreement_low: MaybeNan
    self_agreement_high: MaybeNan
    with_alias: Share
    usable: bool
    reasons: tuple[str, ...]
    errors: tuple[str, ...] = ()
    cost: Mapping[str, float] = field(default_factory=dict)


@lru_cache(maxsize=1)
def check_items() -> tuple[Item, ...]:
    """Read the set."""
    lines = SET.read_text(encoding="utf-8").splitlines()
    return tuple(
        read_table(Item, Document(json.loads(line), f"{SET.name}, line {at}", "JSON"))
        for at, line in enumerate(lines, 1)
    )


def need_of(item: Item, settings: JudgeSettings) -> Need:
    """Return what the judge is asked about an item."""
    references = json.dumps(list(item.references), ensure_ascii=False)
    fields = {"question": item.question, "references": references, "answer": item.answer}
    return Need(settings.deriver, fields=fields, language=item.language)


def checked(settings: JudgeSettings, derived: Mapping[str, Derived]) -> JudgeCheck:
    """Return what the verdicts come to.

    Args:
        settings: of the judge.
        derived: what it made of each item, by id.
    """
    items, scale = check_items(), settings.scale
    verdicts = {item.id: _verdict(derived[item.id], scale) for item in items}

    def share(title: str, chosen: Sequence[Item], hit: Callable[[Item, float], bool]) -> Share:
        graded = [item for item in chosen if verdicts[item.id].status == "ok"]
        hits = sum(hit(item, verdicts[item.id].value) for item in graded)
        interval = wilson_interval(hits, len(graded))
        failed = len(chosen) - len(graded)
        return Share(title, len(graded), hits, failed, interval.estimate, interval.low, interval.high)

    def fits(item: Item, value: float) -> bool:
        return is_as_expected(KINDS[item.kind], value, scale)

    def as_alias(item: Item, value: float) -> bool:
        gives = any(contains_alias(item.answer, one) for one in item.references)
        return gives == is_as_expected("yes", value, scale)

    right = share("answers that are right", [one for one in items if KINDS[one.kind] == "yes"], fits)
    other = share("all other answers", [one for one in items if KINDS[one.kind] != "yes"], fits)
    agreement = _self_agreement([one.votes for one in verdicts.values() if one.status == "ok"])
    failed = right.failed + other.failed
    reasons = [
        f"of {one.title} it grades {one.hits} of {one.n} as it should; the interval's lower end, {one.ci_low:.0%}, is "
        f"below {LEAST:.0%}"
        for one in (right, other)
        if not one.ci_low >= LEAST
    ]
    if failed > MOST_FAILED * len(items):
        reasons.append(f"{failed} of {len(items)} items got no verdict, more than {MOST_FAILED:.0%}")
    cost: dict[str, float] = {}
    for made in derived.values():
        for name, value in made.cost.items():
            cost[name] = cost.get(name, 0) + value
    return JudgeCheck(
        settings.judge,
        settings.prompt,
        settings.votes,
        tuple(share(kind, [one for one in items if one.kind == kind], fits) for kind in KINDS),
        right,
        other,
        *agreement,
        share("items on which contains-alias says the same", items, as_alias),
        not reasons,
        tuple(reasons),
        tuple(dict.fromkeys(one.error for one in verdicts.values() if one.status == "failed")),
        cost,
    )


def is_as_expected(expected: Expected, value: float, scale: Scale) -> bool:
    """Whether a verdict (of several votes the majority, or the mean grade) is what it has to be."""
    place = (value - scale.lowest) / (scale.highest - scale.lowest)
    if expected == "yes":
        return place >= 2 / 3 - 1e-9
    if expected == "no":
        return place <= 1 / 3 + 1e-9
    return place < 2 / 3 - 1e-9


def _verdict(derived: Derived, scale: Scale) -> Verdict:
    if derived.status != "ok":
        return Verdict("failed", error=derived.error)
    return verdict_of(derived.content, scale)


def _self_agreement(votes: Sequence[Sequence[int]]) -> tuple[float, float, float]:
    """Share of equal pairs of votes, averaged over items, with its interval."""
    shares = []
    for of_item in votes:
        pairs = list(itertools.combinations(of_item, 2))
        if pairs:
            shares.append(sum(one == other for one, other in pairs) / len(pairs))
    if not shares:
        return (float("nan"),) * 3
    found = corpus_interval(_AGREEMENT, shares, [1.0] * len(shares), seed=0)
    return found.estimate, found.low, found.high
