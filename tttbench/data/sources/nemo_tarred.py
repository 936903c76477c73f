"""NeMo's tarred data: manifests whose recordings lie in numbered tar archives, read where they lie.

NeMo's converter writes ``tarred_audio_manifest.json``, the same entries by shard in
``sharded_manifests/manifest_0.json`` …, and ``audio_0.tar`` … (NVIDIA/NeMo,
scripts/speech_recognition/convert_to_tarred_audio_dataset.py). ``shard_id`` of an entry is the number of its archive;
``a-sub1.wav`` is another part of ``a.wav``, at ``offset``.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tttbench.core.errors import UserError
from tttbench.core.plugins import register_source
from tttbench.core.sample import Sample
from tttbench.data.archives import names_in
from tttbench.data.sources.columns import read_rows
from tttbench.data.sources.json_lists import read_json_lines
from tttbench.data.sources.list_files import LeftOut
from tttbench.data.sources.listing import Row
from tttbench.data.sources.transcribed import Transcribed, refuse_doubled_ids, samples_of

MANIFEST = "tarred_audio_manifest.json"
"""The manifest of all shards, as the converter calls it."""

_SHARD_MANIFESTS, _TARS = "sharded_manifests/manifest_*.json", "audio_*.tar"
_MOST_FILES = 100_000

_OPEN, _CLOSE = re.compile(r"_OP_|[(\[<]"), re.compile(r"_CL_|[)\]>]")
_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(\d{1,9})\.\.(\d{1,9})")
_SUB = re.compile(r"(?P<stem>.+)-sub\d+(?P<ending>\.\w+)?")
_NUMBER = re.compile(r"_(\d+)(?!.*_\d)")


def is_nemo_tarred(folder: Path) -> bool:
    """Whether a folder is as NeMo's converter writes it."""
    return (folder / MANIFEST).is_file()


def read_nemo_tarred(folder: Path, manifests: str = "", tars: str = "") -> Transcribed:
    """Read the entries of all manifests, in their order.

    Args:
        folder: of the data.
        manifests, tars: paths as seen from it, of several files with a range in braces, ``audio_{0..9}.tar``, or in
            NeMo's signs for them, ``audio__OP_0..9_CL_.tar``; ``""``: those that the converter writes.

    Raises:
        UserError: no such files, an entry that is wrong or whose archive isn't there, an id that stands twice.
    """
    lists = _files(folder, manifests or (MANIFEST if is_nemo_tarred(folder) else _SHARD_MANIFESTS), "manifest_filepath")
    archives = _files(folder, tars or _TARS, "tarred_audio_filepaths")
    by_number = {_number(one): one for one in archives}
    names = {one: names_in(one) for one in archives}
    rows = [row for one in lists for row in read_json_lines(one)]
    utterances = []
    named: set[tuple[Path, str]] = set()
    for row, one in zip(rows, read_rows(rows), strict=True):
        archive, member = _place(row, by_number, names)
        named.add((archive, member))
        utterances.append(replace(one, audio=replace(one.audio, path=archive, member=member)))
    refuse_doubled_ids(utterances)
    without = sum(len(found) for found in names.values()) - sum(member in names[archive] for archive, member in named)
    left = {"recordings in archives without a transcript": without} if without else {}
    return Transcribed("nemo_tarred", tuple(utterances), LeftOut(left))


def expanded(pattern: str) -> list[str]:
    """Return the paths that a pattern of NeMo means: ``a_{0..2}.tar``, ``a__OP_0..2_CL_.tar``, ``{a,b}.tar``.

    Raises:
        UserError: a range that is none, or is too long.
    """
    plain = _CLOSE.sub("}", _OPEN.sub("{", pattern))
    parts: list[Sequence[str]] = []
    for at, part in enumerate(_BRACES.split(plain)):
        parts.append([part] if at % 2 == 0 else _choices(part, pattern))
    return ["".join(one) for one in itertools.product(*parts)]


def _choices(inside: str, pattern: str) -> Sequence[str]:
    found = _RANGE.fullmatch(inside)
    if found is None:
        if "," not in inside:
            raise UserError(f"{pattern!a:.200}: {inside!a:.60} is no range. Write it as 0..9, or a,b.")
        return inside.split(",")
    first, last = int(found[1]), int(found[2])
    if not first <= last < first + _MOST_FILES:
        raise UserError(f"{pattern!a:.200}: the range {inside} must ascend, over {_MOST_FILES:,} files at most.")
    width = len(found[1]) if found[1].startswith("0") and len(found[1]) > 1 else 0
    return [f"{one:0{width}d}" for one in range(first, last + 1)]


def _files(folder: Path, pattern: str, option: str) -> list[Path]:
    if pattern.lstrip().startswith("pipe:"):
        raise UserError(f"{option}: {pattern!a:.80} is a command, which isn't run. Give files.")
    if "*" in pattern:
        found = sorted(folder.glob(pattern), key=lambda one: (_number(one), one.name))
        if not found:
            raise UserError(f"{folder}: holds no {pattern}. Give the folder that NeMo's converter wrote, or {option}.")
        return found
    found = [folder / one for one in expanded(pattern)]
    for one in found:
        if not one.is_file():
            raise UserError(
                f"{one}: no such file; {option} = {pattern!a:.200} names it. Copy it, or correct the range."
            )
    return found


def _number(path: Path) -> int:
    found = _NUMBER.search(path.name)
    return int(found[1]) if found else -1


def _place(row: Row, by_number: Mapping[int, Path], names: Mapping[Path, Collection[str]]) -> tuple[Path, str]:
    """The archive and the member of an entry."""
    name = row.filled("audio_filepath")
    sub = _SUB.fullmatch(name)
    wanted = name if sub is None else f"{sub['stem']}{sub['ending'] or ''}"
    shard = row.number("shard_id")
    if shard is not None:
        archive = by_number.get(int(shard))
        if archive is None:
            raise row.cell("shard_id").error("", f"there is no archive with the number {shard:g}. Copy it.")
        # One that isn't in it is the error of its request, which names archive, member and field.
        return archive, _member(wanted, name, names[archive]) or wanted
    for archive, inside in names.items():
        if found := _member(wanted, name, inside):
            return archive, found
    fault = f"none of the {len(names)} archives holds {wanted!a:.200}. Correct it, or add its archive."
    raise row.cell("audio_filepath").error("", fault)


def _member(wanted: str, name: str, inside: Collection[str]) -> str:
    """What a recording is called in an archive: as the entry has it, or with the ending of another codec."""
    if name in inside:
        return name
    if wanted in inside:
        return wanted
    stem = wanted.rpartition(".")[0] or wanted
    return next((one for one in inside if one.rpartition(".")[0] == stem), "")


@register_source(
    "nemo_tarred",
    options=("manifest_filepath", "tarred_audio_filepaths"),
    summary="NeMo's tarred data: manifests, and recordings in numbered archives",
)
def list_nemo_tarred(folder: Path, **options: str) -> Sequence[Sample]:
    """List the entries. Speakers become clusters where there are at least two.

    Args:
        folder: of the data.
        options: ``manifest_filepath`` and ``tarred_audio_filepaths`` as NeMo's configs have them, seen from the folder.

    Raises:
        UserError: as ``read_nemo_tarred``.
    """
    given = (options.get("manifest_filepath", ""), options.get("tarred_audio_filepaths", ""))
    return samples_of(read_nemo_tarred(folder, *given), folder)
