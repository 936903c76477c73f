"""The deriver ``judge``: asks for verdicts on answers, and keeps the replies as they came."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from tttbench.core.derivation import DerivationInput, Derived
from tttbench.core.errors import UserError
from tttbench.core.extras import is_installed
from tttbench.core.json_values import JsonObject
from tttbench.core.judging import JudgeSettings
from tttbench.core.missing import Missing
from tttbench.core.plugins import register_deriver
from tttbench.core.system import SystemOptions
from tttbench.derive.judge import replies
from tttbench.derive.judge.client import Asked, AskError, ChatClient, place_of
from tttbench.derive.judge.prompts import load_prompt, material

T = TypeVar("T")
R = TypeVar("R")

LONGEST_KEPT = 2_000
"""Characters of a reply that are kept; a verdict is read from all of it."""

INSTALL = "pip install 'tttbench[judge]'"
ADDRESS = "then export OPENAI_BASE_URL=http://127.0.0.1:8000/v1"


class Judge:
    """A model that grades. Its content is JSON: ``verdicts`` and ``replies`` of all votes, and the ``model``."""

    def __init__(self, settings: JudgeSettings, client: ChatClient) -> None:
        """Grade as ``settings`` say."""
        self.name = settings.deriver
        self.batch_size = settings.concurrency
        self._settings = settings
        self._prompt = load_prompt(settings.prompt)
        self._client = client

    @property
    def recipe(self) -> str:
        """All that makes a verdict: model, prompt, sampling, how replies are read."""
        one = self._settings
        served = f" served as {one.served_as}" if one.served_as else ""
        votes = f"{one.votes} votes" if one.votes > 1 else "1 vote"
        top_p = f", top_p {one.top_p:g}" if one.top_p != 1 else ""
        return (
            f"{one.judge}{served}; {self._prompt.recipe}; {votes} at temperature {one.temperature:g}{top_p}, "
            f"{one.max_tokens} tokens at most; replies@{replies.VERSION}"
        )

    @property
    def details(self) -> JsonObject:
        """Where it is asked."""
        return {"base_url": self._client.base_url, "prompt": self._prompt.summary}

    def derive(self, inputs: Sequence[DerivationInput]) -> Sequence[Derived | Exception]:
        """Grade answers, as many at once as the settings allow."""
        return together(self._grade, inputs, self._settings.concurrency)

    def _grade(self, given: DerivationInput) -> Derived:
        prompt = self._prompt
        messages = [
            {"role": "system", "content": prompt.system},
            {"role": "user", "content": material(given.need.fields, given.need.language)},
        ]
        try:
            asked = self._client.ask(messages, prompt.schema, given.seed)
        except AskError as error:
            return Derived("failed", error=str(error), cost=self._priced(error.cost))
        try:
            verdicts = [replies.read_verdict(one, prompt.key, prompt.scale) for one in asked.replies]
        except replies.UnreadableError as error:
            return Derived("failed", error=str(error), cost=self._priced(asked.cost))
        return Derived("ok", _content(verdicts, asked), cost=self._priced(asked.cost))

    def _priced(self, cost: dict[str, float]) -> dict[str, float]:
        one = self._settings
        if not (one.price_in or one.price_out):
            return cost
        usd = (cost.get("tokens_in", 0) * one.price_in + cost.get("tokens_out", 0) * one.price_out) / 1e6
        return {**cost, "usd": usd}


def _content(verdicts: Sequence[int], asked: Asked) -> str:
    kept = [one[:LONGEST_KEPT] for one in asked.replies]
    return json.dumps({"verdicts": list(verdicts), "replies": kept, "model": asked.model})


def together(call: Callable[[T], R], given: Sequence[T], at_once: int) -> list[R | Exception]:
    """Return what ``call`` makes of each, in order, ``at_once`` at a time; what it raises takes the result's place.

    The threads end with the process: nobody waits for a server that doesn't answer.
    """
    found: list[R | Exception] = [RuntimeError("never asked")] * len(given)
    pending = iter(range(len(given)))
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                at = next(pending, None)
            if at is None:
                return
            try:
                found[at] = call(given[at])
            except Exception as error:
                found[at] = error

    threads = [threading.Thread(target=work, name="tttbench-judge", daemon=True) for _ in range(at_once)]
    for thread in threads[: len(given)]:
        thread.start()
    for thread in threads[: len(given)]:
        thread.join()
    return found


def check(spec: str, options: SystemOptions) -> None:
    """Find settings that there are not. What asking needs may be missing: verdicts that are kept need nothing."""
    JudgeSettings.of_deriver(spec)


def lacks(spec: str, options: SystemOptions) -> Sequence[Missing] | None:
    """Tell whether package or address is missing; else None, as the server isn't asked whether it is there."""
    settings = JudgeSettings.of_deriver(spec)
    found = []
    if not is_installed("openai"):
        found.append(Missing("package openai, the client of servers with OpenAI's chat protocol", INSTALL))
    try:
        place_of(settings)
    except UserError:
        what = f"the address of a server that serves {settings.model} (none has been asked)"
        server = f"a server with OpenAI's chat protocol, e.g. vllm serve {settings.model}"
        found.append(Missing(what, f"{server}; {ADDRESS}"))
    return found or None


def ready(spec: str, options: SystemOptions) -> None:
    """Find out whether package, address and key are there, and ask the server whether it has the model."""
    ChatClient(JudgeSettings.of_deriver(spec)).check_server()


@register_deriver(
    "judge", check=check, ready=ready, lacks=lacks, summary="verdicts of a language model: openai_chat:MODEL"
)
def build(spec: str, options: SystemOptions) -> Judge:
    """Build ``judge:openai_chat:MODEL?…``; raises ``UserError`` if its server isn't there, before anything is asked."""
    settings = JudgeSettings.of_deriver(spec)
    client = ChatClient(settings)
    client.check_server()
    return Judge(settings, client)
