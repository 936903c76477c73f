"""What kinds of derivers and scorers declare of themselves: known without building one."""

from __future__ import annotations

from collections.abc import Mapping

from tttbench.core.blame import blamed
from tttbench.core.errors import UserError
from tttbench.core.plugins import derivers, scorers
from tttbench.core.system import SystemOptions


def longest_s(name: str, options: SystemOptions) -> float:
    """Return the most seconds that the deriver ``name`` lets an input take by its own settings; 0 if it has no such."""
    kind, _, spec = name.partition(":")
    longest = derivers.get(kind).longest_s if kind in derivers else None
    if longest is None:
        return 0.0
    with blamed(f"deriver {name!r}: the most seconds that it takes"):
        return float(longest(spec, options))


def recipe_of(name: str, recipes: Mapping[str, str]) -> str:
    """Return what makes the derivations of the deriver ``name``, in words.

    Args:
        name: of the deriver.
        recipes: of those that were built, by name. The recipe of another is what its kind can tell without building
            it: the whole of a judge's whose server takes all parts of requests; else, or of a wrong name, its name.
    """
    if made := recipes.get(name):
        return made
    kind, _, spec = name.partition(":")
    tell = derivers.get(kind).recipe_of if kind in derivers else None
    if tell is None:
        return name
    try:
        with blamed(f"deriver {name!r}: its recipe"):
            return tell(spec)
    except UserError:  # building it says what is wrong
        return name


def operational_options(scorer: str) -> frozenset[str]:
    """Return which options of a scorer never change a score; none of a scorer that there isn't (yet)."""
    return scorers.get(scorer).operational if scorer in scorers else frozenset()


def telling_options(scorer: str, options: Mapping[str, str]) -> dict[str, str]:
    """Return the options that make a score, in their order: all but the operational ones."""
    skipped = operational_options(scorer)
    return {name: value for name, value in options.items() if name not in skipped}
