"""How scorers come by a transcript, and what they say where there is none."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from tttbench.core.derivation import Derived, Need
from tttbench.scorers.transcripts import Spoken, Transcription

from .views import AUDIO, Seen, sample

EARS, NONE = Transcription("ears"), Transcription("")


@dataclass(frozen=True)
class Asked(Seen):
    """An answer that was spoken; ``found``: what there is for the one need that it expects."""

    expected: Need | None = None
    found: Derived | None = None
    spoken: bool = True

    def derived(self, need: Need) -> Derived | None:
        assert need == self.expected
        return self.found


def test_a_transcriber_is_an_option_and_names_its_deriver() -> None:
    assert Transcription.of({"transcriber": "ears", "normalizer": "raw"}) == EARS
    assert Transcription.of({}) == NONE
    assert (EARS.deriver, NONE.deriver) == ("transcriber:ears", "")


def test_a_recipe_names_the_transcriber_as_well_as_is_known() -> None:
    recipes = {"transcriber:ears": "ears 1, greedy", "": "nobody's"}
    assert (EARS.recipe(recipes), EARS.recipe({}), EARS.recipe({"ears": "no"})) == ("ears 1, greedy", "ears", "ears")
    assert NONE.recipe({}) == "unknown"


def test_a_transcript_is_needed_where_something_was_spoken_and_somebody_transcribes() -> None:
    assert list(EARS.needs(sample("a"), Seen("a", "a"))) == [Need("transcriber:ears", audio_sha256=AUDIO.sha256)]
    for transcription, seen in ((EARS, Seen("a")), (NONE, Seen("a", "a")), (NONE, Seen("a"))):
        assert list(transcription.needs(sample("a"), seen)) == []


@pytest.mark.parametrize(
    ("found", "spoken"),
    [
        (Derived("ok", "hello"), Spoken("ok", text="hello", error="")),
        (Derived("failed", "half a word", error="no power"), Spoken("failed", text="", error="no power")),
        (None, Spoken("failed", text="", error="not transcribed yet by ears")),
    ],
)
@pytest.mark.parametrize(("language", "asked"), [("", ""), ("en", "en"), ("de", "de")])
def test_what_is_known_of_a_spoken_answer(found: Derived | None, spoken: Spoken, language: str, asked: str) -> None:
    one = replace(sample("a"), language=language)
    need = Need("transcriber:ears", audio_sha256=AUDIO.sha256, language=asked)
    assert EARS.of_answer(one, Asked(expected=need, found=found)) == spoken


def test_without_audio_or_a_transcriber_there_is_no_transcript() -> None:
    assert EARS.of_answer(sample("a"), Seen("a")) == NONE.of_answer(sample("a"), Seen("a")) == Spoken("absent")
    assert NONE.of_answer(sample("a"), Seen("a", "a")) == Spoken("failed", error="the run has no transcriber")
