"""The normal form that GigaSpeech is scored in (SpeechColab/GigaSpeech, utils/gigaspeech_scoring.py at 44289e4b)."""

from __future__ import annotations

from collections.abc import Sequence

from tttbench.text.steps import Step, register_steps

_NOT_SCORED = frozenset(
    "UH UHH UM EH MM HM AH HUH HA ER OOF HEE ACH EEE EW <UNK> <COMMA> <PERIOD> <QUESTIONMARK> <EXCLAMATIONPOINT> "
    "<SIL> <NOISE> <MUSIC> <OTHER>".split()
)
"""Fillers and tags."""


def without_fillers_and_tags(text: str) -> str:
    """Drop words that aren't scored; the others keep their punctuation."""
    return " ".join(word for word in text.split() if word not in _NOT_SCORED)


@register_steps("gigaspeech", version=1, summary="GigaSpeech: upper case, no hyphens, fillers and tags; nothing else")
def gigaspeech() -> Sequence[Step]:
    """Return the steps."""
    return (
        Step("upper case", str.upper),
        Step("hyphens are blanks", lambda text: text.replace("-", " ")),
        Step("fillers (uh, um …) and tags out", without_fillers_and_tags),
    )
