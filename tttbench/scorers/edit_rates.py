"""Edit rates: ``wer``, ``cer``, ``cer_zh`` of the written answer, ``self_wer`` of the spoken one against it.

Those are corpus rates, all edits over all reference units; ``wer_mean`` is the mean of the samples' rates, which weighs
a sample of three words like one of thirty. ``mer`` counts Han characters, and words of other scripts. With
``units=characters``, as in languages written without spaces, rates of words count characters of scripts without spaces.

Normalize, align, count. A request without an answer (``error``, ``unparsed``) counts as if every reference unit had
been deleted, and so does an empty one. A transcriber that repeats itself without end writes hundreds of words for one
answer, so ``self_wer`` counts at most as many errors as the answer has words; with ``cap=none`` it counts them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tttbench.core.derivation import Need
from tttbench.core.errors import UserError
from tttbench.core.exchange import Status
from tttbench.core.language import is_chinese, is_spaceless, primary_language
from tttbench.core.metric import UNKNOWN, MetricInfo, Score
from tttbench.core.normalizer import Normalizer, package_version
from tttbench.core.plugins import build_normalizer, register_scorer
from tttbench.core.recipe import Recipe
from tttbench.core.sample import Sample
from tttbench.core.scorer import View
from tttbench.scorers.denominators import ALL, Denominator
from tttbench.scorers.presets import DROPS, UNITS, with_preset
from tttbench.scorers.script import in_recipe, in_script, script_of
from tttbench.scorers.transcripts import Transcription
from tttbench.text import compounds, spaceless
from tttbench.text.alignment import NO_EDITS, Alignment, EditCounts, align_characters, align_words
from tttbench.text.mixed import align_mixed
from tttbench.text.spaceless import align_spaceless

VERSION = 1
"""Raised whenever the same texts may give other counts."""

CAPPED_VERSION = 2
"""Of ``self_wer`` as it is by default; version 1 counted all errors, as ``cap=none`` does."""

OPTIONS = ("normalizer", "recipe")
CHARACTER_OPTIONS = (*OPTIONS, "script")
WORD_OPTIONS = (*OPTIONS, "compounds", "script", UNITS)
DENOMINATOR = "denominator"


def _rate(title: str, short: str, explanation: str) -> MetricInfo:
    return MetricInfo(title, short, explanation, "%", 100, "lower", "rate", lowest=0)


WER = _rate("Word error rate", "WER", "all edits over all reference words")
CER = _rate("Character error rate", "CER", "all edits over all reference characters")
CER_ZH = _rate("Character error rate, Chinese", "CER (zh)", "all edits over all reference characters, bare characters")
WER_MEAN = MetricInfo(
    "Word error rate, mean of samples",
    "WER, mean",
    "each sample's edits over its own reference words, averaged",
    "%",
    100,
    "lower",
    "value",
    lowest=0,
)
_AGAINST_ITSELF = "word errors of the spoken answer against the system's own text"
SELF_WER = replace(
    _rate("Spoken against written", "self WER", f"{_AGAINST_ITSELF}, of each answer at most its words"), highest=1
)
SELF_WER_UNCAPPED = _rate("Spoken against written, uncapped", "self WER, uncapped", f"{_AGAINST_ITSELF}, all of them")
_OF_TRANSCRIBER = "errors of the transcriber on recordings of right answers: a floor under scores of spoken answers"
TRANSCRIBER_WER = _rate("Transcriber's own word errors", "its WER", f"word {_OF_TRANSCRIBER}")
TRANSCRIBER_CER = _rate("Transcriber's own character errors", "its CER", f"character {_OF_TRANSCRIBER}")
_CHARACTERS = "characters of scripts without spaces, and words of others"
_BY_CHARACTER: Mapping[MetricInfo, MetricInfo] = {
    WER: _rate("Error rate by character", "CER", f"all edits over all reference units: {_CHARACTERS}"),
    WER_MEAN: replace(
        WER_MEAN,
        title="Error rate by character, mean of samples",
        short="CER, mean",
        explanation=f"each sample's edits over its own reference units, averaged; units: {_CHARACTERS}",
    ),
    SELF_WER: replace(
        SELF_WER,
        title="Spoken against written, by character",
        short="self CER",
        explanation="errors of the spoken answer against the system's own text, of each answer at most its units: "
        f"{_CHARACTERS}",
    ),
    SELF_WER_UNCAPPED: replace(
        SELF_WER_UNCAPPED,
        title="Spoken against written, by character, uncapped",
        short="self CER, uncapped",
        explanation=f"errors of the spoken answer against the system's own text, all of them; units: {_CHARACTERS}",
    ),
}
"""What rates of words are where they count characters."""

MER = _rate("Mixed error rate", "MER", "all edits over all reference units: Han characters, and words of other scripts")


def written(view: View) -> str | None:
    """Return the written answer; None where there is none that can be read."""
    return None if view.status in ("error", "unparsed") else view.text


@dataclass(frozen=True)
class Edits:
    """Counts the edits between two texts: ``normalizer`` is applied to both, ``align`` finds the edits.

    ``matcher`` names what ``align`` is; ``""`` stands for jiwer. ``script`` is that of ``tttbench.scorers.script``.
    """

    normalizer: Normalizer
    align: Callable[[str, str], Alignment]
    matcher: str = ""
    script: str = ""

    def score(self, reference: str, answer: str | None, status: Status) -> Score:
        """Return the edits over the reference's units.

        The detail holds ``substitutions``, ``deletions``, ``insertions``, ``hits``, the normalized ``reference`` and
        ``hypothesis`` and their ``alignment`` (``Alignment.as_json``). An answer without a word in it is ``empty``,
        unless the reference has none either.

        Args:
            reference: what should stand there.
            answer: what stands there; None if the request has no answer, and then ``status`` says why.
            status: of the request.
        """
        wanted = self.normalized(reference)
        given = "" if answer is None else self.normalized(answer)
        alignment = self.align(wanted, given)
        counts = alignment.counts
        return Score(
            value=counts.rate,
            numerator=float(counts.errors),
            denominator=float(counts.reference_units),
            status=status if answer is None else "empty" if wanted and not given else "ok",
            detail={
                "hits": counts.hits,
                "substitutions": counts.substitutions,
                "deletions": counts.deletions,
                "insertions": counts.insertions,
                "reference": wanted,
                "hypothesis": given,
                "alignment": alignment.as_json(),
            },
        )

    def recipe(self, name: str) -> Recipe:
        """How the counts are made."""
        by = [*filter(None, [self.matcher]), f"jiwer {package_version('jiwer')}"]
        return Recipe(f"{name}@{VERSION}", self.normalizer.recipe, ", ".join(by), options=in_recipe(self.script))

    def normalized(self, text: str) -> str:
        """Return what is compared of a text; ``""`` if no word is in it."""
        normalized = self.normalizer.normalize(in_script(text, self.script)).strip()
        # Whisper's rules leave "." of "...": a text of dots alone has no words.
        return normalized if any(map(str.isalnum, normalized)) else ""


@dataclass(frozen=True)
class EditRate:
    """Edits per reference unit between the first reference and the written answer; a ``Scorer``."""

    name: str
    info: MetricInfo
    edits: Edits
    reads: frozenset[str] = frozenset({"text"})
    denominator: Denominator = ALL

    def recipe(self, recipes: Mapping[str, str]) -> Recipe:
        """Name, normalizer, the package that counts, and what is left out."""
        return replace(self.edits.recipe(self.name), denominator=self.denominator.recipe)

    def needs(self, sample: Sample, view: View) -> Iterable[Need]:
        """Need nothing."""
        return ()

    def score(self, sample: Sample, view: View) -> Score:
        """Return the edits between reference and written answer."""
        return self.scored(sample.reference, written(view), view.status)

    def scored(self, reference: str, answer: str | None, status: Status) -> Score:
        """Return the edits between two texts; see ``Edits.score``. What isn't counted has no value."""
        return self.denominator.applied(self.edits.score(reference, answer, status), answer)


@dataclass(frozen=True)
class MeanRate:
    """The edits of each answer per reference unit, a value of its own; a ``Scorer``."""

    name: str
    rate: EditRate
    info: MetricInfo = WER_MEAN
    reads: frozenset[str] = frozenset({"text"})

    def recipe(self, recipes: Mapping[str, str]) -> Recipe:
        """Name, normalizer and the package that counts."""
        return self.rate.recipe(recipes)

    def needs(self, sample: Sample, view: View) -> Iterable[Need]:
        """Need nothing."""
        return ()

    def score(self, sample: Sample, view: View) -> Score | None:
        """Return the rate over 1; None for a reference without a unit, which has no rate."""
        edits = self.rate.score(sample, view)
        return replace(edits, numerator=edits.value, denominator=1.0) if edits.denominator else None


@dataclass(frozen=True)
class SelfErrorRate:
    """Edits per word between what an answer speaks and what it writes; a ``Scorer``.

    The right answer plays no part: a wrong answer that is spoken as it is written has no errors. The transcriber's own
    errors count, so its error rate on reference audio is the floor.
    """

    name: str
    info: MetricInfo
    edits: Edits
    transcription: Transcription
    reads: frozenset[str] = frozenset({"text", "audio"})

    def recipe(self, recipes: Mapping[str, str]) -> Recipe:
        """Name, normalizer, the package that counts, and the transcriber."""
        recipe = replace(self.edits.recipe(self.name), transcriber=self.transcription.recipe(recipes))
        return replace(recipe, scorer=f"{self.name}@{CAPPED_VERSION}") if self._is_capped else recipe

    def needs(self, sample: Sample, view: View) -> Iterable[Need]:
        """Need the transcript."""
        return self.transcription.needs(sample, view)

    def score(self, sample: Sample, view: View) -> Score:
        """Return the edits over the words of the answer's own text; ``empty`` if nothing was written.

        The detail's counts are of all edits, capped or not.
        """
        if view.status in ("error", "unparsed"):
            return self.edits.score(view.text, None, view.status)
        spoken = self.transcription.of_answer(sample, view)
        if spoken.status == "failed":
            return replace(UNKNOWN, detail={"error": spoken.error})
        score = self.edits.score(view.text, spoken.text, view.status)
        if self._is_capped and score.numerator > score.denominator:
            score = replace(score, numerator=score.denominator, value=min(score.value, 1.0))
        return score if score.detail["reference"] else replace(score, status="empty")

    @property
    def _is_capped(self) -> bool:
        return self.info.highest == 1


def corpus_edits(scores: Iterable[Score]) -> EditCounts:
    """Add up the edits of edit rates: the counts behind the corpus rate."""
    total = NO_EDITS
    for score in scores:
        counts = [score.detail[key] for key in ("hits", "substitutions", "deletions", "insertions")]
        total += EditCounts(*(int(str(count)) for count in counts))
    return total


def _edits(score: str, options: Mapping[str, str], normalizer: str, align: Callable[[str, str], Alignment]) -> Edits:
    chosen = build_normalizer(options.get("normalizer", normalizer))
    merging = options.get("compounds", "")
    if merging not in ("", "merged"):
        raise UserError(
            f"{score}:compounds={merging!s:.60}: must be 'merged' (split and joined words are no errors), or left out."
        )
    if options.get(UNITS) == "characters":
        if merging:
            raise UserError(
                f"{score}: compounds=merged forgives split and joined words, and in a language written without spaces "
                f"there are none. Ask for {score}:recipe=whisper-basic, or for {score}:{UNITS}=words."
            )
        found = Edits(chosen, align_spaceless, spaceless.RECIPE)
    else:
        found = Edits(chosen, compounds.align_merging, compounds.RECIPE) if merging else Edits(chosen, align)
    return replace(found, script=script_of(score, options))


def info_of(score: str, info: MetricInfo, options: Mapping[str, str]) -> MetricInfo:
    """Return what a rate of words is by its units; raises ``UserError`` for others than words and characters."""
    units = options.get(UNITS, "words")
    if units not in ("words", "characters"):
        raise UserError(
            f"{score}:{UNITS}={units!s:.60}: must be 'words', told apart by white space, or 'characters', those of "
            "scripts without spaces."
        )
    return info if units == "words" else _BY_CHARACTER[info]


def _rate_of(
    name: str,
    info: MetricInfo,
    options: Mapping[str, str],
    known: Sequence[str],
    default: tuple[str, Callable[[str, str], Alignment]],
) -> EditRate:
    """Build a rate of written answers; ``default``: the normalizer, and how texts are aligned."""
    denominator = Denominator.of(name, options, DROPS)
    chosen = with_preset(name, options, (*known, DENOMINATOR))
    info = info_of(name, info, options) if UNITS in known else info
    return EditRate(name, info, _edits(name, chosen, *default), denominator=denominator)


@register_scorer("wer", options=(*WORD_OPTIONS, DENOMINATOR), summary=WER.title)
def wer(options: Mapping[str, str]) -> EditRate:
    """Build the word error rate."""
    return _rate_of("wer", WER, options, WORD_OPTIONS, ("en", align_words))


@register_scorer("wer_mean", options=(*WORD_OPTIONS, DENOMINATOR), summary=WER_MEAN.title)
def wer_mean(options: Mapping[str, str]) -> MeanRate:
    """Build the mean of the samples' word error rates."""
    rate = _rate_of("wer_mean", WER, options, WORD_OPTIONS, ("en", align_words))
    return MeanRate("wer_mean", rate, info_of("wer_mean", WER_MEAN, options))


@register_scorer("cer", options=OPTIONS, summary=CER.title)
def cer(options: Mapping[str, str]) -> EditRate:
    """Build the character error rate; spaces count, as in jiwer."""
    return _rate_of("cer", CER, options, OPTIONS, ("en", align_characters))


@register_scorer("cer_zh", options=(*CHARACTER_OPTIONS, DENOMINATOR), summary=CER_ZH.title)
def cer_zh(options: Mapping[str, str]) -> EditRate:
    """Build the character error rate of Chinese."""
    return _rate_of("cer_zh", CER_ZH, options, CHARACTER_OPTIONS, ("zh", align_characters))


@register_scorer("mer", options=(*CHARACTER_OPTIONS, DENOMINATOR), summary=MER.title)
def mer(options: Mapping[str, str]) -> EditRate:
    """Build the error rate of texts that mix Chinese with languages whose units are words."""
    return _rate_of("mer", MER, options, CHARACTER_OPTIONS, ("mixed", align_mixed))


@register_scorer("self_wer", options=(*WORD_OPTIONS, "cap", "transcriber"), summary=SELF_WER.explanation)
def self_wer(options: Mapping[str, str]) -> SelfErrorRate:
    """Build the word error rate of what is spoken against what is written."""
    chosen = with_preset("self_wer", options, WORD_OPTIONS)
    cap = chosen.get("cap", "words")
    if cap not in ("words", "none"):
        raise UserError(f"self_wer:cap={cap!r:.60}: must be words (an answer's errors are at most its words) or none.")
    info = info_of("self_wer", SELF_WER if cap == "words" else SELF_WER_UNCAPPED, chosen)
    return SelfErrorRate("self_wer", info, _edits("self_wer", chosen, "en", align_words), Transcription.of(chosen))


def transcriber_errors(transcriber: str, language: str) -> SelfErrorRate:
    """Build what a transcriber gets wrong of recordings of right answers; not a score of any system.

    Args:
        transcriber: the system that transcribes.
        language: BCP 47 tag of the answers: character errors of those written without spaces, word errors of others.
    """
    made = Transcription(transcriber)
    if is_chinese(language):
        return SelfErrorRate("transcriber_cer", TRANSCRIBER_CER, _edits("cer_zh", {}, "zh", align_characters), made)
    if is_spaceless(language):
        return SelfErrorRate("transcriber_cer", TRANSCRIBER_CER, _edits("cer", {}, "basic", align_spaceless), made)
    normalizer = "en" if primary_language(language) in ("", "en") else "basic"
    return SelfErrorRate("transcriber_wer", TRANSCRIBER_WER, _edits("wer", {}, normalizer, align_words), made)
