"""``oracle_agreement``: how many audio codes of an answer are those that another system wrote at the same place."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tttbench.core.derivation import Need
from tttbench.core.errors import UserError
from tttbench.core.metric import MetricInfo, Score
from tttbench.core.plugins import register_scorer
from tttbench.core.recipe import Recipe
from tttbench.core.sample import Sample
from tttbench.core.scorer import View

VERSION = 1
AGREEMENT = MetricInfo(
    "Audio tokens of the oracle",
    "agreement",
    "share of audio tokens that the oracle wrote at the same place",
    "%",
    100,
    "higher",
    "rate",
    lowest=0,
    highest=1,
)


@dataclass(frozen=True)
class OracleAgreement:
    """Equal codes over the length of the longer answer: codes too many, and codes too few, are codes that differ.

    Attributes:
        oracle: label of the system that is the oracle.
    """

    oracle: str
    info: MetricInfo = AGREEMENT
    reads: frozenset[str] = frozenset({"codes"})

    def recipe(self, recipes: Mapping[str, str]) -> Recipe:
        """Name and oracle."""
        return Recipe(f"oracle_agreement@{VERSION}", options=f"oracle={self.oracle}")

    def needs(self, sample: Sample, view: View) -> Iterable[Need]:
        """Need nothing."""
        return ()

    def score(self, sample: Sample, view: View) -> Score | None:
        """Compare with the oracle's answer to the same sample; None without one, or if neither of them speaks."""
        peer = view.peer(self.oracle)
        if peer is None or not (view.codes or peer.codes):
            return None
        codes, expected = view.codes or (), peer.codes or ()
        equal = sum(map(operator.eq, codes, expected))  # up to the end of the shorter
        longest = max(len(codes), len(expected))
        return Score(
            value=equal / longest,
            numerator=float(equal),
            denominator=float(longest),
            status="empty" if view.status == "ok" and not codes else view.status,
            detail={"equal": equal, "codes": len(codes), "oracle_codes": len(expected)},
        )


@register_scorer("oracle_agreement", options=("oracle",), summary=AGREEMENT.explanation)
def oracle_agreement(options: Mapping[str, str]) -> OracleAgreement:
    """Build the agreement with the system of the option ``oracle``."""
    if not options.get("oracle"):
        raise UserError("oracle_agreement: needs the label of a system: oracle_agreement:oracle=LABEL.")
    return OracleAgreement(options["oracle"])
