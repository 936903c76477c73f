"""Bits a token from what any system tells of reference answers, by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tttbench.core.errors import UserError
from tttbench.core.exchange import Request, Response
from tttbench.core.sample import Sample, spoken_sample
from tttbench.core.system import AnswerNats, Nats, Scorable, SystemCard
from tttbench.pipeline.likelihood import measure
from tttbench.stats.bootstrap import ratio_interval

about: Any = pytest.approx
"""Stands where a number is wanted."""

LN2 = math.log(2)
NOTHING = Nats(0.0, 0, 0.0, exact=True)


class Mute:
    """A system that tells no likelihoods."""

    card = SystemCard("mute")

    def generate(self, requests: Sequence[Request]) -> Sequence[Response | Exception]:
        return [Response("") for _ in requests]


class Telling(Mute):
    """A system that tells what it was made with."""

    card = SystemCard("telling")
    objective = "guess"

    def __init__(self, *found: AnswerNats) -> None:
        self._found = found
        self.asked: list[tuple[int, str, int, int]] = []

    def likelihoods(self, samples: Sequence[Sample], family: str, *, n_draws: int, seed: int) -> Sequence[AnswerNats]:
        self.asked.append((len(samples), family, n_draws, seed))
        return self._found[: len(samples)]


def samples(n: int) -> list[Sample]:
    return [spoken_sample(f"s{i}", Path(f"{i}.wav"), "words") for i in range(n)]


def test_bits_are_nats_over_ln_2_and_over_all_tokens() -> None:
    system = Telling(
        AnswerNats(Nats(6 * LN2, 4, 0.0, exact=True), Nats(30 * LN2, 10, 3 * LN2, exact=False)),
        AnswerNats(Nats(2 * LN2, 4, 0.0, exact=True), Nats(50 * LN2, 10, 4 * LN2, exact=False)),
    )
    assert isinstance(system, Scorable)
    found = measure(system, "task", samples(2), "asr", n_draws=7, seed=3)
    assert system.asked == [(2, "asr", 7, 3)]
    assert (found.system, found.task, found.objective, found.n) == ("telling", "task", "guess", 2)
    assert found.text.value.estimate == about(1.0)
    assert (found.text.n_tokens, found.text.exact, found.text.se) == (8, True, 0.0)
    assert found.audio is not None
    assert found.audio.value.estimate == about(4.0)
    # The errors of two answers add up as squares: 3 and 4 make 5, over 20 tokens.
    assert found.audio.se == about(0.25)
    assert (found.audio.n_tokens, found.audio.exact) == (20, False)


def test_one_bound_makes_the_whole_a_bound() -> None:
    exact, bound = (AnswerNats(Nats(LN2, 1, 0.0, exact=is_exact), NOTHING) for is_exact in (True, False))
    assert not measure(Telling(exact, bound), "task", samples(2), "asr", n_draws=2, seed=0).text.exact


def test_where_nothing_is_spoken_there_are_no_bits_of_audio() -> None:
    system = Telling(AnswerNats(Nats(LN2, 1, 0.0, exact=True), NOTHING))
    assert measure(system, "task", samples(1), "asr", n_draws=2, seed=0).audio is None


def test_a_system_that_tells_none_is_refused() -> None:
    assert not isinstance(Mute(), Scorable)
    with pytest.raises(UserError, match="mute: tells no likelihoods"):
        measure(Mute(), "task", samples(1), "asr", n_draws=2, seed=0)


def test_intervals_are_over_samples_or_clusters_with_the_seed() -> None:
    nats = [float(1 + at % 5) for at in range(24)]
    system = Telling(*(AnswerNats(Nats(one, 1 + at % 3, 0.0, exact=True), NOTHING) for at, one in enumerate(nats)))
    tokens = [1 + at % 3 for at in range(24)]
    apart = samples(24)
    together = [replace(one, cluster=f"k{at // 2}") for at, one in enumerate(apart[:12])] + apart[12:]
    found = []
    for given in (apart, together):
        labels = [one.cluster or one.id for one in given]
        expected = ratio_interval([one / LN2 for one in nats], tokens, seed=3, clusters=labels)
        found.append(measure(system, "task", given, "asr", n_draws=2, seed=3).text.value)
        assert found[-1] == expected
    assert found[0] != found[1]


def test_one_token_has_all_bits_and_one_draw_s_error() -> None:
    spoken = Nats(0.0, 0, 0.0, exact=True)
    system = Telling(AnswerNats(Nats(3 * LN2, 1, 2 * LN2, exact=False), spoken))
    found = measure(system, "task", samples(1), "qa", n_draws=2, seed=0)
    assert (found.n, found.text.n_tokens, found.text.exact) == (1, 1, False)
    assert (found.text.value.estimate, found.text.se) == (about(3.0), about(2.0))


def test_answers_without_any_token_have_no_error_either() -> None:
    text = measure(Telling(AnswerNats(NOTHING, NOTHING)), "task", samples(1), "qa", n_draws=2, seed=0).text
    assert (text.n_tokens, text.se, text.exact, math.isnan(text.value.estimate)) == (0, 0.0, True, True)


def test_what_tells_none_is_named_with_the_fix() -> None:
    with pytest.raises(UserError) as raised:
        measure(Mute(), "task", samples(1), "asr", n_draws=2, seed=0)
    assert str(raised.value) == ("mute: tells no likelihoods. Give systems that do, e.g. ttt:mini or ttt:FOLDER.")
