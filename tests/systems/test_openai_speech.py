"""``openai_speech`` and ``openai_transcriptions``: a server as the voice, and as the transcriber."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("openai", reason="needs the extra judge")

from tttbench.core.checked import checked_response
from tttbench.core.derivation import DerivationInput, Derived, Need
from tttbench.core.errors import InputError, UserError
from tttbench.core.exchange import Message, Request, Response
from tttbench.core.json_values import JsonValue
from tttbench.core.plugins import build_deriver, build_system
from tttbench.core.system import System, SystemOptions
from tttbench.wire.sound import read_wav

from ..derive.judge_server import KEY, MODEL
from .voice_server import PAUSE_S, PIECES, SOUND, USAGE, Voice

SAMPLES = (np.arange(160) / 1000).astype(np.float32)
SAY = Request("s1", (Message("user", "It is Paris."),), "repetition")
HEAR = Request("s1", (Message("user", "", SAMPLES, 16_000),), "asr", language="en-US")


def build(kind: str, **settings: JsonValue) -> System:
    return build_system(f"openai_{kind}:{MODEL}", SystemOptions(settings=settings))


def answer(system: System, request: Request) -> Response:
    (found,) = system.generate([request])
    if isinstance(found, Exception):
        raise found
    return checked_response(found)


@pytest.mark.parametrize("settings", [{}, {"events": True}])
def test_a_text_is_spoken_each_piece_with_its_time(voice: Voice, settings: dict[str, JsonValue]) -> None:
    system = build("speech", voice="v", instructions="slowly", speed=1.5, **settings)
    voice.faults = {"gap"}
    found = answer(system, SAY)
    assert (found.text, found.sample_rate) == ("It is Paris.", 24_000)
    assert found.waveform is not None
    assert np.array_equal(found.waveform, SOUND)
    chunks = found.trace.chunks
    assert sum(chunk.n_samples for chunk in chunks) == len(SOUND)
    assert chunks[-1].time_s - chunks[0].time_s > PAUSE_S / 3
    assert found.cost == {"requests": 1, **(USAGE.cost if settings else {})}
    body = voice.bodies[0]
    assert (body["input"], body["voice"], body["instructions"], body["speed"]) == ("It is Paris.", "v", "slowly", 1.5)


def test_a_file_that_is_streamed_has_the_rate_of_its_header(voice: Voice) -> None:
    found = answer(build("speech", format="wav"), SAY)
    assert found.sample_rate == 16_000
    assert found.waveform is not None
    assert np.array_equal(found.waveform, SOUND)
    assert [chunk.n_samples for chunk in found.trace.chunks] == [(301 - 44) // 2, len(SOUND) - (301 - 44) // 2]
    assert "voice" not in voice.bodies[0]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("half a sample", "within a sample"),
        ("wrong content type", "replied with text/html where audio was expected"),
        ("cut", "the connection broke"),
        ("400", "status 400"),
    ],
)
def test_speech_that_fails_says_why(voice: Voice, fault: str, message: str) -> None:
    system = build("speech")
    voice.faults, voice.times = {fault}, {fault: 1}
    with pytest.raises(UserError, match=message) as caught:
        answer(system, SAY)
    assert KEY not in str(caught.value)
    assert len(PIECES) == len(answer(system, SAY).trace.chunks)


def test_events_of_speech_that_end_too_early_are_an_error(voice: Voice) -> None:
    voice.faults = {"closes early"}
    with pytest.raises(UserError, match=r"ended before the speech did, after 0 pieces of text and 0.0 s of audio"):
        answer(build("speech", events=True), SAY)


def test_without_a_text_there_is_nothing_to_speak(voice: Voice) -> None:
    with pytest.raises(InputError, match="no text to speak"):
        answer(build("speech"), HEAR)


@pytest.mark.parametrize("stream", [True, False])
def test_a_recording_is_transcribed(voice: Voice, stream: bool) -> None:
    found = answer(build("transcriptions", prompt="Names:", temperature=0, stream=stream), HEAR)
    assert found.text == "It is Paris."
    assert len(found.trace.text_times_s) == (3 if stream else 1)
    assert found.cost == {"requests": 1, **(USAGE.cost if stream else {"audio_s": 2.0})}
    form = voice.forms[0]
    assert (form["model"], form["language"], form["prompt"], form["temperature"]) == (MODEL, "en", "Names:", "0.0")
    heard = read_wav(voice.files[0])
    assert heard.rate_hz == 16_000
    assert np.abs(heard.samples - SAMPLES).max() <= 0.5 / 32768


def test_a_server_transcribes_spoken_answers(voice: Voice) -> None:
    made = build_deriver(f"transcriber:openai_transcriptions:{MODEL}?base_url={voice.url}", SystemOptions())
    need = Need(made.name, "0" * 64, language="en")
    (found,) = made.derive([DerivationInput(need, SAMPLES, 16_000)])
    assert isinstance(found, Derived)
    assert (found.status, found.content) == ("ok", "It is Paris.")
    assert made.recipe.startswith(f"openai_transcriptions:{MODEL} ")


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("broken body", "no JSON"),
        ("wrong content type", "text/html"),
        ("500", "status 500"),
        ("closes early", "no end"),
    ],
)
def test_a_transcript_that_fails_says_why(voice: Voice, fault: str, message: str) -> None:
    system = build("transcriptions", stream=fault == "closes early", retries=0)
    voice.faults, voice.times = {fault}, {fault: 1}
    with pytest.raises(UserError, match=message):
        answer(system, HEAR)
    assert answer(system, HEAR).text == "It is Paris."


def test_a_question_is_no_asr_task(voice: Voice) -> None:
    with pytest.raises(InputError, match="answers no questions"):
        answer(build("transcriptions"), Request("s1", HEAR.messages, "qa"))
