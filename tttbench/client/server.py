"""A server that is asked by the package ``openai``, and what is said of it where a request fails.

Retries, back-off and ``Retry-After`` are the package's. Knows no endpoint but the list of models.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from tttbench.client.pacing import Spaced
from tttbench.client.place import Reach, place_of, without_key
from tttbench.client.reply import Reply
from tttbench.core.errors import UserError, did_you_mean
from tttbench.core.extras import require
from tttbench.wire.fields import WireError

if TYPE_CHECKING:
    from openai import APIResponse, APIStatusError

REFUSED = (400, 404, 415, 422, 501)
"""Statuses by which a server says that it doesn't take a part of a request."""

_DENIED = (401, 403)

MOST_IN_A_ROW = 3
"""So many requests in a row without any reply, retries included, and the server counts as gone. Of requests that were
under way at once, one counts: what breaks all of them is one fault."""


class AskError(UserError):
    """A request to which there is no reply that could be read. ``cost``: what it cost all the same."""

    def __init__(self, message: str, cost: Mapping[str, float] | None = None) -> None:
        super().__init__(message)
        self.cost = dict(cost or {})


class ServerGoneError(AskError):
    """The server can't be reached, or takes no request of ours: nobody has to be asked again."""


class Server:
    """A server. May be used by several threads at once.

    Attributes:
        openai: the package. client: its client, which retries.
        base_url: the address, which is no secret. key: which is one.
        spaced: what every request waits for.
    """

    def __init__(self, reach: Reach) -> None:
        """Prepare; raises ``UserError`` if the package, the server's address or the key is missing."""
        require("judge", reach.who)
        import openai

        url, key = place_of(reach)
        self.openai = openai
        self.client = openai.OpenAI(
            base_url=url or None, api_key=key, timeout=reach.timeout_s, max_retries=reach.retries
        )
        self.base_url = str(self.client.base_url)
        self.key = key
        self.spaced = Spaced(reach.per_minute)
        self._reach = reach
        self._lock = threading.Lock()
        self._in_a_row = self._counted = 0
        self._gone = ""

    def check_model(self, model: str, served_as: str = "") -> None:
        """Raise ``UserError`` if nobody is there, the key isn't taken, or the server says that it has no such model.

        ``served_as``: the model's name in replies, where it has another one; then any list will do.
        """
        openai, reach = self.openai, self._reach
        try:
            found = self.client.with_options(timeout=min(20.0, reach.timeout_s), max_retries=1).models.list()
            names = [one.id for one in found.data if isinstance(one.id, str)]
        except openai.APIConnectionError as error:
            raise UserError(
                f"{reach.who}: no server answers at {self.base_url} ({self.said(error)}). Start it, or set "
                f"OPENAI_BASE_URL. {reach.otherwise}".rstrip()
            ) from error
        except openai.APIStatusError as error:
            if error.status_code in _DENIED:
                raise UserError(
                    f"{reach.who}: {self.base_url} refuses the key in {reach.key_env} (status {error.status_code})."
                ) from error
            return  # a server needn't list its models
        except Exception:  # nor in a form that can be read
            return
        if names and not served_as and not any(is_same_model(model, one) for one in names):
            hint = did_you_mean(model, map(without_path, names))
            raise UserError(f"{reach.who}: the server at {self.base_url} has no such model. {hint}")

    @contextmanager
    def reply(self, request: AbstractContextManager[APIResponse[Any]], longest_s: float) -> Iterator[Reply]:
        """Make a request, and hand on its reply as it comes; the connection is closed behind it.

        Args:
            request: of ``….with_streaming_response``, not made yet.
            longest_s: seconds after which a reply that isn't whole is given up.

        Raises:
            AskError: there is none, or the server refuses, in its words; whoever reads the reply can't (``WireError``).
        """
        counted = self.begun()
        self.spaced.wait()
        try:
            with request as response:
                self.replied()
                yield Reply(response, longest_s, self.key)
        except self.openai.APIStatusError as error:
            raise self.refused(error, counted) from error
        except self.openai.APIConnectionError as error:
            raise self.unanswered(error, counted) from error
        except WireError as error:
            said = without_key(str(error), self.key).rstrip(".")
            raise AskError(f"the server's reply can't be read: {said}.") from error
        except UnicodeEncodeError as error:
            raise AskError("the request can't be sent: it holds half of a surrogate pair, which is no text.") from error

    def begun(self) -> int:
        """Return how many failures there have been when a request begins; raises ``ServerGoneError`` where it can't."""
        if self._gone:
            raise ServerGoneError(self._gone)
        return self._counted

    def replied(self) -> None:
        """Note that the server is there."""
        self._in_a_row = 0

    def refused(self, error: APIStatusError, counted: int) -> AskError:
        """A status that stays. 401 is of the key; 403 may be of one answer, as where a server moderates its input."""
        message = self.status_of(error)
        if error.status_code == 401:
            self._gone = message
            return ServerGoneError(message)
        if error.status_code == 404:  # the model was there when the server was tried out
            self._count(message[:-1], counted)
        else:
            self.replied()
        return AskError(message)

    def unanswered(self, error: Exception, counted: int) -> AskError:
        """No reply, after all attempts."""
        what = f"no reply from {self.base_url} after {self._reach.retries + 1} attempts ({self.said(error)})"
        self._count(what, counted)
        return AskError(f"{what}.")

    def status_of(self, error: APIStatusError) -> str:
        """Return what the server says by a status, in a sentence."""
        after = error.response.headers.get("retry-after", "")
        more = f", Retry-After: {after!s:.20}" if after else ""
        return f"the server answered with status {error.status_code}{more} ({self.said(error)})."

    def said(self, error: Exception) -> str:
        """Return what an error says, without the key and without line ends."""
        cause = error.__cause__
        text = " ".join(f"{error}{f' {cause}' if cause is not None else ''}".split()).rstrip(".")
        return without_key(text, self.key)[:200]

    def _count(self, what: str, counted: int) -> None:
        """Count a request without a reply that began when ``counted`` of them had been."""
        with self._lock:
            if counted != self._counted:
                return
            self._counted += 1
            self._in_a_row += 1
            if self._in_a_row >= MOST_IN_A_ROW:
                self._gone = f"not asked: {what}, {self._in_a_row} times in a row."


def is_same_model(asked: str, replied: str) -> bool:
    """Whether the names mean one model: equal, a dated version of what was asked for, or a path that ends in it."""
    one, other = (without_path(name) if name.startswith("/") else name for name in (asked, replied))
    one, other = (name.lower().removesuffix(".gguf") for name in (one, other))
    return one == other or re.fullmatch(rf"{re.escape(one)}-\d{{4}}-?\d\d-?\d\d", other) is not None


def without_path(name: str) -> str:
    """Return a model's name; of a path its last part, as no report should tell of a machine's folders."""
    return re.split(r"[/\\]", name)[-1] if re.match(r"[/\\]|[A-Za-z]:[/\\]", name) else name
