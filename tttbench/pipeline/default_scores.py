"""What a run scores beside what its tasks and suite ask for, and which options those scores get. Scores nothing."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from tttbench.core.declared import operational_options, telling_options
from tttbench.core.errors import UserError
from tttbench.core.judging import JudgeSettings
from tttbench.core.plugins import scorers
from tttbench.core.scorer import ScoreSpec
from tttbench.core.scores import default_id, is_former_id
from tttbench.scorers.presets import UNITS
from tttbench.scorers.presets import by_language as units_by_language

log = logging.getLogger("tttbench")

WHISPER_ENGLISH = ScoreSpec("wer", "wer_whisper-en", {"recipe": "whisper-en"})
WHISPER_BASIC = ScoreSpec("wer", "wer_whisper-basic", {"recipe": "whisper-basic"})
WHISPER_BASIC_BY_CHARACTER = ScoreSpec(
    "wer", f"{WHISPER_BASIC.id}_characters", {**WHISPER_BASIC.options, UNITS: "characters"}
)
"""What published tables and old baselines have in the place of ``wer``: of English, of other languages, and of those
that are written without spaces."""

_ENGLISH_UNLESS_TOLD = frozenset({"wer", "wer_mean", "cer", "self_wer"})
"""Scorers whose default normalizer is for English."""
_OTHER_LANGUAGES = {"normalizer": "basic"}


_GAPS = (("spoken_gap", "text_accuracy", "spoken_accuracy"), ("answer_gap", "answer", "spoken_answer"))
"""Gaps, and the scores in writing and as spoken that each is between."""
_WRITTEN = frozenset({"asr", "captioning"})
"""Families of tasks whose answers are written only."""

_OF_CAPTIONS = frozenset({"clair_a", "fense"})
"""Scorers by a model that are for captions."""


Ways = Mapping[str, Mapping[str, str]]
"""By judge, the options that say how it is reached and asked, and change no score."""


def added(
    add: Sequence[ScoreSpec], own: Sequence[ScoreSpec], taken: Collection[str], task: str, family: str
) -> tuple[ScoreSpec, ...]:
    """Return those scores of ``add`` that go to a task: where a score of the same scorer is taken.

    Args:
        add: scores beside those of the tasks, as a suite or a call asks for them.
        own: the task's own.
        taken: scorers that some task of the run has. Others are added to every task, but those of spoken answers not
            to one whose answers are written, and no judge to one without questions, with a warning.
        task, family: of the task.
    """
    scored = {spec.scorer for spec in own}
    found = []
    for spec in add:
        if spec.scorer in scored:
            found.append(spec)
        elif spec.scorer not in taken and family in _WRITTEN and "transcriber" in scorers.get(spec.scorer).options:
            log.warning("%s on %s: left out, as answers to that task are written, not spoken.", spec.id, task)
        elif spec.scorer not in taken and spec.scorer in _OF_CAPTIONS and family == "captioning":
            found.append(spec)
        elif spec.scorer not in taken and spec.scorer in _OF_CAPTIONS:
            log.warning("%s on %s: left out, as answers to that task are no captions.", spec.id, task)
        elif spec.scorer not in taken and family in _WRITTEN and "judge" in scorers.get(spec.scorer).options:
            log.warning("%s on %s: left out, as that task asks no questions that a judge could grade.", spec.id, task)
        elif spec.scorer not in taken:
            found.append(spec)
    return tuple(found)


def by_language(scores: Sequence[ScoreSpec], language: str) -> tuple[ScoreSpec, ...]:
    """Return scores with the units of a language, a BCP 47 tag: rates of words count characters where white space tells
    no words, as another score, with another id unless they are given one."""
    found = []
    for spec in scores:
        options = units_by_language(spec.scorer, spec.options, language)
        if options != spec.options and spec.id == default_id(spec.scorer, spec.options):
            spec = replace(spec, id=default_id(spec.scorer, options))
        found.append(replace(spec, options=options))
    return tuple(found)


def with_defaults(
    scores: Sequence[ScoreSpec],
    transcriber: str,
    oracle: str,
    language: str = "",
    judge: Mapping[str, str] | None = None,
) -> tuple[ScoreSpec, ...]:
    """Fill in what a suite says for all of its scores.

    Args:
        scores: as a task or suite asks for them.
        transcriber: of the suite, for scores that name none; ``""`` for none.
        oracle: label of the system that all others' codes are compared with; ``""`` for none.
        language: BCP 47 tag of the task's answers; ``""``, where it isn't known, counts as English.
        judge: options of scores that take a judge and name none: ``judge`` and others, which theirs go before.

    Returns:
        Those, ``wer`` after Whisper's normalizer of the language beside each ``wer`` after ours, the gap between
        written and spoken answers where both are scored alike (by one judge likewise), and the agreement with the
        oracle. Error rates of languages other than English take our rules for those unless they name a normalizer.
    """
    is_english = language.partition("-")[0].lower() in ("", "en")
    found: dict[str, ScoreSpec] = {}
    for spec in scores:
        for one in _with_options(_judged(spec, judge or {}), transcriber, is_english=is_english):
            if one.id in found and found[one.id] != one:
                raise UserError(f"score {one.id!r} is given twice; give one of them another id: {one.scorer}=ID:…")
            found[one.id] = one
    kinds: dict[str, ScoreSpec] = {}
    for spec in found.values():  # of several scores by one scorer, the first: those that are added change no other
        kinds.setdefault(spec.scorer, spec)
    for gap, written, spoken in _GAPS:
        pair = _alike(found.values(), written, spoken)
        if pair is not None and gap not in kinds:
            recipe = pair.options.get("recipe", "") if gap == "answer_gap" else ""
            name = gap if recipe in ("", "judge-binary") else f"{gap}_{recipe}"
            found[name] = ScoreSpec(gap, name, pair.options)
    if oracle and "oracle_agreement" not in kinds:
        found["oracle_agreement"] = ScoreSpec("oracle_agreement", "oracle_agreement", {"oracle": oracle})
    return tuple(found.values())


def _judged(spec: ScoreSpec, judge: Mapping[str, str]) -> ScoreSpec:
    if "judge" not in scorers.get(spec.scorer).options or "judge" in spec.options:
        return spec
    return replace(spec, options={**judge, **spec.options})


def _alike(specs: Collection[ScoreSpec], written: str, spoken: str) -> ScoreSpec | None:
    """The first score of spoken answers beside which written ones are scored alike, so that a gap is of both."""
    of_written = [_makes(one) for one in specs if one.scorer == written]
    return next((one for one in specs if one.scorer == spoken and _makes(one) in of_written), None)


def _makes(spec: ScoreSpec) -> object:
    """What makes the score of a text, whatever that is a transcript of."""
    if "judge" in scorers.get(spec.scorer).options:
        judge = JudgeSettings.of(spec.scorer, spec.options)
        counted = (spec.options.get("recipe", "judge-binary"), spec.options.get("denominator", ""))
        sampled = (judge.votes, judge.temperature, judge.top_p, judge.max_tokens)
        return (judge.model, judge.served_as, judge.prompt, *sampled, *counted)
    return _without_transcriber(spec)


def _with_options(spec: ScoreSpec, transcriber: str, *, is_english: bool) -> Iterator[ScoreSpec]:
    """The score with its options, and what is computed beside it."""
    options = dict(spec.options)
    if "transcriber" in scorers.get(spec.scorer).options and transcriber:
        options.setdefault("transcriber", transcriber)
    names_texts = "normalizer" in options or "recipe" in options
    if spec.scorer in _ENGLISH_UNLESS_TOLD and not is_english and not names_texts:
        options.update(_OTHER_LANGUAGES)
    yield replace(spec, options=options)
    if spec.scorer == "wer" and is_english and (options.get("normalizer") or options.get("recipe", "en")) == "en":
        yield WHISPER_ENGLISH
    if spec.scorer == "wer" and not is_english and options.get("normalizer") == "basic":
        yield WHISPER_BASIC_BY_CHARACTER if options.get(UNITS) == "characters" else WHISPER_BASIC


def as_known(specs: Sequence[ScoreSpec], known: Sequence[ScoreSpec]) -> tuple[ScoreSpec, ...]:
    """Return scores that are asked for now with the ids that a run has for them.

    Development versions of 0.2 made ids of all options, also of those that change no score
    (``answer_openai_chat-m_16`` of ``concurrency=16``). A score of such an id keeps it.
    """
    taken = {one.id for one in known}
    found = []
    for spec in specs:
        made = (default_id(spec.scorer, options) for options in (spec.options, _without_transcriber(spec)))
        if spec.id not in taken and spec.id in made:
            same = (one.id for one in known if _is_former(one, spec))
            spec = replace(spec, id=next(same, spec.id))
        found.append(spec)
    return tuple(found)


def _is_former(one: ScoreSpec, spec: ScoreSpec) -> bool:
    """Whether ``one`` has a former id and is the score that ``spec`` asks for."""
    if one.scorer != spec.scorer:
        return False
    if is_former_id(one.id, one.scorer, one.options) and _telling(one) == _telling(spec):
        return True
    # A task's or suite's transcriber, which was filled in later, is in no id.
    filled = {name: value for name, value in one.options.items() if name == "transcriber"}
    named = is_former_id(one.id, one.scorer, _without_transcriber(one))
    return named and _telling(one) == {**filled, **_telling(spec)}


def _without_transcriber(spec: ScoreSpec) -> dict[str, str]:
    return {name: value for name, value in spec.options.items() if name != "transcriber"}


def _telling(spec: ScoreSpec) -> dict[str, str]:
    return telling_options(spec.scorer, spec.options)


def ways_of(asked: Sequence[ScoreSpec], where: str) -> Ways:
    """Return how judges are to be reached and asked by what scores say of it: address, time-outs, prices …, by judge.

    Scorers tell which of their options those are; one that declares none says nothing.

    Raises:
        UserError: two scores contradict each other; ``where`` begins the message.
    """
    found: dict[str, dict[str, str]] = {}
    for spec in asked:
        judge, operational = spec.options.get("judge", ""), operational_options(spec.scorer)
        for name, value in spec.options.items():
            if not judge or name not in operational:
                continue
            if found.setdefault(judge, {}).setdefault(name, value) != value:
                raise UserError(
                    f"{where}: {judge!s:.60}: option {name} is given as {found[judge][name]!s:.60} and as "
                    f"{value!s:.60}; give one of them, as a judge is asked in one way."
                )
    return found


def known_ways(scores: Iterable[ScoreSpec]) -> Ways:
    """Return how a run's judges are reached, by judge; of two ways the one of the first score that has it."""
    found: dict[str, dict[str, str]] = {}
    for spec in scores:
        if judge := spec.options.get("judge", ""):
            takes = operational_options(spec.scorer)
            own = {name: value for name, value in spec.options.items() if name in takes}
            found[judge] = {**own, **found.get(judge, {})}
    return found


def with_ways(scores: Sequence[ScoreSpec], given: Ways, known: Ways | None = None) -> tuple[ScoreSpec, ...]:
    """Return scores, those by a judge with what is given of it in place of their own, and what they lack as known.

    So one judge isn't asked in two ways, and what isn't given anew, such as its address, stays.
    """
    return tuple(_in_way(spec, given, known or {}) for spec in scores)


def _in_way(spec: ScoreSpec, given: Ways, known: Ways) -> ScoreSpec:
    judge, takes = spec.options.get("judge", ""), operational_options(spec.scorer)
    more, new = (
        {name: value for name, value in ways.get(judge, {}).items() if name in takes} for ways in (known, given)
    )
    # The order of its own options stays: an id may be made of them.
    options = {**spec.options, **{name: value for name, value in more.items() if name not in spec.options}, **new}
    return spec if options == spec.options else replace(spec, options=options)
