"""Chat completions: requests, replies and streams read back as they were written, in both dialects."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from tttbench.core.exchange import Message, Request, Response, Trace
from tttbench.core.json_values import JsonObject
from tttbench.wire.chat_reply import ChatReply, ReplyAudio, read_chat_reply
from tttbench.wire.chat_request import ChatMessage, ChatRequest, read_chat_request
from tttbench.wire.chat_stream import Delta, Dialect, StreamHead, read_chunk
from tttbench.wire.extension import Ask, Extension, read_ask, read_extension
from tttbench.wire.fields import WireError
from tttbench.wire.sound import base64_of, wav_of
from tttbench.wire.usage import Usage, read_usage

RAMP = (np.arange(-5, 6) / 8).astype(np.float32)
WAV = wav_of(RAMP, 16_000, "float32")
HEAD = StreamHead("c1", "m", 7)


def sent(body: JsonObject) -> JsonObject:
    """As it arrives behind JSON."""
    found: JsonObject = json.loads(json.dumps(body))
    return found


def test_a_request_is_what_openai_writes() -> None:
    request = ChatRequest("m", (ChatMessage("user", "Hi", b"\0\1"),), True, "alloy", "wav", seed=3)
    assert request.body() == {
        "model": "m",
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "input_audio", "input_audio": {"data": "AAE=", "format": "wav"}},
                    {"type": "text", "text": "Hi"},
                ],
            }
        ],
        "seed": 3,
        "modalities": ["text", "audio"],
        "audio": {"voice": "alloy", "format": "wav"},
    }


@pytest.mark.parametrize("part", ["input_audio", "audio_url"])
def test_a_request_comes_back(part: str) -> None:
    request = ChatRequest(
        "m",
        (
            ChatMessage("system", "Answer."),
            ChatMessage("user", "One", WAV),
            ChatMessage("assistant", "", audio_id="a1"),
            ChatMessage("user", audio=WAV),
        ),
        True,
        "v",
        "pcm16",
        True,
        True,
        2**63 - 1,
        100,
        0.5,
        0.9,
        Ask("qa", "en", 30.0, "s1", "t"),
        {"top_k": 5},
    )
    assert read_chat_request(sent(request.body("input_audio" if part == "input_audio" else "audio_url"))) == request


def test_a_turn_of_the_suite_comes_back_to_the_last_bit() -> None:
    samples = np.array([0.1, -0.7, 1.0], np.float32)
    found = ChatMessage.of(Message("user", "hm", samples, 11_025), "float32").message()
    assert found.audio is not None
    assert np.array_equal(found.audio, samples)
    assert (found.sample_rate, found.text) == (11_025, "hm")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"model": "m"}, "^messages: "),
        ({"messages": [{"role": "judge", "content": "x"}]}, r"^messages\[0\].role: "),
        ({"messages": ["x"]}, r"^messages\[0\]: "),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, r"content\[0\].type: .*image_url"),
        (
            {"messages": [{"role": "user", "content": [{"type": "audio_url", "audio_url": {"url": "http://x"}}]}]},
            "fetched",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "?"}}]}]},
            "base64",
        ),
        ({"messages": [{"role": "user", "content": "x"}], "seed": "1"}, "^seed: "),
        ({"messages": [{"role": "user", "content": "x"}], "seed": 1e400}, "^seed: "),
        ({"messages": [{"role": "user", "content": "x"}], "modalities": ["video"]}, "^modalities: "),
        ({"messages": [{"role": "user", "content": "x"}], "stream": 1}, "^stream: "),
        ({"messages": [{"role": "user", "content": "x"}], "tttbench": 1}, "^tttbench: "),
        ({"messages": [{"role": "user", "content": "x"}], "max_tokens": 0}, "^max_tokens: "),
    ],
)
def test_a_request_that_makes_no_sense_names_the_field(body: JsonObject, message: str) -> None:
    with pytest.raises(WireError, match=message):
        read_chat_request(body)


def test_the_object_is_asked_for_by_true_or_by_what_is_known() -> None:
    assert read_ask({"tttbench": True}) == Ask()
    assert read_ask({"tttbench": False}) is read_ask({}) is None
    assert Ask().body() is True
    ask = Ask.of(Request("s1", (), "asr", language="zh", max_seconds=5, task="t"))
    assert read_ask({"tttbench": ask.body()}) == ask == Ask("asr", "zh", 5.0, "s1", "t")


EXTENSION = Extension(
    (1, 2, 3), (0, 0, 1), (0.5, math.nan, 1.0), (2, 1), 4, 2, ("a", "b"), {"decode": 0.5}, "ttt:x", "f"
)


def test_the_object_comes_back() -> None:
    found = read_extension(sent({"tttbench": EXTENSION.body()}))
    assert found is not None
    assert math.isnan(found.commit_confidence[1])
    assert found.body() == EXTENSION.body()
    assert read_extension({}) is None


def test_the_object_holds_what_a_trace_knows_of_passes() -> None:
    trace = Trace({"decode": 0.5}, nfe=4, nfe_audio=2, commit_step=(0, 1), commit_confidence=(0.5, 1.0), spans=(2,))
    made = Extension.of(Response("x", (7, 8), trace=trace))
    assert made.codes == (7, 8)
    assert made.within(Trace(end_s=9.0)) == Trace(
        {"decode": 0.5}, end_s=9.0, nfe=4, nfe_audio=2, commit_step=(0, 1), commit_confidence=(0.5, 1.0), spans=(2,)
    )


def test_an_object_of_another_version_is_refused() -> None:
    for table in ({"version": 2}, {"codes": [0.5]}, {"stages_s": {"a": "b"}}):
        with pytest.raises(WireError):
            read_extension({"tttbench": table})


def test_a_reply_comes_back() -> None:
    written = ChatReply("m", "Hi.", usage=Usage(3, 4, 1, 2), id="c1", created=7, fingerprint="f")
    assert read_chat_reply(sent(written.body())) == written
    spoken = ChatReply("m", audio=ReplyAudio(WAV, "Hi.", "a1", 99), finish_reason="length", extension=Extension((1,)))
    assert read_chat_reply(sent(spoken.body())) == spoken
    assert spoken.words == written.words == "Hi."


def test_speech_in_a_second_choice_is_the_same_answers() -> None:
    body: JsonObject = {
        "model": "m",
        "choices": [
            {"message": {"content": "Hi."}, "finish_reason": "stop"},
            {"message": {"content": None, "audio": {"data": "AAE=", "transcript": ""}}, "finish_reason": "stop"},
        ],
    }
    found = read_chat_reply(body)
    assert (found.words, found.audio) == ("Hi.", ReplyAudio(b"\0\1"))


@pytest.mark.parametrize("body", [{}, {"choices": []}, {"choices": "x"}, {"choices": [1]}])
def test_a_reply_without_choices_is_none(body: JsonObject) -> None:
    with pytest.raises(WireError):
        read_chat_reply(body)


@pytest.mark.parametrize(
    "delta",
    [
        Delta("Hi", model="m"),
        Delta(transcript="Hi", model="m"),
        Delta(audio=b"\0\1", rate_hz=16_000, model="m"),
        Delta("x", "y", b"z", 8_000, "a1", 99, "stop", "no", Usage(1, 2, 0, 0), Extension((1,)), "m"),
        Delta(usage=Usage(1, 2, 0, 0), model="m"),
    ],
)
def test_an_event_comes_back(delta: Delta) -> None:
    assert read_chunk(sent(HEAD.chunk(delta))) == delta


def test_counts_come_in_an_event_without_choices() -> None:
    assert HEAD.chunk(Delta(usage=Usage(1, 2)))["choices"] == []


@pytest.mark.parametrize("dialect", ["openai", "modality"])
def test_both_dialects_are_told_apart_by_what_arrives(dialect: Dialect) -> None:
    assert read_chunk(sent(HEAD.chunk(Delta("Hi"), dialect))).text == "Hi"
    found = read_chunk(sent(HEAD.chunk(Delta(audio=WAV, rate_hz=16_000), dialect)))
    assert (found.text, found.audio, found.rate_hz) == ("", WAV, 16_000)


def test_base64_never_becomes_text() -> None:
    told = base64_of(WAV)
    body = {"choices": [{"delta": {"content": told}}]}
    assert read_chunk(body) == Delta(audio=WAV)
    noise = base64_of(np.random.default_rng(0).bytes(600))
    for name in ("delta", "message"):
        with pytest.raises(WireError, match="base64 where the answer's text belongs"):
            read_chunk({"choices": [{name: {"content": noise}}]})
    with pytest.raises(WireError, match="base64"):
        read_chat_reply({"choices": [{"message": {"content": noise}}]})
    assert read_chunk({"choices": [{"delta": {"content": "a" * 500}}]}).text == "a" * 500


def test_counts_are_read_under_both_names() -> None:
    usage = Usage(10, 20, 3, 4)
    assert read_usage(sent(usage.chat())) == read_usage(sent(usage.plain())) == usage
    assert read_usage({"type": "duration", "seconds": 3.5}) == Usage(audio_s=3.5)
    assert read_usage({"prompt_tokens": -1, "completion_tokens": True}) == Usage()
    assert read_usage(None) is None
    assert usage.cost == {"tokens_in": 10, "tokens_out": 20, "audio_tokens_in": 3, "audio_tokens_out": 4}
