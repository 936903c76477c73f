"""The written test set: noise as loud as it says, recordings that open, lists that the reader reads."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import welch

from tttbench.core.exchange import Waveform
from tttbench.core.sample import Sample, Turn
from tttbench.core.shipped import shipped
from tttbench.data.sources.mini import CONDITIONS, read_mini_asr, read_mini_qa
from tttbench.miniworld import build, corpus, language, testset
from tttbench.miniworld.voices import VOICES

RATE_HZ = 16_000

Written = tuple[Path, tuple[corpus.Line, ...]]
"""The folder of a test set, and its lines."""


def speechlike(seconds: float, seed: int) -> Waveform:
    """Noise that comes and goes, as speech does."""
    n = int(seconds * RATE_HZ)
    rng = np.random.default_rng(seed)
    return (0.2 * rng.standard_normal(n) * (np.sin(np.arange(n) / 900) > 0)).astype(np.float32)


def snr_db(clean: Waveform, noisy: Waveform) -> float:
    """Of a mix that may have been scaled down as a whole."""
    signal, mix = clean.astype(np.float64), noisy.astype(np.float64)
    signal = signal * (mix @ signal / (signal @ signal))
    return float(10 * np.log10(np.mean(signal**2) / np.mean((mix - signal) ** 2)))


@pytest.mark.parametrize("snr", [0.0, 10.0, 20.0])
@pytest.mark.parametrize("others", [0, 3])
def test_noise_is_as_loud_as_asked(snr: float, others: int) -> None:
    wave = speechlike(4, 0)
    babble = [speechlike(1 + n, 10 + n) for n in range(others)]
    noisy = testset.add_noise(wave, babble, snr, np.random.default_rng(1))
    assert noisy.shape == wave.shape
    assert noisy.dtype == np.float32
    assert snr_db(wave, noisy) == pytest.approx(snr, abs=0.3)


def test_noise_is_pink_where_nobody_else_speaks() -> None:
    wave = np.zeros(1 << 16, np.float32)
    wave[::2] = 0.01
    added = testset.add_noise(wave, [], 10.0, np.random.default_rng(0)) - wave
    hz, density = welch(added, RATE_HZ, nperseg=4096)
    octaves = [density[(hz >= low) & (hz < 2 * low)].sum() for low in (250, 500, 1000, 2000)]
    assert max(octaves) / min(octaves) < 1.5  # equal power in every octave


def test_a_mix_never_clips() -> None:
    wave = np.sign(speechlike(2, 0)).astype(np.float32)
    noisy = testset.add_noise(wave, [], 0.0, np.random.default_rng(0))
    assert float(np.abs(noisy).max()) <= 1.0


def test_the_same_generator_gives_the_same_noise() -> None:
    wave = speechlike(1, 0)
    one, other = (testset.add_noise(wave, [], 10.0, np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(one, other)


def speech(lines: Sequence[corpus.Line], seconds: float = 1.0) -> corpus.Speech:
    waves = [speechlike(seconds, i) for i in range(len(lines))]
    samples = np.concatenate([np.round(wave * 32767).clip(-32767, 32767).astype(np.int16) for wave in waves])
    return corpus.Speech(tuple(lines), samples, np.cumsum([0, *map(len, waves)]))


def recording(of: Sample | Turn | None) -> Path:
    assert of is not None
    assert of.audio is not None
    return of.audio.path


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    folder = tmp_path_factory.mktemp("test")
    lines = corpus.test_lines(3, 2, seed=0, training_texts=frozenset())
    testset.write(folder, speech(lines), speech(corpus.answer_lines(), 0.1), seed=5)
    return folder, lines


def test_the_reader_reads_what_is_written(written: Written) -> None:
    folder, lines = written
    utterances, questions = read_mini_asr(folder), read_mini_qa(folder)
    assert [(u.id, u.references, u.metadata["voice"]) for u in utterances] == [
        (x.id, (x.text,), x.voice) for x in lines[:3]
    ]
    assert [(q.id, q.metadata["question"], q.metadata["voice"]) for q in questions] == [
        (x.id, x.text, x.voice) for x in lines[3:]
    ]
    for question, line in zip(questions, lines[3:], strict=True):
        known = language.questions()[line.question]
        assert question.answer is not None
        assert (question.reference, question.answer.text) == (known.answer, known.sentence)
        assert recording(question.answer).name == f"{line.question:03d}.opus"


def test_every_recording_opens_and_keeps_its_length(written: Written) -> None:
    folder, _ = written
    for condition in CONDITIONS:
        for row in (*read_mini_asr(folder, condition), *read_mini_qa(folder, condition)):
            wave, rate_hz = soundfile.read(io.BytesIO(recording(row).read_bytes()), dtype="float32")
            assert len(wave) / rate_hz == pytest.approx(1.0, abs=0.03)
    assert all(recording(question.answer).is_file() for question in read_mini_qa(folder))


def test_only_answers_that_are_asked_for_are_written(written: Written) -> None:
    folder, lines = written
    assert len(list((folder / "answers").iterdir())) == len({line.question for line in lines[3:]})


def test_the_same_seed_writes_the_same_lists(written: Written, tmp_path: Path) -> None:
    folder, lines = written
    testset.write(tmp_path, speech(lines), speech(corpus.answer_lines(), 0.1), seed=5)
    for name in ("asr.jsonl", "qa.jsonl"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


SHIPPED = shipped("tasks") / "mini" / "test"


def test_the_shipped_set_has_200_sentences_and_200_questions_by_unseen_voices() -> None:
    utterances, questions = read_mini_asr(SHIPPED), read_mini_qa(SHIPPED)
    assert (len(utterances), len(questions)) == (200, 200)
    unseen = {voice.name for voice in VOICES if voice.test_only}
    assert {row.metadata["voice"] for row in (*utterances, *questions)} == unseen
    noisy = (*read_mini_asr(SHIPPED, "noisy"), *read_mini_qa(SHIPPED, "noisy"))
    files = [recording(row) for row in (*utterances, *questions, *noisy)]
    files += [recording(question.answer) for question in questions]
    assert all(path.is_file() for path in files)
    assert sum(path.stat().st_size for path in set(files)) < 10e6


def test_no_shipped_sentence_was_heard_in_any_training() -> None:
    heard = {line.text for line in corpus.training_lines(build.N_ASR_LINES, build.N_WORDINGS, seed=1)}
    heard |= {line.text for line in corpus.answer_voice_lines(build.N_ANSWER_VOICE_LINES, seed=3)}
    heard |= {line.text for line in corpus.many_voices_lines(build.N_MANY_VOICES, seed=2)}
    heard |= {line.text for line in corpus.answer_lines()}
    assert not heard & {utterance.reference for utterance in read_mini_asr(SHIPPED)}
