"""The suite's values to and from plain JSON values.

JSON has no NaN and no infinity: they are written as null and read back as NaN. Waveforms are left out; they are kept
as audio files. What comes back is checked completely: whatever a damaged file holds, the outcome is the value or a
``PlainError`` that names the field. Manifests and other documents are read by ``tttbench.core.tables``; here stands
what a run has many of.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar, cast, get_args

import numpy as np

from tttbench.core.exchange import STATUSES, AudioCommit, Chunk, Response, Status, Trace
from tttbench.core.metric import Score
from tttbench.core.sample import AudioRef, Role, Sample, Turn
from tttbench.core.tables import key_of

T = TypeVar("T")

_ROLES: tuple[str, ...] = get_args(Role)
_LARGEST = 2**63 - 1
_ODD = re.compile("[\0\ud800-\udfff]")
_MAY_BE_ODD = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


class PlainError(ValueError):
    """A JSON value that isn't what it should be; the message begins with the field, e.g. ``trace.end_s``."""


def to_plain(value: object) -> Any:
    """Return ``value`` as JSON values: dataclasses as objects, tuples as lists, paths as strings, NaN as null."""
    if isinstance(value, str) or value is None or isinstance(value, bool):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, int):
        return int(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {key_of(field.name): to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_plain(entry) for key, entry in value.items()}
    if isinstance(value, Sequence | set | frozenset):
        return [to_plain(entry) for entry in (sorted(value) if isinstance(value, set | frozenset) else value)]
    if hasattr(value, "tolist"):  # NumPy scalars and arrays
        return to_plain(value.tolist())
    return str(value)


def to_json(value: object, *, indent: int | None = None) -> str:
    """Return ``value`` as a JSON document."""
    return json.dumps(to_plain(value), ensure_ascii=False, allow_nan=False, indent=indent)


def parse_json(text: str | bytes) -> object:
    """Return what a JSON document holds.

    Raises:
        PlainError: not UTF-8, not JSON, NaN, infinity, numbers too long to be read, nested too deeply, or a text with
            NUL or a lone surrogate in it, which neither files nor pages can hold.
    """
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8-sig")
        values: object = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise PlainError("nested too deeply") from None
    except ValueError as error:
        raise PlainError(str(error)) from error
    # Such characters come in by escapes only, so that most documents needn't be walked through.
    if _MAY_BE_ODD.search(text) and (found := odd_character(values)):
        raise PlainError(found)
    return values


def odd_character(value: object, path: str = "") -> str:
    """Return where plain values hold a text with NUL or a lone surrogate in it, in words; ``""`` if none does."""
    if isinstance(value, str):
        found = _ODD.search(value)
        return f"{path or 'the text'}: holds the character {found.group()!r}" if found else ""
    if isinstance(value, Mapping):
        entries = [(str(key), entry) for key, entry in value.items()]
        for key, _ in entries:
            if found := _ODD.search(key):
                return f"{path or 'the object'}: has a key with the character {found.group()!r}"
    elif isinstance(value, Sequence):
        entries = [(str(at), entry) for at, entry in enumerate(value)]
    else:
        return ""
    return next((odd for key, entry in entries if (odd := odd_character(entry, f"{path}.{key}".strip(".")))), "")


def escaped(value: Any) -> Any:
    """Return plain values whose texts show NUL and lone surrogates as escapes, e.g. ``\\udce9``: to be read by people.

    Names of files that aren't UTF-8 and messages hold such characters.
    """
    if isinstance(value, str):
        return _ODD.sub(lambda found: ascii(found.group())[1:-1], value)
    if isinstance(value, Mapping):
        return {escaped(key): escaped(entry) for key, entry in value.items()}
    return [escaped(entry) for entry in value] if isinstance(value, list) else value


def response_to_plain(response: Response) -> dict[str, Any]:
    """Return a response without its waveform."""
    return {
        field.name: to_plain(getattr(response, field.name))
        for field in dataclasses.fields(response)
        if field.name != "waveform"
    }


def response_fault(response: object) -> str:
    """Return why what a system gave can't be kept as its response: the field, and what is wrong; ``""`` if it can.

    Types, NUL and lone surrogates in texts, times that aren't finite … Of the waveform the type alone is looked at.
    """
    if not isinstance(response, Response):
        return f"must be a Response, not {_shown(response)}"
    waveform = response.waveform
    if waveform is not None and not (isinstance(waveform, np.ndarray) and waveform.dtype.kind == "f"):
        kind = getattr(waveform, "dtype", type(waveform).__name__)
        return f"waveform: must be a NumPy array of float32, not of {kind}"
    try:
        response_from_plain(response_to_plain(response))
    except PlainError as error:
        return str(error)
    return ""


def response_from_plain(values: object) -> Response:
    """Return the response that ``response_to_plain`` wrote, ``waveform`` None; raises ``PlainError``."""
    entry = Fields.of(values)
    return Response(
        text=entry.text("text"),
        audio_codes=entry.optional("audio_codes", entry.wholes),
        sample_rate=entry.whole("sample_rate"),
        finish_reason=entry.text("finish_reason"),
        trace=_trace(entry.inner("trace")),
    )


def sample_from_plain(values: object) -> Sample:
    """Return the sample that ``to_plain`` wrote; raises ``PlainError``."""
    entry = Fields.of(values)
    return Sample(
        id=entry.text("id"),
        turns=tuple(_turn(turn) for turn in entry.objects("turns")),
        references=entry.texts("references"),
        answer=entry.optional("answer", lambda key: _turn(entry.inner(key))),
        language=entry.text("language"),
        cluster=entry.text("cluster"),
        metadata=entry.mapping("metadata", Fields.text),
    )


def score_from_plain(values: object) -> Score:
    """Return the score that ``to_plain`` wrote; raises ``PlainError``."""
    entry = Fields.of(values)
    return Score(
        value=entry.number("value", null_is_nan=True),
        numerator=entry.number("numerator", null_is_nan=True),
        denominator=entry.number("denominator", null_is_nan=True),
        status=entry.status("status"),
        detail=entry.inner("detail").values,
    )


def _trace(entry: Fields) -> Trace:
    return Trace(
        stages_s=entry.mapping("stages_s", Fields.number),
        prefill_end_s=entry.optional("prefill_end_s", entry.number),
        text_times_s=entry.numbers("text_times_s"),
        text_tokens=entry.texts("text_tokens"),
        audio_commits=tuple(
            AudioCommit(one.number("time_s"), one.whole("n_codes")) for one in entry.objects("audio_commits")
        ),
        chunks=tuple(Chunk(one.number("time_s"), one.whole("n_samples")) for one in entry.objects("chunks")),
        end_s=entry.number("end_s"),
        nfe=entry.whole("nfe"),
        commit_step=entry.wholes("commit_step"),
        commit_confidence=entry.numbers("commit_confidence", null_is_nan=True),
        spans=entry.wholes("spans"),
    )


def _turn(entry: Fields) -> Turn:
    role = entry.text("role")
    if role not in _ROLES:
        entry.refuse("role", role, f"one of {', '.join(_ROLES)}")
    return Turn(cast(Role, role), entry.text("text"), entry.optional("audio", lambda key: _audio(entry.inner(key))))


def _audio(entry: Fields) -> AudioRef:
    return AudioRef(
        Path(entry.text("path")),
        entry.text("member"),
        entry.number("start_s"),
        entry.optional("end_s", entry.number),
    )


@dataclasses.dataclass(frozen=True)
class Fields:
    """The fields of a JSON object, each taken as what it must be or refused with a ``PlainError``.

    Attributes:
        values: the object.
        path: where it stands, for messages; ``""`` for the whole.
    """

    values: Mapping[str, object]
    path: str = ""

    @classmethod
    def of(cls, values: object, path: str = "") -> Fields:
        """Take ``values``, which must be an object."""
        if not isinstance(values, Mapping):
            raise PlainError(f"{path or 'the value'}: must be an object, not {_shown(values)}")
        return cls(values, path)

    def refuse(self, key: str, value: object, wanted: str) -> NoReturn:
        """Say that a field is wrong."""
        raise PlainError(f"{self._at(key)}: must be {wanted}, not {_shown(value)}")

    def get(self, key: str) -> object:
        """Return a field, whatever it holds."""
        try:
            return self.values[key]
        except KeyError:
            raise PlainError(f"{self._at(key)}: missing") from None

    def text(self, key: str) -> str:
        """Return a text without NUL and lone surrogates."""
        value = self.get(key)
        if not isinstance(value, str):
            self.refuse(key, value, "a text")
        if _ODD.search(value):
            raise PlainError(odd_character(value, self._at(key)))
        return value

    def status(self, key: str) -> Status:
        """Return one of ``STATUSES``."""
        value = self.get(key)
        return value if value in STATUSES else self.refuse(key, value, f"one of {', '.join(STATUSES)}")

    def whole(self, key: str) -> int:
        """Return a whole number of at most 64 bits."""
        value = self.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and -_LARGEST <= value <= _LARGEST:
            return value
        return self.refuse(key, value, "a whole number")

    def number(self, key: str, *, null_is_nan: bool = False) -> float:
        """Return a finite number; NaN for null where it stands for that."""
        value = self.get(key)
        if value is None and null_is_nan:
            return math.nan
        return float(cast(float, value)) if _is_finite(value) else self.refuse(key, value, "a finite number")

    def optional(self, key: str, take: Callable[[str], T]) -> T | None:
        """Return None for null, else what ``take`` makes of the field."""
        return None if self.get(key) is None else take(key)

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts without NUL and lone surrogates."""
        found: tuple[str, ...] = self._list(key, {str}, "a list of texts")
        if odd := odd_character(found, self._at(key)):
            raise PlainError(odd)
        return found

    def wholes(self, key: str) -> tuple[int, ...]:
        """Return a list of whole numbers of at most 64 bits."""
        found: tuple[int, ...] = self._list(key, {int}, "a list of whole numbers")
        if found and not (min(found) >= -_LARGEST and max(found) <= _LARGEST):
            self.refuse(key, found, "a list of whole numbers of at most 64 bits")
        return found

    def numbers(self, key: str, *, null_is_nan: bool = False) -> tuple[float, ...]:
        """Return a list of finite numbers; NaN for null where it stands for that."""
        types: set[type] = {float, int, type(None)} if null_is_nan else {float, int}
        found: tuple[float | None, ...] = self._list(key, types, "a list of numbers")
        if not all(one is None or _is_finite(one) for one in found):
            self.refuse(key, found, "a list of finite numbers")
        return tuple(math.nan if one is None else float(one) for one in found)

    def mapping(self, key: str, take: Callable[[Fields, str], T]) -> Mapping[str, T]:
        """Return an object whose fields ``take`` reads."""
        inner = self.inner(key)
        return {name: take(inner, name) for name in inner.values}

    def inner(self, key: str) -> Fields:
        """Return an object."""
        return Fields.of(self.get(key), self._at(key))

    def document(self, key: str, take: Callable[[object], T]) -> T:
        """Return what ``take`` makes of the JSON document that a text holds."""
        text = self.text(key)
        try:
            return take(parse_json(text))
        except PlainError as error:
            raise PlainError(f"{self._at(key)}: {error}") from error

    def objects(self, key: str) -> list[Fields]:
        """Return a list of objects."""
        found = self.get(key)
        if not isinstance(found, list | tuple):
            self.refuse(key, found, "a list")
        return [Fields.of(one, f"{self._at(key)}[{at}]") for at, one in enumerate(found)]

    def _at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def _list(self, key: str, types: set[type], wanted: str) -> tuple[Any, ...]:
        found = self.get(key)
        if not isinstance(found, list | tuple) or not set(map(type, found)) <= types:
            self.refuse(key, found, wanted)
        return tuple(found)


def _is_finite(value: object) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _shown(value: object) -> str:
    try:
        text = ascii(value)
    except ValueError:  # a number of more digits than Python writes
        return "a number of thousands of digits"
    return text if len(text) <= 60 else f"{text[:60]}…"


def _refuse_constant(name: str) -> NoReturn:
    raise PlainError(f"{name} is no number that JSON has")
