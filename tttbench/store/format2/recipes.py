"""Recipes of format 2 are texts; here they become ``Recipe``s, equal to those that today's scorers write."""

from __future__ import annotations

import re
from dataclasses import replace

from tttbench.core.recipe import Recipe

_NORMALIZERS = {
    "whisper_english": "whisper-en",
    "whisper_basic": "whisper-basic",
    "chinese": "zh",
    "raw": "raw",
}

_VERSIONED = re.compile(r"(?P<name>[\w.+-]+?)-(?P<version>\d+)(?P<package> \(.+\))?")


def parse_recipe(text: str) -> Recipe:
    """Return what a text says; what isn't understood stands in ``options``, so that it equals only itself.

    E.g. ``wer-1; whisper_english-1 (whisper-normalizer 0.1.15); jiwer 4.0.0``, or, of a gap, two of them joined by
    `` minus ``; where a run mixed several, they are joined by `` | ``.
    """
    if " | " in text:
        first = parse_recipe(text.split(" | ")[0])
        return Recipe(first.scorer, options=f"mixed: {text}")
    # A transcriber's recipe stands last and may hold anything.
    made, _, transcriber = text.partition("; judge: ")
    # A gap's recipe is that of the spoken side, which holds all that the written one does.
    scorer, *parts = made.rpartition(" minus ")[2].split("; ")
    found = Recipe("spoken_gap@1" if " minus " in made else _versioned(scorer), transcriber=transcriber)
    for part in parts:
        found = _with(found, part)
    return found


def _with(recipe: Recipe, part: str) -> Recipe:
    key, _, value = part.partition(": ")
    if key == "oracle":
        return replace(recipe, options=f"oracle={value}")
    match = _VERSIONED.fullmatch(part)
    if match and match["name"] in _NORMALIZERS:
        name = f"{_NORMALIZERS[match['name']]}@{match['version']}{match['package'] or ''}"
        return replace(recipe, normalizer=name)
    if not recipe.matcher and (match or part.startswith("jiwer ")):
        return replace(recipe, matcher=_versioned(part))
    return replace(recipe, options=f"{recipe.options}; {part}".removeprefix("; "))


def _versioned(text: str) -> str:
    match = _VERSIONED.fullmatch(text)
    return f"{match['name']}@{match['version']}{match['package'] or ''}" if match else text
