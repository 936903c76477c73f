"""Every generic source against every fault: what is wrong is named with file, row and field."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tttbench.core.errors import InputError, UserError
from tttbench.core.plugins import sources
from tttbench.core.sample import Sample
from tttbench.data.audio import read_audio
from tttbench.data.packed import list_packed

from .audio_files import speech, wav
from .tables import tone, write_table
from .test_nemo_tarred import shard_of
from .test_packed import pack

NAMES = ("r1", "r2", "r3")


@dataclass(frozen=True)
class Row:
    """A row to be written: its id, its file without the ending, what is spoken; None: nothing stands there."""

    id: str
    file: str
    text: str | None


@dataclass(frozen=True)
class Data:
    """A data set to be written: rows, recordings by file, and bytes behind the text of row 2."""

    rows: tuple[Row, ...] = tuple(Row(name, name, f"word {name}") for name in NAMES)
    audio: Mapping[str, bytes] = field(default_factory=lambda: {name: tone(1600) for name in NAMES})
    odd: bytes = b""


def lines(data: Data, written: Sequence[str]) -> bytes:
    """Lines of a list, the odd bytes behind that of row 2."""
    ends = [data.odd if at == len(written) - 2 else b"" for at in range(len(written))]
    return b"".join(line.encode() + end + b"\n" for line, end in zip(written, ends, strict=True))


def put(folder: Path, name: str, content: bytes) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def recordings(folder: Path, data: Data, below: str = "") -> None:
    for name, content in data.audio.items():
        put(folder, f"{below}{name}.wav", content)


def delimited(name: str, separator: str, header: Sequence[str]) -> Callable[[Path, Data], None]:
    """A list with a header: file, text, id; a row without a text is a field short."""

    def write(folder: Path, data: Data) -> None:
        recordings(folder, data)
        rows = [[f"{row.file}.wav", *([] if row.text is None else [row.text]), row.id] for row in data.rows]
        put(folder, name, lines(data, [separator.join(row) for row in (header, *rows)]))

    return write


def objects(name: str, audio: str, *, with_id: bool = True) -> Callable[[Path, Data], None]:
    """A JSON object a line; without ids, the file is the key."""

    def write(folder: Path, data: Data) -> None:
        recordings(folder, data)
        rows = [
            {
                audio: f"{row.file}.wav",
                "duration": 0.1,
                **({} if row.text is None else {"text": row.text}),
                **({"id": row.id} if with_id else {}),
            }
            for row in data.rows
        ]
        put(folder, name, lines(data, [json.dumps(row) for row in rows]))

    return write


def table(name: str) -> Callable[[Path, Data], None]:
    """A parquet table that holds its recordings; a damaged one where there are odd bytes."""

    def write(folder: Path, data: Data) -> None:
        cells = [{"bytes": data.audio.get(row.file), "path": f"{row.file}.wav"} for row in data.rows]
        columns = {"audio": cells, "text": [row.text for row in data.rows], "id": [row.id for row in data.rows]}
        path = write_table(folder / name, columns)
        if data.odd:
            path.write_bytes(path.read_bytes()[:-20])

    return write


def ljspeech(folder: Path, data: Data) -> None:
    recordings(folder, data, "wavs/")
    rows = [row.file if row.text is None else f"{row.file}|{row.text}|{row.text}" for row in data.rows]
    put(folder, "metadata.csv", lines(data, rows))


def librispeech(folder: Path, data: Data) -> None:
    recordings(folder, data, "61/1/")
    rows = [row.file if row.text is None else f"{row.file} {row.text}" for row in data.rows]
    put(folder, "61/1/61-1.trans.txt", lines(data, rows))


def kaldi(folder: Path, data: Data) -> None:
    recordings(folder, data)
    put(folder, "wav.scp", b"".join(f"{name} {name}.wav\n".encode() for name in NAMES))
    put(folder, "text", lines(data, [f"{row.file} {row.text}" for row in data.rows if row.text is not None]))


def nemo_tarred(folder: Path, data: Data) -> None:
    shard_of(folder / "audio_0.tar", {f"{name}.wav": content for name, content in data.audio.items()})
    rows = [
        {"audio_filepath": f"{row.file}.wav", "duration": 0.1, "shard_id": 0}
        | ({} if row.text is None else {"text": row.text})
        for row in data.rows
    ]
    put(folder, "tarred_audio_manifest.json", lines(data, [json.dumps(row) for row in rows]))


def questions(folder: Path, data: Data) -> None:
    recordings(folder, data)
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["audio", "question", "answer", "id"])
    writer.writerows([f"{row.file}.wav", "Who?", row.text or "", row.id] for row in data.rows)
    put(folder, "list.csv", lines(data, stream.getvalue().splitlines()))


def packed(name: str) -> Callable[[Path, Data], None]:
    """A list and its recordings in one archive; a damaged one where there are odd bytes."""

    def write(folder: Path, data: Data) -> None:
        objects("list.jsonl", "audio")(folder / "in", replace(data, odd=b""))
        files = {one.name: one.read_bytes() for one in sorted((folder / "in").iterdir())}
        archive = pack(folder / name, files)
        if data.odd:
            archive.write_bytes(archive.read_bytes()[:700])

    return write


@dataclass(frozen=True)
class Kind:
    """A source in one of its forms.

    Attributes:
        write: a data set to a folder.
        file: the list's name; ``place``: of row 1 in it, with ``{}`` for the number.
        first: number of row 1.
        fields: of the audio, as messages have them.
        data: what is given, as seen from the folder.
        source, options: of the source.
        no_text: what is said of a row without a text, at its place; ``""``: it is counted, as another file lacks it.
        broken: what is said of a list with odd bytes.
        id: the field that ids are taken from.
    """

    write: Callable[[Path, Data], None]
    file: str
    fields: str
    unit: str = "line"
    first: int = 1
    data: str = ""
    source: str = "asr_folder"
    options: Mapping[str, str] = field(default_factory=dict)
    no_text: str = "no column for what is spoken"
    broken: str = "{place}: is not UTF-8"
    id: str = "id"

    def place(self, row: int) -> str:
        """A row's place, as a regular expression."""
        return rf"{re.escape(self.file)}, {self.unit} {self.first + row - 1}"

    def listed(self, folder: Path, data: Data) -> Sequence[Sample]:
        """Write and list."""
        folder.mkdir()
        self.write(folder, data)
        path = folder / self.data
        read = sources.get(self.source).read
        if path.suffix in (".tar", ".zip"):
            return list_packed(path, lambda inside: read(inside, **self.options))
        return read(path, **self.options)


NO_TABLE = "is damaged or no parquet"
SHORT = "has 2 fields, not 3"
KINDS = {
    "tsv": Kind(delimited("l.tsv", "\t", ("audio", "text", "id")), "l.tsv", "audio", first=2, no_text=SHORT),
    "csv": Kind(delimited("l.csv", ",", ("audio", "text", "id")), "l.csv", "audio", first=2, no_text=SHORT),
    "jsonl": Kind(objects("l.jsonl", "audio"), "l.jsonl", "audio, duration"),
    "nemo": Kind(
        objects("manifest.json", "audio_filepath", with_id=False),
        "manifest.json",
        "audio_filepath, duration",
        id="audio_filepath",
    ),
    "nemo, tarred": Kind(nemo_tarred, "tarred_audio_manifest.json", "audio_filepath, duration", id="audio_filepath"),
    "audiofolder, csv": Kind(
        delimited("metadata.csv", ",", ("file_name", "text", "id")), "metadata.csv", "file_name", first=2, no_text=SHORT
    ),
    "audiofolder, jsonl": Kind(objects("metadata.jsonl", "file_name"), "metadata.jsonl", "file_name, duration"),
    "parquet": Kind(table("l.parquet"), "l.parquet", "audio", "row", no_text="field 'text'", broken=NO_TABLE),
    "hub parquet": Kind(
        table("data/test-00000-of-00001.parquet"),
        "test-00000-of-00001.parquet",
        "audio",
        "row",
        options={"split": "test"},
        no_text="field 'text'",
        broken=NO_TABLE,
    ),
    "ljspeech": Kind(ljspeech, "metadata.csv", "id", no_text="has 1 fields, not 3"),
    "librispeech": Kind(librispeech, "61-1.trans.txt", "id", no_text="field 'text': nothing follows the id"),
    "kaldi": Kind(kaldi, "text", "path", no_text=""),
    "tar": Kind(packed("set.tar"), "list.jsonl", "audio, duration", data="set.tar", broken="is broken or no archive"),
    "zip": Kind(packed("set.zip"), "list.jsonl", "audio, duration", data="set.zip", broken="is broken or no archive"),
    "qa_folder": Kind(
        questions, "list.csv", "audio", first=2, source="qa_folder", no_text="field 'answer': holds no answer"
    ),
}

BAD_AUDIO: Mapping[str, tuple[bytes, str]] = {
    "cut": (tone(1600)[:-1000], "header promises|cut|damaged|short"),
    "noise": (b"no audio at all, but bytes enough for a header " * 9, "not audio|is no |format|unknown"),
    "rate": (wav(speech(0.1), rate=20), "20 Hz"),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_sound_data_set_is_read(name: str, tmp_path: Path) -> None:
    found = KINDS[name].listed(tmp_path / "x", Data())
    assert [one.reference for one in found] == ["word r1", "word r2", "word r3"]
    assert all(one.audio is not None and len(read_audio(one.audio).samples) == 1600 for one in found)


@pytest.mark.parametrize("fault", BAD_AUDIO)
@pytest.mark.parametrize("name", KINDS)
def test_a_broken_recording_is_named_with_file_row_and_field(name: str, fault: str, tmp_path: Path) -> None:
    kind, (content, says) = KINDS[name], BAD_AUDIO[fault]
    data = Data(audio={**Data().audio, "r2": content})
    audio = kind.listed(tmp_path / "x", data)[1].audio
    assert audio is not None
    with pytest.raises(InputError, match=says) as caught:
        read_audio(audio)
    file = "wav.scp" if name == "kaldi" else re.escape(kind.file)
    number = 2 if name == "kaldi" else kind.first + 1
    assert re.search(rf"^\S*{file}, {kind.unit} {number} \({re.escape(kind.fields)}\): ", str(caught.value))
    assert re.search(r"r2\.wav|audio\[1\]", str(caught.value))


@pytest.mark.parametrize("name", KINDS)
def test_a_recording_that_is_missing_is_named_likewise(name: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    data = Data(audio={"r1": tone(1600), "r3": tone(1600)})
    audio = kind.listed(tmp_path / "x", data)[1].audio
    assert audio is not None
    with pytest.raises(InputError, match=r"no such audio file|holds no|has no audio") as caught:
        read_audio(audio)
    file, number = ("wav.scp", 2) if name == "kaldi" else (kind.file, kind.first + 1)
    assert f"{file}, {kind.unit} {number} ({kind.fields}): " in str(caught.value)


@pytest.mark.parametrize("name", KINDS)
def test_an_id_that_stands_twice_is_named_with_both_rows(name: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    rows = (*Data().rows[:2], replace(Data().rows[0], text="word r3"))
    at = rf"\({kind.id}\)"
    says = rf"{kind.place(3)} {at}: the id .*r1.* already stands in {kind.unit} {kind.first} {at}\."
    with pytest.raises(UserError, match=says):
        kind.listed(tmp_path / "x", Data(rows))


@pytest.mark.parametrize("name", KINDS)
def test_a_transcript_that_is_missing_is_named_or_counted(name: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    data = Data((Data().rows[0], replace(Data().rows[1], text=None), Data().rows[2]))
    if not kind.no_text:
        found = kind.listed(tmp_path / "x", data)
        assert [one.reference for one in found] == ["word r1", "word r3"]
        assert "without a transcript: 1" in found[0].metadata["left_out"]
        return
    with pytest.raises(UserError, match=rf"{kind.place(2)}: .*{kind.no_text}"):
        kind.listed(tmp_path / "x", data)


@pytest.mark.parametrize("name", KINDS)
def test_a_list_that_is_broken_is_named_with_its_row(name: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    says = kind.broken.format(place=kind.place(2))
    with pytest.raises(UserError, match=says) as caught:
        kind.listed(tmp_path / "x", Data(odd=b"\xff\xfe"))
    assert Path(kind.data or kind.file).name in str(caught.value)
