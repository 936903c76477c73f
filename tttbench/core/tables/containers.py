"""Readers of values that hold others: lists, tables of any keys, tables with the fields of a dataclass, unions.

What is wrong in several entries is raised together, each with its path.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from tttbench.core.errors import UserError, did_you_mean
from tttbench.core.tables.values import (
    LARGEST,
    TABLE,
    Check,
    Choice,
    FaultError,
    Form,
    How,
    Null,
    Number,
    Reader,
    Text,
    Whole,
    either,
    key_step,
    odd_character,
    shown,
)

A = TypeVar("A")
B = TypeVar("B")
MOST_FAULTS = 10
_DEEPEST = 32
_LONGEST = 60


class Plain(Reader):
    """Any value that TOML and JSON both can hold, or null, checked at every depth; lists stay lists."""

    text, whole, number = Text(), Whole(), Number()

    def says(self, form: Form) -> str:
        return f"a string, a number, true or false, a list or {TABLE[form]}"

    def fits(self, value: object) -> bool:
        return value is None or isinstance(value, str | int | float | list | tuple | Mapping)

    def read(self, value: object, how: How) -> object:
        return value if self.all_sound([value]) else self._walked(value, how, 0)

    def all_sound(self, values: Sequence[object]) -> bool:
        texts: list[str] = []
        level = list(values)
        for _ in range(_DEEPEST + 1):
            below: list[object] = []
            for one in level:
                if type(one) is str:
                    texts.append(one)
                elif type(one) is dict:
                    texts.extend(one)
                    below.extend(one.values())
                elif type(one) is list:
                    below.extend(one)
                elif type(one) is int:
                    if not -LARGEST - 1 <= one <= LARGEST:
                        return False
                elif type(one) is float:
                    if not math.isfinite(one):
                        return False
                elif one is not None and type(one) is not bool:
                    return False
            if not below:
                return set(map(type, texts)) <= {str} and not odd_character("".join(texts))
            level = below
        return False

    def _walked(self, value: object, how: How, depth: int) -> object:
        def inner(one: object) -> object:
            if not self.fits(one):
                raise self.refusal(one, how)
            return self._walked(one, how, depth + 1)

        if depth > _DEEPEST:
            raise self.fault(f"is nested more than {_DEEPEST} levels deep")
        if isinstance(value, list | tuple):
            return gather(inner, value)
        if isinstance(value, Mapping):
            keys = gather(lambda key: self.text.take(key, how), value, value)
            return dict(zip(keys, gather(inner, value.values(), value), strict=True))
        if value is None or isinstance(value, bool):
            return value
        reader = self.text if isinstance(value, str) else self.whole if isinstance(value, int) else self.number
        return reader.take(value, how)


class Either(Reader):
    """A union: the first member that can read a value does."""

    def __init__(self, members: list[Reader], check: Check | None = None) -> None:
        super().__init__(check)
        self.members = members

    def says(self, form: Form) -> str:
        return either([one.wanted(form) for one in self.members if form == "JSON" or not isinstance(one, Null)])

    def fits(self, value: object) -> bool:
        return any(one.fits(value) for one in self.members)

    def read(self, value: object, how: How) -> object:
        found: list[FaultError] = []
        for member in self.members:
            if member.fits(value):
                try:
                    return member.read(value, how)
                except FaultError as faults:
                    found.append(faults)
        raise found[0]

    def refusal(self, value: object, how: How) -> FaultError:
        meant = [one for one in self.members if not isinstance(one, Null)]
        # "a string or null" would only lengthen what the one member has to say.
        return (
            meant[0].refusal(value, how) if len(meant) == 1 and self.check == Check() else super().refusal(value, how)
        )


class Items(Reader):
    """Lists of ``item``s; ``make`` turns them into a tuple, a list or a set."""

    uses = frozenset({"fewest", "unique"})

    def __init__(self, item: Reader, make: Callable[[list[object]], object], check: Check | None = None) -> None:
        super().__init__(check)
        self.item, self.make = item, make

    def says(self, form: Form) -> str:
        fewest = self.check.fewest
        noun = TABLE[form].split()[1] if isinstance(self.item, Table) else "value"
        return f"a list of {f'at least {fewest} ' if fewest else ''}{noun}{'' if fewest == 1 else 's'}"

    def fits(self, value: object) -> bool:
        return isinstance(value, list | tuple) and len(value) >= self.check.fewest

    def read(self, value: Sequence[object], how: How) -> object:
        is_sound = self.item.all_sound(value)
        found = list(value) if is_sound else gather(lambda one: self.item.take(one, how), value)
        if self.check.unique:
            self._refuse_twice(found, how)
        return self.make(found)

    def _refuse_twice(self, found: list[object], how: How) -> None:
        names = self.check.unique if isinstance(self.check.unique, tuple) else ()
        first: dict[object, int] = {}
        for at, entry in enumerate(found):
            parts = [getattr(entry, name) for name in names] or [entry]
            seen = first.setdefault(tuple(parts), at)
            if seen != at:
                told = " and ".join(shown(part, how.form) for part in parts)
                what = (
                    f"has the {' and '.join(names)} {told} of [{seen}]" if names else f"{told} is in [{seen}] already"
                )
                raise FaultError((f"[{at}]", f"{what}; change or remove one."))


class Places(Reader):
    """Lists of fixed length, each place with a type of its own."""

    def __init__(self, places: list[Reader], check: Check | None = None) -> None:
        super().__init__(check)
        self.places = places

    def says(self, form: Form) -> str:
        return f"a list of {len(self.places)} values"

    def fits(self, value: object) -> bool:
        return isinstance(value, list | tuple) and len(value) == len(self.places)

    def read(self, value: Sequence[object], how: How) -> object:
        return tuple(gather(lambda pair: pair[0].take(pair[1], how), list(zip(self.places, value, strict=True))))


class Entries(Reader):
    """Tables of any keys, or of those of a ``Literal``."""

    uses = frozenset({"fewest"})

    def __init__(self, key: Reader, entry: Reader, check: Check | None = None) -> None:
        super().__init__(check)
        self.key, self.entry = key, entry

    def says(self, form: Form) -> str:
        fewest = self.check.fewest
        return TABLE[form] + (f" of at least {fewest} {'entry' if fewest == 1 else 'entries'}" if fewest else "")

    def fits(self, value: object) -> bool:
        return isinstance(value, Mapping) and len(value) >= self.check.fewest

    def read(self, value: Mapping[object, object], how: How) -> object:
        def take_key(key: object) -> object:
            if isinstance(self.key, Choice) and not self.key.fits(key):
                raise FaultError(("", unknown_key(key, map(str, self.key.choices))))
            return self.key.take(key, how)

        if how.ignores_unknown and isinstance(self.key, Choice):
            value = {key: one for key, one in value.items() if self.key.fits(key)}
        if self.key.all_sound(list(value)) and self.entry.all_sound(list(value.values())):
            return dict(value)
        keys = gather(take_key, value, value)
        return dict(zip(keys, gather(lambda one: self.entry.take(one, how), value.values(), value), strict=True))


@dataclass(frozen=True)
class Field:
    """The field behind a key: its name, its reader (None: the class fills it), whether the key must be there.

    ``may_lack``: it may be missing even where a program has written everything else.
    """

    name: str
    reader: Reader | None
    is_required: bool
    may_lack: bool = False


class Table(Reader):
    """Tables with the fields of a dataclass; ``fields`` gives them by key, when they are needed first."""

    def __init__(
        self, kind: Callable[..., object], fields: Callable[[], Mapping[str, Field]], check: Check | None = None
    ) -> None:
        super().__init__(check)
        self.kind, self._fields = kind, fields

    @cached_property
    def fields(self) -> Mapping[str, Field]:
        """By key."""
        return self._fields()

    def says(self, form: Form) -> str:
        return TABLE[form]

    def fits(self, value: object) -> bool:
        return isinstance(value, Mapping)

    def read(self, value: Mapping[object, object], how: How) -> object:
        found: dict[str, object] = {}
        faults: list[tuple[str, str]] = []
        fields = self.fields
        for key, given in value.items():
            field = fields.get(key) if isinstance(key, str) else None
            if field is None:
                faults += [] if how.ignores_unknown else [(key_step(key), unknown_key(key, fields))]
            elif field.reader is not None:
                try:
                    found[field.name] = field.reader.take(given, how)
                except FaultError as inner:
                    faults += inner.under(key_step(key))
            if len(faults) > MOST_FAULTS:
                break
        if len(found) < len(fields):
            faults += [
                (key, self._missing(field, how))
                for key, field in fields.items()
                if key not in value and (field.is_required or (how.refuses_missing and not field.may_lack))
            ]
        if faults:
            raise FaultError(*faults)
        try:
            return self.kind(**found)
        except (ValueError, UserError) as error:
            raise self.fault(str(error).rstrip(".")) from error

    def _missing(self, field: Field, how: How) -> str:
        # What a program wrote as a whole nobody can complete by hand.
        fix = "" if how.refuses_missing else f"; {(field.reader and field.reader.check.fix) or 'add it'}"
        return f"missing{fix}."


def gather(take: Callable[[A], B], values: Iterable[A], keys: Iterable[object] | None = None) -> list[B]:
    """Take all values, and raise the faults of all together; their steps are the ``keys``, or else numbers from 0."""
    found: list[B] = []
    faults: list[tuple[str, str]] = []
    for at, value in zip(itertools.count() if keys is None else keys, values, strict=False):
        try:
            found.append(take(value))
        except FaultError as inner:
            faults += inner.under(f"[{at}]" if keys is None else key_step(at))
            if len(faults) > MOST_FAULTS:
                break
    if faults:
        raise FaultError(*faults)
    return found


def unknown_key(key: object, known: Iterable[str]) -> str:
    """What to say about a key that nothing asks for."""
    return f"unknown key. {did_you_mean(key[:60] if isinstance(key, str) else '', known)}"
