"""Bits a token from what any system tells of reference answers, by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import pytest

from tttbench.core.errors import UserError
from tttbench.core.exchange import Request, Response
from tttbench.core.sample import Sample, spoken_sample
from tttbench.core.system import AnswerNats, Nats, Scorable, SystemCard
from tttbench.pipeline.likelihood import measure

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
    assert found.text.value.estimate == pytest.approx(1.0)
    assert (found.text.n_tokens, found.text.exact, found.text.se) == (8, True, 0.0)
    assert found.audio is not None
    assert found.audio.value.estimate == pytest.approx(4.0)
    # The errors of two answers add up as squares: 3 and 4 make 5, over 20 tokens.
    assert found.audio.se == pytest.approx(0.25)
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
