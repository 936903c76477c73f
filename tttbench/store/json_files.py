"""``manifest.json`` and ``summary.json``, typed: read completely checked, written whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tttbench.core.errors import UserError
from tttbench.core.serialize import all_escaped, to_json, to_plain
from tttbench.core.tables import Document, read_table
from tttbench.data.atomic import write_atomic
from tttbench.data.documents import read_json
from tttbench.store.manifest import FORMAT, Manifest, Summary
from tttbench.store.schema import RESTORE, unknown_format

MANIFEST = "manifest.json"
SUMMARY = "summary.json"


def read_object(path: Path) -> tuple[Document, int]:
    """Return the JSON object that a file holds, not checked yet, and its format, which is 2 or this one.

    Raises:
        UserError: the file is missing, can't be read, isn't JSON, or has another format.
    """
    document = read_json(path, absent="Continue the run with --resume.")
    if not isinstance(document.values, Mapping):
        raise UserError(f"{path}: must hold a JSON object. {RESTORE}")
    found = document.values.get("format")
    if "format" not in document.values:
        raise document.error("format", f"missing. {RESTORE}")
    if type(found) is not int or found not in (2, FORMAT):
        raise document.error("format", unknown_format(found))
    return document, found


def write(path: Path, document: Manifest | Summary) -> None:
    """Replace a document.

    Raises:
        StorageError: the disk refuses.
        UserError: it could not be read again; what is on the disk stays as it is.
    """
    plain = all_escaped(to_plain(document))
    read_table(type(document), Document(plain, f"{path} can't be written", "JSON"))
    write_atomic(path, to_json(plain, indent=2).encode())
