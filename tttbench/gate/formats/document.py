"""The outcome as one JSON document: everything that was found, for scripts. Knows results."""

from __future__ import annotations

from tttbench.core.json_values import JsonObject
from tttbench.core.serialize import plain_fields
from tttbench.gate.formats.words import outcome, sentence
from tttbench.gate.verdict import GateResult, QualityVerdict, SpeedVerdict


def document(result: GateResult) -> JsonObject:
    """Return plain values: ``status`` and ``exit_code``, then every field of ``GateResult``."""
    plain = plain_fields(result)
    return {
        "status": result.state,
        "exit_code": result.exit_code,
        "says": outcome(result),
        **{name: plain[name] for name in plain if name not in ("state", "quality", "speed")},
        "quality": [_with_words(one) for one in result.quality],
        "speed": [_with_words(one) for one in result.speed],
    }


def _with_words(one: QualityVerdict | SpeedVerdict) -> JsonObject:
    return {**plain_fields(one), "says": sentence(one)}
