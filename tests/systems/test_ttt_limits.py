"""How long input and answer may be, worked by hand for 12.5 codes a second."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from reference_model.decoding import DecodeConfig
from tttbench.core.errors import InputError, UserError
from tttbench.core.exchange import Message, Request
from tttbench.core.system import Lengths
from tttbench.systems.ttt.limits import Limits

LIMITS = Limits(positions=300, codes_per_s=12.5)


def request(family: str, max_seconds: float = 30.0) -> Request:
    message = Message("user", audio=np.zeros(1, np.float32), sample_rate=16_000)
    return Request("x", (message,), family, max_seconds=max_seconds)


@pytest.mark.parametrize(
    ("family", "fits_s", "seconds", "n_around", "message"),
    [
        # 50 around, 211 codes (16.88 s), 39 for a turn: 300.
        ("qa", 16.88, 16.9, 50, "16.9 s of audio and an answer take 301 positions, … Give at most 16.8 s"),
        # 50 around, 100 codes (8 s), 150 for codes and text: 300.
        ("asr", 8.0, 8.01, 50, "8.0 s of audio and an answer take 303 positions, … Give at most 8.0 s"),
        # 247 are left: 98 codes (7.84 s) and 147; 99 codes would take 248.
        ("asr", 7.84, 7.9, 53, "7.9 s of audio and an answer take 301 positions, … Give at most 7.8 s"),
        # Not even a turn is left, or just one.
        ("qa", 0.0, 1.0, 261, "1.0 s of audio and an answer take 313 positions, … Give at most 0.0 s"),
        ("qa", None, 1.0, 270, "1.0 s of audio and an answer take 322 positions, … Give at most 0.0 s"),
        ("asr", None, 1.0, 310, "1.0 s of audio and an answer take 343 positions, … Give at most 0.0 s"),
        ("qa", None, 0.0, 262, "the text and an answer take 301 positions, … Shorten it"),
    ],
)
def test_what_leaves_no_room_for_an_answer_is_refused_with_what_would(
    family: str, fits_s: float | None, seconds: float, n_around: int, message: str
) -> None:
    if fits_s is not None:
        LIMITS.check(request(family), fits_s, n_around)
    with pytest.raises(InputError) as refused:
        LIMITS.check(request(family), seconds, n_around)
    whole = message.replace("…", "but the model has 300.")
    assert str(refused.value) == f"x: {whole}, or take a model with more positions."


@pytest.mark.parametrize(
    ("n_around", "advised"),
    [(53, "24.5"), (299, "0.0")],  # at 4 codes a second: 98 codes and 147; none
)
def test_a_slow_codec_is_advised_in_whole_codes(n_around: int, advised: str) -> None:
    with pytest.raises(InputError, match=f"Give at most {advised} s,"):
        Limits(positions=300, codes_per_s=4.0).check(request("asr"), 25.0, n_around)


@pytest.mark.parametrize("family", ["qa", "asr"])
@pytest.mark.parametrize("n_around", range(0, 262, 9))
def test_as_much_audio_as_is_advised_fits(family: str, n_around: int) -> None:
    with pytest.raises(InputError) as refused:
        LIMITS.check(request(family), 29.0, n_around)
    advised = re.search(r"Give at most ([0-9.]+) s", str(refused.value))
    assert advised is not None
    LIMITS.check(request("qa" if advised[1] == "0.0" else family), float(advised[1]), n_around)


def test_a_transcript_that_could_not_be_spoken_in_time_is_refused() -> None:
    LIMITS.check(request("asr", max_seconds=4.0), 4.0, 50)
    with pytest.raises(InputError) as refused:
        LIMITS.check(request("asr", max_seconds=3.0), 4.0, 50)
    assert str(refused.value) == (
        "x: 4.0 s of audio, which the model repeats as it transcribes it, but the task waits for 3 s at most. "
        "Cut the audio, or raise the task's max_seconds."
    )


def test_a_question_may_be_longer_than_its_answer() -> None:
    LIMITS.check(request("qa", max_seconds=3.0), 4.0, 50)


def test_lengths_fill_the_positions_at_most() -> None:
    lengths = Lengths(prompt_codes=200, span_codes=60)
    LIMITS.check_lengths("ttt:mini", lengths, 300)
    with pytest.raises(UserError) as refused:
        LIMITS.check_lengths("ttt:mini", lengths, 304)
    assert str(refused.value) == (
        "a prompt of 200 codes and a span of 60 take 304 positions, but ttt:mini has 300. Shorten them by 4 in all."
    )


def test_an_answer_has_as_many_codes_as_are_waited_for_and_their_ends() -> None:
    # 4 s are 50 codes, in a full span and a second one.
    assert LIMITS.bound(DecodeConfig(), request("qa", 4.0), 100).max_audio_tokens == 50 + 2


def test_an_answer_ends_where_the_positions_do() -> None:
    bounded = LIMITS.bound(DecodeConfig(), request("qa"), 280)
    assert (bounded.max_text_tokens, bounded.max_audio_tokens) == (20, 20)


@pytest.mark.parametrize("n_prompt", [299, 300, 400])
def test_an_answer_has_one_token_at_least(n_prompt: int) -> None:
    bounded = LIMITS.bound(DecodeConfig(), request("qa"), n_prompt)
    assert bounded == replace(DecodeConfig(), max_text_tokens=1, max_audio_tokens=1)


def test_settings_that_ask_for_less_stay() -> None:
    settings = DecodeConfig(max_text_tokens=7, max_audio_tokens=9)
    assert LIMITS.bound(settings, request("qa"), 100) == settings


def test_a_part_of_a_code_takes_a_whole_one() -> None:
    assert [LIMITS.codes(seconds) for seconds in (0.0, 0.01, 0.08, 0.09, 4.0)] == [0, 1, 1, 2, 50]
