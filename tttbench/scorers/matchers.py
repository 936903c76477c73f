"""What decides whether an answer gives a reference: the rules by name, and an option for Chinese script variants."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tttbench.core.errors import UserError, did_you_mean
from tttbench.core.plugins import normalizers
from tttbench.core.recipe import Recipe
from tttbench.scorers.script import in_recipe, in_script, script_of
from tttbench.text import alias_match, answer_match, answer_match_1

OPTIONS = ("matcher", "script", "recipe")

_Tokens = Callable[[str], tuple[str, ...]]


@dataclass(frozen=True)
class Matcher:
    """A named version of the rules.

    Attributes:
        name: as recipes have it, e.g. ``"answer_match@2"``.
        normalizer: whose rules it builds on.
        tokens: the words of a text as they are compared.
        gives: whether the first text, an answer, gives the second.
    """

    name: str
    normalizer: str
    tokens: _Tokens
    gives: Callable[[str, str], bool]


def _held(answer: str, expected: str) -> bool:
    return answer_match_1.holds(answer_match_1.answer_tokens(answer), answer_match_1.answer_tokens(expected))


BY_DEFAULT = Matcher(answer_match.RECIPE, "en", answer_match.answer_tokens, answer_match.gives)
MATCHERS: Mapping[str, Matcher] = {
    one.name: one
    for one in (BY_DEFAULT, Matcher(answer_match_1.RECIPE, "whisper-en", answer_match_1.answer_tokens, _held))
}
"""Ours, by name."""
PUBLISHED: Mapping[str, Matcher] = {
    "contains-alias": Matcher(alias_match.CONTAINS, "raw", alias_match.alias_tokens, alias_match.contains_alias),
    "exact": Matcher(alias_match.EXACT, "raw", alias_match.exact_tokens, alias_match.is_exact),
}
"""Those of other evaluations, by preset."""
ALL: Mapping[str, Matcher] = {**MATCHERS, **{one.name: one for one in PUBLISHED.values()}}


@dataclass(frozen=True)
class Matching:
    """A matcher, and ``script``: ``"hans"`` compares simplified Chinese characters, ``""`` characters as written."""

    matcher: Matcher = BY_DEFAULT
    script: str = ""

    @classmethod
    def of(cls, scorer: str, options: Mapping[str, str]) -> Matching:
        """Take the options ``matcher`` (or the preset ``recipe`` in its place) and ``script`` of a score.

        Raises:
            UserError: there is no such matcher, preset or script, or the extra ``chinese`` isn't installed.
        """
        preset = options.get("recipe", "")
        if preset and preset not in PUBLISHED:
            raise UserError(f"{scorer}: there is no recipe {preset!r:.60}. {did_you_mean(preset, PUBLISHED)}")
        name = options.get("matcher", PUBLISHED[preset].name if preset else BY_DEFAULT.name)
        if name not in ALL:
            raise UserError(f"{scorer}: there is no matcher {name!r:.60}. {did_you_mean(name, ALL)}")
        return cls(ALL[name], script_of(scorer, options))

    def recipe(self, scorer: str) -> Recipe:
        """Return the recipe of a score of ``scorer``, a name with its version."""
        normalizer = normalizers.get(self.matcher.normalizer).recipe
        return Recipe(scorer, normalizer, self.matcher.name, options=in_recipe(self.script))

    def tokens(self, text: str) -> tuple[str, ...]:
        """Return the words of a text as they are compared."""
        return self.matcher.tokens(in_script(text, self.script))

    def first(self, answer: str, references: Sequence[str]) -> str | None:
        """Return the first reference that ``answer`` gives, as written; None if it gives none."""
        written = in_script(answer, self.script)
        return next((one for one in references if self.matcher.gives(written, in_script(one, self.script))), None)


DEFAULT = Matching()
