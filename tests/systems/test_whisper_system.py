"""``whisper:NAME`` as a system: requests and answers, languages, traces, options."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tttbench.core.errors import InputError, UserError
from tttbench.core.exchange import Message, Request, Waveform
from tttbench.core.plugins import build_system, check_deriver, check_system
from tttbench.core.system import System, SystemOptions
from tttbench.core.task import Needs, why_not
from tttbench.data.audio import resample
from tttbench.systems.whisper.adapter import WhisperSystem
from tttbench.systems.whisper.transcriber import SAMPLE_RATE_HZ, WhisperTranscriber

from .ttt_checkpoints import answered
from .whisper_models import Spoken, load_or_skip, read_ljspeech, word_error_rate


@pytest.fixture(scope="module")
def transcriber(tmp_path_factory: pytest.TempPathFactory) -> WhisperTranscriber:
    return WhisperTranscriber(load_or_skip("tiny.en", tmp_path_factory.mktemp("cache")), batch_size=8)


@pytest.fixture(scope="module")
def ljspeech(shared_data: Path) -> Spoken:
    return read_ljspeech(shared_data, 2)


def request(
    request_id: str,
    audio: Waveform | None,
    family: str = "asr",
    rate: int = SAMPLE_RATE_HZ,
    language: str = "",
) -> Request:
    return Request(request_id, (Message("user", audio=audio, sample_rate=rate),), family, language=language)


@pytest.mark.slow
def test_answers_come_in_order_and_a_bad_request_fails_alone(transcriber: WhisperTranscriber, ljspeech: Spoken) -> None:
    system = WhisperSystem(transcriber, "cpu")
    speech, silence = ljspeech[0][1], np.zeros(16_000, np.float32)
    answers = system.generate(
        [request("a", None), request("b", speech), request("c", speech, family="qa"), request("d", silence)]
    )
    assert isinstance(answers[0], InputError)
    assert "a: has no audio" in str(answers[0])
    assert isinstance(answers[2], InputError)
    spoken, silent = answered([answers[1], answers[3]])
    assert word_error_rate([ljspeech[1][1]], [spoken.text]) <= 0.2
    assert silent.text == ""


@pytest.mark.slow
def test_the_trace_tells_when_each_token_came(transcriber: WhisperTranscriber, ljspeech: Spoken) -> None:
    system = WhisperSystem(transcriber, "cpu")
    answers = answered(system.generate([request("a", ljspeech[0][0]), request("b", ljspeech[0][1])]))
    assert len(answers) == 2
    for answer in answers:
        assert answer.trace.end_s is not None
        times = answer.trace.text_times_s
        assert len(times) == len(answer.trace.text_tokens) > 0
        assert "".join(answer.trace.text_tokens).strip() == answer.text
        assert list(times) == sorted(times)
        assert 0 < times[0] <= times[-1] <= answer.trace.end_s
        assert set(answer.trace.stages_s) == {"resample", "features", "encode", "decode"}
        # One pass for each token, for the timestamp before and after it all, and for the end token.
        assert answer.trace.nfe >= len(times) + 3


@pytest.mark.slow
def test_other_sample_rates_are_transcribed(transcriber: WhisperTranscriber, ljspeech: Spoken) -> None:
    at_48_khz = resample(ljspeech[0][0], SAMPLE_RATE_HZ, 48_000)
    (answer,) = answered(WhisperSystem(transcriber, "cpu").generate([request("a", at_48_khz, rate=48_000)]))
    assert word_error_rate(ljspeech[1][:1], [answer.text]) <= 0.1


def test_it_is_a_system(transcriber: WhisperTranscriber) -> None:
    system = WhisperSystem(transcriber, "cpu")
    assert isinstance(system, System)
    card = system.card
    assert (card.name, card.strategy) == ("whisper:tiny.en", "")
    assert card.capability.families == frozenset({"asr"})
    assert card.capability.languages == frozenset({"en"})
    assert (card.weights_sha256, card.recipe) == (transcriber.weights_sha256, transcriber.recipe)
    assert card.details["parameters"] == pytest.approx(37.2e6, rel=0.01)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (SystemOptions(strategy="topk"), "'topk' cannot be used"),
        (SystemOptions(settings={"beam": 5}), "unknown decode settings beam"),
    ],
)
def test_settings_that_it_does_not_have_are_refused(options: SystemOptions, says: str) -> None:
    with pytest.raises(UserError, match=says):
        build_system("whisper:tiny.en", options)


def test_a_mistyped_model_is_guessed() -> None:
    with pytest.raises(UserError, match=r"Did you mean 'tiny\.en'"):
        build_system("whisper:tinyen", SystemOptions())


def test_another_language_is_refused_and_a_multilingual_model_named(transcriber: WhisperTranscriber) -> None:
    system = WhisperSystem(transcriber, "cpu")
    silence = np.zeros(16_000, np.float32)
    refused, english, unknown = system.generate(
        [
            request("a", silence, language="zh-TW"),
            request("b", silence, language="en-GB"),
            request("c", silence, language="und"),
        ]
    )
    assert isinstance(refused, InputError)
    assert str(refused) == (
        "a: whisper:tiny.en transcribes English only, not 'zh-TW'; use a multilingual model, e.g. whisper:base."
    )
    assert [answer.text for answer in answered([english, unknown])] == ["", ""]


@pytest.mark.parametrize(
    ("languages", "refused"),
    [({"zh"}, True), ({"zh", "de"}, True), ({"zh", "en"}, False), ({""}, False), (set(), False)],
)
def test_a_system_that_can_transcribe_nothing_of_a_run_is_refused_before_it(languages: set[str], refused: bool) -> None:
    options = SystemOptions(languages=frozenset(languages))
    if refused:
        with pytest.raises(UserError, match=r"whisper:tiny\.en transcribes English only, not '(zh|de)'.*whisper:base"):
            check_system("whisper:tiny.en", options)
    else:
        check_system("whisper:tiny.en", options)
    check_system("whisper:base", options)


def test_a_transcriber_that_can_t_take_one_of_the_languages_is_refused() -> None:
    options = SystemOptions(languages=frozenset({"", "en", "zh"}))
    with pytest.raises(UserError, match=r"whisper:tiny\.en transcribes English only, not 'zh'"):
        check_deriver("transcriber:whisper:tiny.en", options)
    check_deriver("transcriber:whisper:base", options)


@pytest.mark.parametrize(
    ("language", "takes"), [("", True), ("en", True), ("en-US", True), ("und", True), ("zh", False)]
)
def test_a_task_in_another_language_is_left_out(transcriber: WhisperTranscriber, language: str, takes: bool) -> None:
    capability = WhisperSystem(transcriber, "cpu").card.capability
    reason = why_not(capability, Needs(), "asr", language)
    assert reason == ("" if takes else "doesn't claim the language zh")
