"""What an approximate cache costs in tokens: the figures by hand, and measured on the caches themselves."""

from __future__ import annotations

import itertools
import math

import pytest

from reference_model.decoding import Answer, DecodeConfig, DecodeTrace, Prompt, divergence, measure_divergence

from .cases import MODELS, prompt_for


def answer(ids: tuple[int, ...], text: tuple[int, ...], *spans: tuple[int, ...], seconds: float = 0.0) -> Answer:
    return Answer(ids, text, spans, "stop", DecodeTrace(stages_s={"text": seconds, "audio": 2 * seconds}))


ORACLE = [
    answer((1, 30, 31, 32), (1,), (10, 11, 12), seconds=1.0),
    answer((2, 30, 31, 3, 33), (2, 3), (10, 11), (13,), seconds=2.0),
]


def test_equal_answers_are_equal_in_every_figure() -> None:
    found = divergence(ORACLE, ORACLE)
    assert (found.n_answers, found.n_codes) == (2, 6)
    assert found.identical == found.same_text == found.same_codes == found.codes_before_difference == 1.0
    assert found.seconds == found.oracle_seconds == 9.0


def test_the_figures_by_hand() -> None:
    answers = [
        # The second of three codes differs: two are the same, one stands before the difference.
        answer((1, 30, 39, 32), (1,), (10, 19, 12), seconds=0.5),
        # The first span has one code more, the second is the same: two codes, then three of four at their place.
        answer((2, 30, 31, 39, 3, 33), (2, 3), (10, 11, 19), (13,), seconds=1.0),
    ]
    found = divergence(answers, ORACLE)
    assert found.identical == 0.0
    assert found.same_text == 1.0
    assert found.same_codes == pytest.approx((2 + 3) / (3 + 4))
    assert found.codes_before_difference == pytest.approx((1 + 2) / 6)
    assert (found.seconds, found.oracle_seconds) == (4.5, 9.0)


def test_a_missing_span_differs() -> None:
    found = divergence([answer((2, 30, 31), (2,), (10, 11))], ORACLE[1:])
    assert found.same_text == 0.0
    assert found.same_codes == pytest.approx(2 / 3)
    assert found.codes_before_difference == pytest.approx(2 / 3)


def test_without_codes_there_is_no_share_of_them() -> None:
    found = divergence([answer((1,), (1,))], [answer((1,), (1,))])
    assert found.identical == 1.0
    assert math.isnan(found.same_codes)
    assert math.isnan(found.codes_before_difference)


@pytest.mark.parametrize("answers", [[], ORACLE[:1]])
def test_nothing_to_compare_is_said(answers: list[Answer]) -> None:
    with pytest.raises(ValueError, match=r"no answers|shorter|longer"):
        divergence(answers, ORACLE if answers else [])


HYBRID = MODELS["hybrid", 60, 1]
PROMPTS = [Prompt(prompt_for(HYBRID, seed), seed) for seed in range(12)]
LONG_SPANS = DecodeConfig(block_length=4, max_text_tokens=8, max_audio_tokens=40)


def test_the_block_cache_diverges_within_spans_of_several_blocks() -> None:
    found = measure_divergence(HYBRID, PROMPTS, LONG_SPANS)
    assert found.n_answers == 12
    assert 0 < found.same_codes < 1
    assert 0 < found.codes_before_difference < 1
    assert found.identical < 1


def test_the_oracle_itself_does_not_diverge() -> None:
    found = measure_divergence(HYBRID, PROMPTS, LONG_SPANS, cache="none", batch_size=5)
    assert found.n_codes > 50
    assert found.identical == found.same_codes == found.codes_before_difference == 1.0


def test_spans_of_one_block_do_not_diverge() -> None:
    found = measure_divergence(HYBRID, PROMPTS, DecodeConfig(block_length=64, max_text_tokens=8, max_audio_tokens=64))
    assert found.n_codes > 100
    assert found.identical == 1.0


def test_the_time_of_both_is_told() -> None:
    ticks = itertools.count()
    found = measure_divergence(HYBRID, PROMPTS[:2], LONG_SPANS, clock=lambda: float(next(ticks)))
    assert found.seconds > 0
    assert found.oracle_seconds > 0
