"""What can be wrong with a value, and the readers of values that hold no others: strings, numbers, choices, paths.

A reader takes the values of one type hint. It knows neither the document nor where in it the value stands: whatever
holds the value puts its own step before the paths of the faults.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, time
from pathlib import Path
from typing import Any, Literal, cast

from tttbench.core.errors import did_you_mean

Form = Literal["TOML", "JSON"]

LARGEST = 2**63 - 1
_LONGEST = 60
TABLE: Mapping[Form, str] = {"TOML": "a table", "JSON": "an object"}
ODD = re.compile("[\0\ud800-\udfff]")
"""NUL and lone surrogates."""
_NOT_OF_ONE_LINE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, line and paragraph separators, what turns the direction of writing, and halves of characters."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """What a value must fulfill beside its type, as ``Annotated[int, Check(least=1)]``.

    Attributes:
        least, most, above, below: of a number; on a side without a bound a whole number has at most 64 bits.
        null_is_nan: of a float: null is read as NaN, as ``to_plain`` writes it. NaN itself is refused all the same.
        filled: of a string: something else than blanks is in it.
        one_line: of a string: no line break, escape sequence, NUL or mark that turns the direction of writing.
        fewest: of a list, or a table of any keys: so many entries at least.
        unique: of a list: no two entries are equal; or the attributes so named, together, are equal in no two.
        says: what the value must be, for messages, e.g. ``"a share from 0 to 1"``; else type and bounds are named.
        fix: what to do, added to every message about the value itself, e.g. ``"add at least one [[systems]] table"``.
    """

    least: float | None = None
    most: float | None = None
    above: float | None = None
    below: float | None = None
    null_is_nan: bool = False
    filled: bool = False
    one_line: bool = False
    fewest: int = 0
    unique: bool | tuple[str, ...] = False
    says: str = ""
    fix: str = ""


@dataclass(frozen=True)
class How:
    """In whose words messages speak, whether unknown keys are left alone, and missing ones of any field refused."""

    form: Form
    ignores_unknown: bool = False
    refuses_missing: bool = False


class FaultError(Exception):
    """What is wrong: pairs of a path, seen from where it is raised, and what to say about it."""

    def __init__(self, *faults: tuple[str, str]) -> None:
        super().__init__(*faults)
        self.faults = faults

    def under(self, step: str) -> list[tuple[str, str]]:
        """The faults as the holder of the value sees them, to whom it is at ``step``."""
        return [(joined(step, path), what) for path, what in self.faults]


class Reader:
    """Takes values of one type hint."""

    uses: frozenset[str] = frozenset()
    """The attributes of ``Check`` that it obeys, beside ``says`` and ``fix``."""

    is_bare: bool
    """Whether its check asks for nothing but the type, so that ``all_sound`` may tell at a glance."""

    def __init__(self, check: Check | None = None) -> None:
        self.check = check or Check()
        self.is_bare = replace(self.check, says="", fix="", null_is_nan=False) == Check()

    def says(self, form: Form) -> str:
        """What a value must be, e.g. ``"a whole number of 1 or more"``."""
        raise NotImplementedError

    def fits(self, value: object) -> bool:
        """Whether the value is of the right kind, looked at from outside."""
        raise NotImplementedError

    def read(self, value: Any, how: How) -> object:
        """Return what a value that fits means."""
        return value

    def take(self, value: object, how: How) -> object:
        """Return what the value means; raises ``FaultError``."""
        if not self.fits(value):
            raise self.refusal(value, how)
        return self.read(value, how)

    def all_sound(self, values: Sequence[object]) -> bool:
        """Whether it is plain at a glance that all values are meant as they stand; for long lists of numbers."""
        return False

    def refusal(self, value: object, how: How) -> FaultError:
        """The error for a value that doesn't fit."""
        return self.fault(f"must be {self.wanted(how.form)}, not {shown(value, how.form)}")

    def wanted(self, form: Form) -> str:
        """What a value must be, in the words of ``Check.says`` if there are any."""
        return self.check.says or self.says(form)

    def fault(self, what: str, path: str = "") -> FaultError:
        """The error for a value, with what is to be done."""
        return FaultError((path, f"{what}; {self.check.fix}." if self.check.fix else f"{what}."))


class Text(Reader):
    """Strings without NUL and lone surrogates, which neither files nor pages can hold."""

    uses = frozenset({"filled", "one_line"})

    def take(self, value: object, how: How) -> object:
        is_sound = type(value) is str and self.is_bare and not odd_character(value)
        return value if is_sound else super().take(value, how)

    def says(self, form: Form) -> str:
        return "a string that isn't empty" if self.check.filled else "a string"

    def fits(self, value: object) -> bool:
        return isinstance(value, str) and (not self.check.filled or bool(value.strip()))

    def read(self, value: str, how: How) -> object:
        odd = odd_in_line(value) if self.check.one_line else odd_character(value)
        if odd:
            raise self.fault(f"must not hold the character {odd.group()!a}")
        return value

    def all_sound(self, values: Sequence[object]) -> bool:
        is_bare = self.is_bare and set(map(type, values)) <= {str}
        return is_bare and not odd_character("".join(cast("Sequence[str]", values)))


class File(Reader):
    """Paths, given as strings."""

    def says(self, form: Form) -> str:
        return "a path"

    def fits(self, value: object) -> bool:
        return isinstance(value, str) and value != ""

    def read(self, value: str, how: How) -> object:
        odd = odd_character(value)
        if odd:
            raise self.fault(f"must not hold the character {odd.group()!a}")
        return Path(value)


class Switch(Reader):
    """Booleans."""

    def says(self, form: Form) -> str:
        return "true or false"

    def fits(self, value: object) -> bool:
        return isinstance(value, bool)


class Null(Reader):
    """None; TOML has no word for it."""

    def says(self, form: Form) -> str:
        return "null"

    def fits(self, value: object) -> bool:
        return value is None


class Number(Reader):
    """Finite floats, which may be written as whole numbers."""

    uses = frozenset({"least", "most", "above", "below", "null_is_nan"})
    noun = "a number"

    def take(self, value: object, how: How) -> object:
        is_sound = type(value) is float and self.is_bare and math.isfinite(value)
        return value if is_sound else super().take(value, how)

    def says(self, form: Form) -> str:
        check = self.check
        if check.least is not None and check.most is not None:
            return f"{self.noun} from {check.least} to {check.most}"
        bounds = [
            (check.least, "of {} or more"),
            (check.most, "of {} or less"),
            (check.above, "above {}"),
            (check.below, "below {}"),
        ]
        words = " and ".join(phrase.format(bound) for bound, phrase in bounds if bound is not None)
        return f"{self.noun} {words}" if words else self.noun

    def fits(self, value: object) -> bool:
        if value is None:
            return self.check.null_is_nan
        return isinstance(value, int | float) and not isinstance(value, bool)

    def read(self, value: float | None, how: How) -> object:
        if value is None:
            return math.nan
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise self.fault(f"must be a finite number, not {shown(value, how.form)}")
        self.refuse_outside(value, how)
        return number

    def all_sound(self, values: Sequence[object]) -> bool:
        is_bare = self.is_bare and set(map(type, values)) <= {float}
        return is_bare and all(map(math.isfinite, cast("Sequence[float]", values)))

    def refuse_outside(self, value: float, how: How) -> None:
        """Raise ``FaultError`` for a value that isn't within the bounds."""
        check = self.check
        if (
            (check.least is not None and value < check.least)
            or (check.most is not None and value > check.most)
            or (check.above is not None and value <= check.above)
            or (check.below is not None and value >= check.below)
        ):
            raise self.refusal(value, how)


class Whole(Number):
    """Whole numbers, never written as ``3.0``."""

    uses = frozenset({"least", "most", "above", "below"})
    noun = "a whole number"

    def take(self, value: object, how: How) -> object:
        is_sound = type(value) is int and self.is_bare and -LARGEST - 1 <= value <= LARGEST
        return value if is_sound else Reader.take(self, value, how)

    def fits(self, value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool)

    def read(self, value: int, how: How) -> object:  # type: ignore[override]  # only what fits comes here
        check = self.check
        is_open_below, is_open_above = check.least is check.above is None, check.most is check.below is None
        if (is_open_below and value < -LARGEST - 1) or (is_open_above and value > LARGEST):
            raise self.fault(f"must be a whole number of at most 64 bits, not {shown(value, how.form)}")
        self.refuse_outside(value, how)
        return value

    def all_sound(self, values: Sequence[object]) -> bool:
        if not values or not self.is_bare or set(map(type, values)) != {int}:
            return False
        numbers = cast("Sequence[int]", values)
        return min(numbers) >= -LARGEST - 1 and max(numbers) <= LARGEST


class Choice(Reader):
    """The values of a ``Literal``, and nothing that is merely equal: ``true`` is not 1."""

    def __init__(self, choices: tuple[object, ...], check: Check | None = None) -> None:
        super().__init__(check)
        self.choices = choices
        self._texts = frozenset(one for one in choices if type(one) is str)

    def take(self, value: object, how: How) -> object:
        return value if type(value) is str and value in self._texts else super().take(value, how)

    def says(self, form: Form) -> str:
        return either([shown(one, form) for one in self.choices])

    def fits(self, value: object) -> bool:
        return any(type(value) is type(one) and value == one for one in self.choices)

    def refusal(self, value: object, how: How) -> FaultError:
        told = super().refusal(value, how)
        near = did_you_mean(value[:99], map(str, self.choices)) if isinstance(value, str) else ""
        return FaultError(("", f"{told.faults[0][1]} {near}")) if near.startswith("Did you mean") else told


def odd_character(text: str) -> re.Match[str] | None:
    """NUL or a lone surrogate in a text; None if it holds none."""
    return None if text.isascii() and "\0" not in text else ODD.search(text)


def odd_in_line(text: str) -> re.Match[str] | None:
    """A character that a text of one line doesn't hold (see ``Check.one_line``); None if there is none."""
    return _NOT_OF_ONE_LINE.search(text)


def key_step(key: object) -> str:
    """A key as it stands in a path: in quotes where it isn't a plain word."""
    return key if isinstance(key, str) and re.fullmatch("[A-Za-z0-9_-]{1,60}", key) else shown(key, "TOML")


def joined(path: str, rest: str) -> str:
    """A path and how it goes on."""
    return f"{path}.{rest}" if path and rest and not rest.startswith("[") else path + rest


def either(names: Sequence[str]) -> str:
    """``"a, b or c"``."""
    return " or ".join([*([", ".join(names[:-1])] if len(names) > 1 else []), names[-1]])


def shown(value: object, form: Form) -> str:
    """A value for a message: short, on one line, and as the document writes it."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, str):
        return repr(value if len(value) <= _LONGEST else value[:_LONGEST] + "…")
    if isinstance(value, int) and value.bit_length() > 128:
        return f"a number of about {round(value.bit_length() * math.log10(2)):,} digits"
    if isinstance(value, list | tuple | Mapping):
        noun = TABLE[form] if isinstance(value, Mapping) else "a list"
        return noun if value else f"an empty {noun.split()[1]}"
    return str(value) if isinstance(value, int | float | date | time) else f"a {type(value).__name__}"
