"""Scores as users write them: ``SCORE[=ID]:OPTION=VALUE,…`` on a command line, a string or a table in TOML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from tttbench.core.declared import operational_options, telling_options
from tttbench.core.errors import UserError
from tttbench.core.scorer import ScoreSpec
from tttbench.core.secrets import speaks_of_a_secret
from tttbench.core.tables import Name

_ID = re.compile(r"[\w.-]+")
_HARMLESS = re.compile(r"\s*[a-z_]{0,16}\s*=?\s*")
"""What may be repeated of an option without a value; anything else may be a key that was pasted."""

ScoreEntry = Name | Mapping[str, Name]
"""A score in TOML: a string as on the command line, or a table with ``scorer``, ``id`` and options."""


def parse_score(text: str, where: str = "score") -> ScoreSpec:
    """Read ``SCORE[=ID]:OPTION=VALUE,…``; a value ends at the next comma.

    Without an id it is the scorer's name, and behind it the values of its options: ``wer:recipe=raw`` is ``wer_raw``.

    Raises:
        UserError: not of that form; ``where`` begins the message, which repeats nothing that may be a key.
    """
    head, colon, tail = text.partition(":")
    scorer, equals, own_id = head.partition("=")
    options: dict[str, str] = {}
    here = f"{where} {head!r:.99}"
    for at, part in enumerate(tail.split(",") if colon else (), 1):
        name, given, value = (one.strip() for one in part.partition("="))
        if not (name and given and value):
            what = f"{part!r:.60}" if _HARMLESS.fullmatch(part) else f"option {at}"
            raise UserError(f"{here}: {what} must be OPTION=VALUE, as in wer:recipe=whisper-en.")
        if name in options:
            raise UserError(f"{here}: option {name!r:.60} is given twice; remove one.")
        options[name] = value
    if not scorer.strip() or (equals and not own_id.strip()):
        raise UserError(f"{here}: must be SCORE[=ID]:OPTION=VALUE,…, as in wer=strict:normalizer=raw.")
    return score_spec(scorer.strip(), own_id.strip(), options, where)


def score_spec(scorer: str, own_id: str, options: Mapping[str, str], where: str) -> ScoreSpec:
    """Return the spec, with an id made of its options where it has none of its own.

    Raises:
        UserError: an id that can't be one, or a key among the options, which runs keep.
    """
    for name in options:
        if speaks_of_a_secret(name):
            raise UserError(
                f"{where}: {scorer}: option {name!s:.60}: runs keep options, so no key can be one; export it as an "
                "environment variable, and where that isn't OPENAI_API_KEY, name it with key_env=NAME."
            )
    spec_id = own_id or default_id(scorer, options)
    if not _ID.fullmatch(spec_id):
        raise UserError(f"{where}: id {spec_id!r:.60} may hold letters, digits, '_', '-' and '.' only.")
    return ScoreSpec(scorer, spec_id, dict(options))


def default_id(scorer: str, options: Mapping[str, str]) -> str:
    """Return the id of a score that is given none: the scorer, and the values of the options that make the score."""
    return _joined(scorer, list(telling_options(scorer, options).values()) if options else [])


def is_former_id(spec_id: str, scorer: str, options: Mapping[str, str]) -> bool:
    """Whether development versions of 0.2 may have given a score of these options that id: of all of their values.

    Of options that change no score the values may be others by now, or given later.
    """
    skipped = operational_options(scorer)
    parts = [
        f"(?:_{re.escape(_clean(value))}|_[^_]+)?" if name in skipped else f"_{re.escape(_clean(value))}"
        for name, value in options.items()
    ]
    return re.fullmatch("".join([re.escape(scorer), *parts]), spec_id) is not None


def _joined(scorer: str, values: Iterable[str]) -> str:
    return "_".join([scorer, *map(_clean, values)])


def _clean(value: str) -> str:
    return re.sub(r"[^\w.-]+", "-", value)


def scores_from(values: Sequence[str | Mapping[str, str]], where: str) -> tuple[ScoreSpec, ...]:
    """Read the ``ScoreEntry``s of a TOML file.

    Raises:
        UserError: naming ``where`` and the entry.
    """
    found = []
    for at, value in enumerate(values):
        here = f"{where}[{at}]"
        if isinstance(value, str):
            found.append(parse_score(value, here))
            continue
        options = {name: text for name, text in value.items() if name not in ("scorer", "id")}
        if "scorer" not in value:
            raise UserError(f"{here}.scorer: missing; add the scorer's name.")
        found.append(score_spec(value["scorer"], value.get("id", ""), options, here))
    ids = [spec.id for spec in found]
    for spec_id in ids:
        if ids.count(spec_id) > 1:
            raise UserError(f"{where}: two scores have the id {spec_id!r:.60}; give one another: SCORE=ID:….")
    return tuple(found)
