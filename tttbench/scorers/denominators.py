"""Which answers count: all of them, or, with ``denominator=as-published``, those that a publication's code counts.

What is left out keeps its status and has no value, so it is counted in every table, and the range that the value would
have with it stands beside.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from tttbench.core.errors import UserError, did_you_mean
from tttbench.core.metric import Score
from tttbench.core.recipe import Recipe

VERSION = 1
"""Raised whenever other answers may be left out."""

Drop = Literal["errors", "null answers", "references without words"]
"""``null answers``: those that are the word null, which a kit writes for a request that failed."""


@dataclass(frozen=True)
class Denominator:
    """What is left out; nothing unless it is asked for."""

    drops: tuple[Drop, ...] = ()

    @classmethod
    def of(cls, scorer: str, options: Mapping[str, str], published: Mapping[str, tuple[Drop, ...]]) -> Denominator:
        """Take the option ``denominator`` of a score.

        Args:
            scorer: name of the scorer, for messages.
            options: as they were given, with the preset in ``recipe``.
            published: what each preset leaves out.

        Raises:
            UserError: another denominator, or a preset of which nothing is known to be left out.
        """
        chosen = options.get("denominator", "all")
        if chosen == "all":
            return cls()
        if chosen != "as-published":
            raise UserError(
                f"{scorer}:denominator={chosen!s:.60}: {did_you_mean(chosen, ('all', 'as-published'))} "
                "'as-published' leaves out what the code of the recipe leaves out."
            )
        preset = options.get("recipe", "")
        if not published.get(preset):
            known = ", ".join(name for name, drops in published.items() if drops)
            raise UserError(
                f"{scorer}:denominator=as-published: needs a recipe whose code leaves something out: {known}."
            )
        return cls(published[preset])

    @property
    def recipe(self) -> str:
        """For a score's recipe."""
        return f"as-published@{VERSION} (left out: {', '.join(self.drops)})" if self.drops else "all@1"

    def applied(self, score: Score, answer: str | None) -> Score:
        """Return ``score`` without a value if it is left out, and say why in its detail.

        Args:
            score: of an edit rate.
            answer: as written; None if there is none.
        """
        why = self._why(score, answer)
        if not why:
            return score
        status = "unparsed" if score.status == "ok" else score.status
        detail = {**score.detail, "dropped": why}
        return replace(score, value=math.nan, numerator=math.nan, status=status, detail=detail)

    def _why(self, score: Score, answer: str | None) -> str:
        if "errors" in self.drops and answer is None:
            return "there is no answer"
        if "null answers" in self.drops and answer == "null":
            return "the answer is null"
        if "references without words" in self.drops and not score.detail.get("reference"):
            return "the reference has no word"
        return ""


def leaves_out(recipe: Recipe) -> bool:
    """Whether scores of this recipe leave answers out on purpose."""
    return recipe.denominator.startswith(("as-published@", f"{CHECKABLE}@"))


CHECKABLE = "checkable"
"""Denominator of scores that leave samples out which they can't check, the same for every system."""

ALL = Denominator()
"""Every answer counts, but for those whose derivation failed."""
