"""What a server says of an error: OpenAI's object, and the forms that other servers give theirs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from tttbench.core.json_values import JsonObject, JsonValue
from tttbench.wire.fields import without_nothing

LONGEST = 300
"""Characters of a server's words that are kept."""


def fault_body(message: str, kind: str = "invalid_request_error", param: str = "", code: str = "") -> JsonObject:
    """Return the body of a refusal, or the event of a stream that can't go on: OpenAI's ``{"error": {…}}``.

    Args:
        message: for people.
        kind: ``type``: ``invalid_request_error`` (400, 404, 413, 422), ``rate_limit_error`` (429), ``server_error``.
        param: the field at fault.
        code: a word for programs, e.g. ``model_not_found``.
    """
    return {"error": {"message": message, "type": kind, "param": param or None, "code": code or None}}


def words_of(body: JsonValue) -> str:
    """Return the server's words in an error's body; ``""`` if there are none.

    Read are ``{"error": {"message"}}`` (OpenAI, llama.cpp), ``{"error": "…"}``, ``{"message"}`` (older vLLM) and
    ``{"detail": "…" | [{"loc", "msg"}]}`` (FastAPI).
    """
    if isinstance(body, str):
        return _short(body)
    if not isinstance(body, Mapping):
        return ""
    for name in ("error", "message", "detail", "msg"):
        value = body.get(name)
        if isinstance(value, str) and value.strip():
            return _short(value)
        if isinstance(value, Mapping) and (inner := words_of(value)):
            return inner
        if isinstance(value, Sequence) and not isinstance(value, str):
            parts = [_placed(one) for one in value[:3] if isinstance(one, Mapping)]
            if said := "; ".join(part for part in parts if part):
                return _short(said)
    return ""


def stream_fault(event: JsonObject) -> str | None:
    """Return what an event of a stream says of an error, where it is one: it stands in the place of a delta."""
    error = event.get("error")
    if error is None and event.get("type") != "error" and event.get("object") != "error":
        return None
    said = words_of(without_nothing({"error": error, "message": event.get("message")}))
    return said or _short(json.dumps(event))


def _placed(one: JsonObject) -> str:
    said, place = one.get("msg") or one.get("message"), one.get("loc")
    where = ".".join(str(step) for step in place) if isinstance(place, Sequence) and not isinstance(place, str) else ""
    return f"{where}: {said}" if where else str(said or "")


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
