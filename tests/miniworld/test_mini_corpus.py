"""Who says what: lists follow from their seeds, held-out voices and sentences stay held out, speech is resumable."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tttbench.core.errors import UserError
from tttbench.core.exchange import Waveform
from tttbench.data.voices.engines import SAMPLE_RATE_HZ, trimmed
from tttbench.miniworld import corpus, language, voices
from tttbench.miniworld.voices import ANSWER_VOICE, VOICES, Voice

Lines = tuple[corpus.Line, ...]

TEST_ONLY = {voice.name for voice in VOICES if voice.test_only}


@pytest.fixture(scope="module")
def training() -> Lines:
    return corpus.training_lines(300, 2, seed=1)


@pytest.fixture(scope="module")
def test_set(training: Lines) -> Lines:
    return corpus.test_lines(40, 30, seed=11, training_texts=frozenset(line.text for line in training))


def test_at_least_12_voices_of_which_3_are_kept_for_the_test() -> None:
    assert len(VOICES) - len(TEST_ONLY) >= 12
    assert len(TEST_ONLY) >= 3
    assert len({voice.name for voice in VOICES}) == len(VOICES)
    assert not ANSWER_VOICE.test_only


def test_training_is_every_sentence_asked_for(training: Lines) -> None:
    n_questions = len(language.questions())
    assert len(training) == 300 + 2 * n_questions
    assert sorted(line.question for line in training) == [-1] * 300 + sorted([*range(n_questions)] * 2)
    for line in training:
        if line.question >= 0:
            assert line.text in language.questions()[line.question].wordings


def test_training_never_hears_a_test_voice(training: Lines) -> None:
    assert not {line.voice for line in training} & TEST_ONLY
    assert {line.voice for line in corpus.answer_lines()} == {ANSWER_VOICE.name}
    assert {line.voice for line in corpus.answer_voice_lines(20, seed=0)} == {ANSWER_VOICE.name}


def test_the_test_hears_only_test_voices(test_set: Lines) -> None:
    assert {line.voice for line in test_set} == TEST_ONLY


def test_free_test_sentences_never_occur_in_training(training: Lines, test_set: Lines) -> None:
    free = [line.text for line in test_set if line.question < 0]
    assert len(free) == 40
    assert not set(free) & {line.text for line in training}
    assert len(set(free)) == len(free)


def test_every_test_voice_says_free_sentences_of_every_open_topic_alike() -> None:
    free = corpus.test_lines(36, 0, seed=11, training_texts=frozenset())
    said = Counter((line.voice, line.topic) for line in free)
    assert said == {(voice, topic): 4 for voice in TEST_ONLY for topic in ("digits", "appointment", "shopping")}


def test_test_questions_are_all_different(test_set: Lines) -> None:
    asked = [line for line in test_set if line.question >= 0]
    assert len({line.question for line in asked}) == 30
    assert all(line.text in language.questions()[line.question].wordings for line in asked)


def test_ids_are_unique(training: Lines, test_set: Lines) -> None:
    every = [*training, *test_set, *corpus.answer_lines(), *corpus.answer_voice_lines(30, seed=3)]
    assert len({line.id for line in every}) == len(every)


def test_a_seed_repeats_its_list(training: Lines, test_set: Lines) -> None:
    assert corpus.training_lines(300, 2, seed=1) == training
    texts = frozenset(line.text for line in training)
    assert corpus.test_lines(40, 30, seed=11, training_texts=texts) == test_set
    assert corpus.training_lines(300, 2, seed=2) != training


def test_answers_stand_in_the_order_of_the_questions() -> None:
    for i, (line, question) in enumerate(zip(corpus.answer_lines(), language.questions(), strict=True)):
        assert (line.question, line.text) == (i, question.sentence)


def test_speech_gives_each_recording_back() -> None:
    samples = np.array([0, 32767, -32767, 100], np.int16)
    line = corpus.Line("a", "A.", "slt", 1.0, 1.0, 1.0)
    speech = corpus.Speech((line, dataclasses.replace(line, id="b")), samples, np.array([0, 1, 4]))
    assert speech.wave(0).tolist() == [0.0]
    assert speech.wave(1).tolist() == pytest.approx([1.0, -1.0, 100 / 32767])
    assert corpus.seconds(speech) == 4 / SAMPLE_RATE_HZ


def spoken(voice: Voice, **manner: float) -> Waveform:
    """A short sentence, or a skip with the engine's own message where the engine is not installed."""
    try:
        return voices.speak(voice, "Seven plus five is twelve.", **manner)
    except UserError as error:
        if "is not installed" not in str(error):
            raise
        pytest.skip(str(error))


def of_engine(engine: str) -> Voice:
    return next(voice for voice in VOICES if voice.engine == engine)


@pytest.mark.parametrize("engine", ["flite", "pico", "piper", "espeak"])
def test_an_engine_says_the_same_again(engine: str) -> None:
    """flite and Piper to the bit, Pico but for its noise, eSpeak but for the length of its pauses."""
    wave = spoken(of_engine(engine), speed=1.1, pitch=1.05, size=1.05)
    assert wave.dtype == np.float32
    assert 0.8 < len(wave) / SAMPLE_RATE_HZ < 4
    assert float(np.abs(wave).max()) == pytest.approx(0.5, abs=0.05)
    again = spoken(of_engine(engine), speed=1.1, pitch=1.05, size=1.05)
    if engine == "espeak":
        assert len(again) == pytest.approx(len(wave), rel=0.03)
    else:
        np.testing.assert_allclose(again, wave, atol=2e-3 if engine == "pico" else 0)


@pytest.mark.parametrize("engine", ["flite", "pico", "espeak"])
def test_speed_shortens_and_size_keeps_the_tempo(engine: str) -> None:
    plain, fast, small = (spoken(of_engine(engine), **manner) for manner in ({}, {"speed": 1.2}, {"size": 1.12}))
    silence = 3840
    assert (len(fast) - silence) / (len(plain) - silence) == pytest.approx(1 / 1.2, rel=0.1)
    assert (len(small) - silence) / (len(plain) - silence) == pytest.approx(1, rel=0.1)


def test_silence_is_trimmed_to_80_ms_before_and_160_ms_after() -> None:
    loud = np.full(1000, 0.9, np.float32)
    wave = trimmed(np.concatenate([np.zeros(5000, np.float32), loud, np.zeros(3000, np.float32)]))
    assert len(wave) == 1280 + 1000 + 2560
    assert wave[1280] == pytest.approx(0.5)
    assert not wave[:1280].any()
    assert not wave[2280:].any()


def test_an_engine_that_is_not_there_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UserError, match="flite is not installed: install Debian's package `flite`"):
        voices.speak(ANSWER_VOICE, "One.")


def test_synthesis_goes_on_where_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoken(ANSWER_VOICE)
    lines = corpus.answer_lines()[:3]
    first = corpus.synthesise(lines, tmp_path, processes=1)
    assert "spoken 3 of 3 recordings" in capsys.readouterr().out
    again = corpus.synthesise(lines, tmp_path, processes=1)
    assert capsys.readouterr().out == ""
    assert np.array_equal(first.samples, again.samples)
    assert again.starts.tolist() == first.starts.tolist()
    assert first.starts[-1] == len(first.samples)
    assert [len(list(tmp_path.glob("*.npz"))), len(first.lines)] == [1, 3]
