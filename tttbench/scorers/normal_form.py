"""The texts that a score compared, by its recipe: for whoever shows a difference that was scored."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tttbench.core.plugins import normalizers
from tttbench.core.recipe import Recipe
from tttbench.scorers.matchers import ALL

NormalForm = Callable[[str], str]


def normal_form(recipes: Iterable[Recipe]) -> NormalForm | None:
    """Return what brings texts into the form that the first of ``recipes`` that has one compares; None if none has.

    Of rules that aren't known here, in whatever version, today's of the same name are taken.
    """
    for recipe in recipes:
        if (matcher := ALL.get(recipe.matcher)) is not None:
            tokens = matcher.tokens
            return lambda text: " ".join(tokens(text))
        name = recipe.normalizer.partition("@")[0]
        if name in normalizers and not normalizers.get(name).extra:
            return normalizers.get(name).normalize
    return None
