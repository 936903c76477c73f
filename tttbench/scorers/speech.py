"""What a spoken answer sounds like: its length, silence and clipping, predicted opinion scores, likeness of speakers.

No predicted score stands without its predictor's name: none of them is a person's opinion.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from tttbench.core.declared import recipe_of
from tttbench.core.derivation import Derived, Need
from tttbench.core.errors import UserError, did_you_mean
from tttbench.core.metric import UNKNOWN, MetricInfo, Score, plain_score
from tttbench.core.plugins import register_scorer
from tttbench.core.recipe import Recipe
from tttbench.core.sample import Sample
from tttbench.core.scorer import View
from tttbench.stats.loudness import VERSION as LOUDNESS_VERSION
from tttbench.stats.loudness import Loudness, loudness

VERSION = 1
"""Of each scorer here; raised whenever the same answer may be scored otherwise."""

LOUDNESS = f"loudness@{LOUDNESS_VERSION}"
"""Recipe under which a run keeps silence and clipping of each recording, once they have been measured."""

AUDIO = frozenset({"audio"})

SECONDS = MetricInfo("Spoken answer", "spoken", "length of the spoken answer", "s", 1, "none", lowest=0)
SILENCE = MetricInfo(
    "Silence",
    "silence",
    "share of the spoken answer that is silent: frames of 20 ms, 40 dB below the loudest or below -60 dBFS",
    "%",
    100,
    "none",
    lowest=0,
    highest=1,
)
CLIPPED = MetricInfo(
    "Clipped samples",
    "clipped",
    "share of the spoken answer's samples that stand at full scale, three or more in a row",
    "%",
    100,
    "lower",
    lowest=0,
    highest=1,
)
LIKENESS = MetricInfo(
    "Speaker similarity (Resemblyzer)",
    "speaker sim.",
    "cosine of Resemblyzer's embeddings of two recordings; not comparable with similarities of WavLM",
    direction="higher",
    lowest=-1,
    highest=1,
)
WAVLM_LIKENESS = replace(
    LIKENESS,
    title="Speaker similarity (WavLM)",
    short="speaker sim., WavLM",
    explanation="cosine of WavLM's embeddings of two recordings; not comparable with similarities of Resemblyzer",
)

WAVLM = "wavlm:base-plus-sv"
"""What embeds where the option ``embedding`` is ``wavlm``; a folder of another model may stand behind a colon."""

DNSMOS: Mapping[str, str] = {
    "ovrl": "DNSMOS P.835 overall",
    "sig": "DNSMOS P.835 signal",
    "bak": "DNSMOS P.835 background",
    "p808": "DNSMOS P.808",
}
"""What DNSMOS predicts, by the option ``of``."""


@dataclass(frozen=True)
class Measured:
    """Length, silence or clipping of the spoken answer; a ``Scorer``. No value where nothing was spoken."""

    what: Literal["spoken_s", "silence", "clipping"]
    info: MetricInfo
    reads: frozenset[str] = AUDIO

    @property
    def measures(self) -> bool:
        """Whether it takes what is measured of recordings."""
        return self.what != "spoken_s"

    def recipe(self, recipes: Mapping[str, str]) -> Recipe:
        """Name alone."""
        return Recipe(f"{self.what}@{VERSION}")

    def needs(self, sample: Sample, view: View) -> Iterable[Need]:
        """Need nothing."""
        return ()

    def score(self, sample: Sample, view: View) -> Score | None:
        """Measure the recording."""
        if view.audio is None:
            return _without_speech(view)
        if self.what == "spoken_s":
            return plain_score(view.audio.seconds)
        found = kept_loudness(view.derived(Need(LOUDNESS, view.audio.sha256)))
        if found is None:
            samples = view.waveform()
            if samples is None or not len(samples):
                return _without_speech(view)
            found = loudness(samples, view.audio.sample_rate)
        return plain_score(found.silence if self.what == "silence" else found.clipped)


def loudness_derived(found: Loudness) -> Derived:
    """Return what a run keeps of a recording that was measured."""
    return Derived("ok", json.dumps({"silence": found.silence, "clipped": found.clipped}))


def kept_loudness(derived: Derived | None) -> Loudness | None:
    """Read it; None where nothing is kept, or it is damaged."""
    if derived is None or derived.status != "ok":
        return None
    try:
        found = json.loads(derived.content)
        return Loudness(float(found["silence"]), float(found["clipped"]))
    except (ValueError, KeyError, TypeError):
        return None


@dataclass(frozen=True)
class Predicted:
    """A mean opinion score that a network predicts; a ``Scorer``. No value where nothing was spoken.

    Attributes:
        scorer: its name.
        deriver: that predicts.
        number: which of the numbers in what it gives.
    """

    scorer: str
    deriver: str
    number: str
    info: MetricInfo
    reads: frozenset[str] = AUDIO

    @property
    def derivers(self) -> tuple[str, ...]:
        """What must be there before a run begins."""
        return (self.deriver,)

    def recipe(self, recipes: Mapping[str, str]) -> Recipe:
        """Name, which number, and the predictor with its version."""
        made_by = recipe_of(self.deriver, recipes)
        return Recipe(f"{self.scorer}@{VERSION}", options=f"of={self.number},predictor={made_by}")

    def needs(self, sample: Sample, view: View) -> Iterable[Need]:
        """Need the prediction."""
        return () if view.audio is None else (Need(self.deriver, view.audio.sha256),)

    def score(self, sample: Sample, view: View) -> Score | None:
        """Return the prediction; none where it failed."""
        if view.audio is None:
            return _without_speech(view)
        return _number(view.derived(Need(self.deriver, view.audio.sha256)), self.number)


@dataclass(frozen=True)
class Likeness:
    """Whether two recordings are of one speaker; a ``Scorer``. ``to``: the reference audio, or the request's own."""

    to: Literal["reference", "input"] = "reference"
    info: MetricInfo = LIKENESS
    reads: frozenset[str] = AUDIO
    derivers: tuple[str, ...] = ("speaker:resemblyzer",)

    def recipe(self, recipes: Mapping[str, str]) -> Recipe:
        """Name, what is compared with, and the embedding with its version."""
        (deriver,) = self.derivers
        return Recipe(f"speaker_similarity@{VERSION}", options=f"embedding={recipe_of(deriver, recipes)},to={self.to}")

    def needs(self, sample: Sample, view: View) -> Iterable[Need]:
        """Need both embeddings."""
        return self._pair(view) or ()

    def score(self, sample: Sample, view: View) -> Score | None:
        """Return the cosine; None where there is nothing to compare with."""
        other = view.reference_audio if self.to == "reference" else view.input_audio
        if other is None:
            return None
        if view.audio is None:
            return _without_speech(view)
        pair = self._pair(view)
        if pair is None:  # the reference audio itself
            return None
        both = [view.derived(need) for need in pair]
        failed = next((one for one in both if one is None or one.status == "failed"), None)
        vectors = [json.loads(one.content) for one in both if one is not None and one.status == "ok"]
        if len(vectors) < 2:
            return replace(UNKNOWN, detail={"error": "" if failed is None else failed.error})
        length = math.sqrt(math.fsum(a * a for a in vectors[0]) * math.fsum(b * b for b in vectors[1]))
        cosine = math.fsum(a * b for a, b in zip(*vectors, strict=True)) / length
        return plain_score(max(-1.0, min(1.0, cosine)))

    def _pair(self, view: View) -> tuple[Need, Need] | None:
        other = view.reference_audio if self.to == "reference" else view.input_audio
        if other is None or view.audio is None or other.sha256 == view.audio.sha256:
            return None
        return Need(self.derivers[0], view.audio.sha256), Need(self.derivers[0], other.sha256)


def _number(found: Derived | None, name: str) -> Score:
    if found is None or found.status == "failed":
        return replace(UNKNOWN, detail={"error": "" if found is None else found.error})
    return plain_score(float(json.loads(found.content)[name]))


def _without_speech(view: View) -> Score:
    """An answer that wasn't spoken is counted and has no value: how good it sounds can't be told."""
    return plain_score(math.nan, "error" if view.status == "error" else "empty")


def opinion(title: str) -> MetricInfo:
    """What a predicted mean opinion score is: of a scale from 1 to 5, which predictions may leave a little."""
    return MetricInfo(title, title, f"mean opinion score from 1 to 5, as {title.partition(' ')[0]} predicts it")


@register_scorer("spoken_s", summary=SECONDS.explanation)
def spoken_s(options: Mapping[str, str]) -> Measured:
    """Build the length."""
    return Measured("spoken_s", SECONDS)


@register_scorer("silence", summary=SILENCE.explanation)
def silence(options: Mapping[str, str]) -> Measured:
    """Build the share of silence."""
    return Measured("silence", SILENCE)


@register_scorer("clipping", summary=CLIPPED.explanation)
def clipping(options: Mapping[str, str]) -> Measured:
    """Build the share of clipped samples."""
    return Measured("clipping", CLIPPED)


@register_scorer("dnsmos", options=("of",), summary="mean opinion score of noise and distortion, predicted by DNSMOS")
def dnsmos(options: Mapping[str, str]) -> Predicted:
    """Build what the option ``of`` names: ``ovrl`` (default), ``sig``, ``bak``, ``p808``."""
    number = options.get("of", "ovrl")
    if number not in DNSMOS:
        raise UserError(f"dnsmos:of={number!s:.60}: {did_you_mean(number, DNSMOS)}")
    return Predicted("dnsmos", "speech_quality:dnsmos", number, opinion(DNSMOS[number]))


@register_scorer("plcmos", summary="mean opinion score of dropouts, predicted by PLCMOS")
def plcmos(options: Mapping[str, str]) -> Predicted:
    """Build it."""
    return Predicted("plcmos", "speech_quality:plcmos", "plcmos", opinion("PLCMOS v2"))


@register_scorer("utmos", summary="mean opinion score of naturalness, predicted by UTMOS")
def utmos(options: Mapping[str, str]) -> Predicted:
    """Build it."""
    return Predicted("utmos", "naturalness:utmos", "utmos", opinion("UTMOS"))


@register_scorer("speaker_similarity", options=("embedding", "to"), summary="is it the speaker of another recording?")
def speaker_similarity(options: Mapping[str, str]) -> Likeness:
    """Build the likeness to the option ``to``: ``reference`` (default) or ``input``.

    ``embedding``: ``resemblyzer`` (default), ``wavlm``, or ``wavlm:FOLDER``.
    """
    match options.get("embedding", "resemblyzer").partition(":"):
        case ("resemblyzer", "", ""):
            made = Likeness()
        case ("wavlm", "", ""):
            made = Likeness(info=WAVLM_LIKENESS, derivers=(WAVLM,))
        case ("wavlm", ":", folder) if folder:
            made = Likeness(info=WAVLM_LIKENESS, derivers=(f"wavlm:{folder}",))
        case _:
            raise UserError(
                f"speaker_similarity:embedding={options['embedding']!s:.60}: must be 'resemblyzer', 'wavlm' or "
                "'wavlm:FOLDER'."
            )
    match options.get("to", "reference"):
        case "reference":
            return made
        case "input":
            return replace(made, to="input")
        case other:
            raise UserError(f"speaker_similarity:to={other!s:.60}: must be 'reference' or 'input'.")
