"""Ways of speaking an answer: repeatable, in turns of the manners, pauses only where they may stand."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttbench.core.errors import UserError
from tttbench.miniworld.second import corpus, speech
from tttbench.miniworld.second.corpus import CorpusSize, Statement
from tttbench.miniworld.second.questions import Question
from tttbench.miniworld.second.renditions import (
    MANNERS,
    Manner,
    Rendition,
    Unit,
    renditions,
    speak_rendition,
    units_of,
    with_pauses,
)
from tttbench.miniworld.second.rhythm import SAMPLES_PER_CODE
from tttbench.miniworld.voices import VOICES

ANSWER, GAPS = "Seven eight nine ten eleven.", (1, 2, 3, 4)
WORLD = corpus.make(CorpusSize(questions=450, sentences=300, test_questions=30, test_sentences=30), seed=1)


def test_the_manners_take_turns() -> None:
    assert [one.manner.name for one in renditions(ANSWER, GAPS, 5, seed=0)] == [
        "plain", "calm", "brisk", "plain", "calm",
    ]  # fmt: skip


def test_manners_differ_in_speed_and_pitch_together() -> None:
    speeds, pitches = ([getattr(m, name) for m in MANNERS] for name in ("speed", "pitch_hz"))
    assert len(set(speeds)) == len(MANNERS)
    assert np.argsort(speeds).tolist() == np.argsort(pitches).tolist()


def test_a_seed_repeats_its_renditions_and_more_begin_with_fewer() -> None:
    assert renditions(ANSWER, GAPS, 3, seed=4) == renditions(ANSWER, GAPS, 6, seed=4)[:3]
    texts = {renditions(ANSWER, GAPS, 1, seed)[0].text for seed in range(30)}
    assert len(texts) > 5


@given(st.integers(0, 2**32), st.sets(st.integers(1, 4)), st.floats(0, 1))
def test_without_its_pauses_a_rendition_is_the_answer(seed: int, gaps: set[int], share: float) -> None:
    text = with_pauses(ANSWER, sorted(gaps), share, random.Random(seed))
    assert text.replace(",", "") == ANSWER
    assert {i for i, word in enumerate(text.split(), 1) if word.endswith(",")} <= gaps


def test_every_gap_has_a_pause_where_all_are_asked_for() -> None:
    assert with_pauses(ANSWER, GAPS, 1.0, random.Random(0)) == "Seven, eight, nine, ten, eleven."
    assert with_pauses(ANSWER, GAPS, 0.0, random.Random(0)) == ANSWER


def test_no_comma_behind_the_end_of_a_sentence() -> None:
    assert with_pauses("One two. Three.", (2,), 1.0, random.Random(0)) == "One two. Three."


def spoken(one: Rendition) -> np.ndarray:
    try:
        return speak_rendition(one)
    except UserError as error:
        if "is not installed" not in str(error):
            raise
        pytest.skip(str(error))


def test_a_rendition_is_always_the_same_samples() -> None:
    one = renditions(ANSWER, GAPS, 1, seed=0)[0]
    assert np.array_equal(spoken(one), spoken(one))


def test_a_slower_manner_lasts_longer() -> None:
    slow, fast = (spoken(Rendition(ANSWER, Manner("any", speed, 172, 0))) for speed in (0.85, 1.15))
    assert len(slow) / len(fast) == pytest.approx(1.15 / 0.85, rel=0.15)


def test_a_word_is_the_same_sound_in_every_sentence_of_its_manner() -> None:
    one, other = (Rendition(text, MANNERS[1]) for text in ("Seven, two. Nine.", "Two nine seven."))
    spoken(one)
    sounds: dict[Unit, list[np.ndarray]] = {}
    for rendition in (one, other):
        samples, units = spoken(rendition), units_of(rendition)
        assert len(samples) == SAMPLES_PER_CODE * len(units)
        for i, unit in enumerate(units):
            code = samples[i * SAMPLES_PER_CODE : (i + 1) * SAMPLES_PER_CODE]
            if unit is None:
                assert not code.any()
            else:
                sounds.setdefault(unit, []).append(code)
    assert {unit.word for unit in sounds} == {"seven", "two", "nine"}
    assert all(len(found) == 2 and np.array_equal(found[0], found[1]) for found in sounds.values())


def test_a_pause_stands_behind_a_comma_and_between_sentences() -> None:
    spoken(Rendition("Two.", MANNERS[0]))
    kinds = {
        text: "".join("." if unit is None else unit.word[0] for unit in units_of(Rendition(text, MANNERS[0])))
        for text in ("Two.", "Two, nine.", "Two. Nine ten.")
    }
    two, nine, ten = (len(units_of(Rendition(f"{word}.", MANNERS[0]))) - 3 for word in ("Two", "Nine", "Ten"))
    assert kinds["Two."] == "." + "t" * two + ".."
    assert kinds["Two, nine."] == "." + "t" * two + "..." + "n" * nine + ".."
    assert kinds["Two. Nine ten."] == "." + "t" * two + "..." + "n" * nine + "t" * ten + ".."


def test_training_hears_training_voices_alone_and_the_test_the_others() -> None:
    kept = {voice.name for voice in VOICES if voice.test_only}
    said: list[Question | Statement] = [*WORLD.questions, *WORLD.sentences]
    trained = speech.training_lines(said, 1, ("flite", "pico", "piper", "espeak", "kokoro"))
    assert not {line.voice for line in trained} & kept
    assert {line.voice for line in speech.test_lines(WORLD.test_questions, 1)} == kept


def test_test_voices_speak_alike_often_and_no_family_alone() -> None:
    lines = speech.test_lines(WORLD.test_questions, 1)
    assert set(Counter(line.voice for line in lines).values()) == {10}


def test_a_longer_list_of_lines_begins_with_the_shorter() -> None:
    engines = ("flite", "espeak")
    assert speech.training_lines(WORLD.questions, 1, engines)[:50] == speech.training_lines(
        WORLD.questions[:50], 1, engines
    )


def test_speech_is_made_in_pieces_and_read_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(speech, "PIECE", 2)
    lines = [Rendition(text, MANNERS[0]) for text in ("One.", "Two three.", "Four.")]
    spoken(lines[0])
    begun = speech.synthesize(lines, tmp_path, at_most=1)
    assert (len(begun.paths), begun.n) == (1, 2)
    whole = speech.synthesize(lines, tmp_path)
    assert (len(whole.paths), whole.n) == (2, 3)
    assert capsys.readouterr().out.count("pieces spoken") == 2
    for i, line in enumerate(lines):
        np.testing.assert_allclose(whole.wave(i), speak_rendition(line), atol=1e-4)
    speech.synthesize(lines, tmp_path)
    assert capsys.readouterr().out == ""
