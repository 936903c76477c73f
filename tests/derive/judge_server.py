"""A scripted server of OpenAI's chat protocol on loopback: verdicts from a table, and faults to switch on."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

MODEL = "scripted"
KEY = "sk-not-a-real-key"


@dataclass
class Script:
    """What the server does.

    Attributes:
        verdicts: by answer: what is replied, as a value of the reply's field; others get ``default``.
        faults: names of faults that are on.
        times: how often a fault happens; those that aren't here go on for ever.
        retry_after: what a passing 429 asks to wait for, in seconds.
        raw: replies in the place of JSON, by answer: one for each vote, over and over.
        by_answer: status and message with which the request about an answer is refused.
        held: answers whose requests aren't replied to before ``released`` is set, or half a minute is over.
        model: the name that replies give.
        models: the names that are listed.
        bodies: requests as they came; ``keys`` their keys. Those that try the server out are in ``trials``; no fault
            happens to them but refusals of parts.
    """

    verdicts: Mapping[str, object] = field(default_factory=dict)
    default: object = "no"
    faults: set[str] = field(default_factory=set)
    times: dict[str, int] = field(default_factory=dict)
    retry_after: str = "0.02"
    raw: Mapping[str, list[str]] = field(default_factory=dict)
    by_answer: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    held: frozenset[str] = frozenset()
    released: threading.Event = field(default_factory=threading.Event)
    model: str = MODEL
    models: tuple[str, ...] = (MODEL,)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    trials: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    url: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def happens(self, fault: str) -> bool:
        """Whether a fault happens now."""
        with self.lock:
            if fault not in self.faults:
                return False
            if fault in self.times:
                self.times[fault] -= 1
                if self.times[fault] < 0:
                    return False
            return True

    def answers(self) -> list[str]:
        """The answers that were to be graded, in the order of the requests."""
        return [graded(body) for body in self.bodies]


def graded(body: dict[str, Any]) -> str:
    """The answer or caption of a request; of a conversation all answers, with bars between them."""
    given: dict[str, Any] = json.loads(body["messages"][1]["content"])
    if "conversation" in given:
        return " | ".join(one["answer"] for one in given["conversation"])
    return str(given["caption"] if "caption" in given else given["answer"])


class Handler(BaseHTTPRequestHandler):
    """One request."""

    script: Script
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        if self.script.happens("no listing"):
            self.send_json(404, {"error": {"message": "no such address"}})
        elif self.script.happens("wrong key"):
            self.send_json(401, {"error": {"message": "wrong key"}})
        else:
            data = [{"id": one, "object": "model", "created": 0, "owned_by": "x"} for one in self.script.models]
            self.send_json(200, {"object": "list", "data": data})

    def do_POST(self) -> None:
        self.post()

    def post(self) -> None:
        script = self.script
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with script.lock:
            number = len(script.bodies)
            is_trial = "to try the server out?" in body["messages"][1]["content"]
            (script.trials if is_trial else script.bodies).append(body)
            if not is_trial:
                script.keys.append(self.headers.get("Authorization", ""))
        refusals = {
            "no schema": ("response_format", "response_format json_schema is not supported"),
            "no n": ("n", "Only one completion choice is allowed"),
            "no seed": ("seed", "Unrecognized request argument supplied: seed"),
            "no temperature": ("temperature", "Unsupported value: 'temperature' does not support 0"),
            "no max_tokens": ("max_tokens", "Unsupported parameter: 'max_tokens'; use 'max_completion_tokens'"),
        }
        for fault, (name, message) in refusals.items():
            if name in body and script.happens(fault):
                self.send_json(400, {"error": {"message": message}})
                return
        if is_trial and "no trial" in script.faults:
            self.send_json(400, {"error": {"message": "scripted no trial"}})
            return
        if is_trial:
            self.send_json(200, self.completion(body, 0, is_trial=True))
            return
        if graded(body) in script.held:
            script.released.wait(30)
        own = script.by_answer.get(graded(body))
        if own is not None:
            self.send_json(own[0], {"error": {"message": own[1]}})
            return
        for fault, status, after in (
            ("429", 429, {"Retry-After": script.retry_after}),
            ("429 for long", 429, {"Retry-After": "3600"}),
            ("500", 500, {"retry-after-ms": "10"}),
            ("401", 401, {}),
            ("bad request", 400, {}),
        ):
            if script.happens(fault):
                self.send_json(status, {"error": {"message": f"scripted {fault}"}}, **after)
                return
        data = json.dumps(self.completion(body, number)).encode()
        if script.happens("bad JSON"):
            data = data[: len(data) // 2]
        if script.happens("cut"):
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2])
            self.close_connection = True
            return
        self.send_data(200, data)

    def completion(self, body: dict[str, Any], number: int, *, is_trial: bool = False) -> dict[str, Any]:
        script = self.script
        given = graded(body)
        key = "verdict" if '"verdict"' in body["messages"][0]["content"] else "grade"
        wanted = body.get("n", 1)
        n = 1 if "n ignored" in script.faults else wanted
        choices = []
        for at in range(n):
            content = json.dumps({key: script.verdicts.get(given, script.default)})
            if given in script.raw:
                replies = script.raw[given]
                content = replies[(at if wanted > 1 and n > 1 else number) % len(replies)]
            message: dict[str, Any] = {"role": "assistant", "content": content}
            if not is_trial and script.happens("refusal"):
                message = {"role": "assistant", "content": None, "refusal": "I won't grade this."}
            finish = "length" if not is_trial and script.happens("cut by length") else "stop"
            choices.append({"index": at, "message": message, "finish_reason": finish})
        usage = {"prompt_tokens": 100, "completion_tokens": 5 * n, "total_tokens": 100 + 5 * n}
        return {
            "id": f"c{number}",
            "object": "chat.completion",
            "created": 0,
            "model": script.model,
            "choices": choices,
            **({} if not is_trial and script.happens("no usage") else {"usage": usage}),
        }

    def send_json(self, status: int, document: Mapping[str, Any], **headers: str) -> None:
        self.send_data(status, json.dumps(document).encode(), **headers)

    def send_data(self, status: int, data: bytes, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


S = TypeVar("S", bound=Script)


@contextmanager
def serving(script: S, handles: type[Handler] = Handler) -> Iterator[S]:
    """Serve on a free port of loopback as long as the context is open."""
    handler = type("Scripted", (handles,), {"script": script})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    script.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield script
    finally:
        script.released.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
