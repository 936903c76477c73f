"""Where a server is asked, and with which key: nothing secret is kept or printed."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from urllib.parse import quote

from tttbench.core.errors import UserError
from tttbench.core.judging import plain_url

KEY_ENV = "OPENAI_API_KEY"
"""The variable that holds the key where no other is named."""

_HEADERS = ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID")
"""Variables that the package sends with every request, as it does the key."""


@dataclass(frozen=True)
class Reach:
    """How a server is reached.

    Attributes:
        who: who asks, as messages begin, e.g. ``"judge 'openai_chat:m'"``.
        base_url: ``""``: the environment variable ``OPENAI_BASE_URL``, or OpenAI's own.
        key_env: environment variable that holds the key.
        timeout_s: seconds without a byte, after which a request has failed.
        retries: of a request that fails for a reason that may pass.
        per_minute: requests a minute at most; 0: as many as there can be.
        otherwise: a sentence on doing without a server, for messages.
    """

    who: str
    base_url: str = ""
    key_env: str = KEY_ENV
    timeout_s: float = 60.0
    retries: int = 3
    per_minute: float = 0.0
    otherwise: str = ""


def place_of(reach: Reach) -> tuple[str, str]:
    """Return the server's address (``""``: OpenAI's own) and the key.

    Raises:
        UserError: there can be neither; the address holds a secret, which runs would keep; or no request can carry the
            key, and what fails at that would print it.
    """
    url, key = reach.base_url or os.environ.get("OPENAI_BASE_URL", ""), os.environ.get(reach.key_env, "")
    if url:
        plain_url(f"{reach.who}: OPENAI_BASE_URL", url)
    if reach.key_env != KEY_ENV and not key:
        # Its name isn't repeated: it may be the key, given in the place of the name.
        raise UserError(f"{reach.who}: key_env: no environment variable of that name is set; export it with the key.")
    if not url and not key:
        raise UserError(
            f"{reach.who}: set OPENAI_BASE_URL to the address of a server, such as http://127.0.0.1:8000/v1, or "
            f"{reach.key_env} to a key of OpenAI's. {reach.otherwise}".rstrip()
        )
    for variable in (reach.key_env, *_HEADERS):
        if not re.fullmatch("[!-~]*", os.environ.get(variable, "")):
            raise UserError(
                f"{reach.who}: {variable} holds a line end, a space or a character that isn't ASCII, which no request "
                f"can carry; set it anew, as in export {variable}=$(tr -d '[:space:]' < FILE)."
            )
    return url, key or "none"


def without_key(text: str, key: str) -> str:
    """Return ``text`` without the key, also where that is written as Python, JSON or an address would."""
    if len(key) <= 3 or key == "none":
        return text
    for form in {key, repr(key)[1:-1], json.dumps(key)[1:-1], quote(key), quote(key, safe="")}:
        text = text.replace(form, "…")
    return text
