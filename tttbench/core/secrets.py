"""What is never repeated, in no message, run or page: values of options whose names speak of a key, token or password.

Keys are also known by how they begin, wherever somebody has pasted one, and addresses may hold a password.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tttbench.core.json_values import JsonObject, JsonValue

HIDDEN = "…"

_WORD = r"(?:api[_-]?)?key|token|secret|password|passwd|pwd|passphrase|credentials?|auth|authorization|bearer"
_NAME = re.compile(rf"(?:.*(?:[\W_]|(?<=[a-z])(?=[A-Z])))?(?i:{_WORD})", re.DOTALL)

_GIVEN = re.compile(rf"(?<![A-Za-z])((?:{_WORD})(?:[_-]env)?\s*=\s*[\"']?)([^\s,\"'$…][^\s,\"']*)", re.IGNORECASE)
"""``api_key=VALUE``. What a shell puts in, as in ``key=$(cat FILE)``, is none."""
_FLAG = re.compile(rf"(--(?:[\w-]*-)?(?:{_WORD})\s+)([^\s-]\S*)", re.IGNORECASE)
_USER = re.compile(r"(\w://)[^/\s@\"']+@")
_KEY = re.compile(
    r"\b(?:(?:sk|pk|rk|gsk|xai|nvapi|hf|ghp|gho|glpat|xox[abprs])[-_][A-Za-z0-9_-]{12,}|(?<=Bearer )[^\s,\"']{8,})"
)

_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{0,63}")


def speaks_of_a_secret(name: str) -> bool:
    """Whether an option of that name holds a secret: its last word is ``key``, ``token`` … (``key_env`` holds none)."""
    return _NAME.fullmatch(name) is not None


def masked(text: str, *, keep_variables: bool = False) -> str:
    """Return a text without the secrets in it.

    Args:
        text: a message, or a word of a command line.
        keep_variables: whether the name of an environment variable that holds a key stays, as in ``key_env=MY_KEY``.
            Somebody may have given the key in its place.
    """

    def hide(found: re.Match[str]) -> str:
        is_name = keep_variables and re.search(r"_env\W*$", found[1]) and _VARIABLE.fullmatch(found[2])
        return found[0] if is_name else f"{found[1]}{HIDDEN}"

    text = _USER.sub(rf"\1{HIDDEN}@", text)
    return _KEY.sub(HIDDEN, _FLAG.sub(rf"\1{HIDDEN}", _GIVEN.sub(hide, text)))


def without_secrets(table: JsonObject) -> JsonObject:
    """Return settings as a run may keep and show them: texts under names that speak of a secret are hidden."""
    return {name: _hidden(name, value) for name, value in table.items()} if _holds_secret(table) else table


def _holds_secret(value: JsonValue) -> bool:
    if isinstance(value, Mapping):
        return any(_is_secret(name, one) or _holds_secret(one) for name, one in value.items())
    return isinstance(value, Sequence) and not isinstance(value, str) and any(map(_holds_secret, value))


def _is_secret(name: str, value: JsonValue) -> bool:
    return isinstance(value, str) and value != "" and speaks_of_a_secret(name)


def _hidden(name: str, value: JsonValue) -> JsonValue:
    if _is_secret(name, value):
        return HIDDEN
    if isinstance(value, Mapping):
        return without_secrets(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_hidden("", one) for one in value]
    return value
