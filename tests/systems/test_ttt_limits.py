"""How long input and answer may be, worked by hand for 12.5 codes a second."""

from __future__ import annotations

import numpy as np
import pytest

from reference_model.decoding import DecodeConfig
from tttbench.core.errors import InputError
from tttbench.core.exchange import Message, Request
from tttbench.systems.ttt.limits import Limits

LIMITS = Limits(positions=300, codes_per_s=12.5)


def request(family: str, max_seconds: float = 30.0) -> Request:
    message = Message("user", audio=np.zeros(1, np.float32), sample_rate=16_000)
    return Request("x", (message,), family, max_seconds=max_seconds)


def test_a_question_leaves_room_for_one_turn() -> None:
    # 50 around, 211 codes (16.88 s), 39 for a turn: 300.
    LIMITS.check(request("qa"), 16.88, 50)
    with pytest.raises(InputError, match=r"x: 16.9 s of audio .* take 301 positions, .* Give at most 16.9 s"):
        LIMITS.check(request("qa"), 16.9, 50)


def test_a_transcript_leaves_room_for_the_speech_again_and_its_text() -> None:
    # 50 around, 100 codes (8 s), 150 for codes and text: 300.
    LIMITS.check(request("asr"), 8.0, 50)
    with pytest.raises(InputError, match=r"take 303 positions, .* Give at most 8.0 s"):
        LIMITS.check(request("asr"), 8.01, 50)


def test_a_transcript_that_could_not_be_spoken_in_time_is_refused() -> None:
    with pytest.raises(InputError, match="the task waits for 3 s at most"):
        LIMITS.check(request("asr", max_seconds=3.0), 4.0, 50)


def test_a_question_may_be_longer_than_its_answer() -> None:
    LIMITS.check(request("qa", max_seconds=3.0), 4.0, 50)


def test_a_long_text_is_to_be_shortened() -> None:
    with pytest.raises(InputError, match=r"the text and an answer take 301 positions, .* Shorten it"):
        LIMITS.check(request("qa"), 0.0, 262)


def test_an_answer_has_as_many_codes_as_are_waited_for_and_their_ends() -> None:
    # 4 s are 50 codes, in a full span and a second one.
    assert LIMITS.bound(DecodeConfig(), request("qa", 4.0), 100).max_audio_tokens == 50 + 2


def test_an_answer_ends_where_the_positions_do() -> None:
    bounded = LIMITS.bound(DecodeConfig(), request("qa"), 280)
    assert (bounded.max_text_tokens, bounded.max_audio_tokens) == (20, 20)
