"""Asks a server with OpenAI's chat protocol for verdicts, and copes with what a server can't do.

How it is reached is ``tttbench.client``'s. Knows neither prompts nor verdicts.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tttbench.client.place import Reach, without_key
from tttbench.client.server import REFUSED, AskError, Server, is_same_model, without_path
from tttbench.core.errors import UserError
from tttbench.core.json_values import JsonObject, JsonValue
from tttbench.core.judging import JudgeSettings

if TYPE_CHECKING:
    from openai import APIStatusError
    from openai.types.chat import ChatCompletion

_OPTIONAL: Mapping[str, str] = {
    "response_format": r"response_format|json_schema|schema|grammar|structured|guided",
    "n": r"\bn\b|n_choices|n_cmpl|one completion|number of (?:choices|completions)",
    "seed": r"\bseed\b",
    "max_tokens": r"max_tokens",
    "temperature": r"temperature",
    "top_p": r"top_p",
}
"""Parts of a request that a server may not know, and how its refusal names them. Without them the verdict is asked for
in words alone, votes one by one, a reply ends where the server ends it, and is sampled as the server does."""


WITHOUT = "(tttbench run --judge '' asks no judge; tttbench rescore RUN --judge … grades the answers later.)"
"""What messages say of runs without a judge."""


def reach_of(settings: JudgeSettings) -> Reach:
    """Return how a judge's server is reached."""
    one = settings
    return Reach(f"judge {one.judge!r}", one.base_url, one.key_env, one.timeout_s, one.retries, one.per_minute, WITHOUT)


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


class ChatClient:
    """A model behind a server. May be used by several threads at once."""

    def __init__(self, settings: JudgeSettings) -> None:
        """Prepare; raises ``UserError`` if the package, the server's address or the key is missing."""
        self._settings = settings
        self._server = Server(reach_of(settings))
        self.base_url = self._server.base_url
        self._without: frozenset[str] = frozenset()
        self._lock = threading.Lock()
        self._owed = Asked()
        self._trial = f"judge {settings.judge!r}: a first request, to try the server out"

    @property
    def without(self) -> frozenset[str]:
        """Parts of requests that the server turned out not to take."""
        return self._without

    def check_server(self) -> None:
        """Raise ``UserError`` if nobody is there, the key isn't taken, or the server says that it has no such model."""
        self._server.check_model(self._settings.model, self._settings.served_as)

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
        with self._lock:  # what trying out cost is the first answer's
            owed, self._owed = self._owed, Asked()
        asked.add(**owed.cost)
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

    def try_out(self, messages: Sequence[Mapping[str, str]], schema: JsonObject) -> None:
        """Find out which parts of requests the server doesn't take, so that all answers are asked about alike.

        By one short request, and by others without those parts that a refusal names, else without each, else all.

        Raises:
            UserError: it takes none of them, or doesn't reply.
        """
        body = self._body(messages, schema, 0, self._settings.votes)
        optional = [one for one in _OPTIONAL if one in body]
        refused: list[APIStatusError] = []
        without: frozenset[str] = frozenset()
        is_taken = self._is_taken(body, without, refused)
        while not is_taken and (named := self._named(refused[-1], [one for one in optional if one not in without])):
            without |= named
            is_taken = self._is_taken(body, without, refused)
        if not is_taken:
            left = [one for one in optional if one not in without]
            ways = [*(without | {one} for one in left), without | frozenset(left)]
            if refused[-1].status_code == 404:  # there is no such model, or no such address
                ways = []
            taken = next((one for one in ways if self._is_taken(body, one, refused)), None)
            if taken is None:
                raise UserError(f"{self._trial}: {self._server.status_of(refused[0])}")
            without = taken
        self._without = without

    def _is_taken(self, body: Mapping[str, JsonValue], without: frozenset[str], refused: list[APIStatusError]) -> bool:
        """Whether there is a reply to a trial; what the server says if it refuses is added to ``refused``."""
        openai = self._server.openai
        try:
            self._count_tokens(self._send(body, without, self._owed), self._owed)
        except openai.APIStatusError as error:
            if error.status_code not in REFUSED:
                raise UserError(f"{self._trial}: {self._server.status_of(error)}") from error
            refused.append(error)
            return False
        except openai.APIConnectionError as error:
            raise UserError(f"{self._trial}: no reply from {self.base_url} ({self._server.said(error)}).") from error
        except ValueError:
            return True  # a reply it is
        return True

    def _named(self, error: APIStatusError, names: Sequence[str]) -> frozenset[str]:
        """Those parts of a request that its refusal names."""
        said = self._server.said(error)
        return frozenset(one for one in names if re.search(_OPTIONAL[one], said, re.IGNORECASE))

    def _body(
        self, messages: Sequence[Mapping[str, str]], schema: JsonObject, seed: int, several: int
    ) -> dict[str, JsonValue]:
        settings = self._settings
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
        return {**body, "n": several} if several > 1 else body

    def _send(self, body: Mapping[str, JsonValue], without: frozenset[str], asked: Asked) -> ChatCompletion:
        self._server.spaced.wait()
        asked.add(requests=1)
        return self._server.client.chat.completions.create(  # type: ignore[call-overload,no-any-return]  # fields by name
            **{name: value for name, value in body.items() if name not in without}
        )

    def _request(
        self, messages: Sequence[Mapping[str, str]], schema: JsonObject, seed: int, several: int, asked: Asked
    ) -> ChatCompletion:
        """Make one request, without parts that the server doesn't take. What it refuses now is this answer's fault."""
        server, openai = self._server, self._server.openai
        counted = server.begun()
        try:
            made = self._send(self._body(messages, schema, seed, several), self._without, asked)
        except openai.APIStatusError as error:
            raise server.refused(error, counted) from error
        except openai.APIConnectionError as error:
            raise server.unanswered(error, counted) from error
        except UnicodeEncodeError as error:
            raise AskError(
                "the request can't be sent: question or answer holds half of a surrogate pair, which is no text."
            ) from error
        except ValueError as error:
            what = without_key(str(error), server.key)
            raise AskError(f"the server's reply can't be read: it is broken JSON ({what}).") from error
        server.replied()
        return made

    def _read(self, made: ChatCompletion, asked: Asked) -> list[str]:
        """The texts of a completion; whatever can't count is an error."""
        if not isinstance(getattr(made, "choices", None), list) or not made.choices:
            raise AskError("the server's reply can't be read: it is no chat completion with choices.")
        self._count_tokens(made, asked)
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

    @staticmethod
    def _count_tokens(made: ChatCompletion, asked: Asked) -> None:
        usage = getattr(made, "usage", None)
        for name, given in (
            ("tokens_in", getattr(usage, "prompt_tokens", None)),
            ("tokens_out", getattr(usage, "completion_tokens", None)),
        ):
            if isinstance(given, int) and not isinstance(given, bool) and given >= 0:
                asked.add(**{name: given})
