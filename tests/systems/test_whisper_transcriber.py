"""Whisper on real recordings: how well it transcribes, and that batches, silence and length don't matter."""

from __future__ import annotations

import csv
from pathlib import Path

import jiwer
import numpy as np
import pytest
import whisper

from tttbench.data.audio import load_audio
from tttbench.systems.whisper.transcriber import SAMPLE_RATE_HZ, WhisperTranscriber
from tttbench.systems.whisper.weights import LoadedWhisper

from .whisper_models import Spoken, load_or_skip, read, read_ljspeech, word_error_rate


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> LoadedWhisper:
    return load_or_skip("tiny.en", tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def transcriber(loaded: LoadedWhisper) -> WhisperTranscriber:
    return WhisperTranscriber(loaded, batch_size=8)


@pytest.fixture(scope="module")
def ljspeech(shared_data: Path) -> Spoken:
    return read_ljspeech(shared_data, 12)


@pytest.mark.slow
def test_a_human_reader_is_understood(transcriber: WhisperTranscriber, ljspeech: Spoken) -> None:
    waveforms, references = ljspeech
    assert word_error_rate(references[:6], transcriber.transcribe(waveforms[:6])) <= 0.08


@pytest.mark.slow
def test_spoken_questions_are_understood(transcriber: WhisperTranscriber, shared_data: Path) -> None:
    folder = shared_data / "llama_questions"
    with (folder / "llama_questions_300.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[:6]
    waveforms = [load_audio(folder / row["Wav Filename"]).samples for row in rows]
    assert word_error_rate([row["Questions"] for row in rows], transcriber.transcribe(waveforms)) <= 0.04


@pytest.mark.slow
def test_a_text_does_not_depend_on_its_batch(loaded: LoadedWhisper, ljspeech: Spoken) -> None:
    waveforms = ljspeech[0][1:4]
    together = WhisperTranscriber(loaded, batch_size=3).transcribe(waveforms)
    apart = WhisperTranscriber(loaded, batch_size=1).transcribe(waveforms)
    backwards = WhisperTranscriber(loaded, batch_size=2).transcribe(waveforms[::-1])
    assert together == apart == backwards[::-1]


@pytest.mark.slow
def test_more_than_one_window(transcriber: WhisperTranscriber, ljspeech: Spoken) -> None:
    waveforms, references = ljspeech
    long = np.concatenate(waveforms)
    assert len(long) > 60 * SAMPLE_RATE_HZ
    short_text, long_text = transcriber.transcribe([waveforms[0], long])
    assert word_error_rate([" ".join(references)], [long_text]) <= 0.1
    assert word_error_rate(references[:1], [short_text]) <= 0.1


@pytest.mark.parametrize("n_samples", [0, 1, 160_000])
def test_nothing_recorded_is_an_empty_text(transcriber: WhisperTranscriber, n_samples: int) -> None:
    assert transcriber.transcribe([np.zeros(n_samples, np.float32)]) == [""]


@pytest.mark.slow
@pytest.mark.parametrize("n_samples", [3, 159, 160, 1_000])
def test_a_click_is_transcribed_as_by_openai_whisper(
    loaded: LoadedWhisper, transcriber: WhisperTranscriber, n_samples: int
) -> None:
    click = np.ones(n_samples, np.float32)
    theirs = whisper.transcribe(loaded.model, click, language="en", temperature=0.0, fp16=False)
    assert transcriber.transcribe([click]) == [theirs["text"].strip()]


def test_no_clips(transcriber: WhisperTranscriber) -> None:
    assert transcriber.transcribe([]) == []


def test_the_recipe_names_model_weights_version_decoding_and_language(transcriber: WhisperTranscriber) -> None:
    assert transcriber.recipe == (
        f"whisper tiny.en@{transcriber.weights_sha256[:12]} openai-whisper {whisper.__version__} greedy@2 "
        "(language en, timestamps, no-speech gate 0.6 and -1, conditioned on previous text)"
    )


@pytest.mark.slow
def test_times_of_tokens_are_told_over_windows(transcriber: WhisperTranscriber, ljspeech: Spoken) -> None:
    long = np.concatenate(ljspeech[0][:6])
    assert len(long) > 30 * SAMPLE_RATE_HZ
    (found,) = transcriber.timed([long], ["en"])
    assert "".join(found.tokens).strip() == found.text
    assert len(found.tokens) == len(found.token_times_s) < found.passes
    assert list(found.token_times_s) == sorted(found.token_times_s)
    assert found.token_times_s[-1] <= found.end_s
    assert set(found.stages_s) == {"features", "encode", "decode"}
    assert found.finish_reason == "stop"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> LoadedWhisper:
    return load_or_skip("base", tmp_path_factory.mktemp("cache"))


@pytest.mark.slow
def test_mandarin_is_transcribed_in_mandarin_told_or_detected(base: LoadedWhisper, shared_data: Path) -> None:
    folder = shared_data / "mandarin_words"
    rows = [line.split("\t") for line in (folder / "transcripts.tsv").read_text().splitlines()[:3]]
    words = [text for _, text in rows]
    waveforms = [read(folder / file) for file, _ in rows]
    transcriber = WhisperTranscriber(base)
    told = transcriber.timed(waveforms, ["zh"] * 3)
    assert [one.language for one in told] == ["zh"] * 3
    assert jiwer.cer(words, [one.text for one in told]) <= 0.4
    detected = transcriber.timed(waveforms, [""] * 3)
    assert [one.language for one in detected] == ["zh"] * 3
    assert [one.text for one in detected] == [one.text for one in told]
    assert all("language" in one.stages_s for one in detected)
    # A character may be several tokens; none of their texts is half of one.
    assert ["".join(one.tokens).strip() for one in told] == [one.text for one in told]


@pytest.mark.slow
def test_languages_mix_in_a_batch(base: LoadedWhisper, shared_data: Path, ljspeech: Spoken) -> None:
    english, mandarin = ljspeech[0][0], read(shared_data / "mandarin_words" / "001.mp3")
    found = WhisperTranscriber(base).timed(
        [english, mandarin, english, np.zeros(16_000, np.float32)], ["en", "zh", "", ""]
    )
    assert [one.language for one in found] == ["en", "zh", "en", ""]
    assert found[0].text == found[2].text
    assert found[1].text in ("一路順風", "一路顺风")
