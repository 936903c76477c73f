"""The outcome as one JSON document: everything that was found, for scripts. Knows results."""

from __future__ import annotations

from tttbench.core.serialize import to_plain
from tttbench.gate.formats.words import heading, sentence
from tttbench.gate.verdict import GateResult, QualityVerdict, SpeedVerdict


def document(result: GateResult) -> dict[str, object]:
    """Return plain values: ``status`` and ``exit_code``, then every field of ``GateResult``."""
    plain = to_plain(result)
    return {
        "status": result.state,
        "exit_code": result.exit_code,
        "says": heading(result),
        **{name: plain[name] for name in plain if name not in ("state", "quality", "speed")},
        "quality": [_with_words(one) for one in result.quality],
        "speed": [_with_words(one) for one in result.speed],
    }


def _with_words(one: QualityVerdict | SpeedVerdict) -> dict[str, object]:
    return {**to_plain(one), "says": sentence(one)}
