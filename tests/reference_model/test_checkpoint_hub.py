"""Hub ids: from the hub's cache without a network, from a hub, and what is said when neither gives it.

The hub's library reads its settings when it is imported, so each surrounding is a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import torch

import reference_model
from reference_model import checkpoint
from reference_model.errors import CheckpointError

from .checkpoints import released_layout, small
from .shapes import random_model

pytestmark = pytest.mark.slow

KNOWN, UNKNOWN = "somebody/speaks", "somebody/is-silent"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
ASKING = """
import json, sys
from reference_model import checkpoint
said = {}
for source in sys.argv[1:]:
    try:
        said[source] = str(checkpoint.load(source).folder)
    except Exception as error:
        said[source] = f"{type(error).__name__}: {error}"
print(json.dumps(said))
"""


def ask(home: Path, **environment: str) -> dict[str, str]:
    """What loading each id gives, folder or error, with the hub's cache in ``home``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGINGFACE_"))}
    package = str(Path(reference_model.__file__).resolve().parent.parent)
    ended = subprocess.run(
        [sys.executable, "-c", ASKING, KNOWN, UNKNOWN],
        cwd=home,
        env={**kept, "PYTHONPATH": package, "HF_HOME": str(home), "NO_PROXY": "127.0.0.1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    said: dict[str, str] = json.loads(ended.stdout.splitlines()[-1])
    return said


def write_checkpoint(folder: Path) -> None:
    """As released: several files, and what other programs want beside them."""
    tokenizer = released_layout()
    checkpoint.save(random_model(small(tokenizer)), tokenizer, folder, dtype="bfloat16", shard_bytes=2000)
    (folder / "README.md").write_text("# speaks\n")
    (folder / "pytorch_model.bin").write_bytes(b"a pickle")


@pytest.fixture(scope="module")
def without_network(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The hub's cache, laid out as its library does: snapshots of links to blobs, and a branch that names one."""
    home = tmp_path_factory.mktemp("offline")
    fetched = home / "fetched"
    fetched.mkdir()
    write_checkpoint(fetched)
    repository = home / "hub" / "models--somebody--speaks"
    snapshot = repository / "snapshots" / COMMIT
    for folder in (snapshot, repository / "blobs", repository / "refs"):
        folder.mkdir(parents=True)
    (repository / "refs" / "main").write_text(COMMIT)
    for number, file in enumerate(sorted(fetched.iterdir())):
        (repository / "blobs" / str(number)).write_bytes(file.read_bytes())
        (snapshot / file.name).symlink_to(f"../../blobs/{number}")
    return snapshot, ask(home, HF_HUB_OFFLINE="1")


def test_without_a_network_the_hubs_cache_serves(without_network: tuple[Path, dict[str, str]]) -> None:
    snapshot, said = without_network
    assert said[KNOWN] == str(snapshot)


def test_without_a_network_what_is_not_in_the_cache_is_said_with_the_mend(
    without_network: tuple[Path, dict[str, str]],
) -> None:
    said = without_network[1][UNKNOWN]
    assert said.startswith(f"CheckpointError: {UNKNOWN}: no such folder, and the hub did not give it")
    assert "HF_HUB_OFFLINE" in said


def test_a_hub_that_does_not_answer_is_said(tmp_path: Path) -> None:
    # Nothing listens on the discard port.
    said = ask(tmp_path, HF_ENDPOINT="http://127.0.0.1:9")[KNOWN]
    assert said.startswith(f"CheckpointError: {KNOWN}: no such folder, and the hub did not give it")
    assert "check your internet connection" in said


class Hub(BaseHTTPRequestHandler):
    """The part of the hub's interface that fetching a folder needs; knows one repository."""

    files: Path
    fetched: list[str]

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, with_body: bool) -> None:
        path = self.path.split("?")[0]
        body, headers, status = b"", {"X-Error-Code": "RepoNotFound"}, 404
        if path == f"/api/models/{KNOWN}/revision/main":
            siblings = [{"rfilename": file.name} for file in sorted(self.files.iterdir())]
            body, headers, status = json.dumps({"id": KNOWN, "sha": COMMIT, "siblings": siblings}).encode(), {}, 200
        elif path.startswith(f"/{KNOWN}/resolve/{COMMIT}/"):
            name = path.rsplit("/", 1)[1]
            body, status = (self.files / name).read_bytes(), 200
            headers = {"ETag": f'"{name}"', "X-Repo-Commit": COMMIT}
            if with_body:
                self.fetched.append(name)
        self.send_response(status)
        for key, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(key, value)
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, *line: Any) -> None:
        """Quietly."""


@pytest.fixture(scope="module")
def from_a_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, str]]]:
    home = tmp_path_factory.mktemp("online")
    Hub.files, Hub.fetched = home / "files", []
    Hub.files.mkdir()
    write_checkpoint(Hub.files)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    yield Hub.files, ask(home, HF_ENDPOINT=address, HF_HUB_DISABLE_PROGRESS_BARS="1")
    server.shutdown()
    server.server_close()


def test_a_hub_id_is_fetched_and_loads_as_its_folder_does(from_a_hub: tuple[Path, dict[str, str]]) -> None:
    files, said = from_a_hub
    fetched = Path(said[KNOWN])
    assert (fetched.name, fetched.parent.name) == (COMMIT, "snapshots")
    expected = checkpoint.load(files).model.state_dict()
    for name, value in checkpoint.load(fetched).model.state_dict().items():
        assert torch.equal(value, expected[name])


def test_nothing_but_configuration_tokenizer_and_safetensors_is_fetched(
    from_a_hub: tuple[Path, dict[str, str]],
) -> None:
    shards = {file.name for file in from_a_hub[0].glob("*.safetensors")}
    assert len(shards) > 2
    assert set(Hub.fetched) == {"config.json", "tokenizer.json", "model.safetensors.index.json", *shards}


def test_an_id_the_hub_does_not_know_is_said(from_a_hub: tuple[Path, dict[str, str]]) -> None:
    said = from_a_hub[1][UNKNOWN]
    assert said.startswith(f"CheckpointError: {UNKNOWN}: no such folder, and the hub did not give it")
    assert "Repository Not Found" in said


def test_without_the_hubs_library_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(CheckpointError, match=r"somebody/speaks: .* pip install huggingface_hub"):
        checkpoint.find(KNOWN)


def test_a_folder_comes_before_a_hub_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_checkpoint(tmp_path / "somebody" / "speaks")
    monkeypatch.chdir(tmp_path)
    assert checkpoint.load(KNOWN).folder == Path(KNOWN)
