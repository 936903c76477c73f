"""Where a judge is asked, and with which key: nothing secret is kept or printed."""

from __future__ import annotations

import json
import os
import re
from urllib.parse import quote

from tttbench.core.errors import UserError
from tttbench.core.judging import JudgeSettings, plain_url

WITHOUT = "(tttbench run --judge '' asks no judge; tttbench rescore RUN --judge … grades the answers later.)"
"""What messages say of runs without a judge."""

_HEADERS = ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID")
"""Variables that the package sends with every request, as it does the key."""


def place_of(settings: JudgeSettings) -> tuple[str, str]:
    """Return the server's address (``""``: OpenAI's own) and the key.

    Raises:
        UserError: there can be neither; the address holds a secret, which runs would keep; or no request can carry the
            key, and what fails at that would print it.
    """
    name = f"judge {settings.judge!r}"
    url, key = settings.base_url or os.environ.get("OPENAI_BASE_URL", ""), os.environ.get(settings.key_env, "")
    if url:
        plain_url(f"{name}: OPENAI_BASE_URL", url)
    if settings.key_env != JudgeSettings.key_env and not key:
        # Its name isn't repeated: it may be the key, given in the place of the name.
        raise UserError(f"{name}: key_env: no environment variable of that name is set; export it with the key.")
    if not url and not key:
        raise UserError(
            f"{name}: set OPENAI_BASE_URL to the address of a server, such as http://127.0.0.1:8000/v1, or "
            f"{settings.key_env} to a key of OpenAI's. {WITHOUT}"
        )
    for variable in (settings.key_env, *_HEADERS):
        if not re.fullmatch("[!-~]*", os.environ.get(variable, "")):
            raise UserError(
                f"{name}: {variable} holds a line end, a space or a character that isn't ASCII, which no request can "
                f"carry; set it anew, as in export {variable}=$(tr -d '[:space:]' < FILE)."
            )
    return url, key or "none"


def without_key(text: str, key: str) -> str:
    """Return ``text`` without the key, also where that is written as Python, JSON or an address would."""
    if len(key) <= 3 or key == "none":
        return text
    for form in {key, repr(key)[1:-1], json.dumps(key)[1:-1], quote(key), quote(key, safe="")}:
        text = text.replace(form, "…")
    return text
