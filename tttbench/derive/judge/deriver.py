"""The deriver ``judge``: asks for verdicts on answers, and keeps the replies as they came."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence

from tttbench.client.pacing import arriving
from tttbench.client.place import place_of
from tttbench.client.server import AskError
from tttbench.core.derivation import DerivationInput, Derived
from tttbench.core.errors import UserError
from tttbench.core.extras import is_installed
from tttbench.core.json_values import JsonObject
from tttbench.core.judging import JudgeSettings
from tttbench.core.missing import Missing
from tttbench.core.plugins import register_deriver
from tttbench.core.system import SystemOptions
from tttbench.derive.judge import replies
from tttbench.derive.judge.client import Asked, ChatClient, reach_of
from tttbench.derive.judge.prompts import Prompt, load_prompt, material

log = logging.getLogger("tttbench")

TRIAL = {"question": "Is this a first request, to try the server out?", "answer": "Yes.", "references": '["yes"]'}
"""What a server is asked about before any answer."""
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
        return recipe_of(self._settings, self._client.without)

    @property
    def details(self) -> JsonObject:
        """Where it is asked, and which parts of requests the server doesn't take."""
        details: JsonObject = {"base_url": self._client.base_url, "prompt": self._prompt.summary}
        return {**details, "without": sorted(self._client.without)} if self._client.without else details

    def derive(self, inputs: Sequence[DerivationInput]) -> Sequence[Derived | Exception]:
        """Grade answers, as many at once as the settings allow."""
        found = dict(self.derive_each(inputs))
        return [found[at] for at in range(len(inputs))]

    def derive_each(self, inputs: Sequence[DerivationInput]) -> Iterator[tuple[int, Derived | Exception]]:
        """Grade likewise; each verdict is handed on as it arrives."""
        return arriving(self._grade, inputs, self._settings.concurrency)

    def _grade(self, given: DerivationInput) -> Derived:
        prompt = self._prompt
        messages = messages_of(prompt, given.need.fields, given.need.language)
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


def messages_of(prompt: Prompt, fields: Mapping[str, str], language: str) -> list[dict[str, str]]:
    """Return what is sent about an answer."""
    return [
        {"role": "system", "content": prompt.system},
        {"role": "user", "content": material(fields, language)},
    ]


def recipe_of(settings: JudgeSettings, without: frozenset[str] = frozenset()) -> str:
    """Return what makes a verdict in words; ``without``: the parts of requests that the server doesn't take.

    ``n`` and ``seed`` are none of it: they change which sample is drawn, never from what.
    """
    served = f" served as {settings.served_as}" if settings.served_as else ""
    votes = f"{settings.votes} votes" if settings.votes > 1 else "1 vote"
    heat = "the server's temperature" if "temperature" in without else f"temperature {settings.temperature:g}"
    if settings.top_p != 1:
        heat += ", the server's top_p" if "top_p" in without else f", top_p {settings.top_p:g}"
    most = "as many tokens as the server gives" if "max_tokens" in without else f"{settings.max_tokens} tokens at most"
    schema = ", no schema" if "response_format" in without else ""
    return (
        f"{settings.judge}{served}; {load_prompt(settings.prompt).recipe}; {votes} at {heat}, {most}{schema}; "
        f"replies@{replies.VERSION}"
    )


def _content(verdicts: Sequence[int], asked: Asked) -> str:
    kept = [one[:LONGEST_KEPT] for one in asked.replies]
    return json.dumps({"verdicts": list(verdicts), "replies": kept, "model": asked.model})


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
        place_of(reach_of(settings))
    except UserError:
        what = f"the address of a server that serves {settings.model} (none has been asked)"
        server = f"a server with OpenAI's chat protocol, e.g. vllm serve {settings.model}"
        found.append(Missing(what, f"{server}; {ADDRESS}"))
    return found or None


def longest_s(spec: str, options: SystemOptions) -> float:
    """The most seconds that an answer may take."""
    return JudgeSettings.of_deriver(spec).longest_s


def ready(spec: str, options: SystemOptions) -> None:
    """Find out whether package, address and key are there, and ask the server whether it has the model."""
    ChatClient(JudgeSettings.of_deriver(spec)).check_server()


@register_deriver(
    "judge",
    check=check,
    ready=ready,
    lacks=lacks,
    longest_s=longest_s,
    recipe_of=lambda spec: recipe_of(JudgeSettings.of_deriver(spec)),
    summary="verdicts of a language model: openai_chat:MODEL",
)
def build(spec: str, options: SystemOptions) -> Judge:
    """Build ``judge:openai_chat:MODEL?…``; raises ``UserError`` if its server isn't there, before anything is asked."""
    settings = JudgeSettings.of_deriver(spec)
    client = ChatClient(settings)
    client.check_server()
    prompt = load_prompt(settings.prompt)
    client.try_out(messages_of(prompt, TRIAL, "en"), prompt.schema)
    if client.without:
        log.warning(
            "judge %s: the server takes no %s; asked without.", settings.judge, ", ".join(sorted(client.without))
        )
    return Judge(settings, client)
