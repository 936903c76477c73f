"""Data of the hub, from a server on loopback: resumed where it broke off, checked by hash, refusals told."""

from __future__ import annotations

import importlib
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from tttbench.cli.main import main
from tttbench.core.errors import UserError
from tttbench.core.plugins import build_task, tasks
from tttbench.core.task import HubFiles
from tttbench.data import hub as fetching
from tttbench.data.hub import HubListing, fetch, list_hub
from tttbench.data.samples import list_samples

from .hub_server import COMMIT, Hub, serving
from .test_fleurs import ROWS, pack, wav

constants = pytest.importorskip("huggingface_hub.constants")
file_download = pytest.importorskip("huggingface_hub.file_download")

REPO = "owner/set"
BIG = bytes(range(256)) * 40
FILES = HubFiles(REPO, ("a/*.bin", "small.txt"))


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    files = {"a/big.bin": BIG, "small.txt": b"few", "other.bin": b"not asked for"}
    with serving(Hub(REPO, files)) as one:
        use(one, monkeypatch, tmp_path)
        yield one
    reset_sessions()


def reset_sessions() -> None:
    """Have the next request look at the settings again."""
    importlib.import_module("huggingface_hub.utils").reset_sessions()


def use(hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Have ``huggingface_hub`` ask the server and nobody else; what the environment says of the hub doesn't count."""
    template = hub.endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "ENDPOINT", hub.endpoint)
    monkeypatch.setattr(file_download, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 100)  # what comes again after a break is less than a chunk
    reset_sessions()
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub-cache"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_PROGRESS_BARS", True)


def got(listing: HubListing, folder: Path) -> list[float]:
    """Fetch; return how long the server was waited for each time, without waiting."""
    waits: list[float] = []
    fetch(listing, folder, sleep=waits.append)
    return waits


def test_the_listing_has_commit_license_sizes_and_hashes(hub: Hub) -> None:
    listing = list_hub(FILES)
    assert (listing.commit, listing.license, listing.n_bytes) == (COMMIT, "cc-by-4.0", len(BIG) + 3)
    assert [file.path for file in listing.files] == ["a/big.bin", "small.txt"]
    assert [bool(file.sha256) for file in listing.files] == [True, False]


def test_what_is_asked_for_arrives_and_nothing_else(hub: Hub, tmp_path: Path) -> None:
    seen: list[str] = []
    fetch(list_hub(FILES), tmp_path / "out", lambda file: seen.append(file.path))
    assert (tmp_path / "out/a/big.bin").read_bytes() == BIG
    assert (tmp_path / "out/small.txt").read_bytes() == b"few"
    assert not (tmp_path / "out/other.bin").exists()
    assert seen == ["a/big.bin", "small.txt"]


def test_a_second_call_fetches_nothing_again(hub: Hub, tmp_path: Path) -> None:
    got(list_hub(FILES), tmp_path)
    hub.ranges.clear()
    got(list_hub(FILES), tmp_path)
    assert hub.ranges == {}


def test_a_server_that_breaks_off_is_continued_where_it_broke_off(hub: Hub, tmp_path: Path) -> None:
    hub.cut["a/big.bin"] = [1000, 500, 0]
    got(list_hub(FILES), tmp_path)
    assert (tmp_path / "a/big.bin").read_bytes() == BIG
    assert hub.ranges["a/big.bin"] == ["", "bytes=1000-", "bytes=1500-", "bytes=1500-"]


def test_a_call_that_gave_up_is_continued_by_the_next(hub: Hub, tmp_path: Path) -> None:
    hub.cut["a/big.bin"] = [1000, *[0] * fetching.MOST_ATTEMPTS]
    with pytest.raises(UserError, match=r"a/big\.bin: the connection broke off .* the same command continues"):
        got(list_hub(FILES), tmp_path)
    hub.ranges.clear()
    got(list_hub(FILES), tmp_path)
    assert hub.ranges["a/big.bin"] == ["bytes=1000-"]
    assert (tmp_path / "a/big.bin").read_bytes() == BIG


@pytest.mark.parametrize("path", ["a/big.bin", "small.txt"])
def test_a_wrong_hash_names_file_and_hash_and_removes_it(hub: Hub, tmp_path: Path, path: str) -> None:
    hub.changed.add(path)
    listing = list_hub(FILES)
    (file,) = [one for one in listing.files if one.path == path]
    with pytest.raises(UserError) as raised:
        got(listing, tmp_path)
    assert str(tmp_path / path) in str(raised.value)
    assert f"expected {file.expected}" in str(raised.value)
    assert (file.sha256 or file.git_sha1) in file.expected
    assert not (tmp_path / path).exists()
    hub.changed.clear()
    got(listing, tmp_path)
    assert (tmp_path / path).read_bytes() == hub.files[path]


def test_a_file_that_was_changed_on_disk_is_found(hub: Hub, tmp_path: Path) -> None:
    got(list_hub(FILES), tmp_path)
    (tmp_path / "small.txt").write_bytes(b"wef")
    with pytest.raises(UserError, match=r"small\.txt: has git sha1"):
        got(list_hub(FILES), tmp_path)


def test_a_busy_server_is_waited_for_as_long_as_it_asks(hub: Hub, tmp_path: Path) -> None:
    hub.refuse["a/big.bin"] = [429, 429]
    hub.retry_after = "7"
    assert got(list_hub(FILES), tmp_path) == [7, 7]
    assert (tmp_path / "a/big.bin").read_bytes() == BIG


@pytest.mark.parametrize(("retry_after", "n"), [("3600", 1), ("", fetching.MOST_ATTEMPTS + 1)])
def test_a_server_that_stays_busy_is_given_up(hub: Hub, tmp_path: Path, retry_after: str, n: int) -> None:
    hub.refuse["a/big.bin"] = [429] * 20
    hub.retry_after = retry_after
    with pytest.raises(UserError, match=r"a/big\.bin: the server asks to wait .* \(429\)\. What has arrived is kept"):
        got(list_hub(FILES), tmp_path)
    assert 20 - len(hub.refuse["a/big.bin"]) == n


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (404, r"owner/set: not found \(404\)"),
        (401, r"owner/set: the hub wants a login, or there is no such data set \(401\)"),
        (403, r"hf auth login"),
        (429, r"owner/set: the server asks to wait 5 s \(429\)"),
        (418, r"owner/set: the server refuses \(418\)"),
    ],
)
def test_a_listing_that_is_refused_says_why(hub: Hub, status: int, says: str) -> None:
    hub.refuse["api"] = [status]
    with pytest.raises(UserError, match=says):
        list_hub(FILES)


def test_a_file_that_is_gone_is_named(hub: Hub, tmp_path: Path) -> None:
    listing = list_hub(FILES)
    hub.files = {"a/big.bin": BIG}
    with pytest.raises(UserError, match=r"owner/set: small\.txt: not found \(404\)"):
        got(listing, tmp_path)


def test_another_layout_is_told(hub: Hub) -> None:
    with pytest.raises(UserError, match=r"owner/set at 0123456789ab: holds no file 'b/\*'"):
        list_hub(HubFiles(REPO, ("small.txt", "b/*")))


@pytest.mark.parametrize("path", ["../evil.bin", "/evil.bin", "a/../../evil.bin", "a\\evil.bin"])
def test_a_listing_that_leads_out_of_the_folder_is_refused(hub: Hub, path: str) -> None:
    hub.files = {path: BIG}
    with pytest.raises(UserError, match="would lie outside of the folder"):
        list_hub(HubFiles(REPO, ("*",)))


def test_without_a_network_it_says_so(hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    listing = list_hub(FILES)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    reset_sessions()
    with pytest.raises(UserError, match="HF_HUB_OFFLINE is set"):
        list_hub(FILES)
    with pytest.raises(UserError, match=r"HF_HUB_OFFLINE|can't be reached"):
        got(listing, tmp_path)


def test_a_server_that_is_not_there_is_named_with_the_reason_alone(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(UserError, match=r"can't be made \(NewConnectionError: .*port=9\): .*Connection refused\)"):
        list_hub(FILES)


def test_a_folder_that_cannot_be_made_is_named(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="--out"):
        got(list_hub(FILES), tmp_path / "file" / "x")


def test_the_command_brings_fleurs_to_where_a_run_reads_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack(tmp_path / "test.tar.gz", {"test/10164.wav": wav(8000), "test/99.wav": wav(4000)})
    files = {
        "data/en_us/test.tsv": ("\n".join(ROWS) + "\n").encode(),
        "data/en_us/audio/test.tar.gz": (tmp_path / "test.tar.gz").read_bytes(),
        "data/en_us/audio/train.tar.gz": b"far too much",
    }
    monkeypatch.chdir(tmp_path)
    with serving(Hub("google/fleurs", files)) as one:
        use(one, monkeypatch, tmp_path)
        one.cut["data/en_us/audio/test.tar.gz"] = [100]
        monkeypatch.setattr(fetching.fetch, "__defaults__", (*fetching.fetch.__defaults__[:1], lambda seconds: None))  # type: ignore[index]
        assert main(["data", "get", "fleurs_en"]) == 0
    out = capsys.readouterr().out
    assert "License: cc-by-4.0, as its card on the hub says" in out
    assert "Into: data/fleurs" in out
    assert "--data fleurs_en=data/fleurs/data/en_us" in out
    samples = list_samples(build_task("fleurs_en"), Path("data/fleurs/data/en_us"))
    assert len(samples) == 3
    assert not (tmp_path / "data/fleurs/data/en_us/audio/train.tar.gz").exists()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("mini_asr", "there is nothing to fetch"),
        ("aishell1", "can't be fetched from here. Get it from its publisher"),
        ("fleurs", "Unknown task 'fleurs'. Did you mean"),
    ],
)
def test_what_cannot_be_fetched_says_what_to_do(name: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "get", name]) == 2
    assert says in capsys.readouterr().err


def test_tasks_on_the_hub_say_so_in_one_place() -> None:
    on_hub = [task for name in tasks.names() if (task := build_task(name)).hub is not None]
    assert len(on_hub) >= 60
    for task in on_hub:
        assert task.hub is not None
        assert task.get == f"{task.hub.sentence} (tttbench data get {task.name})"


def test_a_task_with_both_get_and_hub_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = io.StringIO()
    text.write('title = "t"\nfamily = "asr"\ndescription = ""\nsource = "fleurs"\nscores = ["wer"]\n')
    text.write('options = { config = "en_us" }\nget = "x"\nhub = { repo = "a/b", files = ["c"] }\n')
    (tmp_path / "mine.toml").write_text(text.getvalue())
    assert main(["data", "get", "mine", "--include", str(tmp_path)]) == 2
    assert "mine.toml: get: stands beside 'hub'" in capsys.readouterr().err
    (tmp_path / "mine.toml").write_text(text.getvalue().replace('get = "x"\n', "").replace("a/b", "a"))
    assert main(["data", "get", "mine", "--include", str(tmp_path)]) == 2
