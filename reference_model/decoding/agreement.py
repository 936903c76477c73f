"""How far one answer is from another of the same prompt: a strategy from its oracle, ``block`` from ``none``."""

from __future__ import annotations

from dataclasses import dataclass

from reference_model.decoding.answer import Answer


@dataclass(frozen=True)
class Agreement:
    """An answer beside the oracle's.

    Attributes:
        same_share: share of the longer answer's tokens that both have at the same position; 1 is equal.
        first_difference: the first position at which they differ; None if they are equal.
        nfe: passes the answer took.
        nfe_oracle: passes the oracle took.
        codes_per_pass: audio codes per pass in the answer's audio; nan without audio.
    """

    same_share: float
    first_difference: int | None
    nfe: int
    nfe_oracle: int
    codes_per_pass: float


def agreement(answer: Answer, oracle: Answer) -> Agreement:
    """Compare an answer with the oracle's answer to the same prompt and seed."""
    length = max(len(answer.ids), len(oracle.ids))
    pairs = list(zip(answer.ids, oracle.ids, strict=False))
    same = sum(a == b for a, b in pairs)
    first = next((i for i, (a, b) in enumerate(pairs) if a != b), len(pairs) if len(pairs) < length else None)
    trace = answer.trace
    return Agreement(
        same_share=same / length if length else 1.0,
        first_difference=first,
        nfe=trace.nfe,
        nfe_oracle=oracle.trace.nfe,
        codes_per_pass=len(answer.codes) / trace.nfe_audio if trace.nfe_audio else float("nan"),
    )
