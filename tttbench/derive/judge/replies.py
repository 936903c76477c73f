"""What a judge's reply says: a closed list of forms, and nothing is guessed. Knows no server."""

from __future__ import annotations

import json
import re

from tttbench.core.errors import UserError
from tttbench.core.judging import Scale
from tttbench.text.markup import without_reasoning

VERSION = 1
"""Raised whenever the same reply may be read otherwise."""

_FENCE = re.compile(r"\A```\w*\s*(.*?)\s*```\Z", re.DOTALL)
_IN_BRACKETS = re.compile(r"\[\[\s*([^\[\]]{1,12}?)\s*\]\]")
_LAST_LINE = re.compile(
    r"(?:final\s+|my\s+)?(?:verdict|grade|score|rating|answer)(?:\s+is)?\s*[:\uff1a]?\s*(\S+)", re.I
)
_AROUND = " \t\r\n.!\u3002*_`\"'\u201c\u201d\u2018\u2019"
_WORDS = {"yes": 1, "no": 0, "true": 1, "false": 0}


class UnreadableError(UserError):
    """A reply that gives no verdict, or none that can be relied on."""


def read_verdict(reply: str, key: str, scale: Scale) -> int:
    """Return the verdict of a reply.

    It is read from a JSON object's field ``key`` (also in a fenced block); from a reply that is nothing but the
    verdict; from the one value in double brackets (``[[4]]``); or from a last line such as ``Grade: 4``. What stands in
    thinking tags is no part of it.

    Raises:
        UnreadableError: none of these, several values, or one off the scale.
    """
    text = without_reasoning(reply).strip()
    if not text:
        what = "it is empty" if not reply.strip() else "there is nothing behind the thinking"
        raise UnreadableError(f"the judge's reply can't be read: {what}.")
    fenced = _FENCE.match(text)
    body = fenced[1] if fenced else text
    if body.startswith("{"):
        return _on_scale(_of_json(body, key), scale, reply)
    marked = {one.strip(_AROUND).lower() for one in _IN_BRACKETS.findall(body)}
    if len(marked) > 1:
        raise UnreadableError(f"the judge's reply can't be read: it gives several verdicts ({_short(reply)}).")
    if marked:
        return _on_scale(marked.pop(), scale, reply)
    if (whole := body.strip(_AROUND)) and len(whole.split()) == 1:
        return _on_scale(whole, scale, reply)
    last = body.splitlines()[-1].strip(_AROUND)
    if found := _LAST_LINE.fullmatch(last):
        return _on_scale(found[1].strip(_AROUND), scale, reply)
    raise UnreadableError(f"the judge's reply can't be read: it is none of the forms asked for ({_short(reply)}).")


def _of_json(text: str, key: str) -> object:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise UnreadableError(f"the judge's reply can't be read: it is broken JSON ({_short(text)}).") from None
    if not isinstance(found, dict) or key not in found:
        raise UnreadableError(f"the judge's reply can't be read: it has no field {key!r} ({_short(text)}).")
    return found[key]


def _on_scale(value: object, scale: Scale, reply: str) -> int:
    number: int | None = None
    if scale.is_binary:
        if isinstance(value, bool):
            number = int(value)
        elif isinstance(value, str):
            number = _WORDS.get(value.strip(_AROUND).lower())
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value
    elif isinstance(value, str) and re.fullmatch(r"[0-9]{1,3}", value.strip(_AROUND)):
        number = int(value.strip(_AROUND))
    if number is None or not scale.lowest <= number <= scale.highest:
        wanted = "yes or no" if scale.is_binary else f"a whole number from {scale.lowest} to {scale.highest}"
        raise UnreadableError(f"the judge's reply can't be read: it must give {wanted} ({_short(reply)}).")
    return number


def _short(text: str) -> str:
    one_line = " ".join(text.split())
    return repr(one_line if len(one_line) <= 80 else f"{one_line[:60]} … {one_line[-15:]}")
