"""How far answers are from others of the same prompts: a strategy from its oracle, one cache mode from another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

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


@dataclass(frozen=True)
class Divergence:
    """Answers beside the oracle's answers to the same prompts and seeds. Shares lie in [0, 1]; 1 is equal.

    Attributes:
        n_answers: how many were compared.
        n_codes: codes in the oracle's answers.
        identical: share of the answers that are equal, token for token.
        same_text: share of the answers with the same text.
        same_codes: share of the codes that are equal at the same place of the same span; what one of the two answers
            lacks counts as different. nan if there are no codes.
        codes_before_difference: share of the oracle's codes that stand before the first code of their answer that
            differs: the share of the sound that is unchanged. nan if there are no codes.
        seconds: of all passes that the answers took part in.
        oracle_seconds: the same for the oracle's.
    """

    n_answers: int
    n_codes: int
    identical: float
    same_text: float
    same_codes: float
    codes_before_difference: float
    seconds: float
    oracle_seconds: float


def divergence(answers: Sequence[Answer], oracle: Sequence[Answer]) -> Divergence:
    """Compare answers with the oracle's, which are in the same order.

    Raises:
        ValueError: if there are none, or not as many of both.
    """
    pairs = list(zip(answers, oracle, strict=True))
    if not pairs:
        raise ValueError("no answers to compare")
    n_codes = sum(len(other.codes) for other in oracle)
    longer = same = before = 0
    for one, other in pairs:
        for span, expected in zip_longest(one.spans, other.spans, fillvalue=()):
            longer += max(len(span), len(expected))
            same += sum(a == b for a, b in zip(span, expected, strict=False))
        before += _before_difference(one, other)
    return Divergence(
        n_answers=len(pairs),
        n_codes=n_codes,
        identical=sum(one.ids == other.ids for one, other in pairs) / len(pairs),
        same_text=sum(one.text_ids == other.text_ids for one, other in pairs) / len(pairs),
        same_codes=same / longer if longer else float("nan"),
        codes_before_difference=before / n_codes if n_codes else float("nan"),
        seconds=_seconds(answers),
        oracle_seconds=_seconds(oracle),
    )


def _before_difference(one: Answer, other: Answer) -> int:
    """How many codes are equal up to the first that differs; a span that ends elsewhere differs there."""
    count = 0
    for span, expected in zip(one.spans, other.spans, strict=False):
        for a, b in zip(span, expected, strict=False):
            if a != b:
                return count
            count += 1
        if len(span) != len(expected):
            return count
    return count


def _seconds(answers: Sequence[Answer]) -> float:
    return sum(sum(answer.trace.stages_s.values()) for answer in answers)
