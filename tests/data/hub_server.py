"""A hub on loopback for tests: one data set with a few files, and faults that can be switched on."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE = 200
"""Files of as many bytes are kept as the hub keeps large ones, with a sha256."""


@dataclass
class Hub:
    """What the server holds and how it behaves.

    Attributes:
        repo: the data set's id.
        files: content by path.
        license: on its card; ``""`` for none.
        cut: by path, after how many bytes each of the next responses breaks off.
        changed: paths whose content arrives with another last byte than was hashed.
        refuse: by path (``"api"`` for the listing), statuses of the next responses.
        retry_after: header of refusals.
        ranges: by path, the ``Range`` headers that were asked for.
    """

    repo: str
    files: Mapping[str, bytes]
    license: str = "cc-by-4.0"
    cut: dict[str, list[int]] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    refuse: dict[str, list[int]] = field(default_factory=dict)
    retry_after: str = ""
    ranges: dict[str, list[str]] = field(default_factory=dict)
    endpoint: str = ""

    def tree(self) -> list[dict[str, Any]]:
        return [
            {
                "type": "file",
                "path": path,
                "size": len(content),
                "oid": hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest(),
                **({"lfs": self._lfs(content)} if len(content) >= LARGE else {}),
            }
            for path, content in self.files.items()
        ]

    @staticmethod
    def _lfs(content: bytes) -> dict[str, Any]:
        return {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 130}

    def etag(self, path: str) -> str:
        (entry,) = [one for one in self.tree() if one["path"] == path]
        return str(entry.get("lfs", entry)["oid"])


class _Handler(BaseHTTPRequestHandler):
    hub: Hub

    def log_message(self, *args: object) -> None: ...

    def do_HEAD(self) -> None:
        self._file(with_body=False)

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if not path.startswith(f"/api/datasets/{self.hub.repo}"):
            return self._file(with_body=True)
        if self._refused("api"):
            return None
        if "/tree/" in path:
            return self._json(self.hub.tree())
        card = {"license": self.hub.license} if self.hub.license else {}
        return self._json({"id": self.hub.repo, "sha": COMMIT, "cardData": card, "tags": [], "siblings": []})

    def _refused(self, what: str) -> bool:
        statuses = self.hub.refuse.get(what, [])
        if not statuses:
            return False
        self.send_response(statuses.pop(0))
        if self.hub.retry_after:
            self.send_header("Retry-After", self.hub.retry_after)
        self.send_header("Content-Length", "0")
        self.end_headers()
        return True

    def _json(self, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _file(self, *, with_body: bool) -> None:
        before = f"/datasets/{self.hub.repo}/resolve/{COMMIT}/"
        path = unquote(urlsplit(self.path).path).removeprefix(before)
        if path not in self.hub.files:
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if with_body and self._refused(path):
            return
        content = self.hub.files[path]
        if path in self.hub.changed:
            content = content[:-1] + bytes([content[-1] ^ 1])
        start = 0
        if with_body:
            asked = self.headers.get("Range", "")
            self.hub.ranges.setdefault(path, []).append(asked)
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        self.send_response(206 if start else 200)
        self.send_header("ETag", f'"{self.hub.etag(path)}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", str(len(content) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if with_body:
            cuts = self.hub.cut.get(path, [])
            self.wfile.write(content[start : start + cuts.pop(0)] if cuts else content[start:])
        self.close_connection = True


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """Serve ``hub`` on loopback; its ``endpoint`` is then the address."""
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
