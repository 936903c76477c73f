"""Decode settings by name, as suites and ``assistant.json`` files give them, checked; and the strategies.

Loads no model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Literal

from tttbench.core.extras import require
from tttbench.core.json_values import JsonValue
from tttbench.core.tables import Document, read_table

if TYPE_CHECKING:
    from reference_model.decoding import DecodeConfig


Dtype = Literal["float32", "bfloat16", "float16", "float64"]
"""What a checkpoint is computed in, whatever it is stored in. No field of ``DecodeConfig``, as it is the weights'."""


def dtype_of(layers: Sequence[Document]) -> Dtype:
    """Return the ``dtype`` of decode settings, the last one that is given; else ``"float32"``.

    Raises:
        UserError: there is no such dtype.
    """
    found: Dtype = "float32"
    for layer in layers:
        values = read_table(dict[str, JsonValue], layer)
        if "dtype" in values:
            found = read_table(_Computed, replace(layer, values={"dtype": values["dtype"]})).dtype
    return found


@dataclass(frozen=True)
class _Computed:
    dtype: Dtype


@dataclass(frozen=True)
class _Seen:
    prompt_audio: Literal["bidirectional", "causal"]


def prompt_audio_of(layers: Sequence[Document]) -> Literal["bidirectional", "causal"] | None:
    """Return the ``prompt_audio`` of decode settings, the last one that is given; None: as the weights were trained.

    Raises:
        UserError: it is neither of the two.
    """
    found: Literal["bidirectional", "causal"] | None = None
    for layer in layers:
        values = read_table(dict[str, JsonValue], layer)
        if "prompt_audio" in values:
            found = read_table(_Seen, replace(layer, values={"prompt_audio": values["prompt_audio"]})).prompt_audio
    return found


_OF_THE_MODEL = ("dtype", "prompt_audio")
"""Settings that change the network and not how it is asked: no fields of ``DecodeConfig``."""


def decode_settings(layers: Sequence[Document]) -> DecodeConfig:
    """Return the decode settings that ``layers`` make together; later ones win.

    Args:
        layers: tables with fields of ``DecodeConfig``, and where they come from.

    ``dtype`` and ``prompt_audio`` may stand among them; they are checked, and read by ``dtype_of`` and
    ``prompt_audio_of``.

    Raises:
        UserError: an unknown name, a value of the wrong kind or out of range, an unknown strategy.
    """
    from reference_model.decoding import DecodeConfig, make_strategy
    from reference_model.errors import DecodeError

    dtype_of(layers)
    prompt_audio_of(layers)
    settings, values = DecodeConfig(), dict[str, JsonValue]()
    for layer in layers:
        given = read_table(dict[str, JsonValue], layer)
        if "block_length" in given:
            # One length for all blocks takes the place of an earlier layer's schedule.
            values.pop("block_lengths", None)
        values |= {name: value for name, value in given.items() if name not in _OF_THE_MODEL}
        settings = read_table(DecodeConfig, replace(layer, values=values))
        if settings.strategy != "auto" and isinstance(settings.strategy, str):
            try:
                make_strategy(settings.strategy)
            except DecodeError as error:
                raise layer.error("strategy", str(error)) from error
    return settings


def in_full(settings: DecodeConfig) -> dict[str, JsonValue]:
    """Return all decode settings, to be laid under others."""
    return {**asdict(settings), "block_lengths": list(settings.block_lengths)}


def in_force(settings: DecodeConfig) -> dict[str, JsonValue]:
    """Return what a card says of decode settings: without those that make no difference, so that cards stay equal."""
    values: dict[str, JsonValue] = asdict(settings)
    if settings.cache != "refresh":
        del values["refresh_every"]
    if settings.block_lengths:
        values["block_lengths"] = list(settings.block_lengths)
        del values["block_length"]
    else:
        del values["block_lengths"]
    off = {"cfg_approximate_reuse": 0, "cfg_approximate_context": None}
    return {name: value for name, value in values.items() if name not in off or value != off[name]}


def strategies() -> Sequence[tuple[str, str]]:
    """``NAME``, or ``NAME:OPTION=DEFAULT,…`` as a call takes it, of every strategy, and the first line about it."""
    require("model", "list strategies")
    from reference_model.decoding import make_strategy, strategy_names
    from reference_model.decoding.strategy import UNTRAINED, is_untrained

    found = []
    for name in strategy_names():
        strategy = make_strategy(name)
        options: list[str] = [option.name for option in fields(strategy)] if is_dataclass(strategy) else []
        given = ",".join(f"{option}={getattr(strategy, option)}" for option in options)
        about = (strategy.__doc__ or "").partition("\n")[0]
        if is_untrained(strategy):
            about = f"{about.removesuffix('.')} ({UNTRAINED})."
        found.append((f"{name}:{given}" if given else name, about))
    return found
