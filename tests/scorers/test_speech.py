"""Scores of how a spoken answer sounds: what they read, their names and recipes, and answers that aren't spoken."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version

import numpy as np
import pytest

from tttbench.core.derivation import Derived, Need
from tttbench.core.errors import UserError
from tttbench.core.exchange import Waveform
from tttbench.core.extras import is_installed
from tttbench.core.plugins import build_scorer
from tttbench.core.scorer import Scorer, ScoreSpec, SpokenAudio

from .views import Seen, sample

SPOKEN = SpokenAudio("a" * 64, 2.5, 16_000)
OTHER = SpokenAudio("b" * 64, 1.0, 16_000)


@dataclass(frozen=True)
class Heard(Seen):
    """A view of an answer with a recording and what was derived of it, by recording."""

    recording: SpokenAudio | None = SPOKEN
    wave: tuple[float, ...] = ()
    contents: Mapping[str, str] = field(default_factory=dict)

    @property
    def audio(self) -> SpokenAudio | None:
        return self.recording

    def waveform(self) -> Waveform | None:
        return np.array(self.wave, np.float32)

    def derived(self, need: Need) -> Derived | None:
        content = self.contents.get(need.audio_sha256)
        return Derived("failed", error="too short") if content is None else Derived("ok", content)


def scorer(name: str, **options: str) -> Scorer:
    return build_scorer(ScoreSpec(name, name, options))


def value(name: str, view: Heard, **options: str) -> tuple[float, str]:
    found = scorer(name, **options).score(sample("x"), view)
    assert found is not None
    return found.value, found.status


def test_lengths_silence_and_clipping() -> None:
    view = Heard(wave=(*[0.5] * 320, *[0.0] * 320, *[1.0] * 320))
    assert value("spoken_s", view) == (2.5, "ok")
    for name in ("silence", "clipping"):
        share, status = value(name, view)
        assert share == pytest.approx(1 / 3)
        assert status == "ok"


@pytest.mark.parametrize("name", ["spoken_s", "silence", "clipping", "dnsmos", "plcmos", "utmos"])
def test_an_answer_that_was_not_spoken_is_counted_and_has_no_value(name: str) -> None:
    for status, expected in (("ok", "empty"), ("empty", "empty"), ("error", "error")):
        found, said = value(name, Heard(recording=None, status=status))  # type: ignore[arg-type]  # each is a status
        assert math.isnan(found)
        assert said == expected


def test_predicted_scores_carry_the_name_of_what_predicts() -> None:
    content = json.dumps({"ovrl": 3.1, "sig": 3.5, "bak": 3.9, "p808": 4.0, "plcmos": 4.7, "utmos": 4.1})
    view = Heard(contents={SPOKEN.sha256: content})
    assert value("dnsmos", view) == (3.1, "ok")
    assert value("dnsmos", view, of="p808") == (4.0, "ok")
    assert value("plcmos", view) == (4.7, "ok")
    assert value("utmos", view) == (4.1, "ok")
    titles = [scorer(*one).info.title for one in (("dnsmos",), ("plcmos",), ("utmos",))]
    assert titles == ["DNSMOS P.835 overall", "PLCMOS v2", "UTMOS"]
    assert "DNSMOS" in scorer("dnsmos").info.explanation
    recipe = scorer("dnsmos", of="sig").recipe({"speech_quality:dnsmos": "dnsmos@1 (speechmos 0.0.1.1)"})
    assert str(recipe) == "dnsmos@1; of=sig,predictor=dnsmos@1 (speechmos 0.0.1.1)"
    if is_installed("speechmos"):
        assert scorer("plcmos").recipe({}).options == f"of=plcmos,predictor=plcmos@1 (speechmos {version('speechmos')})"
    assert list(scorer("plcmos").needs(sample(), view)) == [Need("speech_quality:plcmos", SPOKEN.sha256)]
    with pytest.raises(UserError, match="dnsmos:of=overall: Did you mean 'ovrl'"):
        scorer("dnsmos", of="overall")


def test_a_prediction_that_failed_has_no_value() -> None:
    found, status = value("dnsmos", Heard())
    assert math.isnan(found)
    assert status == "derivation_failed"


def test_speakers_are_compared_by_the_cosine_of_their_embeddings() -> None:
    contents = {SPOKEN.sha256: "[3.0, 4.0]", OTHER.sha256: "[6.0, 0.0]"}
    view = Heard(contents=contents, reference_audio=OTHER)
    assert value("speaker_similarity", view)[0] == pytest.approx(0.6)
    assert value("speaker_similarity", Heard(contents=contents, input_audio=OTHER), to="input")[0] == pytest.approx(0.6)
    assert len(list(scorer("speaker_similarity").needs(sample(), view))) == 2
    # Without a reference, or of the reference audio itself, there is nothing to compare.
    assert scorer("speaker_similarity").score(sample(), Heard(input_audio=OTHER)) is None
    assert scorer("speaker_similarity").score(sample(), Heard(reference_audio=SPOKEN)) is None
    assert math.isnan(value("speaker_similarity", Heard(recording=None, reference_audio=OTHER))[0])
    failed = value("speaker_similarity", Heard(contents={SPOKEN.sha256: "[1.0]"}, reference_audio=OTHER))
    assert failed[1] == "derivation_failed"
    with pytest.raises(UserError, match="speaker_similarity:to=voice: must be 'reference' or 'input'"):
        scorer("speaker_similarity", to="voice")


def test_similarities_by_two_embeddings_are_two_metrics() -> None:
    by_wavlm = scorer("speaker_similarity", embedding="wavlm")
    assert by_wavlm.info.title == "Speaker similarity (WavLM)"
    assert by_wavlm.info != scorer("speaker_similarity").info
    assert scorer("speaker_similarity", embedding="resemblyzer") == scorer("speaker_similarity")
    view = Heard(contents={SPOKEN.sha256: "[3.0, 4.0]", OTHER.sha256: "[6.0, 0.0]"}, reference_audio=OTHER)
    assert value("speaker_similarity", view, embedding="wavlm")[0] == pytest.approx(0.6)
    assert [need.deriver for need in by_wavlm.needs(sample(), view)] == ["wavlm:base-plus-sv"] * 2
    own = scorer("speaker_similarity", embedding="wavlm:./own", to="input")
    assert str(own.recipe({"wavlm:./own": "wavlm-own@1"})) == "speaker_similarity@1; embedding=wavlm-own@1,to=input"
    for wrong in ("ecapa", "wavlm:", "resemblyzer:x"):
        with pytest.raises(UserError, match=r"must be 'resemblyzer', 'wavlm' or 'wavlm:FOLDER'"):
            scorer("speaker_similarity", embedding=wrong)
