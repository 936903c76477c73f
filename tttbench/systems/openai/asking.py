"""What the three systems have in common: how a batch is asked for, whether a server is there, how one is built."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from tttbench.client.pacing import arriving
from tttbench.client.place import place_of
from tttbench.client.reply import Reply
from tttbench.client.server import Server
from tttbench.core.errors import UserError
from tttbench.core.exchange import Request, Response
from tttbench.core.extras import is_installed
from tttbench.core.missing import Missing
from tttbench.core.plugins import register_system
from tttbench.core.system import System, SystemOptions
from tttbench.systems.openai.answer import Answer, cost_of
from tttbench.systems.openai.settings import Reached, S, named, settings_of

INSTALL = "pip install 'tttbench[judge]'"
ADDRESS = "then export OPENAI_BASE_URL=http://127.0.0.1:8000/v1"

Respond = Callable[[Request, float], Response]
"""Responds to a request; times count from the second argument, by ``time.perf_counter``."""


def respond_to(requests: Sequence[Request], respond: Respond, at_once: int) -> list[Response | Exception]:
    """Return the answers to a batch, ``at_once`` of its requests under way at a time; an error concerns its request.

    Times count from here, so those of a batch that is larger hold the wait for others.
    """
    began_s = time.perf_counter()
    if len(requests) == 1:
        try:
            return [respond(requests[0], began_s)]
        except Exception as error:
            return [error]
    found = dict(arriving(lambda one: respond(one, began_s), requests, at_once))
    return [found[at] for at in range(len(requests))]


def finished(answer: Answer, reply: Reply, settings: Reached) -> Response:
    """Return an answer that is whole, with its cost."""
    return answer.response(cost_of(answer.usage, 1 + reply.retries, settings.price_in, settings.price_out))


def opened(who: str, model: str, settings: Reached) -> Server:
    """Return the server; raises ``UserError`` if package, address or key is missing, or it isn't there."""
    server = Server(settings.reach(who))
    server.check_model(model)
    return server


def lacking(kind: str, spec: str, settings: Reached) -> Sequence[Missing] | None:
    """Tell whether package or address is missing; else None, as the server isn't asked whether it is there."""
    found = []
    if not is_installed("openai"):
        found.append(Missing("package openai, the client of servers with OpenAI's protocols", INSTALL))
    try:
        place_of(settings.reach(kind))
    except UserError:
        model = named(kind, spec).model
        what = f"the address of a server that serves {model} (none has been asked)"
        found.append(Missing(what, f"a server with OpenAI's protocols, e.g. vllm serve {model} --omni; {ADDRESS}"))
    return found or None


def register(kind: str, summary: str, settings: type[S], system: Callable[[str, S, Server], System]) -> None:
    """Register the systems ``kind:MODEL``; the server is asked whether it has the model before a run begins.

    Args:
        kind: what stands before the colon.
        summary: one line for ``tttbench list systems``.
        settings: what a suite or a name may say of them.
        system: makes one of the model's name, its settings and its server.
    """

    def read(spec: str, options: SystemOptions) -> S:
        return settings_of(settings, kind, spec, options)

    def reached(spec: str, options: SystemOptions) -> tuple[str, S, Server]:
        model, one = named(kind, spec).model, read(spec, options)
        return model, one, opened(f"{kind}:{model}", model, one)

    def check(spec: str, options: SystemOptions) -> None:
        read(spec, options)

    def ready(spec: str, options: SystemOptions) -> None:
        reached(spec, options)

    def lacks(spec: str, options: SystemOptions) -> Sequence[Missing] | None:
        return lacking(kind, spec, read(spec, options))

    @register_system(kind, summary=summary, check=check, ready=ready, lacks=lacks)
    def build(spec: str, options: SystemOptions) -> System:
        return system(*reached(spec, options))
