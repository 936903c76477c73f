"""Which scores a task with clips without speech takes: known from its references, before anything is generated."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence

from tttbench.core.language import is_spaceless
from tttbench.core.plugins import build_scorer
from tttbench.core.sample import Sample
from tttbench.core.scorer import ScoreSpec
from tttbench.scorers.edit_rates import EditRate
from tttbench.scorers.presets import UNITS, by_language

log = logging.getLogger("tttbench")

_MARKS = re.compile(r"\[[^]]*\]|\([^)]*\)|<[^>]*>|\{[^}]*\}")
"""What stands in brackets may be a sound, which a normalizer takes out."""


def fitting_scores(task: str, scores: Sequence[ScoreSpec], samples: Sequence[Sample]) -> tuple[ScoreSpec, ...]:
    """Return the scores that ``samples`` can have.

    Where a transcribed clip is without speech, insertions per minute and the share of clips with words stand beside the
    error rates; an error rate that has no reference word in any clip is left out, with a warning. There is one, too,
    where words are told apart by white space in a language that is written without.

    Args:
        task: its name, for the warning.
        scores: as they are asked for.
        samples: all of the task.
    """
    _tell_one_word(task, scores, samples)
    rates = {spec.id: scorer for spec in scores if isinstance(scorer := build_scorer(spec), EditRate)}
    references = [sample.reference for sample in samples if sample.references]
    if not rates or not references:
        return tuple(scores)
    # Ends at the first clip with speech, as a rule the first of all.
    without = [of for of, rate in rates.items() if not any(map(rate.edits.normalized, references))]
    first = next(spec for spec in scores if spec.id in rates)
    # Normalizing every reference would take long; only what is no plain text can end up empty.
    odd = (one for one in references if not any(map(str.isalnum, _MARKS.sub("", one))))
    found = [spec for spec in scores if spec.id not in without]
    if without or not all(map(rates[first.id].edits.normalized, odd)):
        found += [spec for spec in _beside(first) if spec.id not in {one.id for one in found}]
    if without:
        log.warning(
            "%s: no clip has speech; left out is what has no reference word: %s. %s",
            task,
            ", ".join(without),
            "Counted is what is written all the same.",
        )
    return tuple(found)


def _tell_one_word(task: str, scores: Sequence[ScoreSpec], samples: Sequence[Sample]) -> None:
    """Warn of scores whose words are whole sentences of some samples, as in a task of several languages."""
    languages = [sample.language for sample in samples if is_spaceless(sample.language)]
    for spec in scores:
        if languages and by_language(spec.scorer, spec.options, languages[0]) != spec.options:
            log.warning(
                "%s: %d of %d samples are in languages written without spaces (%s), of which %s counts a sentence as "
                "one word. Make each language a task of its own, or add %s:%s=characters.",
                *(task, len(languages), len(samples), ", ".join(sorted(set(languages))), spec.id, spec.scorer, UNITS),
            )


def _beside(rate: ScoreSpec) -> tuple[ScoreSpec, ...]:
    """The scores of clips without speech, by the normalizer of an error rate."""
    chinese = rate.scorer == "cer_zh"
    options = {name: value for name, value in rate.options.items() if name in ("normalizer", "recipe")}
    units = {name: value for name, value in rate.options.items() if name == UNITS}
    return (
        ScoreSpec("inserted_characters", "inserted_characters", options)
        if chinese
        else ScoreSpec("inserted_words", "inserted_characters" if units else "inserted_words", {**options, **units}),
        ScoreSpec("clips_with_words", "clips_with_words", {**options, **({"of": "cer_zh"} if chinese else {})}),
    )
