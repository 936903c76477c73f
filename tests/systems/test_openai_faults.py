"""Servers that misbehave: each fault is an error of its request that says what happened, and the next one is fine."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("openai", reason="needs the extra judge")

from tttbench.core.errors import UserError
from tttbench.core.exchange import Response
from tttbench.core.json_values import JsonValue
from tttbench.core.plugins import build_system
from tttbench.core.system import System, SystemOptions

from ..derive.judge_server import KEY, MODEL
from .test_openai_chat import SPOKEN, TEXT
from .voice_server import PAUSE_S, Voice

FAULTS = [
    ("cut", {}, r"broke off after [\d,]+ bytes: the connection broke"),
    ("cut within an event", {}, r"the stream ended within an event"),
    (
        "closes early",
        {},
        r"ended before the answer did, after 1 piece of text and 0.0 s of audio: neither finish_reason",
    ),
    ("never ends", {"longest_s": PAUSE_S}, r"wasn't whole after 0.3 s \(longest_s\)"),
    ("silent", {"timeout_s": PAUSE_S}, r"nothing more came for too long \(timeout_s\)"),
    ("no reply", {"timeout_s": PAUSE_S, "retries": 0}, r"no reply from http://127.0.0.1:\d+/v1/ after 1 attempts"),
    ("wrong content type", {}, r"replied with text/html where JSON was expected; the reply begins with '<html><b>502"),
    ("empty", {}, r"where JSON was expected; the reply is empty"),
    ("broken body", {}, r"can't be read: the server's reply is no JSON"),
    ("429 for long", {}, r"status 429, Retry-After: 3600 .*scripted 429 for long"),
    ("500", {"retries": 1}, r"status 500 .*scripted 500"),
    ("400", {}, r"status 400 .*scripted 400"),
    ("bad JSON", {}, r"an event of the stream is no JSON .*it begins with '\{\"choices\": \["),
    ("no object", {}, r"an event of the stream must be a JSON object, not a list"),
    ("bad base64", {}, r"delta.audio.data: isn't base64"),
    ("base64 as text", {}, r"delta.content: holds base64 where the answer's text belongs"),
    ("half a sample", {}, r"the audio ends within a sample"),
    ("wrong rate", {}, r"sample rate changes from 24,000 to 16,000 Hz"),
    ("wrong rate said", {}, r"said to have 16,000 Hz, but has 24,000 Hz"),
    ("huge frame", {}, r"an event of the stream is larger than 67,108,864 bytes"),
    ("error event", {}, r"ended the stream with an error \(Out of memory for Bearer …\)"),
    ("content filter", {}, r"content filter took the answer"),
]


def build(**settings: JsonValue) -> System:
    return build_system(f"openai_chat:{MODEL}", SystemOptions(settings=settings))


@pytest.mark.parametrize(("fault", "settings", "message"), FAULTS, ids=[fault for fault, _, _ in FAULTS])
def test_a_fault_is_an_error_of_its_request_and_the_next_is_answered(
    voice: Voice, fault: str, settings: dict[str, JsonValue], message: str
) -> None:
    voice.wav = fault.startswith("wrong rate")
    system = build(speaks="yes", **settings)
    # A fault that retries could get over stays as long as there are retries.
    voice.faults, voice.times = {fault}, {fault: 10_000 if fault == "never ends" else 2 if fault == "500" else 1}
    if fault == "wrong rate said":
        voice.times[fault] = 3
    (error,) = system.generate([SPOKEN])
    voice.faults = set()
    assert isinstance(error, UserError), error
    with pytest.raises(UserError, match=message):
        raise error
    assert KEY not in str(error)
    (found,) = system.generate([SPOKEN])
    assert isinstance(found, Response), found
    assert found.text == TEXT


@pytest.mark.parametrize("fault", ["429", "500"])
def test_a_fault_that_passes_is_tried_again_as_the_server_asks(voice: Voice, fault: str) -> None:
    system = build(speaks="yes")
    voice.faults, voice.times = {fault}, {fault: 2}
    (found,) = system.generate([SPOKEN])
    assert isinstance(found, Response), found
    assert found.cost["requests"] == 3
    # Retry-After is waited for, and in the answer's times, as a user would have waited.
    assert found.trace.text_times_s[0] >= (0.1 if fault == "429" else 0.02)


def test_a_server_that_is_gone_isnt_asked_for_ever(voice: Voice) -> None:
    system = build(speaks="yes", retries=0, timeout_s=0.2)
    voice.faults = {"no reply"}
    errors = [str(system.generate([replace(SPOKEN, id=str(at))])[0]) for at in range(5)]
    assert [error.startswith("not asked: ") for error in errors] == [False] * 3 + [True] * 2


def test_a_key_that_isnt_taken_ends_the_asking(voice: Voice) -> None:
    system = build(speaks="yes")
    voice.faults = {"401"}
    errors = [str(system.generate([SPOKEN])[0]) for _ in range(3)]
    assert all("status 401" in error and KEY not in error for error in errors)
    assert len(voice.bodies) == 1
