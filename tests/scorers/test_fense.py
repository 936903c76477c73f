"""FENSE as a score: what it needs, and captions that are none."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

import pytest

from tttbench.core.derivation import Derived, Need
from tttbench.core.exchange import Status
from tttbench.core.plugins import build_scorer
from tttbench.core.scorer import ScoreSpec

from .views import Seen, sample

FENSE = build_scorer(ScoreSpec("fense", "fense", {}))
CLIP = sample("A dog barks", "A dog is barking")


@dataclass(frozen=True)
class Compared(Seen):
    """A caption that was compared."""

    made: Derived | None = None

    def derived(self, need: Need) -> Derived | None:
        return self.made


def test_a_caption_is_compared_with_all_of_its_references() -> None:
    (need,) = FENSE.needs(CLIP, Seen(" a dog. "))
    assert need == Need("fense:base", fields={"caption": "a dog.", "references": '["A dog barks", "A dog is barking"]'})
    made = Derived("ok", json.dumps({"fense": 0.07, "sbert_sim": 0.7, "fer": 1.0}))
    found = FENSE.score(CLIP, Compared("a dog.", made=made))
    assert found is not None
    assert (found.value, found.status) == (0.07, "ok")
    assert found.detail == {"likeness": 0.7, "has_error": True}
    assert str(FENSE.recipe({"fense:base": "fense-base@1"})) == "fense@1; networks=fense-base@1"


@pytest.mark.parametrize(
    ("text", "status", "expected"), [("...", "ok", "empty"), ("", "empty", "empty"), ("x", "error", "error")]
)
def test_what_is_no_caption_is_worth_nothing_and_counted(text: str, status: Status, expected: str) -> None:
    view = Compared(text, status=status)
    assert list(FENSE.needs(CLIP, view)) == []
    found = FENSE.score(CLIP, view)
    assert found is not None
    assert (found.value, found.status) == (0.0, expected)


def test_without_references_there_is_no_score_and_without_a_comparison_no_value() -> None:
    assert FENSE.score(sample(), Compared("a dog")) is None
    assert list(FENSE.needs(sample(), Compared("a dog"))) == []
    for made in (None, Derived("failed", error="no memory")):
        found = FENSE.score(CLIP, Compared("a dog", made=made))
        assert found is not None
        assert (math.isnan(found.value), found.status) == (True, "derivation_failed")
