"""The suite's values to plain JSON values, and what is kept of a response.

JSON has no NaN and no infinity: they are written as null and read back as NaN. Waveforms are left out; they are kept
as audio files. The way back is ``tttbench.core.tables.read_table``.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tttbench.core.exchange import Response, Trace
from tttbench.core.json_values import JsonObject, JsonValue
from tttbench.core.tables import kept_fields, key_of
from tttbench.core.tables.values import ODD

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


@dataclasses.dataclass(frozen=True)
class KeptResponse:
    """A response as it is kept: all of it but the waveform."""

    text: str
    audio_codes: tuple[int, ...] | None
    sample_rate: int
    finish_reason: str
    trace: Trace
    # Runs of development versions lack it, and answers that cost nothing.
    cost: Mapping[str, float] = dataclasses.field(default_factory=dict, metadata={"may_lack": True})

    def response(self) -> Response:
        """Return the response, ``waveform`` None."""
        return Response(self.text, self.audio_codes, None, self.sample_rate, self.finish_reason, self.trace, self.cost)


def bare(value: object) -> object:
    """Return a text or number as a ``str``, ``float`` or ``int`` itself, whatever its class makes of it.

    A plug-in's own class of texts may do anything when its length is asked for. Anything else is returned as it is.
    """
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, float):
        return float.__float__(value)
    return int.__int__(value) if isinstance(value, int) and not isinstance(value, bool) else value


def to_plain(value: object) -> JsonValue:
    """Return ``value`` as JSON values: dataclasses as objects, tuples as lists, paths as strings, NaN as null."""
    value = bare(value)
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return plain_fields(value)
    if isinstance(value, Mapping):
        return {str(bare(key)): to_plain(entry) for key, entry in value.items()}
    if isinstance(value, Sequence | set | frozenset):
        return [to_plain(entry) for entry in (sorted(value) if isinstance(value, set | frozenset) else value)]
    if hasattr(value, "tolist"):  # NumPy scalars and arrays
        return to_plain(value.tolist())
    return str(value)


def plain_fields(value: DataclassInstance) -> dict[str, JsonValue]:
    """Return a dataclass as a JSON object, without the fields that aren't kept."""
    return {key_of(field.name): to_plain(getattr(value, field.name)) for field in kept_fields(type(value))}


def to_json(value: object, *, indent: int | None = None) -> str:
    """Return ``value`` as a JSON document."""
    return json.dumps(to_plain(value), ensure_ascii=False, allow_nan=False, indent=indent)


def escaped(text: str) -> str:
    """Return a text whose NUL and lone surrogates are written as escapes, e.g. ``\\udce9``: to be read by people.

    Names of files that aren't UTF-8 and messages hold such characters.
    """
    return ODD.sub(lambda found: ascii(found.group())[1:-1], text)


def all_escaped(value: JsonValue) -> JsonValue:
    """Return plain values with all their texts ``escaped``."""
    if isinstance(value, str):
        return escaped(value)
    if isinstance(value, Mapping):
        return {escaped(key): all_escaped(entry) for key, entry in value.items()}
    return [all_escaped(entry) for entry in value] if isinstance(value, Sequence) else value


def response_to_plain(response: Response) -> JsonObject:
    """Return a response without its waveform, as a ``KeptResponse`` is read."""
    return {
        field.name: to_plain(getattr(response, field.name))
        for field in dataclasses.fields(response)
        if field.name != "waveform" and (field.name != "cost" or response.cost)
    }
