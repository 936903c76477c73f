"""Recordings are kept once, apart from each other, and compared when they come again."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttbench.core.errors import InputError
from tttbench.core.exchange import Response
from tttbench.core.sample import Sample, Turn, spoken_sample
from tttbench.data.flac import file_stem
from tttbench.store.rows import AnswerKey, NewAnswer
from tttbench.store.run_directory import RunStore

from .stored_runs import MANIFEST, SAMPLES, TONE, make_run


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    store = RunStore.create(tmp_path / "run", MANIFEST)
    store.add_samples("t", SAMPLES)
    return store


def test_a_conversation_keeps_the_audio_of_each_turn(store: RunStore) -> None:
    conversation = Sample("c", (Turn("user", "hello"), Turn("assistant", "hi"), Turn("user", "bye")))
    store.add_samples("talk", [conversation])
    store.save_input("talk", "c", 0, TONE, 16_000)
    store.save_input("talk", "c", 2, TONE[:800], 8_000)
    (found,) = store.samples("talk")
    assert {turn: (one.seconds, one.sample_rate) for turn, one in found.inputs.items()} == {
        0: (0.1, 16_000),
        2: (0.1, 8_000),
    }
    assert found.input_audio == found.inputs[2]
    assert found.input_s == pytest.approx(0.2)


def test_recordings_are_files_of_the_run(tmp_path: Path) -> None:
    with make_run(tmp_path / "run") as store:
        answer = next(one for one in store.answers() if one.audio is not None)
        sample = store.samples("t")[0]
        for recording in (answer.audio, answer.sample.input_audio, sample.answer_audio):
            assert recording is not None
            samples, rate_hz = store.audio(recording.file)
            assert rate_hz == recording.sample_rate == 16_000
            assert len(samples) / rate_hz == recording.seconds == 0.1
            assert samples == pytest.approx(TONE, abs=1 / 32_768)


def test_an_input_is_kept_once(store: RunStore) -> None:
    first = store.save_input("t", "a", 0, TONE, 16_000)
    before = (store.folder / first.file).stat().st_mtime_ns
    assert store.save_input("t", "a", 0, TONE, 16_000) == first
    assert (store.folder / first.file).stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("waveform", "rate_hz"), [(TONE[:-1], 16_000), (TONE, 8_000), (TONE + np.float32(0.001), 16_000)]
)
def test_an_input_that_changed_is_refused_by_name(store: RunStore, waveform: np.ndarray, rate_hz: int) -> None:
    kept = store.save_input("t", "a", 0, TONE, 16_000)
    with pytest.raises(InputError, match=rf"task t, sample 'a', turn 0: the audio has changed .*{kept.file}"):
        store.save_input("t", "a", 0, waveform, rate_hz)
    assert store.audio(kept.file)[0] == pytest.approx(TONE, abs=1 / 32_768)


def test_reference_audio_that_changed_is_refused_by_name(store: RunStore) -> None:
    store.save_reference_audio("t", "a", TONE, 16_000)
    with pytest.raises(InputError, match="task t, sample 'a', reference audio: the audio has changed"):
        store.save_reference_audio("t", "a", TONE[1:], 16_000)


def test_an_input_whose_file_is_gone_is_written_again_if_it_is_the_same(store: RunStore) -> None:
    kept = store.save_input("t", "a", 0, TONE, 16_000)
    (store.folder / kept.file).unlink()
    assert store.save_input("t", "a", 0, TONE, 16_000) == kept
    assert (store.folder / kept.file).is_file()


@pytest.mark.parametrize(
    ("labels", "tasks", "samples"),
    [
        (("truth", "input", "output", "answer", "reference audio", "true recordings"), ("t",), ("a",)),
        (("s--a", "s"), ("t", "a--t"), ("a", "a--s", "s--a")),
        (
            ("../../s", "/s", "s/", "s", "S", "\u017f", "s\\", "s.", " s", "s:", "."),
            ("t", "T"),
            ("a", "A", "a/b", "a_b"),
        ),
    ],
)
def test_recordings_keep_apart_whatever_labels_tasks_and_samples_are_called(
    tmp_path: Path, labels: tuple[str, ...], tasks: tuple[str, ...], samples: tuple[str, ...]
) -> None:
    with RunStore.create(tmp_path / "run", MANIFEST) as store:
        lengths = iter(range(100, 10_000))
        kept: dict[str, int] = {}
        for task in tasks:
            store.add_samples(task, [spoken_sample(one, Path("x.wav")) for one in samples])
            for sample in samples:
                for turn in range(2):
                    length = next(lengths)
                    kept[store.save_input(task, sample, turn, TONE[:1].repeat(length), 16_000).file] = length
                length = next(lengths)
                kept[store.save_reference_audio(task, sample, TONE[:1].repeat(length), 16_000).file] = length
                for label in labels:
                    response = Response("x", waveform=np.zeros(next(lengths), np.float32), sample_rate=16_000)
                    store.save_answers([NewAnswer(AnswerKey(label, task, sample), "ok", response, "", 1, "now")])
        for answer in store.answers():
            assert answer.audio is not None
            kept[answer.audio.file] = round(answer.audio.seconds * 16_000)
        assert len({file.lower() for file in kept}) == len(tasks) * len(samples) * (3 + len(labels))
        for file, length in kept.items():
            assert (tmp_path / "run" / file).resolve().parent == (tmp_path / "run" / "audio").resolve()
            assert len(store.audio(file)[0]) == length


@given(st.lists(st.lists(st.text(max_size=300), min_size=1, max_size=5), min_size=2, max_size=8, unique_by=tuple))
def test_names_of_files_are_safe_and_apart_whatever_they_are_of(names: list[list[str]]) -> None:
    stems = [file_stem(*one) for one in names]
    assert len({stem.lower() for stem in stems}) == len(names)
    for stem in stems:
        assert re.fullmatch(r"[A-Za-z0-9@_-][A-Za-z0-9.@_-]{0,112}", stem)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("caf\u00e9",), ("cafe\u0301",)),
        (("x" * 5000,), ("x" * 5001,)),
        (("a--b", "c"), ("a", "b--c")),
        (("A",), ("a",)),
        (("\u017f",), ("s",)),
        (("a/b",), ("a_b",)),
        (("input", "t", "s", "0"), ("output", "t", "s", "0")),
        (("",), (".",)),
    ],
)
def test_names_that_a_file_system_may_take_for_one_are_apart(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert file_stem(*one).lower() != file_stem(*other).lower()
