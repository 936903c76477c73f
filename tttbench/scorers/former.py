"""How scores were made by default before, for what was scored then: the options that make them so again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tttbench.core.plugins import build_scorer
from tttbench.core.recipe import Recipe
from tttbench.core.scorer import ScoreSpec

_MATCHED = ({"matcher": "answer_match@1"},)

FORMER: Mapping[str, Sequence[Mapping[str, str]]] = {
    **{key: ({"recipe": "whisper-en"},) for key in ("wer", "cer")},
    "self_wer": ({"recipe": "whisper-en", "cap": "none"}, {"cap": "none"}),
    **dict.fromkeys(("text_accuracy", "spoken_accuracy", "spoken_gap"), _MATCHED),
}
"""By scorer the options of every default that it had, the oldest first. ``wer`` of English is scored by its first in
every run, as ``wer_whisper-en``."""


def former_score(recipe: Recipe) -> str:
    """Return the score that has ``recipe``, whoever transcribes, as a command line names it; ``""`` if none has."""
    scorer = recipe.scorer.partition("@")[0]
    for options in FORMER.get(scorer, ()):
        made = build_scorer(ScoreSpec(scorer, scorer, options)).recipe({})
        if replace(made, transcriber=recipe.transcriber) == recipe:
            return f"{scorer}:{','.join(f'{name}={value}' for name, value in options.items())}"
    return ""
