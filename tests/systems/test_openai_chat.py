"""``openai_chat``: what is sent, what is read, and when everything arrived."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("openai", reason="needs the extra judge")

from tttbench.core.checked import card_of, checked_response
from tttbench.core.errors import InputError, UserError
from tttbench.core.exchange import Message, Request, Response
from tttbench.core.json_values import JsonValue
from tttbench.core.plugins import build_system, check_system, make_ready, systems
from tttbench.core.system import System, SystemOptions
from tttbench.wire.chat_request import read_chat_request
from tttbench.wire.chat_stream import Dialect
from tttbench.wire.extension import Ask

from ..derive.judge_server import KEY, MODEL
from .voice_server import CODES, PAUSE_S, PIECES, SOUND, Voice

SAMPLES = (np.arange(160) / 1000).astype(np.float32)
SPOKEN = Request("s1", (Message("user", "", SAMPLES, 16_000),), "qa", "Answer in a word.", "en", 20.0, 2**40 + 5, "t")
TEXT = "It is Paris."


def chat(**settings: JsonValue) -> System:
    return build_system(f"openai_chat:{MODEL}", SystemOptions(settings=settings))


def answer(system: System, request: Request = SPOKEN) -> Response:
    (found,) = system.generate([request])
    if isinstance(found, Exception):
        raise found
    return checked_response(found)


@pytest.mark.parametrize("dialect", ["openai", "modality"])
@pytest.mark.parametrize("wav", [True, False])
def test_speech_and_words_arrive_in_either_dialect_each_with_its_time(
    voice: Voice, dialect: Dialect, wav: bool
) -> None:
    voice.dialect, voice.wav = dialect, wav
    found = answer(chat())
    assert found.text == TEXT
    assert found.waveform is not None
    assert np.array_equal(found.waveform, SOUND)
    assert (found.sample_rate, found.finish_reason) == (24_000, "stop")
    trace = found.trace
    assert trace.text_tokens == ("It", " is", " Paris.")
    assert [chunk.n_samples for chunk in trace.chunks] == [len(piece) for piece in PIECES]
    assert 0 < trace.text_times_s[0] <= trace.chunks[0].time_s <= trace.text_times_s[1] <= trace.end_s


def test_a_late_answer_and_a_gap_in_it_are_in_the_times(voice: Voice) -> None:
    system = chat()
    voice.faults = {"late", "gap"}
    gaps = []
    for _ in range(3):
        trace = answer(system).trace
        assert trace.text_times_s[0] >= PAUSE_S
        # The gap is behind the first word and its sound; a busy machine may read that late.
        gaps.append(min(trace.chunks[1].time_s, trace.text_times_s[1]) - trace.chunks[0].time_s)
        if gaps[-1] > PAUSE_S / 2:
            return
    raise AssertionError(gaps)


def test_a_request_carries_instruction_audio_and_seed(voice: Voice) -> None:
    system = chat(temperature=0.5, max_tokens=50, voice="v", extra_body={"top_k": 3})
    answer(system)
    sent = read_chat_request(voice.bodies[0])
    assert [one.role for one in sent.messages] == ["system", "user"]
    assert sent.messages[0].text == "Answer in a word."
    heard = sent.messages[1].message()
    assert heard.audio is not None
    assert np.abs(heard.audio - SAMPLES).max() <= 0.5 / 32768
    assert heard.sample_rate == 16_000
    assert (sent.seed, sent.temperature, sent.max_tokens, sent.voice) == (5, 0.5, 50, "v")
    assert (sent.stream, sent.include_usage, sent.speaks, sent.format) == (True, True, True, "pcm16")
    assert (sent.more, sent.ask) == ({"top_k": 3}, None)
    assert voice.keys == [f"Bearer {KEY}"] * len(voice.keys)


@pytest.mark.parametrize("settings", [{"tttbench": True}, {"extra_body": {"tttbench": True}}])
def test_the_object_tttbench_is_asked_for_and_read(voice: Voice, settings: dict[str, JsonValue]) -> None:
    found = answer(chat(**settings))
    assert found.audio_codes == CODES
    assert (found.trace.nfe, found.trace.nfe_audio, found.trace.commit_step) == (4, 2, (0, 0, 1))
    assert (found.trace.spans, found.trace.stages_s) == ((2, 1), {"decode": 0.25})
    sent = read_chat_request(voice.bodies[0])
    assert (sent.ask, sent.seed) == (Ask("qa", "en", 20.0, "s1", "t"), 2**40 + 5)
    heard = sent.messages[1].message()
    assert heard.audio is not None
    assert np.array_equal(heard.audio, SAMPLES)


def test_a_conversation_is_sent_as_it_was(voice: Voice) -> None:
    spoken = Message("assistant", "Rome.", SAMPLES, 16_000)
    messages = (Message("user", "Capital of Italy?"), spoken, Message("user", "", SAMPLES, 16_000))
    answer(chat(), replace(SPOKEN, messages=messages, instruction=""))
    sent = read_chat_request(voice.bodies[0]).messages
    assert [(one.role, one.text, one.audio is not None) for one in sent] == [
        ("user", "Capital of Italy?", False),
        ("assistant", "Rome.", False),
        ("user", "", True),
    ]


def test_tokens_requests_and_their_price_are_kept(voice: Voice) -> None:
    system = chat(price_in=2.0, price_out=4.0)
    voice.faults, voice.times = {"429"}, {"429": 1}
    assert answer(system).cost == {
        "requests": 2,
        "tokens_in": 30,
        "tokens_out": 20,
        "audio_tokens_in": 12,
        "audio_tokens_out": 9,
        "usd": pytest.approx((30 * 2 + 20 * 4) / 1e6),
    }


@pytest.mark.parametrize("refuses", ["This model does not support audio output.", ""])
def test_a_server_that_cant_speak_is_asked_for_text(
    voice: Voice, refuses: str, caplog: pytest.LogCaptureFixture
) -> None:
    voice.speaks, voice.refuses = False, refuses
    system = chat()
    assert system.card.capability.produces == {"text"}
    assert system.card.settings["speaks"] is False
    assert "answers without audio" in caplog.text
    found = answer(system)
    assert (found.text, found.waveform, found.trace.chunks) == (TEXT, None, ())
    assert "modalities" not in voice.bodies[0]


def test_a_server_is_tried_out_once_or_not_at_all(voice: Voice) -> None:
    voice.faults = {"no max_tokens"}
    system = chat()
    assert system.card.capability.produces == {"text", "audio"}
    assert ["max_tokens" in body for body in voice.trials] == [True, False]
    voice.trials.clear()
    assert chat(speaks="yes").card.capability.produces == {"text", "audio"}
    assert chat(speaks="no").card.capability.produces == {"text"}
    assert voice.trials == []


def test_a_server_that_takes_nothing_is_told_before_anything_is_asked(voice: Voice) -> None:
    voice.refuses = "No."
    with pytest.raises(UserError, match=r"openai_chat:scripted: a first request, .*status 400 .*No\)"):
        chat()


@pytest.mark.parametrize("stream", [True, False])
def test_a_reply_that_isnt_streamed_is_read_all_the_same(voice: Voice, stream: bool) -> None:
    voice.faults = {"never streams"}
    found = answer(chat(stream=stream))
    assert found.text == TEXT
    assert found.waveform is not None
    assert np.array_equal(found.waveform, SOUND)
    assert [chunk.n_samples for chunk in found.trace.chunks] == [len(SOUND)]
    assert voice.bodies[0].get("stream", False) is stream


def test_a_stream_may_end_without_its_mark(voice: Voice) -> None:
    voice.faults = {"no [DONE]"}
    assert answer(chat()).text == TEXT


def test_an_answer_that_a_limit_cut_says_so(voice: Voice) -> None:
    voice.faults = {"length"}
    assert answer(chat()).is_cut


def test_a_batch_is_asked_for_at_once_and_answered_in_order(voice: Voice) -> None:
    system = chat(concurrency=4)
    voice.together = threading.Barrier(4)
    requests = [replace(SPOKEN, id=f"s{at}", instruction=f"{at}") for at in range(4)]
    bad = Request("bad", (Message("user", " "),))
    found = system.generate([*requests, bad])
    assert [isinstance(one, Response) for one in found] == [True] * 4 + [False]
    assert isinstance(found[4], InputError)
    assert system.card.capability.concurrency == 4


def test_the_key_is_in_no_card_and_the_address_in_its_details_alone(voice: Voice) -> None:
    one, other = chat(), chat(base_url=voice.url + "/", concurrency=9)
    card = card_of(one, "x")
    assert KEY not in repr(card)
    assert card.digest == other.card.digest
    assert card.details["base_url"] == voice.url + "/"
    assert chat(temperature=0.1).card.digest != card.digest


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("openai_chat", {}, "names no model"),
        ("openai_chat:m", {"temprature": 1}, "temprature: unknown key. Did you mean 'temperature'"),
        ("openai_chat:m?retries=many", {}, "retries: must be a whole number"),
        ("openai_chat:m?sk-secret", {}, "must stand OPTION=VALUE"),
        ("openai_chat:m", {"base_url": "http://me:hunter2@h/v1"}, "base_url: must be http://HOST:PORT/v1 without user"),
        ("openai_chat:m", {"key_env": "sk-secret"}, "key_env: must be the name of an environment variable"),
        ("openai_chat:m", {"speaks": True}, "speaks"),
    ],
)
def test_wrong_settings_are_refused_and_no_secret_is_repeated(
    name: str, settings: dict[str, JsonValue], message: str
) -> None:
    with pytest.raises(UserError, match=message) as caught:
        check_system(name, SystemOptions(settings=settings))
    assert "secret" not in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_settings_stand_in_the_name_or_in_the_suite(voice: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL")
    monkeypatch.setenv("MY_KEY", "another")
    system = build_system(
        f"openai_chat:{MODEL}?base_url={voice.url}&key_env=MY_KEY&temperature=0.5&speaks=no",
        SystemOptions(settings={"temperature": 0.25}),
    )
    assert answer(system).text == TEXT
    assert voice.bodies[0]["temperature"] == 0.25
    assert voice.keys == ["Bearer another"]


def test_a_strategy_is_refused() -> None:
    with pytest.raises(UserError, match="no decoding strategies"):
        check_system("openai_chat:m", SystemOptions(strategy="topk"))


def test_a_server_that_isnt_there_or_has_no_such_model_is_told_before_a_run(
    voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_ready(f"openai_chat:{MODEL}", SystemOptions(), systems)
    with pytest.raises(UserError, match=r"has no such model\. Did you mean 'scripted'"):
        make_ready("openai_chat:scriptet", SystemOptions(), systems)
    with pytest.raises(UserError, match=r"no server answers at http://127\.0\.0\.1:9/"):
        make_ready(f"openai_chat:{MODEL}?base_url=http://127.0.0.1:9/v1", SystemOptions(), systems)
    monkeypatch.delenv("OPENAI_BASE_URL")
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(UserError, match="set OPENAI_BASE_URL to the address of a server"):
        make_ready(f"openai_chat:{MODEL}", SystemOptions(), systems)
    lacks = systems.get("openai_chat").lacks
    assert lacks is not None
    (missing,) = lacks(MODEL, SystemOptions()) or ()
    assert "the address of a server that serves scripted" in missing.what
