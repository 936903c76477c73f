"""NeMo's tarred data: manifests whose recordings lie in numbered tar archives, read where they lie.

NeMo's converter writes ``tarred_audio_manifest.json``, the same entries by shard in
``sharded_manifests/manifest_0.json`` …, and ``audio_0.tar`` … (NVIDIA/NeMo,
scripts/speech_recognition/convert_to_tarred_audio_dataset.py). Which archive an entry means is told as NeMo does
(nemo/collections/common/data/lhotse/nemo_adapters.py): of one manifest, the one with the number ``shard_id``; of
several with numbers in their names, the one with its manifest's number, and where folders repeat a number, the first
archive goes with the first manifest and so on. ``a-sub1.wav`` is another part of ``a.wav``, at ``offset``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from tttbench.core.errors import UserError
from tttbench.core.plugins import register_source
from tttbench.core.sample import Sample
from tttbench.data.archives import names_in
from tttbench.data.audio import AUDIO_SUFFIXES
from tttbench.data.sources.columns import ROLES, Columns, read_rows
from tttbench.data.sources.json_lists import read_json_lines
from tttbench.data.sources.list_files import LeftOut
from tttbench.data.sources.listing import Row, pick_column
from tttbench.data.sources.nemo_paths import files_named, number_of_archive, number_of_manifest
from tttbench.data.sources.stray import is_stray
from tttbench.data.sources.transcribed import Transcribed, refuse_doubled_ids, samples_of

MANIFEST = "tarred_audio_manifest.json"
"""The manifest of all shards, as the converter calls it."""

_MANIFESTS_BELOW = "sharded_manifests"
_SHARD_MANIFESTS, _TARS = f"{_MANIFESTS_BELOW}/manifest_*.json", "audio_*.tar"

_TELL_APART = (
    "Give each folder's manifests with its archives (sharded_manifests/manifest_0.json …, or one beside them), or the "
    "folders one by one."
)

_ENDINGS = tuple(AUDIO_SUFFIXES)
_SUB = re.compile(r"(?P<stem>.+)-sub\d+(?P<ending>\.\w+)?")


@dataclass(frozen=True)
class _Shard:
    """An archive and the names of the files in it."""

    path: Path
    names: Collection[str]

    @cached_property
    def recordings(self) -> Mapping[str, str]:
        """The audio files in it, by their names without the ending, the first that is called so."""
        found: dict[str, str] = {}
        for name in filter(_is_audio, self.names):
            found.setdefault(name.rpartition(".")[0], name)
        return found

    def member(self, name: str) -> str:
        """What an entry's recording is called here: as the entry has it, or with another codec's ending; or ``""``."""
        if name in self.names:
            return name
        whole = _whole(name)
        return whole if whole in self.names else self.recordings.get(whole.rpartition(".")[0] or whole, "")


def is_nemo_tarred(folder: Path) -> bool:
    """Whether a folder is as NeMo's converter writes it."""
    return (folder / MANIFEST).is_file()


def read_nemo_tarred(folder: Path, manifests: str = "", tars: str = "", columns: Columns | None = None) -> Transcribed:
    """Read the entries of all manifests, in their order.

    Args:
        folder: of the data.
        manifests, tars: paths as seen from it, of several files with a range in braces, ``audio_{0..9}.tar``, in
            NeMo's signs for them, ``audio__OP_0..9_CL_.tar``, or with ``*``; ``""``: those that the converter writes.
        columns: names of the manifests' fields, where they aren't known ones; the recording's is ``audio_filepath``.

    Raises:
        UserError: no such files, an entry that is wrong or whose archive isn't there, or may be one of several, an id
            that stands twice.
    """
    chosen = columns or Columns()
    chosen = replace(chosen, audio=chosen.audio or "audio_filepath")
    lists = files_named(
        folder, manifests or (MANIFEST if is_nemo_tarred(folder) else _SHARD_MANIFESTS), "manifest_filepath"
    )
    shards = [
        _Shard(one, dict.fromkeys(names_in(one)))
        for one in files_named(folder, tars or _TARS, "tarred_audio_filepaths")
    ]
    numbered = _by_number(shards)
    own = _own_shards(lists, numbered)
    utterances = []
    named: set[tuple[Path, str]] = set()
    for manifest in lists:
        rows = read_json_lines(manifest)
        for row, one in zip(rows, read_rows(rows, chosen), strict=True):
            column = pick_column(row, chosen.accepted("audio"), "the audio file")
            shard = own.get(manifest) or _numbered_shard(row, numbered) or _searched_shard(row, column, shards)
            # One that isn't in it is the error of its request, which names archive, member and field.
            name = row.filled(column)
            member = shard.member(name) or _whole(name)
            named.add((shard.path, member))
            utterances.append(replace(one, audio=replace(one.audio, path=shard.path, member=member)))
    refuse_doubled_ids(utterances)
    without = sum((shard.path, name) not in named for shard in shards for name in shard.names if _is_audio(name))
    left = {"recordings in archives without a transcript": without} if without else {}
    return Transcribed("nemo_tarred", tuple(utterances), LeftOut(left))


def _is_audio(name: str) -> bool:
    return name.lower().endswith(_ENDINGS) and not is_stray(name.rpartition("/")[2])


def _whole(name: str) -> str:
    """The name of the recording that an entry's is a part of."""
    sub = _SUB.fullmatch(name)
    return name if sub is None else f"{sub['stem']}{sub['ending'] or ''}"


def _by_number(shards: Sequence[_Shard]) -> Mapping[int, Sequence[_Shard]]:
    found: dict[int, list[_Shard]] = {}
    for shard in shards:
        number = number_of_archive(shard.path)
        if number is not None:
            found.setdefault(number, []).append(shard)
    return found


def _own_shards(manifests: Sequence[Path], numbered: Mapping[int, Sequence[_Shard]]) -> Mapping[Path, _Shard]:
    """The archive of each of several manifests with numbers; nothing for one, or where any has no number.

    Raises:
        UserError: an archive of a manifest isn't there, or may be one of several.
    """
    by_number: dict[int, list[Path]] = {}
    for manifest in manifests:
        number = number_of_manifest(manifest)
        if number is None or len(manifests) == 1:
            return {}
        by_number.setdefault(number, []).append(manifest)
    found: dict[Path, _Shard] = {}
    for number, called in by_number.items():
        shards = numbered.get(number, ())
        if not shards:
            raise UserError(f"{called[0]}: there is no archive with its number, {_missing(number)}")
        inside = [_only_inside(manifest, shards) for manifest in called]
        by_folder = [one for one in inside if one is not None]
        if len({one.path for one in by_folder}) == len(called):
            found.update(zip(called, by_folder, strict=True))
        elif len(called) == len(shards):
            found.update(zip(called, shards, strict=True))
        else:
            raise UserError(
                f"{called[-1]}: {len(called)} manifests and {len(shards)} archives have the number {number} "
                f"({shards[0].path}, {shards[-1].path}). Give each manifest its archive, in the same order."
            )
    return found


def _missing(number: float) -> str:
    return f"{number:g}. Copy it, or call it as NeMo does, audio_{number:g}.tar: the number is taken from the name."


def _only_inside(manifest: Path, shards: Sequence[_Shard]) -> _Shard | None:
    """The archive beside a manifest, or further down; None if it isn't one alone."""
    folder = manifest.parent.parent if manifest.parent.name == _MANIFESTS_BELOW else manifest.parent
    found = [shard for shard in shards if shard.path.is_relative_to(folder)]
    return found[0] if len(found) == 1 else None


def _numbered_shard(row: Row, numbered: Mapping[int, Sequence[_Shard]]) -> _Shard | None:
    """The archive with the number that an entry names; None if it names none."""
    number = row.number("shard_id")
    if number is None:
        return None
    shards = numbered.get(int(number), ()) if number.is_integer() else ()
    if not shards:
        raise row.cell("shard_id").error("", f"there is no archive with the number {_missing(number)}")
    found = shards[0] if len(shards) == 1 else _only_inside(row.place.file, shards)
    if found is None:
        fault = f"{shards[0].path} and {shards[1].path} both have the number {number:g}."
        raise row.cell("shard_id").error("", f"{fault} {_TELL_APART}")
    return found


def _searched_shard(row: Row, column: str, shards: Sequence[_Shard]) -> _Shard:
    """The archive that holds the recording of an entry which names none."""
    name = row.filled(column)
    found = [shard for shard in shards if shard.member(name)]
    if not found:
        fault = f"none of the {len(shards)} archives holds {_whole(name)!a:.200}. Correct it, or add its archive."
        raise row.cell(column).error("", fault)
    only = found[0] if len(found) == 1 else _only_inside(row.place.file, found)
    if only is None:
        fault = f"{found[0].path} and {found[1].path} both hold {_whole(name)!a:.200}."
        raise row.cell(column).error("", f"{fault} {_TELL_APART}")
    return only


@register_source(
    "nemo_tarred",
    options=("manifest_filepath", "tarred_audio_filepaths", *ROLES),
    summary="NeMo's tarred data: manifests, and recordings in numbered archives",
)
def list_nemo_tarred(folder: Path, **options: str) -> Sequence[Sample]:
    """List the entries. Speakers become clusters where there are at least two.

    Args:
        folder: of the data.
        options: ``manifest_filepath`` and ``tarred_audio_filepaths`` as NeMo's configs have them, seen from the folder;
            and names of the manifests' fields by role.

    Raises:
        UserError: as ``read_nemo_tarred``.
    """
    given = (options.pop("manifest_filepath", ""), options.pop("tarred_audio_filepaths", ""))
    return samples_of(read_nemo_tarred(folder, *given, Columns(**options)), folder)
