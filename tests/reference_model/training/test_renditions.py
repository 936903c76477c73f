"""An answer in several renditions: one is drawn at each use, all of them sooner or later; the longest sets the room."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from reference_model.layout import Example
from reference_model.training.jitter import CodeJitter
from reference_model.training.renditions import DrawRendition, RenderedExample, digest

WAYS = ((1, 2, 9), (1, 2, 3, 4, 9), (1, 5, 9))
EXAMPLE = RenderedExample.of((20, 21), WAYS, (7,))


def test_the_longest_rendition_stands_for_all() -> None:
    assert (EXAMPLE.prompt, EXAMPLE.answer, EXAMPLE.transcript) == ((20, 21), WAYS[1], (7,))


def test_every_rendition_is_drawn_alike_often() -> None:
    draw = DrawRendition("")
    drawn = Counter(draw(EXAMPLE, np.random.default_rng(seed)).answer for seed in range(3000))
    assert set(drawn) == set(WAYS)
    assert min(drawn.values()) > 900  # 1,000 expected, deviation 26


def test_a_draw_is_a_plain_example_and_follows_from_its_numbers() -> None:
    draw = DrawRendition("")
    one, other = (draw(EXAMPLE, np.random.default_rng(5)) for _ in range(2))
    assert type(one) is Example
    assert one == other
    assert (one.prompt, one.transcript) == ((20, 21), (7,))


def test_an_example_without_renditions_keeps_its_answer() -> None:
    plain = Example((20,), (1, 9))
    assert DrawRendition("")(plain, np.random.default_rng(0)) is plain


def test_the_prompt_is_varied_behind_the_draw() -> None:
    jitter = CodeJitter((8, 5), first_id=20, deviation=3.0)
    drawn = [DrawRendition("", jitter)(EXAMPLE, np.random.default_rng(seed)) for seed in range(30)]
    assert any(one.prompt != EXAMPLE.prompt for one in drawn)
    assert all(one.answer in WAYS for one in drawn)


@pytest.mark.parametrize("other", [WAYS[:2], WAYS[::-1], ((1, 2, 9), (1, 2, 3, 4, 9), (1, 6, 9))])
def test_other_renditions_have_another_digest(other: tuple[tuple[int, ...], ...]) -> None:
    assert digest([EXAMPLE]) == digest([RenderedExample.of((3,), WAYS, ())])
    assert digest([RenderedExample.of((20, 21), other, (7,))]) != digest([EXAMPLE])
    assert repr(DrawRendition(digest([EXAMPLE]))) != repr(DrawRendition("other"))
