"""Digit strings digit by digit, for telephone and account numbers: a wrong digit is one error, not a wrong number."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tttbench.text.normalizers import normalize_english
from tttbench.text.steps import Step, register_steps

_DIGIT = re.compile("[0-9]")
_REPEATED = re.compile(
    r"\b(double|triple)[\s-]+(oh|zero|one|two|three|four|five|six|seven|eight|nine|[0-9])\b", re.IGNORECASE
)


def repeated(text: str) -> str:
    """Return ``text`` with ``double five`` as ``five five``, and ``triple`` likewise."""
    return _REPEATED.sub(lambda found: " ".join([found[2]] * (2 if found[1].lower() == "double" else 3)), text)


def digits_apart(text: str) -> str:
    """Return ``text`` with every ASCII digit as a word of its own: ``407`` is ``4 0 7``, ``3.5`` is ``3 . 5``."""
    return " ".join(_DIGIT.sub(r" \g<0> ", text).split())


@register_steps(
    "digits", version=1, package="whisper-normalizer", summary="as en, and every digit of a number is a word"
)
def digits() -> Sequence[Step]:
    """Return the steps: our normal form of English, and digits apart."""
    return (
        Step("double and triple digits written out", repeated),
        Step("our normal form of English", normalize_english),
        Step("every digit a word", digits_apart),
    )
