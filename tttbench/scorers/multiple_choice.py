"""``multiple_choice``: whether the option that an answer chooses is the right one. Options are letters, or yes and no.

What is read as a choice is a closed list of forms, strongest first: an answer that is nothing else, one that begins
with it, a phrase that names it ("the answer is B"), an option that stands marked in the text ("(B)", "B."). Where the
strongest form that occurs names two options, or none occurs, the answer is ``unparsed``: nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from tttbench.core.derivation import Need
from tttbench.core.errors import UserError
from tttbench.core.exchange import Status
from tttbench.core.metric import MetricInfo, Score, plain_score
from tttbench.core.plugins import register_scorer
from tttbench.core.recipe import Recipe
from tttbench.core.sample import Sample
from tttbench.core.scorer import View

VERSION = 1
"""Raised whenever the same answer may be scored otherwise."""

OPTIONS = "options"
"""Name among a sample's metadata: its options, between vertical bars."""

_LETTERS = ("A", "B", "C", "D")

CHOSEN = MetricInfo(
    "Options chosen right",
    "choice",
    "the option that the written answer chooses is the right one; what can't be read as an option is wrong",
    "%",
    100,
    "higher",
    "binary",
    lowest=0,
    highest=1,
)
BY_CHANCE = MetricInfo(
    "Options chosen right, unparsed by chance",
    "choice, chance",
    "as options chosen right, but what can't be read as an option counts what a random one is worth, 1 in so many",
    "%",
    100,
    "higher",
    "value",
    lowest=0,
    highest=1,
)

_MARKUP = re.compile(r"\\(?:text(?:bf)?|mathbf|boxed)\b|\\[()\[\]]|[*_`{}$\\]|<\|[^|>]{1,20}\|>")
_OPEN, _CLOSED = r"[(\"'“\u2018「\s]*", r"[)\"'”\u2019」]*"
_BE = r"(?:is|(?:would|should|must|will)\s+be)"
_NAMES_IT = (
    rf"(?:choice|option|one|sentence|order)\s+{_BE}\s*:?"
    rf"|(?:answer|conclusion)(?:\s+to\s+the\s+(?:\S+\s+)?question)?(?:\s+{_BE})?\s*:?"
    r"|choose|pick|select|go\s+with|i(?:'d|\u2019d|\s+would)\s+say|答案(?:应该|就)?(?:是|为|选)?\s*[:\uff1a]?|选择?"
)
"""Words in front of an option that make it the chosen one."""
_IS_RIGHT = r"\s+(?:is|would\s+be)\s+(?:the\s+|most\s+likely\s+)?(?:correct|right|best|true)|\s*是(?:正确|对)"
"""Words behind an option that make it the chosen one."""


@dataclass(frozen=True)
class MultipleChoice:
    """1 if the chosen option is the right one, else 0; a ``Scorer``.

    Attributes:
        by_chance: whether an answer that can't be read counts 1 over the number of options, what drawing one at random
            (as VoiceBench does) is worth on average; else it is wrong.
    """

    by_chance: bool = False
    reads: frozenset[str] = frozenset({"text"})

    @property
    def info(self) -> MetricInfo:
        """A verdict, or a value between where chance is one."""
        return BY_CHANCE if self.by_chance else CHOSEN

    def recipe(self, recipes: Mapping[str, str]) -> Recipe:
        """Name, the forms that are read, and what counts for those that aren't."""
        options = f"unparsed={'chance' if self.by_chance else 'wrong'}"
        return Recipe(f"multiple_choice@{VERSION}", matcher=f"choice_forms@{VERSION}", options=options)

    def needs(self, sample: Sample, view: View) -> Iterable[Need]:
        """Need nothing."""
        return ()

    def score(self, sample: Sample, view: View) -> Score | None:
        """Return 1 or 0; None for a sample whose reference is none of its options."""
        options = options_of(sample)
        right = next((one for one in options if one.lower() == sample.reference.strip("() ").lower()), None)
        if right is None:
            return None
        if view.status == "error":
            return plain_score(0.0, "error")
        chosen = chosen_option(view.text, options)
        told = {"answer": view.text, "chosen": chosen, "expected": right, "options": "|".join(options)}
        if chosen is not None:
            return plain_score(float(chosen == right), "ok", **told)
        status: Status = "empty" if not view.text.strip() else "unparsed"
        return plain_score(1 / len(options) if self.by_chance else 0.0, status, **told)


def options_of(sample: Sample) -> tuple[str, ...]:
    """The options of a sample as its task lists them; A to D if it lists none."""
    listed = [one.strip() for one in sample.metadata.get(OPTIONS, "").split("|")]
    return tuple(one for one in listed if one) or _LETTERS


def chosen_option(answer: str, options: Sequence[str]) -> str | None:
    """Return the option that an answer chooses, as it stands in ``options``; None if it can't be read."""
    text = " ".join(_MARKUP.sub(" ", answer).split())
    by_lower = {one.lower(): one for one in options}
    for form in _forms(tuple(options)):
        found = {by_lower[next(filter(None, match.groups())).lower()] for match in form.finditer(text)}
        if found:
            return found.pop() if len(found) == 1 else None
    return None


@lru_cache(maxsize=32)
def _forms(options: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    """The forms in which an option is chosen, strongest first. Their groups hold nothing but options."""
    words = "|".join(map(re.escape, options))
    in_any_case = rf"((?i:{words}))(?![\w'\u2019])"
    # A small letter before another word is an article: "the answer is a river".
    within = in_any_case
    if all(len(one) == 1 for one in options):
        within = rf"(?:({words})(?![\w'\u2019])|((?i:{words}))(?=\s*[).,:;!?\"'”\u2019]|\s*$))"
    named = rf"(?<!\w)(?i:{_NAMES_IT})(?i:\s+(?:the\s+)?(?:option|letter|choice|sentence))?{_OPEN}{within}"
    forms = [
        rf"^{_OPEN}(?i:option\s+)?{in_any_case}{_CLOSED}[\s.!。]*$",
        rf"^{_OPEN}(?i:option\s+)?{in_any_case}{_CLOSED}\s*[).:,;\uff1a、\uff0c。]",
        rf"{named}|(?<!\w)({words}){_CLOSED}(?i:{_IS_RIGHT})",
    ]
    if within != in_any_case:
        forms.append(rf"(?i:\boption\s+){_OPEN}({words})(?![\w'\u2019])|(?<![\w.])({words})(?:\)|[.:](?=\s|$))")
    return tuple(map(re.compile, forms))


@register_scorer("multiple_choice", options=("unparsed",), summary=CHOSEN.explanation)
def multiple_choice(options: Mapping[str, str]) -> MultipleChoice:
    """Build it; raises ``UserError`` if ``unparsed`` is neither ``wrong`` nor ``chance``."""
    unparsed = options.get("unparsed", "wrong")
    if unparsed not in ("wrong", "chance"):
        raise UserError(f"multiple_choice:unparsed={unparsed!s:.60}: must be 'wrong' or 'chance'.")
    return MultipleChoice(unparsed == "chance")
