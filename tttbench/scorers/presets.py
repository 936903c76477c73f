"""Presets: names that stand for a way of scoring, e.g. ``wer:recipe=whisper-en``, resolved to a scorer's options."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from tttbench.core.errors import UserError, did_you_mean
from tttbench.core.language import is_spaceless
from tttbench.scorers.denominators import Drop


@dataclass(frozen=True)
class Preset:
    """A way of scoring under a name.

    Attributes:
        summary: what it is, in a line.
        options: of the scorers that it can be given to.
        language: the primary language that it is for; ``""`` for any.
        score: the scorer that it is for, where the language's own doesn't fit; ``""`` for that.
        drops: what the publication's code leaves out of the denominator.
        published: the score that publications print by it; ``""`` where that is the corpus rate.
    """

    summary: str
    options: Mapping[str, str] = field(default_factory=dict)
    language: str = ""
    score: str = ""
    published: str = ""
    drops: tuple[Drop, ...] = ()


_NO_REFERENCE: tuple[Drop, ...] = ("references without words",)
_KIMI: tuple[Drop, ...] = ("errors", "null answers")
_ERRORS: tuple[Drop, ...] = ("errors",)


def _normalized(
    name: str,
    summary: str,
    language: str = "",
    *,
    score: str = "",
    published: str = "",
    drops: tuple[Drop, ...] = (),
    **options: str,
) -> Preset:
    return Preset(summary, {"normalizer": name, **options}, language, score, published, drops)


PRESETS: Mapping[str, Preset] = {
    "raw": _normalized("raw", "the texts as they stand"),
    "en": _normalized("en", "our rules for English", "en"),
    "basic": _normalized("basic", "our rules for languages without rules of their own"),
    "whisper-en": _normalized("whisper-en", "Whisper's rules for English", "en"),
    "whisper-basic": _normalized("whisper-basic", "Whisper's rules for other languages"),
    "open-asr-2025-09": _normalized(
        "open-asr-2025-09", "Open ASR leaderboard, 2025-09-11 to 2026-04-21", "en", drops=_NO_REFERENCE
    ),
    "open-asr-2026-04": _normalized(
        "open-asr-2026-04", "Open ASR leaderboard, 2026-04-24 to 2026-06-10", "en", drops=_NO_REFERENCE
    ),
    "open-asr-2026-07": _normalized(
        "open-asr-2026-07",
        "Open ASR leaderboard since 2026-07-08: split and joined words forgiven",
        "en",
        compounds="merged",
        drops=_NO_REFERENCE,
    ),
    "kimi-en": _normalized("kimi-en", "Kimi-Audio's evaluation kit, English", "en", drops=_KIMI),
    "ultraeval-en": _normalized("ultraeval-en", "UltraEval-Audio, English", "en", drops=_ERRORS),
    "seed-tts": _normalized(
        "seed-tts",
        "seed-tts-eval, English; published as the mean of samples",
        "en",
        published="wer_mean",
        drops=_ERRORS,
    ),
    "digits": _normalized("digits", "digit strings digit by digit", "en"),
    "zh": _normalized("zh", "our rules for Chinese", "zh"),
    "zh-hans": _normalized("zh-hans", "our rules for Chinese, characters simplified", "zh"),
    "mixed": _normalized("mixed", "our rules for Chinese mixed with English", "zh", score="mer"),
    "cn_tn": _normalized("cn_tn", "SpeechIO's normalizer as evaluation kits use it, all switches off", "zh"),
    "wetext": _normalized("wetext", "WeTextProcessing's normalizer, all that drops words off", "zh"),
    "kimi-zh": _normalized("kimi-zh", "Kimi-Audio's evaluation kit, Chinese", "zh", score="mer", drops=_KIMI),
    "ultraeval-zh": _normalized("ultraeval-zh", "UltraEval-Audio, Chinese", "zh", score="mer", drops=_ERRORS),
    "seed-tts-zh": _normalized(
        "seed-tts-zh",
        "seed-tts-eval, Chinese; published as the mean of samples",
        "zh",
        score="wer",
        published="wer_mean",
        drops=_ERRORS,
    ),
}
"""All presets. One of another meaning gets another name, with a date where it follows a publication."""


UNITS = "units"
"""The option that tells what is counted: ``words``, told apart by white space, or ``characters``: those of scripts
without spaces, and words of others."""

_BY_WHITE_SPACE = frozenset({"wer", "wer_mean", "self_wer"})
"""Scorers that count words as white space tells them apart, unless they are given units."""

_SPLIT_ALREADY = frozenset(name for name, one in PRESETS.items() if one.score == "wer")
"""Presets, and their normalizers, that put spaces between characters themselves."""


def by_language(scorer: str, options: Mapping[str, str], language: str) -> Mapping[str, str]:
    """Return the options of a score, with those by which its units are those of a language, a BCP 47 tag.

    In a language written without spaces a sentence would be one word. What names its units keeps them.
    """
    given = {options.get("recipe", ""), options.get("normalizer", "")}
    if scorer not in _BY_WHITE_SPACE or UNITS in options or given & _SPLIT_ALREADY or not is_spaceless(language):
        return options
    return {**options, UNITS: "characters"}


DROPS: Mapping[str, tuple[Drop, ...]] = {name: preset.drops for name, preset in PRESETS.items()}
"""What each preset's publication leaves out of the denominator."""


def with_preset(score: str, options: Mapping[str, str], known: Collection[str]) -> Mapping[str, str]:
    """Return ``options`` with those of their ``recipe`` filled in; what is given itself wins.

    Args:
        score: name of the scorer, for messages.
        options: as they were given.
        known: options that the scorer takes.

    Raises:
        UserError: there is no such preset, or it sets an option that the scorer hasn't.
    """
    name = options.get("recipe", "")
    if not name:
        return options
    if name not in PRESETS:
        raise UserError(f"{score}: there is no recipe {name!r:.60}. {did_you_mean(name, PRESETS)}")
    preset = PRESETS[name]
    strange = [f"{option}={value}" for option, value in preset.options.items() if option not in known]
    if strange:
        raise UserError(
            f"{score}:recipe={name}: sets {strange[0]}, which {score} doesn't have. Give its parts instead, such as "
            f"{score}:normalizer={preset.options.get('normalizer', 'raw')}."
        )
    given = {option: value for option, value in options.items() if option != "recipe"}
    return {**preset.options, **given}
