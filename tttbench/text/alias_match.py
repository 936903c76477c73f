"""How other evaluations match answers: an alias as a run of tokens, or the whole answer as one of the aliases.

``contains_alias``: UltraEval-Audio's ``qa-exist-match`` (audio_evals/evaluator/qa_exact_match.py at commit 9b69da6,
2026-08-04), which is DPR's ``has_answer``. ``exact_match``: the ``em`` of the same file, which is SQuAD's. What is
expected without any token is given by nothing here; there every answer contains it.
"""

from __future__ import annotations

import re
import string
import unicodedata
from itertools import groupby

CONTAINS = "contains_alias@1"
EXACT = "exact_match@1"
"""Names and versions of the rules in this file."""

_ARTICLE = re.compile(r"\b(a|an|the)\b")
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def alias_tokens(text: str) -> tuple[str, ...]:
    """Return runs of letters, digits and marks, and every other visible character by itself; NFD, lower case."""
    found: list[str] = []
    for kind, group in groupby(unicodedata.normalize("NFD", text), key=lambda c: unicodedata.category(c)[0] in "LNM"):
        run = "".join(group)
        visible = (c for c in run if unicodedata.category(c)[0] not in "ZC")
        found += [run.lower()] if kind else visible
    return tuple(found)


def contains_alias(answer: str, expected: str) -> bool:
    """Whether the tokens of ``expected`` stand next to each other in ``answer``, denied or not."""
    tokens, wanted = alias_tokens(answer), alias_tokens(expected)
    return bool(wanted) and any(tokens[at : at + len(wanted)] == wanted for at in range(len(tokens) - len(wanted) + 1))


def exact_tokens(text: str) -> tuple[str, ...]:
    """Return the words of a text: lower case, without ASCII punctuation and articles."""
    return tuple(_ARTICLE.sub(" ", text.lower().translate(_NO_PUNCTUATION)).split())


def is_exact(answer: str, expected: str) -> bool:
    """Whether ``answer`` is ``expected`` and nothing else."""
    wanted = exact_tokens(expected)
    return bool(wanted) and exact_tokens(answer) == wanted
