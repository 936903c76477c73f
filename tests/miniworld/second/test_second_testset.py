"""Test sets of the second world: conditions by known signals, and a tar that holds what its list names."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tttbench.core.exchange import Waveform
from tttbench.data.voices.conditions import in_noise, mu_law, over_telephone
from tttbench.miniworld.second import testset
from tttbench.miniworld.second.corpus import Statement
from tttbench.miniworld.second.questions import Question


def tone(hz: float, seconds: float = 1.0) -> Waveform:
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(int(16_000 * seconds)) / 16_000)).astype(np.float32)


@pytest.mark.parametrize("babble", [[], [tone(300, 0.3), tone(500)]])
def test_noise_lies_10_db_below(babble: list[Waveform]) -> None:
    wave = tone(1000) * 0.2
    noise = in_noise(wave, babble, 10.0, np.random.default_rng(0)) - wave
    assert 10 * np.log10(np.mean(wave**2) / np.mean(noise**2)) == pytest.approx(10.0, abs=0.1)


def test_noise_never_clips() -> None:
    assert np.abs(in_noise(tone(1000) * 2, [], 0.0, np.random.default_rng(0))).max() <= 1.0


@pytest.mark.parametrize(("hz", "kept"), [(1000, True), (100, False), (3800, False), (6000, False)])
def test_a_telephone_passes_300_to_3400_hz(hz: int, kept: bool) -> None:
    heard = over_telephone(tone(hz))
    assert len(heard) == 8000
    power = float(np.mean(heard**2)) / 0.125
    assert power == pytest.approx(1.0, abs=0.05) if kept else power < 0.01


def test_mu_law_has_256_steps_that_are_fine_near_zero() -> None:
    steps = np.unique(mu_law(np.linspace(-1, 1, 100_001).astype(np.float32)))
    assert len(steps) == 256
    assert (steps[0], steps[-1]) == (-1, 1)
    sizes = np.diff(steps)
    assert sizes.argmin() in (126, 127, 128)
    assert sizes.max() < 0.05


@pytest.mark.parametrize("seconds", [0.02, 1.0, 9.0])  # one page of sound, and several
def test_the_same_wave_is_the_same_file_and_a_sound_one(seconds: float) -> None:
    wave = tone(440, seconds)
    content = testset.opus(wave, 16_000)
    assert content == testset.opus(wave, 16_000)
    by_library = io.BytesIO()
    soundfile.write(by_library, wave, 16_000, format="OGG", subtype="OPUS", compression_level=testset.COMPRESSION)
    by_library.seek(0)
    # A page with a wrong checksum is skipped by readers, so what it holds would be missing.
    assert np.array_equal(soundfile.read(io.BytesIO(content))[0], soundfile.read(by_library)[0])


def prompts() -> list[testset.Prompt]:
    said = (
        Question("count", "Count from one to three.", "One two three.", (1, 2)),
        Question("plus", "What is one plus one?", "One plus one is two."),
    )
    return [testset.Prompt(one, "rms", tone(400 + 100 * i)) for i, one in enumerate(said)]


ANSWERS = [testset.SpokenAnswer(tone(200), ((1, 2, 3), (4, 5))), testset.SpokenAnswer(tone(250), ((6,), (7, 8)))]


def read(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as archive:
        files = {member.name: archive.extractfile(member) for member in archive}
        return {name: file.read() for name, file in files.items() if file is not None}


def test_the_list_comes_first_and_every_file_it_names_is_there(tmp_path: Path) -> None:
    testset.write(tmp_path / "qa.tar", prompts(), ANSWERS, "abc", seed=0)
    members = read(tmp_path / "qa.tar")
    assert next(iter(members)) == "samples.jsonl"
    rows = [json.loads(line) for line in members["samples.jsonl"].decode().splitlines()]
    assert [row["answer"] for row in rows] == ["One two three.", "One plus one is two."]
    assert rows[0]["renditions"] == [[1, 2, 3], [4, 5]]
    assert {row["codec_sha256"] for row in rows} == {"abc"}
    named = {name for row in rows for name in (*row["audio"].values(), row["answer_audio"])}
    assert named | {"samples.jsonl"} == set(members)
    assert set(rows[0]["audio"]) == {"clean", "noise", "telephone"}
    samples, _ = soundfile.read(io.BytesIO(members[rows[1]["audio"]["clean"]]))
    assert len(samples) == pytest.approx(16_000, rel=0.05)


def test_sentences_have_a_text_and_no_answer(tmp_path: Path) -> None:
    testset.write(tmp_path / "asr.tar", [testset.Prompt(Statement("digits", "One."), "rms", tone(300))], [], "", seed=0)
    (row,) = (json.loads(line) for line in read(tmp_path / "asr.tar")["samples.jsonl"].decode().splitlines())
    assert (row["id"], row["topic"], row["text"]) == ("asr-000", "digits", "One.")
    assert "answer" not in row


def test_the_same_input_makes_the_same_list_and_sound(tmp_path: Path) -> None:
    for name in ("a", "b"):
        testset.write(tmp_path / f"{name}.tar", prompts(), ANSWERS, "abc", seed=0)
    one, other = read(tmp_path / "a.tar"), read(tmp_path / "b.tar")
    assert one["samples.jsonl"] == other["samples.jsonl"]
    for name in one.keys() - {"samples.jsonl"}:
        first, second = (soundfile.read(io.BytesIO(members[name]))[0] for members in (one, other))
        np.testing.assert_array_equal(first, second)


def test_a_transcriber_is_rated_by_voice(tmp_path: Path) -> None:
    testset.write(tmp_path / "qa.tar", prompts(), ANSWERS, "abc", seed=0)
    rate = testset.rate_transcribed_wrongly(tmp_path / "qa.tar", lambda waves: ["1 2 3", "1 plus 1 is three"], "answer")
    assert rate == {"answer": (1, 8)}
    rate = testset.rate_transcribed_wrongly(tmp_path / "qa.tar", lambda waves: ["Count from 1 to 3", ""], "clean")
    assert rate == {"rms": (5, 10)}
