"""How many audio codes of an answer are those that an oracle wrote at the same place. Knows codes alone."""

from __future__ import annotations

from collections.abc import Sequence

from tttbench.core.records import Score, Status

METRIC = "oracle_agreement"
VERSION = 1


def oracle_agreement(codes: Sequence[int], expected: Sequence[int], status: Status, oracle: str) -> Score:
    """Score one answer against the oracle's answer to the same request.

    Args:
        codes: of the answer; empty if it has none.
        expected: the oracle's.
        status: how the answer's request ended.
        oracle: label of the system that is the oracle, for the recipe.

    Returns:
        Equal codes over the length of the longer answer: codes too many, and codes too few, are codes that differ.
    """
    equal = sum(one == other for one, other in zip(codes, expected, strict=False))
    longest = max(len(codes), len(expected))
    return Score(
        metric=METRIC,
        value=equal / longest if longest else float("nan"),
        kind="rate",
        numerator=float(equal),
        denominator=float(longest),
        status="empty" if status == "ok" and not codes else status,
        recipe=f"{METRIC}-{VERSION}; oracle: {oracle}",
        detail={"equal": equal, "codes": len(codes), "oracle_codes": len(expected)},
    )
