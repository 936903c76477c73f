"""Presets: names that stand for a way of scoring, e.g. ``wer:recipe=whisper-en``, resolved to a scorer's options."""

from __future__ import annotations

from collections.abc import Mapping

from tttbench.core.errors import UserError, did_you_mean

PRESETS: Mapping[str, Mapping[str, str]] = {
    "raw": {"normalizer": "raw"},
    "en": {"normalizer": "en"},
    "basic": {"normalizer": "basic"},
    "whisper-en": {"normalizer": "whisper-en"},
    "whisper-basic": {"normalizer": "whisper-basic"},
    "zh": {"normalizer": "zh"},
    "zh-hans": {"normalizer": "zh-hans"},
}
"""What each preset sets. A preset of another meaning gets another name, with a date where it follows a publication."""


def with_preset(score: str, options: Mapping[str, str]) -> Mapping[str, str]:
    """Return ``options`` with those of their ``recipe`` filled in; what is given itself wins.

    Raises:
        UserError: there is no such preset.
    """
    preset = options.get("recipe", "")
    if not preset:
        return options
    if preset not in PRESETS:
        raise UserError(f"{score}: there is no recipe {preset!r:.60}. {did_you_mean(preset, PRESETS)}")
    given = {name: value for name, value in options.items() if name != "recipe"}
    return {**PRESETS[preset], **given}
