"""The edit distance of codes to the nearest recording of the right answer, by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttbench.core.exchange import Status
from tttbench.core.metric import Score
from tttbench.core.plugins import build_scorer
from tttbench.core.sample import Renditions
from tttbench.core.scorer import ScoreSpec

from .views import Seen, sample

NEAREST = build_scorer(ScoreSpec("nearest_rendition", "nearest_rendition", {}))


def score(
    codes: tuple[int, ...] | None, *renditions: tuple[int, ...], status: Status = "ok", codec: str = "a"
) -> Score:
    asked = replace(sample("Paris"), renditions=Renditions("a", renditions))
    found = NEAREST.score(asked, Seen(codes=codes, status=status, codec=codec))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("codes", "edits", "length", "nearest"),
    [
        ((1, 2, 3, 4), 0, 4, 0),
        ((1, 2, 9, 4), 1, 4, 0),
        ((1, 2, 3, 3, 4), 1, 4, 0),
        ((5, 6, 7, 8, 9, 9), 1, 5, 1),
        # One edit of five is nearer than one of four.
        ((5, 6, 7, 8), 1, 5, 1),
        ((0,) * 9, 5, 5, 1),
    ],
)
def test_the_nearest_counts_by_its_own_length(codes: tuple[int, ...], edits: int, length: int, nearest: int) -> None:
    found = score(codes, (1, 2, 3, 4), (5, 6, 7, 8, 9))
    assert (found.numerator, found.denominator, found.detail["rendition"]) == (edits, length, nearest)
    assert found.value == edits / length


def test_silence_has_every_token_wrong() -> None:
    assert score((), (1, 2)).status == "empty"
    assert (score(None, (1, 2), status="error").status, score(None, (1, 2), status="error").value) == ("error", 1.0)


def test_codes_of_another_codec_have_no_distance() -> None:
    found = score((1, 2), (1, 2), codec="b")
    assert (found.status, math.isnan(found.value)) == ("derivation_failed", True)
    assert "of codec a, the system's of b" in str(found.detail["error"])
    assert score((1, 2), (1, 2), codec="").value == 0


def test_samples_without_renditions_have_no_score() -> None:
    assert NEAREST.score(sample("Paris"), Seen(codes=(1,))) is None


codes = st.lists(st.integers(0, 5), min_size=1, max_size=8).map(tuple)


@given(codes, st.lists(codes, min_size=1, max_size=4))
def test_a_rendition_more_is_never_farther(one: tuple[int, ...], renditions: list[tuple[int, ...]]) -> None:
    assert 0 <= score(one, *renditions).value <= score(one, *renditions[:1]).value <= 1
    assert score(one, *renditions, one).value == 0
