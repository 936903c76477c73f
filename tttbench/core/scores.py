"""Scores as users write them: ``SCORE[=ID]:OPTION=VALUE,…`` on a command line, a string or a table in TOML."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tttbench.core.errors import UserError
from tttbench.core.scorer import ScoreSpec
from tttbench.core.tables import Name

_ID = re.compile(r"[\w.-]+")

ScoreEntry = Name | Mapping[str, Name]
"""A score in TOML: a string as on the command line, or a table with ``scorer``, ``id`` and options."""


def parse_score(text: str, where: str = "score") -> ScoreSpec:
    """Read ``SCORE[=ID]:OPTION=VALUE,…``; a value ends at the next comma.

    Without an id it is the scorer's name, and behind it the values of its options: ``wer:recipe=raw`` is ``wer_raw``.

    Raises:
        UserError: not of that form; ``where`` begins the message.
    """
    head, colon, tail = text.partition(":")
    scorer, equals, own_id = head.partition("=")
    options: dict[str, str] = {}
    for part in tail.split(",") if colon else ():
        name, given, value = part.partition("=")
        if not (name.strip() and given and value.strip()):
            raise UserError(f"{where} {text!r:.99}: {part!r:.60} must be OPTION=VALUE, as in wer:recipe=whisper-en.")
        if name.strip() in options:
            raise UserError(f"{where} {text!r:.99}: option {name.strip()!r:.60} is given twice; remove one.")
        options[name.strip()] = value.strip()
    if not scorer.strip() or (equals and not own_id.strip()):
        raise UserError(f"{where} {text!r:.99}: must be SCORE[=ID]:OPTION=VALUE,…, as in wer=strict:normalizer=raw.")
    return score_spec(scorer.strip(), own_id.strip(), options, where)


def score_spec(scorer: str, own_id: str, options: Mapping[str, str], where: str) -> ScoreSpec:
    """Return the spec, with an id made of its options where it has none of its own."""
    made = "_".join([scorer, *(re.sub(r"[^\w.-]+", "-", value) for value in options.values())])
    spec_id = own_id or made
    if not _ID.fullmatch(spec_id):
        raise UserError(f"{where}: id {spec_id!r:.60} may hold letters, digits, '_', '-' and '.' only.")
    return ScoreSpec(scorer, spec_id, dict(options))


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
