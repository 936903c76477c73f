"""Speech, transcripts, Realtime, and what servers say of errors."""

from __future__ import annotations

import json

import pytest

from tttbench.core.json_values import JsonObject, JsonValue
from tttbench.wire import realtime
from tttbench.wire.extension import Ask
from tttbench.wire.faults import fault_body, stream_fault, words_of
from tttbench.wire.fields import WireError, parsed, parsed_object
from tttbench.wire.realtime import Session, delta_event, read_server_event
from tttbench.wire.speech import SpeechDelta, SpeechRequest, read_speech_event, read_speech_request
from tttbench.wire.transcription import (
    Transcription,
    TranscriptionDelta,
    TranscriptionRequest,
    read_transcription,
    read_transcription_event,
    read_transcription_request,
)
from tttbench.wire.usage import Usage


def sent(body: JsonObject) -> JsonObject:
    found: JsonObject = json.loads(json.dumps(body))
    return found


def test_a_request_for_speech_comes_back() -> None:
    request = SpeechRequest("m", "Say it.", "v", "slowly", "pcm", 1.5, True, Ask(), {"x": 1})
    assert read_speech_request(sent(request.body())) == request
    assert SpeechRequest("m", "Say it.").body() == {"model": "m", "input": "Say it."}
    for body in ({"input": " "}, {"input": "x", "response_format": "au"}, {"input": "x", "stream_format": "ws"}):
        with pytest.raises(WireError):
            read_speech_request(body)


def test_events_of_speech_come_back() -> None:
    for event in (SpeechDelta(b"\0\1"), SpeechDelta(None, True, Usage(1, 2, 0, 2)), SpeechDelta(None, True)):
        assert read_speech_event(sent(event.body())) == event
    assert read_speech_event({"type": "else"}) == SpeechDelta()


def test_a_request_for_a_transcript_comes_back() -> None:
    request = TranscriptionRequest("m", "en", "Names:", "verbose_json", 0.5, True, {"x": "1"})
    assert read_transcription_request(request.form()) == request
    for form in ({"response_format": "srt"}, {"temperature": "warm"}):
        with pytest.raises(WireError):
            read_transcription_request(form)


def test_transcripts_come_back() -> None:
    whole = Transcription("Hi.", Usage(audio_s=2.0), "en", 2.5)
    assert read_transcription(sent(whole.body())) == whole
    assert read_transcription({"text": ""}) == Transcription("")
    with pytest.raises(WireError, match="no text"):
        read_transcription({"error": "x"})
    for event in (TranscriptionDelta("Hi"), TranscriptionDelta("Hi.", True, Usage(1, 2, 1, 0))):
        assert read_transcription_event(sent(event.body())) == event


@pytest.mark.parametrize("name", ["response.output_audio.delta", "response.audio.delta"])
@pytest.mark.parametrize("place", ["delta", "audio"])
def test_audio_is_read_under_both_names_and_in_both_places(name: str, place: str) -> None:
    found = read_server_event({"type": name, place: "AAE=", "response_id": "r1", "sample_rate_hz": 16_000})
    assert (found.kind, found.audio, found.rate_hz, found.response_id) == ("audio", b"\0\1", 16_000, "r1")
    assert found.name == "response.output_audio.delta"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("response.text.delta", "text"),
        ("response.output_text.delta", "text"),
        ("response.audio_transcript.delta", "transcript"),
        ("response.output_audio_transcript.delta", "transcript"),
        ("transcription.delta", "transcript"),
        # What the user says is no part of the answer.
        ("conversation.item.input_audio_transcription.delta", "other"),
        ("response.audio.done", "other"),
        ("rate_limits.updated", "other"),
    ],
)
def test_old_names_mean_what_new_ones_do(name: str, kind: str) -> None:
    found = read_server_event({"type": name, "delta": "Hi"})
    assert (found.kind, found.text) == (kind, "" if kind == "other" else "Hi")


def test_the_end_of_a_response_says_how_it_ended() -> None:
    failed: JsonObject = {"id": "r1", "status": "failed", "status_details": {"error": {"message": "No GPU."}}}
    found = read_server_event({"type": "response.done", "response": {**failed, "usage": Usage(1, 2).plain()}})
    assert (found.kind, found.status, found.text, found.usage) == ("done", "failed", "No GPU.", Usage(1, 2, 0, 0))
    assert read_server_event({"type": "error", **fault_body("Oh.")}).text == "Oh."


def test_events_of_a_server_are_read_back() -> None:
    assert read_server_event(delta_event("audio", b"\0\1", "r")).audio == b"\0\1"
    assert read_server_event(delta_event("transcript", "Hi", "r")).text == "Hi"


def test_a_session_is_asked_for_as_openai_does() -> None:
    body = Session("Answer.", turns=True, voice="v", ask=Ask("qa")).update()
    assert body == {
        "type": "session.update",
        "session": {
            "type": "realtime",
            "output_modalities": ["audio"],
            "audio": {
                "input": {"format": {"type": "audio/pcm", "rate": 24_000}, "turn_detection": {"type": "server_vad"}},
                "output": {"format": {"type": "audio/pcm", "rate": 24_000}, "voice": "v"},
            },
            "instructions": "Answer.",
            "tttbench": {"family": "qa"},
        },
    }
    assert realtime.append(b"\0\1") == {"type": "input_audio_buffer.append", "audio": "AAE="}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (fault_body("Bad voice."), "Bad voice."),
        ({"error": "Bad voice."}, "Bad voice."),
        ({"object": "error", "message": "Bad voice.", "code": 400}, "Bad voice."),
        ({"detail": "Bad voice."}, "Bad voice."),
        ({"detail": [{"loc": ["body", "voice"], "msg": "Bad."}]}, "body.voice: Bad."),
        ("Bad\n voice.", "Bad voice."),
        ({}, ""),
        (None, ""),
        ([1], ""),
    ],
)
def test_the_words_of_a_server_are_found(body: JsonValue, words: str) -> None:
    assert words_of(body) == words


def test_an_error_within_a_stream_is_none_of_its_deltas() -> None:
    assert stream_fault({**fault_body("Out of memory.")}) == "Out of memory."
    assert stream_fault({"object": "error", "message": "Gone."}) == "Gone."
    assert stream_fault({"error": {}}) is not None
    assert stream_fault({"choices": []}) is None


def test_broken_json_is_told_with_its_beginning() -> None:
    with pytest.raises(WireError, match=r"reply is no JSON .*begins with '\{\"a'"):
        parsed('{"a', "the reply")
    with pytest.raises(WireError, match="must be a JSON object, not a list"):
        parsed_object(b"[1]", "the reply")
    with pytest.raises(WireError):
        parsed("[" * 100_000, "the reply")
