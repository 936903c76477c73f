"""Decode settings by name, as suites and ``assistant.json`` files give them, checked. Loads no model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING

from tttbench.core.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from reference_model.decoding import DecodeConfig


def decode_settings(layers: Mapping[str, Mapping[str, object]]) -> DecodeConfig:
    """Return the decode settings that ``layers`` make together; later ones win.

    Args:
        layers: where settings come from, for messages → fields of ``DecodeConfig`` by name.

    Raises:
        UserError: an unknown name, a value of the wrong kind or out of range, an unknown strategy.
    """
    from reference_model.decoding import DecodeConfig, make_strategy
    from reference_model.errors import DecodeError

    defaults = {entry.name: entry.default for entry in fields(DecodeConfig)}
    values: dict[str, object] = {}
    for where, layer in layers.items():
        refuse_unknown(layer, tuple(defaults), f"{where}: decode setting")
        for name, value in layer.items():
            values[name] = _of_kind(value, type(defaults[name]), f"{where}: decode setting {name!r}")
        try:
            settings = DecodeConfig(**values)  # type: ignore[arg-type]  # each value was checked just above
            if settings.strategy != "auto" and isinstance(settings.strategy, str):
                make_strategy(settings.strategy)
        except DecodeError as error:
            raise UserError(f"{where}: {error}") from error
    return DecodeConfig(**values)  # type: ignore[arg-type]  # as above


def _of_kind(value: object, kind: type, where: str) -> object:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        raise UserError(f"{where}: must be {_KINDS[kind]}, not {value!r}.")
    return value


_KINDS: Mapping[type, str] = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


def refuse_unknown(given: Mapping[str, object], known: tuple[str, ...], where: str) -> None:
    """Raise ``UserError`` for the first name that isn't known; ``where`` begins the message."""
    for name in given:
        if name not in known:
            raise UserError(f"{where} {name!r} is unknown. {did_you_mean(name, known)}")
