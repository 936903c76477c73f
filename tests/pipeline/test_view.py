"""What scorers see of an answer, of the reference audio in its place, and of what was derived."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tttbench.core.derivation import Derived, Need
from tttbench.core.exchange import Response, Trace
from tttbench.core.sample import Sample, Turn, spoken_sample
from tttbench.core.scorer import SpokenAudio
from tttbench.pipeline.view import AnswerView, Derivations, Peers, ReferenceView, spoken_audio
from tttbench.store.manifest import DeriverEntry, Manifest, SuiteEntry, SystemEntry, TaskEntry
from tttbench.store.rows import AnswerKey, NewAnswer, Recording, StoredAnswer, StoredSample
from tttbench.store.run_directory import RunStore

RATE = 8_000
SOUND = np.linspace(-0.5, 0.5, 800, dtype=np.float32)
TRACE = Trace(end_s=0.5)
MANIFEST = Manifest(
    SuiteEntry("s"),
    {"one": SystemEntry("x"), "two": SystemEntry("y")},
    {"t": TaskEntry("T", "qa")},
    {"ears": DeriverEntry("ears@1"), "unbuilt": DeriverEntry("")},
)
SAMPLES: list[Sample] = [
    spoken_sample("a", Path("a.wav"), answer=Turn("assistant", "spoken so")),
    spoken_sample("b", Path("b.wav")),
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    """A run of two systems: a spoken answer, a written one, and an error."""
    with RunStore.create(tmp_path / "run", MANIFEST) as store:
        store.add_samples("t", SAMPLES)
        store.save_reference_audio("t", "a", SOUND, RATE)
        spoken = Response("yes", (1, 2), SOUND[:400], RATE, "length", TRACE)
        written = Response("no")
        rows: list[tuple[str, str, int, Response | None]] = [
            ("one", "a", 0, spoken),
            ("one", "a", 1, None),
            ("two", "a", 0, written),
            ("two", "a", 1, spoken),
        ]
        store.save_answers(
            [
                NewAnswer(
                    AnswerKey(label, "t", sample, repeat), "ok" if one else "error", one, "" if one else "no", 1, ""
                )
                for label, sample, repeat, one in rows
            ]
        )
        yield store


def views(store: RunStore) -> dict[tuple[str, int], AnswerView]:
    answers = {(one.key.system, one.key.repeat): one for one in store.answers()}
    peers = Peers({("two", "t", "a", repeat): answers["two", repeat] for repeat in (0, 1)})
    return {key: AnswerView(one, store, Derivations(store), peers) for key, one in answers.items()}


def test_a_spoken_answer(store: RunStore) -> None:
    view = views(store)["one", 0]
    assert (view.status, view.text, view.codes, view.trace, view.finish_reason) == (
        "ok",
        "yes",
        (1, 2),
        TRACE,
        "length",
    )
    assert view.audio is not None
    assert (view.audio.seconds, view.audio.sample_rate) == (0.05, RATE)
    waveform = view.waveform()
    assert waveform is not None
    np.testing.assert_allclose(waveform, SOUND[:400], atol=1e-4)


def test_a_written_answer_and_an_error(store: RunStore) -> None:
    written, error = views(store)["two", 0], views(store)["one", 1]
    assert (written.text, written.codes, written.finish_reason) == ("no", None, "stop")
    assert (written.audio, written.waveform(), written.trace) == (None, None, Trace())
    assert (error.status, error.text, error.finish_reason) == ("error", "", "")
    assert (error.codes, error.trace, error.audio, error.waveform()) == (None, None, None, None)


def test_a_peer_is_the_answer_to_the_same_sample_and_repeat(store: RunStore) -> None:
    found = views(store)
    for repeat, text in ((0, "no"), (1, "yes")):
        peer = found["one", repeat].peer("two")
        assert peer is not None
        assert (peer.text, peer.audio) == (text, found["two", repeat].audio)
        again = peer.peer("two")
        assert again is not None
        assert again.text == text
    assert found["one", 0].peer("one") is None


def test_reference_audio(store: RunStore) -> None:
    first, second = (ReferenceView(one, store, Derivations(store)) for one in store.samples("t"))
    assert (first.text, first.status, first.finish_reason) == ("spoken so", "ok", "stop")
    assert (first.codes, first.trace, first.peer("one")) == (None, None, None)
    assert first.audio is not None
    assert (first.audio.seconds, first.audio.sample_rate) == (0.1, RATE)
    waveform = first.waveform()
    assert waveform is not None
    np.testing.assert_allclose(waveform, SOUND, atol=1e-4)
    assert (second.text, second.audio, second.waveform()) == ("", None, None)


def test_derivations_are_found_by_recipe_and_input(store: RunStore) -> None:
    made = Derived("ok", "heard")
    need, other = Need("ears", "1" * 64), Need("ears", "2" * 64)
    store.save_derived("ears@1", {need.input_sha256: made})
    derivations = Derivations(store)
    assert derivations.get(need) == made
    for unknown in (other, Need("nobody", "1" * 64), Need("unbuilt", "1" * 64)):
        assert derivations.get(unknown) is None
    # All of a recipe are read at once, and once.
    store.save_derived("ears@1", {other.input_sha256: made})
    assert (derivations.get(other), Derivations(store).get(other)) == (None, made)
    answer: StoredAnswer = next(store.answers())
    sample: StoredSample = store.samples("t")[0]
    for view in (AnswerView(answer, store, derivations, Peers()), ReferenceView(sample, store, derivations)):
        assert (view.derived(need), view.derived(other)) == (made, None)


def test_what_scorers_see_of_a_recording() -> None:
    assert spoken_audio(None) is None
    assert spoken_audio(Recording("a.flac", "f" * 64, 1.5, RATE, "5")) == SpokenAudio("f" * 64, 1.5, RATE)
