"""``recorded:PATH``: a system that answers from a file or an earlier run. The test double of everything else.

PATH is a run directory (``recorded:RUN`` if it has one system, else ``recorded:RUN#SYSTEM``), or a JSON-lines, TSV or
CSV file with the columns ``id`` and ``text``, and where wanted ``task``, ``audio`` (a file beside it), ``codes`` (JSON
lines: a list), ``finish_reason`` (``length``: a limit cut the answer) and ``error``. Answers are found by task and
sample id; without a ``task`` by the id alone. Audio outside of the file's folder, or of the run, needs
``--allow-outside``, as the run that is made of it keeps a copy.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated

from tttbench.core.errors import AbsentError, InputError, UserError, did_you_mean
from tttbench.core.exchange import Request, Response
from tttbench.core.plugins import register_system
from tttbench.core.system import Capability, SystemCard, SystemOptions
from tttbench.core.tables import Check, Document, read_table
from tttbench.data.documents import parse_json, read_text
from tttbench.data.files import RealPaths, why_not_regular
from tttbench.store.schema import JOURNAL

Key = tuple[str, str]
"""Task and sample id; a task ``""`` answers for any."""


@dataclass(frozen=True)
class Line:
    """One recorded answer: its text, recording, codes and why it ended, or the error that took its place.

    ``where`` says for messages where it stands.
    """

    text: str = ""
    audio: Path | None = None
    codes: tuple[int, ...] | None = None
    error: str = ""
    finish_reason: str = "stop"
    where: str = ""


class RecordedSystem:
    """Looks answers up."""

    def __init__(self, name: str, lines: Mapping[Key, Line], digest: str) -> None:
        """Answer with ``lines``, by task and sample id; ``digest`` names their content."""
        self._lines = lines
        speaks = any(line.audio is not None for line in lines.values())
        self.card = SystemCard(
            name,
            Capability(produces=frozenset({"text", "audio"} if speaks else {"text"}), turns=True, instruction=False),
            identity={"content_sha256": digest},
            details={"answers": len(lines)},
        )

    def generate(self, requests: Sequence[Request]) -> Sequence[Response | Exception]:
        """Return what is recorded; a sample that isn't there is an error of its request."""
        return [self._one(request) for request in requests]

    def _one(self, request: Request) -> Response | Exception:
        line = self._lines.get((request.task, request.id)) or self._lines.get(("", request.id))
        if line is None:
            return InputError(self._absent(request))
        if line.error:
            return InputError(line.error)
        if line.audio is None:
            return Response(line.text, line.codes, finish_reason=line.finish_reason)
        from tttbench.data.audio import load_audio

        audio = load_audio(line.audio)
        return Response(line.text, line.codes, audio.samples, audio.sample_rate, line.finish_reason)

    @cached_property
    def _near(self) -> Mapping[str, list[Key]]:
        """The lines by their ids without case and blanks, those of an id exactly so first."""
        found: dict[str, list[Key]] = {}
        for key in self._lines:
            found.setdefault(_folded(key[1]), []).append(key)
        return found

    def _absent(self, request: Request) -> str:
        where = f"{request.id} of task {request.task}" if request.task else request.id
        near = self._near.get(_folded(request.id), [])
        if not near:
            first = next(sample for _, sample in self._lines)
            fix = f"Add a line for it; ids there are like {first!r:.60}."
        elif near[0][1] == request.id:
            tasks = ", ".join(task for task, _ in near[:3])
            fix = f"There is one for the task {tasks}: correct its field 'task', or leave it out."
        else:
            fix = f"There is one to {near[0][1]!r:.60}: correct its field 'id'."
        return f"{where}: {self.card.name} holds no answer to this sample. {fix}"


def _folded(sample: str) -> str:
    return "".join(sample.split()).lower()


def check(spec: str, options: SystemOptions) -> None:
    """Refuse a path that is missing or can't be read, and options, of which there are none."""
    if options.strategy or options.settings:
        raise UserError(f"recorded:{spec}: has no strategies and no settings; leave them out.")
    _lines(spec, options)


@register_system("recorded", summary="answers from a file (JSON lines, TSV, CSV) or an earlier run", check=check)
def build(spec: str, options: SystemOptions) -> RecordedSystem:
    """Read the answers of ``recorded:spec``; raises ``UserError`` naming file, line and field."""
    lines = _lines(spec, options)
    content = [[key, line.text, line.codes, line.error, _audio_sha256(line)] for key, line in sorted(lines.items())]
    digest = hashlib.sha256(json.dumps(content).encode()).hexdigest()
    return RecordedSystem(f"recorded:{spec}", lines, digest)


def _lines(spec: str, options: SystemOptions) -> Mapping[Key, Line]:
    """The answers of ``recorded:spec``; read again only if what they are read from has changed."""
    path, label = _split(spec)
    try:
        if not spec or not path.exists():
            raise AbsentError(f"recorded:{spec}: no such file or run directory. Give recorded:PATH.")
        state = [one.stat() for one in (path, path / JOURNAL) if one.exists()]
    except (OSError, ValueError) as error:
        raise UserError(f"recorded:{spec!a}: cannot be read ({error}). Check the path.") from error
    lines = _read(path, label, tuple((one.st_mtime_ns, one.st_size) for one in state))
    folder, paths = path if path.is_dir() else path.parent, RealPaths()
    for line in lines.values():
        if line.audio is not None:
            _check_audio(line.audio, f"{path}: {line.where}", None if options.allow_outside else folder, paths)
    return lines


def _check_audio(audio: Path, where: str, folder: Path | None, paths: RealPaths) -> None:
    """Refuse audio that would be waited for forever, or isn't in ``folder``."""
    if kind := why_not_regular(audio):
        raise UserError(f"{where}: {audio} is {kind}. Name a regular file, or leave the audio out.")
    if folder is not None and not paths.is_inside(audio, folder):
        raise UserError(
            f"{where}: {audio} lies outside of {folder}. If you trust these answers, say --allow-outside, else "
            "correct them."
        )


@lru_cache(maxsize=8)
def _read(path: Path, label: str, state: tuple[tuple[int, int], ...]) -> Mapping[Key, Line]:
    lines = dict(_of_run(path, label) if path.is_dir() else _of_file(path))
    if not lines:
        raise UserError(f"{path}: holds no answers.")
    return lines


def _audio_sha256(line: Line) -> str:
    """The hash of a recording, which tells it from another of equal length; ``""`` without one that can be read."""
    try:
        return "" if line.audio is None else hashlib.sha256(line.audio.read_bytes()).hexdigest()
    except OSError:
        return ""


def _split(spec: str) -> tuple[Path, str]:
    path, _, label = spec.rpartition("#")
    return (Path(path), label) if path and not os.path.exists(spec) else (Path(spec), "")


def _of_run(folder: Path, label: str) -> Iterator[tuple[Key, Line]]:
    from tttbench.store.run_directory import RunStore

    with RunStore.open(folder) as store:
        labels = list(store.manifest.systems)
        if not label and len(labels) == 1:
            label = labels[0]
        if label not in labels:
            raise UserError(
                f"recorded:{folder}: the run has the systems {', '.join(labels)}; give recorded:{folder}#SYSTEM. "
                f"{did_you_mean(label, labels) if label else ''}".rstrip()
            )
        for answer in store.answers(label):
            if answer.key.repeat:
                continue
            response = answer.response
            yield (
                (answer.key.task, answer.key.sample),
                Line(
                    answer.text,
                    None if answer.audio is None else folder / answer.audio.file,
                    None if response is None else response.audio_codes,
                    answer.error if response is None else "",
                    "stop" if response is None else response.finish_reason,
                    f"task {answer.key.task}, sample {answer.key.sample!a}",
                ),
            )


@dataclass(frozen=True)
class _Row:
    """A line of a file; null is as good as nothing."""

    id: Annotated[str, Check(filled=True)]
    text: str | None = None
    task: str | None = None
    audio: str | None = None
    codes: tuple[int, ...] | None = None
    error: str | None = None
    finish_reason: str | None = None


def _of_file(path: Path) -> Iterator[tuple[Key, Line]]:
    seen: dict[Key, str] = {}
    for document in _rows(path):
        row = read_table(_Row, document)
        key = (row.task or "", row.id)
        if key in seen:
            raise document.error("id", f"{row.id!r} stands in {seen[key]}, too; give each sample one line.")
        seen[key] = document.source
        audio = path.parent / row.audio if row.audio else None
        where = f"line {document.source.rpartition(':')[2]}"
        yield key, Line(row.text or "", audio, row.codes, row.error or "", row.finish_reason or "stop", where)


def _rows(path: Path) -> Iterator[Document]:
    """The lines of a file, each with its place."""
    text = read_text(path)
    if path.suffix in (".tsv", ".csv"):
        yield from _table(path, text)
        return
    if text.lstrip().startswith("["):
        raise UserError(f"{path}: is a list of JSON; write JSON lines, an object a line, without brackets and commas.")
    # Lines end at line feeds alone: a text may hold other separators.
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield parse_json(line, f"{path}:{number}")


def _table(path: Path, text: str) -> Iterator[Document]:
    head = text.partition("\n")[0]
    # Spreadsheets write what their country is used to.
    delimiter = "\t" if path.suffix == ".tsv" else max(",;|\t", key=head.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        names = list(reader.fieldnames or ())
        for name in names:
            if names.count(name) > 1:
                raise UserError(f"{path}:1: the column {name!r} stands there twice; remove one.")
        for fields in reader:
            where = f"{path}:{reader.line_num}"
            if None in fields or None in fields.values():
                raise UserError(f"{where}: must have as many fields as the first line.")
            yield Document(fields, where, "JSON")
    except csv.Error as error:
        raise UserError(
            f"{path}:{reader.line_num + 1}: {error}. Close the quotation mark that a field begins with; one that is "
            "part of the text is written twice, in a field in quotation marks."
        ) from error
