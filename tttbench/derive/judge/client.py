"""Asks a server with OpenAI's chat protocol, by the package ``openai``, and copes with what a server can't do.

Retries, back-off and ``Retry-After`` are the package's. Knows neither prompts nor verdicts.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from tttbench.core.errors import UserError, did_you_mean
from tttbench.core.extras import require
from tttbench.core.json_values import JsonObject, JsonValue
from tttbench.core.judging import JudgeSettings, plain_url

if TYPE_CHECKING:
    from openai import APIConnectionError, APIStatusError
    from openai.types.chat import ChatCompletion

_OPTIONAL: Mapping[str, str] = {
    "response_format": r"response_format|json_schema|schema|grammar|structured|guided",
    "n": r"\bn\b|n_choices|n_cmpl|number of (?:choices|completions)",
    "seed": r"\bseed\b",
    "max_tokens": r"max_tokens",
}
"""Parts of a request that a server may not know, and how its refusal names them. Without them the verdict is asked for
in words alone, votes one by one, and a reply ends where the server ends it."""
_HEADERS = ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID")
"""Variables that the package sends with every request, as it does the key."""
_REFUSED = (400, 404, 415, 422, 501)
_DENIED = (401, 403)
WITHOUT = "(tttbench run --judge '' asks no judge; tttbench rescore RUN --judge … grades the answers later.)"
MOST_IN_A_ROW = 3
"""So many requests in a row without any reply, retries included, and the server counts as gone."""


class AskError(UserError):
    """A request to which there is no reply that could be read. ``cost``: what it cost all the same."""

    def __init__(self, message: str, cost: Mapping[str, float] | None = None) -> None:
        super().__init__(message)
        self.cost = dict(cost or {})


class ServerGoneError(AskError):
    """The server can't be reached, or takes no request of ours: nobody has to be asked again."""


@dataclass
class Asked:
    """Replies to one request, or to several that were needed for all votes.

    ``cost``: ``requests``, ``tokens_in``, ``tokens_out`` as the server counts them, ``seconds``.
    """

    replies: list[str] = field(default_factory=list)
    model: str = ""
    cost: dict[str, float] = field(default_factory=dict)

    def add(self, **costs: float) -> None:
        """Add to the cost."""
        for name, value in costs.items():
            self.cost[name] = self.cost.get(name, 0) + value


class Spaced:
    """Lets callers pass ``per_minute`` times a minute at most, evenly; 0: at once."""

    def __init__(
        self,
        per_minute: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._between_s = 60 / per_minute if per_minute else 0.0
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._next_s = 0.0

    def wait(self) -> None:
        """Wait until it is the caller's turn."""
        with self._lock:
            now_s = self._clock()
            at_s = max(now_s, self._next_s)
            self._next_s = at_s + self._between_s
        if at_s > now_s:
            self._sleep(at_s - now_s)


class ChatClient:
    """A model behind a server. May be used by several threads at once."""

    def __init__(self, settings: JudgeSettings) -> None:
        """Prepare; raises ``UserError`` if the package, the server's address or the key is missing."""
        require("judge", f"judge {settings.judge!r}")
        import openai

        url, key = place_of(settings)
        self._settings = settings
        self._openai = openai
        self._client = openai.OpenAI(
            base_url=url or None, api_key=key, timeout=settings.timeout_s, max_retries=settings.retries
        )
        self.base_url = str(self._client.base_url)
        self._key = key
        self._spaced = Spaced(settings.per_minute)
        self._without: frozenset[str] = frozenset()
        self._in_a_row = 0
        self._gone = ""

    @property
    def without(self) -> frozenset[str]:
        """Parts of requests that the server turned out not to take."""
        return self._without

    def check_server(self) -> None:
        """Raise ``UserError`` if nobody is there, the key isn't taken, or the server says that it has no such model."""
        openai, settings = self._openai, self._settings
        name = f"judge {settings.judge!r}"
        try:
            found = self._client.with_options(timeout=min(20.0, settings.timeout_s), max_retries=1).models.list()
            names = [one.id for one in found.data if isinstance(one.id, str)]
        except openai.APIConnectionError as error:
            raise UserError(
                f"{name}: no server answers at {self.base_url} ({self._said(error)}). Start it, or set "
                f"OPENAI_BASE_URL. {WITHOUT}"
            ) from error
        except openai.APIStatusError as error:
            if error.status_code in _DENIED:
                raise UserError(
                    f"{name}: {self.base_url} refuses the key in {settings.key_env} (status {error.status_code})."
                ) from error
            return  # a server needn't list its models
        except Exception:  # nor in a form that can be read
            return
        if names and not settings.served_as and not any(is_same_model(settings.model, one) for one in names):
            hint = did_you_mean(settings.model, map(without_path, names))
            raise UserError(f"{name}: the server at {self.base_url} has no such model. {hint}")

    def ask(self, messages: Sequence[Mapping[str, str]], schema: JsonObject, seed: int) -> Asked:
        """Return as many replies as there are votes.

        Args:
            messages: role and content of each.
            schema: of the reply, where the server can hold the model to one.
            seed: of the first vote.

        Raises:
            AskError: there is no reply, or one that can't count.
        """
        settings, asked = self._settings, Asked()
        began_s = time.monotonic()
        try:
            while (missing := settings.votes - len(asked.replies)) > 0:
                several = missing if "n" not in self._without else 1
                made = self._request(messages, schema, (seed + len(asked.replies)) % 2**31, several, asked)
                replies = self._read(made, asked)
                if len(replies) < several:
                    self._without |= {"n"}
                asked.replies += replies[:missing]
        except AskError as error:
            asked.add(seconds=time.monotonic() - began_s)
            error.cost = asked.cost
            raise
        asked.add(seconds=time.monotonic() - began_s)
        return asked

    def _request(
        self, messages: Sequence[Mapping[str, str]], schema: JsonObject, seed: int, several: int, asked: Asked
    ) -> ChatCompletion:
        """Make one request, also without parts that the server doesn't take."""
        openai, settings = self._openai, self._settings
        if self._gone:
            raise ServerGoneError(self._gone)
        body: dict[str, JsonValue] = {
            "model": settings.model,
            "messages": [dict(one) for one in messages],
            "temperature": settings.temperature,
            "max_tokens": settings.max_tokens,
            "seed": seed,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "verdict", "strict": True, "schema": schema},
            },
        }
        if settings.top_p != 1:
            body["top_p"] = settings.top_p
        if several > 1:
            body["n"] = several
        refused: list[APIStatusError] = []
        for dropped in self._ways(body, refused):
            self._spaced.wait()
            asked.add(requests=1)
            try:
                made = self._client.chat.completions.create(  # type: ignore[call-overload]  # fields by name
                    **{name: value for name, value in body.items() if name not in dropped}
                )
            except openai.APIStatusError as error:
                self._in_a_row = 0
                if error.status_code not in _REFUSED:
                    raise self._failed(error) from error
                refused.append(error)
                continue
            except openai.APIConnectionError as error:
                raise self._unreached(error) from error
            except UnicodeEncodeError as error:
                raise AskError(
                    "the request can't be sent: question or answer holds half of a surrogate pair, which is no text."
                ) from error
            except ValueError as error:
                what = without_key(str(error), self._key)
                raise AskError(f"the server's reply can't be read: it is broken JSON ({what}).") from error
            self._in_a_row = 0
            self._without |= dropped
            return made  # type: ignore[no-any-return]  # of an overloaded call
        raise self._failed(refused[0])

    def _ways(self, body: Mapping[str, JsonValue], refused: Sequence[APIStatusError]) -> Iterator[frozenset[str]]:
        """What to leave out: first what is known, then what the refusal names, then as few parts as will do."""
        known = self._without & body.keys()
        yield known
        left = [name for name in _OPTIONAL if name in body and name not in known]
        said = self._said(refused[0])
        named = frozenset(name for name in left if re.search(_OPTIONAL[name], said, re.IGNORECASE))
        if refused[0].status_code == 404 and not named:
            return  # there is no such model, or no such address
        tried = {frozenset[str]()}
        for some in (named, *map(frozenset, _subsets(left))):
            if some not in tried:
                tried.add(some)
                yield known | some

    def _read(self, made: ChatCompletion, asked: Asked) -> list[str]:
        """The texts of a completion; whatever can't count is an error."""
        if not isinstance(getattr(made, "choices", None), list) or not made.choices:
            raise AskError("the server's reply can't be read: it is no chat completion with choices.")
        usage = made.usage
        for name, given in (
            ("tokens_in", getattr(usage, "prompt_tokens", None)),
            ("tokens_out", getattr(usage, "completion_tokens", None)),
        ):
            if isinstance(given, int) and not isinstance(given, bool) and given >= 0:
                asked.add(**{name: given})
        wanted = self._settings.served_as or self._settings.model
        model = made.model if isinstance(made.model, str) else ""
        if not model or not is_same_model(wanted, model):
            what = f"model {without_path(model)!r:.80} replied" if model else "the reply names no model"
            raise AskError(
                f"{what}, where {wanted!r:.80} was asked for. If it is the same, say so with served_as=NAME."
            )
        asked.model = without_path(model)
        texts = []
        for choice in made.choices:
            message = choice.message
            if refusal := getattr(message, "refusal", None):
                raise AskError(f"the judge refused: {str(refusal)!r:.120}.")
            if choice.finish_reason == "length":
                raise AskError(
                    f"the judge's reply was cut at max_tokens ({self._settings.max_tokens:,}); give it more."
                )
            if choice.finish_reason == "content_filter":
                raise AskError("the server's content filter took the judge's reply.")
            content = getattr(message, "content", None)
            if content is not None and not isinstance(content, str):
                raise AskError("the judge's reply is no text.")
            texts.append(content or "")
        return texts

    def _failed(self, error: APIStatusError) -> AskError:
        status = error.status_code
        after = error.response.headers.get("retry-after", "")
        more = f", Retry-After: {after!s:.20}" if after else ""
        message = f"the server answered with status {status}{more} ({self._said(error)})."
        if status in (*_DENIED, 404):
            self._gone = message
            return ServerGoneError(message)
        return AskError(message)

    def _unreached(self, error: APIConnectionError) -> AskError:
        self._in_a_row += 1
        what = f"no reply from {self.base_url} after {self._settings.retries + 1} attempts ({self._said(error)})"
        if self._in_a_row >= MOST_IN_A_ROW:
            self._gone = f"not asked: {what}, {self._in_a_row} times in a row."
        return AskError(f"{what}.")

    def _said(self, error: Exception) -> str:
        """What an error says, without the key and without line ends."""
        cause = error.__cause__
        text = " ".join(f"{error}{f' {cause}' if cause is not None else ''}".split()).rstrip(".")
        return without_key(text, self._key)[:200]


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


def is_same_model(asked: str, replied: str) -> bool:
    """Whether the names mean one model: equal, a dated version of what was asked for, or a path that ends in it."""
    one, other = (without_path(name) if name.startswith("/") else name for name in (asked, replied))
    one, other = (name.lower().removesuffix(".gguf") for name in (one, other))
    return one == other or re.fullmatch(rf"{re.escape(one)}-\d{{4}}-?\d\d-?\d\d", other) is not None


def without_path(name: str) -> str:
    """Return a model's name; of a path its last part, as no report should tell of a machine's folders."""
    return re.split(r"[/\\]", name)[-1] if re.match(r"[/\\]|[A-Za-z]:[/\\]", name) else name


def _subsets(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for size in range(1, len(names) + 1):
        yield from itertools.combinations(names, size)
