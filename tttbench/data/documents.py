"""TOML and JSON documents: read from files, or parsed from text, for ``tttbench.core.tables`` to check.

Whatever a file may hold ends as a ``Document`` or as an error that names the file: broken syntax, a key that is given
twice, thousands of levels or digits, a folder, a pipe. Knows nothing of what the values mean.
"""

from __future__ import annotations

import json
import logging
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from tttbench.core.errors import UserError
from tttbench.core.json_values import JsonValue
from tttbench.core.tables import Document, joined, key_step

log = logging.getLogger("tttbench")


def read_toml(path: Path, *, absent: str = "Check the path.") -> Document:
    """Read a TOML file; ``absent`` says what to do where there is none.

    Raises:
        UserError: it can't be read, or isn't valid TOML.
    """
    return parse_toml(read_text(path, absent=absent), str(path))


def read_json(path: Path, *, absent: str = "Check the path.") -> Document:
    """Read a JSON file; ``absent`` says what to do where there is none.

    Raises:
        UserError: it can't be read, isn't valid JSON, or an object has a key twice.
    """
    return parse_json(read_text(path, absent=absent), str(path))


def renamed(entry: object, old: str, new: str, document: Document, path: str = "") -> object:
    """Return a table in which the key ``old``, a name before 0.2, is ``new``; logs a warning. Read until 0.3.

    Args:
        entry: the table; anything else comes back as it is.
        old, new: names of the key.
        document: that holds it, for messages.
        path: where the table stands in it, with a dot at the end.

    Raises:
        UserError: both names are there.
    """
    if not isinstance(entry, Mapping) or old not in entry:
        return entry
    if new in entry:
        raise document.error(f"{path}{old}", f"is the old name of {new!r}, which is given too; remove it.")
    log.warning("%s: %s%s is called %r now; the old name is read until 0.3.", document.source, path, old, new)
    return {new if key == old else key: value for key, value in entry.items()}


def read_text(path: Path, *, absent: str = "Check the path.") -> str:
    """Read a UTF-8 file, whose byte order mark is left out. Only regular files: a pipe might never end.

    Raises:
        UserError: there is no such file, it can't be read, or isn't UTF-8.
    """
    try:
        refuse_irregular(path)
        raw = path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file. {absent}") from None
    except (OSError, ValueError) as error:
        # ValueError: a path with NUL or half a character.
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise UserError(f"{str(path)!a}: cannot be read ({why}). Check the path and its permissions.") from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise UserError(f"{path}, line {line}: is not UTF-8. Save the file as UTF-8.") from error


def refuse_irregular(path: Path) -> None:
    """Raise ``UserError`` if what is there is no regular file, and ``OSError`` if nothing is."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise UserError(f"{path}: not a file. Give the path of a regular file.")


def parse_toml(text: str, source: str) -> Document:
    """Parse TOML; ``source`` names it in messages.

    Raises:
        UserError: it isn't valid TOML.
    """
    import tomllib

    try:
        return Document(tomllib.loads(text), source, "TOML")
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{source}: not valid TOML: {error}. Correct it.") from error
    except ValueError as error:
        raise UserError(f"{source}: not valid TOML: a number has too many digits. Correct it.") from error
    except RecursionError:
        raise UserError(f"{source}: nested too deeply. Make it flatter.") from None


def parse_json(text: str, source: str) -> Document:
    """Parse JSON; ``source`` names it in messages.

    Raises:
        UserError: it isn't valid JSON, or an object has a key twice.
    """
    try:
        return Document(_SOUND.decode(text), source, "JSON")
    except (ValueError, RecursionError):
        pass  # what is wrong, and where, takes longer to find
    doubled: list[_Doubled] = []

    def collect(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
        found = dict(pairs)
        if len(found) == len(pairs):
            return found
        doubled.append(_Doubled(pairs))
        return doubled[-1]

    try:
        values = json.loads(text, object_pairs_hook=collect)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}" if "\n" in text else f"column {error.colno}"
        raise UserError(f"{source}: not valid JSON: {error.msg} ({where}). Correct it.") from error
    except ValueError as error:
        raise UserError(f"{source}: not valid JSON: a number has too many digits. Correct it.") from error
    except RecursionError:
        raise UserError(f"{source}: nested too deeply. Make it flatter.") from None
    if doubled:
        raise Document(values, source, "JSON").error(_path_of_doubled(values), "given twice; remove one.")
    return Document(values, source, "JSON")


def _once(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    """An object whose keys are all different, those of thousands of lines kept once; else raises ``ValueError``."""
    found = {sys.intern(key): value for key, value in pairs}
    if len(found) < len(pairs):
        raise ValueError("a key is given twice")
    return found


_SOUND = json.JSONDecoder(object_pairs_hook=_once)


class _Doubled(dict[str, JsonValue]):
    """Stands for an object of which a key was given twice, without what it holds."""

    def __init__(self, pairs: list[tuple[str, JsonValue]]) -> None:
        keys = [key for key, _ in pairs]
        self.key = next(key for at, key in enumerate(keys) if key in keys[:at])


def _path_of_doubled(values: JsonValue) -> str:
    """Where the first key stands that is given twice; there is one."""
    left: list[tuple[str, JsonValue]] = [("", values)]
    while True:
        path, value = left.pop()
        if isinstance(value, _Doubled):
            return joined(path, key_step(value.key))
        if isinstance(value, dict):
            left += [(joined(path, key_step(key)), one) for key, one in reversed(value.items())]
        elif isinstance(value, list):
            left += [(f"{path}[{at}]", one) for at, one in reversed(list(enumerate(value)))]
