"""What is never repeated, in no message, run or page: values of options whose names speak of a key, token or password.

Keys are also known by what they look like, wherever somebody has pasted one, and addresses may hold a password.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence

from tttbench.core.json_values import JsonObject, JsonValue

HIDDEN = "…"

_SECRETS = frozenset(
    "secret password passwd pwd passphrase credential credentials auth authorization bearer apikey".split()
)
_SECRETS_OF = frozenset(
    "api access secret private auth bearer refresh session client service login account app admin bot deploy license "
    "signing encryption ssh master judge my hf huggingface hub github gitlab openai anthropic azure aws google gemini "
    "mistral groq deepseek together openrouter nvidia wandb".split()
)
"""What stands before ``key`` or ``token`` where it is a secret. Others are none: ``mask_token``, ``sort_key``."""
_TEXTS = frozenset("mask pad bos eos unk cls sep begin end start stop".split())
"""What stands before ``TOKEN`` in names of texts that aren't environment variables."""

_WORD = r"(?:key|token|secret|password|passwd|pwd|passphrase|credentials?|auth|authorization|bearer)"
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_]+|\d+")

_GIVEN = re.compile(
    rf"(?<![\w-])([\w-]*?{_WORD}(?:[_-]env)?)(\s*=\s*[\"']?)([^\s,\"'$…][^\s,\"']*)",
    re.IGNORECASE,
)
"""``api_key=VALUE``. What a shell puts in, as in ``key=$(cat FILE)``, is none."""
_FLAG = re.compile(rf"--([\w-]*?{_WORD})(\s+)([^\s-]\S*)", re.IGNORECASE)
_ENTRY = re.compile(r"(\\{0,7}[\"'])([\w. -]{1,80})\1(\s*:\s*)(\\{0,7}[\"'])((?:(?!\4)(?:\\.|[^\\]))+)\4", re.DOTALL)
"""``'api_key': 'VALUE'``, as Python and JSON write mappings, also within a text of JSON."""
_HEADER = re.compile(
    r"(?<![\w-])(\w+(?:-\w+)+|authorization)(\s*:\s*(?:(?:bearer|basic|token)\s+)?)([^\s,\"'$…][^\s,\"']*)",
    re.IGNORECASE,
)
"""``X-Api-Key: VALUE``."""
_USER = re.compile(r"(\w://)[^/\s@\"']+@")
_BEARER = re.compile(r"(?<=Bearer )[^\s,\"']{8,}")
_KEY = re.compile(r"\b(?:(sk-proj|ghp|gho|glpat|nvapi|xox[abprs])|sk|pk|rk|gsk|xai|hf)[-_]([A-Za-z0-9_-]{12,})")
"""The first are never the beginning of a name; behind the others there may be one, as in ``hf_checkpoint_12000``."""
_PIECE = re.compile(r"[A-Z]?[a-z]{2,}|[A-Z]{2,}(?![a-z])|\d+|[A-Za-z]")

_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{0,63}")


def speaks_of_a_secret(name: str) -> bool:
    """Whether an option of that name holds a secret: ``password``, ``api_key``, ``HF_TOKEN`` (``key_env`` has none)."""
    words = [word.lower() for word in _WORDS.findall(name)]
    if not words or words[-1] in _SECRETS:
        return bool(words)
    if words[-1] not in ("key", "token"):
        return False
    of = words[-2] if len(words) > 1 else ""
    return not of or of in _SECRETS_OF or (name.isupper() and of not in _TEXTS)


def masked(text: str, *, keep_variables: bool = False) -> str:
    """Return a text without the secrets in it.

    Args:
        text: a message, or a word of a command line.
        keep_variables: whether the name of an environment variable that holds a key stays, as in ``key_env=MY_KEY``.
            Somebody may have given the key in its place.
    """

    def value(name: str, given: str) -> str:
        if variable := re.fullmatch(r"(.+)[_-]env", name, re.IGNORECASE):
            is_name = keep_variables and _VARIABLE.fullmatch(given)
            return given if is_name or not speaks_of_a_secret(variable[1]) else HIDDEN
        return HIDDEN if speaks_of_a_secret(name) else given

    text = _USER.sub(rf"\1{HIDDEN}@", text)
    text = _ENTRY.sub(lambda it: f"{it[1]}{it[2]}{it[1]}{it[3]}{it[4]}{value(it[2], it[5])}{it[4]}", text)
    text = _GIVEN.sub(lambda it: f"{it[1]}{it[2]}{value(it[1], it[3])}", text)
    text = _FLAG.sub(lambda it: f"--{it[1]}{it[2]}{value(it[1], it[3])}", text)
    text = _HEADER.sub(lambda it: f"{it[1]}{it[2]}{value(it[1], it[3])}", text)
    text = _BEARER.sub(HIDDEN, text)
    return _KEY.sub(lambda it: HIDDEN if _is_key(it) else it[0], text)


def _is_key(found: re.Match[str]) -> bool:
    """Whether what begins like a key is one: no name, and no part of the path of something that is there."""
    return (found[1] is not None or _looks_random(found[2])) and not any(map(os.path.lexists, _paths(found)))


def _looks_random(text: str) -> bool:
    """Whether letters and digits stand in no order, as in keys; in names they make words and numbers."""
    runs = re.findall("[A-Za-z0-9]+", text)
    whole = "".join(runs)
    if len(whole) >= 48 and len(runs) <= 1 + len(whole) / 20:  # some keys hold a "-" or "_" here and there
        runs.append(whole)
    return any(map(_is_random, runs))


def _is_random(run: str) -> bool:
    if re.search("[a-z]", run) and re.search("[A-Z]", run):
        # Words and numbers have 4 characters on average and more, what is drawn at random has about 2.
        return len(run) >= 20 and len(run) / len(_PIECE.findall(run)) < (4 if len(run) >= 32 else 3)
    return len(run) >= 32 and len(re.findall(r"\d", run)) >= 4 and bool(re.search("[A-Za-z]", run))


def _paths(found: re.Match[str]) -> Iterator[str]:
    """What around a match may be a path: the whole text, and what stands between quotes, blanks and the like."""
    text, begin, end = found.string, found.start(), found.end()
    before, behind = re.split(r"[\s\"'=,]", text[:begin])[-1], re.split(r"[\s\"'=,@]", text[end:])[0]
    for part in (text, before + text[begin:end] + behind):
        kind, colon, rest = part.partition(":")
        yield from (part, part.rstrip(":.;)"))
        if colon and len(kind) < begin:
            yield from (rest, rest.rstrip(":.;)"))


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
