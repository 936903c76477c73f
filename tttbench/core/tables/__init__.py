"""Typed tables: what a TOML or JSON document holds becomes a frozen dataclass, or an error that says where it is wrong.

The dataclass is the form: its type hints say what a key may hold, its defaults what may be missing, and a ``Check``
beside a hint what no hint can say. Nothing is taken for what it isn't: ``true`` is no number, ``3.0`` no whole number,
NaN no number at all. Nothing is read from a disk here: ``tttbench.data.documents`` makes the documents.

    @dataclass(frozen=True)
    class Entry:
        name: Name
        ratio: Annotated[float, Check(above=0)] = 1.0

    read_table(Entry, Document({"name": "a", "ratoi": 2}, "my.toml"))
    # UserError: my.toml: ratoi: unknown key. Did you mean 'ratio'?

Hints may be ``str``, ``int``, ``float``, ``bool``, ``Path``, ``Literal``, ``JsonValue``, dataclasses, unions such as
``X | None``, ``tuple[X, ...]``, ``tuple[X, Y]``, ``Sequence[X]`` (read as a tuple), ``frozenset[X]``, and
``Mapping[str, X]``, whose keys may be a ``Literal``. A field named like a word of Python's ends in an underscore:
``from_`` is the key ``from``. The way back is ``tttbench.core.serialize.to_plain``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import MISSING, dataclass
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from tttbench.core.errors import UserError
from tttbench.core.json_values import JsonValue
from tttbench.core.tables.containers import MOST_FAULTS, Either, Entries, Field, Items, Places, Plain, Table
from tttbench.core.tables.values import (
    Check,
    Choice,
    FaultError,
    File,
    Form,
    How,
    Null,
    Number,
    Reader,
    Switch,
    Text,
    Whole,
    joined,
    key_step,
    odd_character,
    odd_in_line,
)

__all__ = [
    "Check",
    "Count",
    "Document",
    "Form",
    "MaybeNan",
    "Name",
    "Share",
    "joined",
    "kept_fields",
    "key_of",
    "key_step",
    "odd_character",
    "odd_in_line",
    "read_table",
]

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")

Count = Annotated[int, Check(least=1)]
"""A whole number of 1 or more."""

Share = Annotated[float, Check(least=0, most=1, says="a share from 0 to 1")]
"""From 0 to 1, both included."""

Name = Annotated[str, Check(filled=True, one_line=True)]
"""A string of one line that holds something."""

MaybeNan = Annotated[float, Check(null_is_nan=True)]
"""A float that may be NaN, which a document holds as null."""


@dataclass(frozen=True)
class Document:
    """What a document holds, and where it comes from.

    Attributes:
        values: as ``tomllib`` and ``json`` return them.
        source: what messages begin with: the file, perhaps with a line; ``""`` where the caller names it.
        form: in whose words messages speak.
        at: where in the source the values stand, e.g. ``"systems[2].decode"``; ``""`` for the whole.
    """

    values: object
    source: str
    form: Form = "TOML"
    at: str = ""

    def error(self, path: str, what: str) -> UserError:
        """Return the error for a fault that only the caller can find, worded as those of ``read_table``."""
        where = joined(self.at, path)
        # The ``__post_init__`` of a dataclass may have named its table already.
        said = what.removeprefix(f"{where}: ") if where else what
        return UserError(": ".join(part for part in (self.source, where, said) if part))


def read_table(
    kind: type[T],
    document: Document,
    *,
    unknown: Literal["refuse", "ignore"] = "refuse",
    missing: Literal["default", "refuse"] = "default",
) -> T:
    """Return the document's values as a ``kind``, completely checked.

    A ``ValueError`` or ``UserError`` of the dataclass's own ``__post_init__`` becomes a fault of its table.

    Args:
        kind: a dataclass, or a list of them (``tuple[Row, ...]``).
        document: the values, and what messages call them.
        unknown: whether keys that no field has are faults, or may come from a version that knows more.
        missing: whether fields with a default may be left out, or nothing may, as in what ``to_plain`` wrote, except
            fields with ``metadata={"may_lack": True}``, which came later than the first documents of a format.

    Raises:
        UserError: whatever is wrong, a line a fault (ten at most): source, path, what is wrong, what to do.
        TypeError: ``kind`` has a hint that no document can fulfill, or a check that its hint can't obey: a defect of
            the program.
    """
    try:
        how = How(document.form, ignores_unknown=unknown == "ignore", refuses_missing=missing == "refuse")
        return cast(T, _reader(cast(Hashable, kind)).take(document.values, how))
    except FaultError as found:
        lines = [str(document.error(path, what)) for path, what in found.faults[:MOST_FAULTS]]
        more = ["… and more."] if len(found.faults) > MOST_FAULTS else []
        raise UserError("\n".join([*lines, *more])) from None
    except RecursionError:
        raise document.error("", "nested too deeply; make it flatter.") from None


def kept_fields(kind: type[DataclassInstance]) -> tuple[dataclasses.Field[Any], ...]:
    """The fields of a dataclass that stand in documents: all but those with ``metadata={"kept": False}``."""
    return tuple(field for field in dataclasses.fields(kind) if field.metadata.get("kept", True))


def key_of(field: str) -> str:
    """The key that a field is read from and written to: its name, without the underscore of ``from_``."""
    return field.removesuffix("_")


class _UnreadableError(TypeError):
    """A hint that no document can fulfill."""


@cache
def _reader(hint: Any) -> Reader:
    """The reader of a type hint; its ``Check``s, outer ones first, say the rest."""
    base, asked = hint, Check()
    if get_origin(hint) is Annotated:
        base, *notes = get_args(hint)
        for check in notes:
            if isinstance(check, Check):
                asked = dataclasses.replace(asked, **{name: getattr(check, name) for name in _asked(check)})
    reader = _bare(base, asked)
    useless = _asked(asked) - reader.uses - {"says", "fix"}
    if useless:
        raise TypeError(f"{hint}: {', '.join(sorted(useless))} of its Check would be obeyed by nobody")
    return reader


def _asked(check: Check) -> set[str]:
    """The attributes of a check that ask for something."""
    return {name for name, value in vars(check).items() if value != getattr(Check(), name)}


_SCALARS: Mapping[object, type[Reader]] = {
    str: Text, int: Whole, float: Number, bool: Switch, Path: File, JsonValue: Plain, None: Null, NoneType: Null
}  # fmt: skip


def _bare(hint: Any, check: Check) -> Reader:
    origin, inner = get_origin(hint), get_args(hint)
    if hint in _SCALARS:
        return _SCALARS[hint](check)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return Table(hint, lambda: _fields(hint), check)
    if origin is Literal:
        return Choice(inner, check)
    if origin in (Union, UnionType):
        return Either(_members(inner), check)
    if origin is tuple and inner[1:] != (...,):
        return Places([_reader(one) for one in inner], check)
    if origin in (tuple, Sequence, frozenset):
        # A set that is written has no two equal entries.
        check = dataclasses.replace(check, unique=True) if origin is frozenset else check
        return Items(_reader(inner[0]), frozenset if origin is frozenset else tuple, check)
    if origin in (Mapping, dict) and isinstance(_reader(inner[0]), Text | Choice):
        return Entries(_reader(inner[0]), _reader(inner[1]), check)
    if hasattr(hint, "__supertype__"):
        return _reader(Annotated[hint.__supertype__, check])
    raise _UnreadableError(f"{hint}: no document can hold it")


def _members(hints: tuple[Any, ...]) -> list[Reader]:
    """Those members of a union that a document can hold: of ``str | Strategy`` the first."""
    readers = []
    for hint in hints:
        try:
            readers.append(_reader(hint))
        except _UnreadableError:
            continue
    if not readers:
        raise _UnreadableError(f"{' | '.join(map(str, hints))}: no document can hold any of them")
    return readers


def _fields(kind: Any) -> Mapping[str, Field]:
    hints = get_type_hints(kind, include_extras=True)
    return {
        key_of(one.name): Field(
            one.name,
            _reader(hints[one.name]) if one.init else None,
            one.init and one.default is MISSING and one.default_factory is MISSING,
            not one.init or one.metadata.get("may_lack", False),
        )
        for one in kept_fields(kind)
    }
