"""Data sets of the Hugging Face hub: what is there, at one commit, and downloads that resume and are checked.

``huggingface_hub`` does the transfer; it compares sizes alone, so what arrives is hashed here against what the hub's
listing says: sha256 of large files, git's blob hash of small ones.
"""

from __future__ import annotations

import errno
import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from tttbench.core.errors import AbsentError, StorageError, UserError
from tttbench.core.extras import require
from tttbench.core.task import HubFiles

if TYPE_CHECKING:
    from requests import Response

MOST_ATTEMPTS = 5
"""Times in a row that a file may bring no more bytes before it is given up."""

LONGEST_WAIT_S = 60.0
"""Longest that a server may ask to wait (``Retry-After``) and be waited for; the rest is the user's decision."""

_AGAIN = "What has arrived is kept: the same command continues."


@dataclass(frozen=True)
class HubFile:
    """A file of a data set at one commit: ``sha256`` of large files, else ``git_sha1`` of the blob; sizes in bytes."""

    path: str
    n_bytes: int
    sha256: str
    git_sha1: str

    @property
    def expected(self) -> str:
        """The hash that it must have, with its kind."""
        return f"sha256 {self.sha256}" if self.sha256 else f"git sha1 {self.git_sha1}"


@dataclass(frozen=True)
class HubListing:
    """Files of a data set at a commit, and the license that its card states; ``""`` if it states none."""

    repo: str
    commit: str
    license: str
    files: tuple[HubFile, ...]

    @property
    def n_bytes(self) -> int:
        """Of all files."""
        return sum(file.n_bytes for file in self.files)


def list_hub(hub: HubFiles, revision: str = "main") -> HubListing:
    """Ask the hub which files there are.

    Args:
        hub: the data set, and patterns of its files.
        revision: a branch, tag or commit.

    Raises:
        UserError: no ``huggingface_hub``, no network, no such data set or revision, one for which a login is needed, or
            no file of a pattern.
    """
    require("hub", "tttbench data get")
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import RepoFile

    with _told(hub.repo):
        api = HfApi(library_name="tttbench")
        info = api.dataset_info(hub.repo, revision=revision, timeout=30)
        commit = str(info.sha)
        tree = api.list_repo_tree(hub.repo, recursive=True, revision=commit, repo_type="dataset")
        there = [entry for entry in tree if isinstance(entry, RepoFile)]
    stated = None if info.card_data is None else info.card_data.get("license")
    chosen = []
    for pattern in hub.files:
        found = [entry for entry in there if fnmatchcase(entry.path, pattern)]
        if not found:
            raise UserError(
                f"{hub.repo} at {commit[:12]}: holds no file {pattern!r}, so its layout isn't the one that tttbench "
                "knows. Look at it on the hub, and give its files with --data."
            )
        chosen += [entry for entry in found if entry not in chosen]
    files = tuple(
        HubFile(_safe(entry.path, hub.repo), entry.size, entry.lfs.sha256 if entry.lfs else "", entry.blob_id)
        for entry in chosen
    )
    texts = [stated] if isinstance(stated, str) else [str(one) for one in stated or ()]
    return HubListing(hub.repo, commit, ", ".join(texts), files)


def _safe(path: str, repo: str) -> str:
    """A path of the listing that stays inside of the folder it is put into."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\\" in path or "\0" in path:
        raise UserError(
            f"{repo}: lists a file {path!a:.80}, which would lie outside of the folder; nothing is fetched."
        )
    return path


def fetch(
    listing: HubListing,
    folder: Path,
    on_file: Callable[[HubFile], None] = lambda file: None,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Bring the files of a listing into ``folder``, resuming what is there in part, and check each one's hash.

    Args:
        listing: from ``list_hub``.
        folder: where they go, each under its own path; it is made.
        on_file: called with each file that is there and right.
        sleep: waits for seconds, where a server asks for it.

    Raises:
        UserError: naming the file: a wrong hash (it is removed then), a server that refuses, no network.
        StorageError: the disk is full or can't be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder}: cannot be made: {error.strerror}. Give another folder with --out.") from error
    for file in listing.files:
        path = _fetched(listing, file, folder, sleep)
        found = _hash_of(path, file)
        if found not in (file.sha256, file.git_sha1):
            path.unlink(missing_ok=True)
            kind = "sha256" if file.sha256 else "git sha1"
            raise UserError(
                f"{path}: has {kind} {found}, expected {file.expected}. It was removed; run the command again, and "
                "if it stays so, the server or something on the way changes the file."
            )
        on_file(file)


def _fetched(listing: HubListing, file: HubFile, folder: Path, sleep: Callable[[float], None]) -> Path:
    """Download one file, from where an earlier attempt broke off."""
    from huggingface_hub import hf_hub_download
    from requests import RequestException

    attempts, had = 0, -1
    while True:
        try:
            with _told(f"{listing.repo}: {file.path}"):
                return Path(
                    hf_hub_download(
                        listing.repo,
                        file.path,
                        repo_type="dataset",
                        revision=listing.commit,
                        local_dir=folder,
                        library_name="tttbench",
                    )
                )
        except _TryAgainError as error:
            has = _n_incomplete(folder)
            attempts = 0 if has > had else attempts + 1
            had = max(has, had)
            if attempts >= MOST_ATTEMPTS or error.wait_s > LONGEST_WAIT_S:
                raise UserError(f"{error} {_AGAIN}") from error
            sleep(error.wait_s)
        except RequestException as error:
            raise UserError(f"{listing.repo}: {file.path}: {error}. {_AGAIN}") from error


def _n_incomplete(folder: Path) -> int:
    """Bytes of files that have arrived in part, as ``huggingface_hub`` keeps them."""
    return sum(path.stat().st_size for path in (folder / ".cache").rglob("*.incomplete"))


def _hash_of(path: Path, file: HubFile) -> str:
    """The hash of a file of the kind that is expected of it."""
    digest = hashlib.sha256() if file.sha256 else hashlib.sha1(f"blob {path.stat().st_size}\0".encode())
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


class _TryAgainError(UserError):
    """It may work in ``wait_s`` seconds."""

    def __init__(self, message: str, wait_s: float) -> None:
        super().__init__(message)
        self.wait_s = wait_s


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Say what a server, the network or the disk refuses in terms of what was asked for."""
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled
    from requests import ConnectionError as NoConnectionError
    from requests import HTTPError, RequestException, Timeout
    from requests.exceptions import ChunkedEncodingError

    try:
        yield
    except OfflineModeIsEnabled as error:
        raise UserError(f"{what}: HF_HUB_OFFLINE is set, so nothing is fetched; unset it.") from error
    except LocalEntryNotFoundError as error:  # what huggingface_hub makes of a server that can't be reached
        raise _of_cause(what, error) from error
    except (HfHubHTTPError, HTTPError) as error:
        raise _refused(what, error.response) from error
    except (ChunkedEncodingError, Timeout, NoConnectionError) as error:
        raise _TryAgainError(f"{what}: the connection broke off or can't be made ({_short(error)}).", 1.0) from error
    except RequestException:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageError(f"{what}: the disk is full. Free some space. {_AGAIN}") from error
        if error.errno is not None:
            raise UserError(
                f"{what}: {error.strerror or error}: {error.filename or ''}. Give another --out."
            ) from error
        raise _TryAgainError(f"{what}: {_short(error)}.", 1.0) from error  # sizes that differ


def _of_cause(what: str, error: BaseException) -> UserError:
    """The error behind one of ``huggingface_hub``'s that says no more than that there is no file."""
    from requests import HTTPError

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, HTTPError) and cause.response is not None:
            return _refused(what, cause.response)
        cause = cause.__cause__
    return UserError(f"{what}: the server can't be reached ({_short(error.__cause__ or error)}). {_AGAIN}")


def _refused(what: str, response: Response | None) -> UserError:
    status = 0 if response is None else response.status_code
    if status in (401, 403):
        return AbsentError(
            f"{what}: the hub wants a login, or there is no such data set ({status}).",
            "Accept its terms on its page, then hf auth login.",
        )
    if status == 404:
        return UserError(f"{what}: not found (404). It was moved or renamed; look at the hub, and give --data.")
    if status == 429 or status >= 500:
        wait_s = _retry_after_s("" if response is None else response.headers.get("Retry-After", ""))
        return _TryAgainError(f"{what}: the server asks to wait {wait_s:g} s ({status}).", wait_s)
    return UserError(f"{what}: the server refuses ({status}).")


def _retry_after_s(value: str) -> float:
    """Seconds of a ``Retry-After`` header; 5 where there is none, or a date."""
    return float(value) if value.isdecimal() else 5.0


def _short(error: BaseException) -> str:
    """An error's innermost reason: libraries put it into others, whose texts repeat it."""
    inner: object = error
    while isinstance(inner, BaseException):
        error, inner = inner, getattr(inner, "reason", None) or next(iter(inner.args), None)
    text = inner if isinstance(inner, str) else str(error)
    return f"{type(error).__name__}: {text.splitlines()[0] if text else ''}"[:200]


def files_line(files: Sequence[HubFile]) -> str:
    """Return the files in a few words: their paths, or how many they are."""
    return ", ".join(file.path for file in files) if len(files) <= 4 else f"{len(files):,} files"
