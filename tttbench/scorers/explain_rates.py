"""An edit rate under every preset of its language, and under one preset step by step, from the texts as written."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from tttbench.core.errors import UserError, did_you_mean
from tttbench.core.metric import Score
from tttbench.core.normalizer import Normalizer
from tttbench.core.plugins import build_scorer
from tttbench.core.scorer import ScoreSpec
from tttbench.scorers.edit_rates import WER_MEAN, EditRate, Edits
from tttbench.scorers.explained import Answered, Column, Explanation, Way, rows_of
from tttbench.scorers.presets import PRESETS, by_language
from tttbench.text.steps import steps_of, stepwise

DEFAULT_STEPS: Mapping[str, str] = {"en": "open-asr-2026-07", "zh": "cn_tn"}
"""The preset that is taken apart, by language."""

_AS_THEY_ARE = Normalizer("as they are", 1, lambda text: text)

_Texts = tuple[str, str | None]
"""A reference and an answer, in some form."""


def explain_rate(
    task: str, scorer: str, columns: Sequence[Column], *, language: str, steps: str, n_examples: int
) -> Explanation:
    """Explain an edit rate of written answers.

    Args:
        task: name of the task.
        scorer: the edit rate, e.g. ``"wer"``.
        columns: the answers, by system.
        language: primary language of the answers; ``""`` counts as English.
        steps: the preset to take apart, where it fits; ``""`` for the language's own.
        n_examples: the most samples that are shown a cell.

    Raises:
        UserError: ``steps`` is no preset, or isn't made of steps.
    """
    info = _rate(scorer, {}, language).info
    apart = made_of_steps(steps) if steps else DEFAULT_STEPS.get(language or "en", "")
    unfit = _unfit(apart, scorer, language or "en") if apart else ""
    found = [way for name in _presets(language or "en") for way in _ways(name, scorer, columns, language)]
    return Explanation(
        task=task,
        what=f"{info.title} in {info.unit}",
        columns=tuple(column.label for column in columns),
        n_samples=len({one.id for column in columns for one in column.answers}),
        presets=rows_of(found, columns, n_examples, to_first=True),
        steps_of=_named(apart, scorer) if apart else "",
        steps=rows_of(list(_ladder(apart, scorer, columns, language)), columns, n_examples, to_first=False)
        if apart and not unfit
        else (),
        steps_problem=unfit,
    )


def _presets(language: str) -> list[str]:
    return [name for name, preset in PRESETS.items() if preset.language in ("", language)]


def made_of_steps(preset: str) -> str:
    """Return the name of a preset that is made of steps; raises ``UserError`` for another one."""
    known = [name for name, one in PRESETS.items() if one.options["normalizer"] in stepwise()]
    if preset not in known:
        raise UserError(f"--steps {preset!s:.60}: is no preset that is made of steps. {did_you_mean(preset, known)}")
    return preset


def _unfit(preset: str, scorer: str, language: str) -> str:
    """Why a preset can't be taken apart here, as a sentence; ``""`` if it can."""
    own = PRESETS[preset].language
    if own not in ("", language):
        return f"It is for the language {own}, and the answers are in {language}."
    try:
        _rate(PRESETS[preset].score or scorer, {"recipe": preset}, language)
    except UserError as error:  # an extra that isn't installed, or an option that this rate doesn't have
        return str(error)
    return ""


def _rate(scorer: str, options: Mapping[str, str], language: str) -> EditRate:
    made = build_scorer(ScoreSpec(scorer, scorer, by_language(scorer, options, language)))
    assert isinstance(made, EditRate)
    return made


def _ways(preset: str, scorer: str, columns: Sequence[Column], language: str) -> Iterator[Way]:
    """The preset; what is published by it where that is the mean of samples, or leaves some of these answers out."""
    chosen = PRESETS[preset]
    own, name = chosen.score or scorer, _named(preset, scorer)
    counts_others = own != scorer
    try:
        made = _rate(own, {"recipe": preset}, language)
    except UserError as error:  # an extra that isn't installed, or an option that this rate doesn't have
        yield Way(name, _rate(own, {}, language).info, problem=str(error))
        return
    scores = _scores(made, columns)
    yield Way(name, made.info, scores, counts_others=counts_others)
    if chosen.published == "wer_mean":
        yield Way(f"{preset}, mean of samples (wer_mean)", WER_MEAN, scores, counts_others=counts_others)
    if not chosen.drops:
        return
    kept = _scores(_rate(own, {"recipe": preset, "denominator": "as-published"}, language), columns)
    if any(math.isnan(score.numerator) for part in kept for score in part):
        info = WER_MEAN if chosen.published else made.info
        published = f"{preset} ({chosen.published})" if counts_others and chosen.published else name
        yield Way(f"{published}, as published", info, kept, counts_others=counts_others)


def _named(preset: str, scorer: str) -> str:
    """The preset's name, with the score that it is for where that isn't ``scorer``."""
    own = PRESETS[preset].score or scorer
    return preset if own == scorer else f"{preset} ({own})"


def _scores(rate: EditRate, columns: Sequence[Column]) -> tuple[tuple[Score, ...], ...]:
    return tuple(
        tuple(rate.scored(one.reference, one.text, one.status) for one in column.answers) for column in columns
    )


def _score(edits: Edits, one: Answered, texts: _Texts) -> Score:
    return edits.score(texts[0], texts[1], one.status)


def _ladder(preset: str, scorer: str, columns: Sequence[Column], language: str) -> Iterator[Way]:
    """Yield the ways from the texts as written to ``preset``, one step more each, and the mean of its samples."""
    scorer = PRESETS[preset].score or scorer
    whole = _rate(scorer, {"recipe": preset}, language)
    steps = steps_of(whole.edits.normalizer.name)
    names = ["as written", *(step.name for step in steps)]
    if whole.edits.matcher:
        names.append("split and joined words forgiven")
    plain = replace(_rate(scorer, {}, language).edits, normalizer=_AS_THEY_ARE)
    merging = replace(whole.edits, normalizer=_AS_THEY_ARE) if whole.edits.matcher else None
    # References are the same in all columns.
    applied = [lru_cache(maxsize=None)(step.apply) for step in steps]
    found = [_scored_by_step(column, applied, plain, merging) for column in columns]
    for name, *scores in zip(names, *found, strict=True):
        yield Way(name, whole.info, tuple(scores))
    if scorer == "wer":
        yield Way("mean of the samples' rates (wer_mean)", WER_MEAN, tuple(scores[-1] for scores in found))


def _scored_by_step(
    column: Column, steps: Sequence[Callable[[str], str]], plain: Edits, merging: Edits | None
) -> list[tuple[Score, ...]]:
    """The scores of the texts as they stand, after each step, and, with ``merging``, by that in the end."""
    texts = [(one.reference, one.text) for one in column.answers]
    scores = [_score(plain, one, pair) for one, pair in zip(column.answers, texts, strict=True)]
    found = [tuple(scores)]
    for apply in steps:
        for at, (reference, text) in enumerate(texts):
            now = apply(reference), None if text is None else apply(text)
            if now != texts[at]:
                texts[at], scores[at] = now, _score(plain, column.answers[at], now)
        found.append(tuple(scores))
    if merging is not None:
        found.append(tuple(_score(merging, one, pair) for one, pair in zip(column.answers, texts, strict=True)))
    return found
