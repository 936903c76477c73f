"""The same recordings in every layout that transcribed speech is read in."""

from __future__ import annotations

import json
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import soundfile


@dataclass(frozen=True)
class Recorded:
    """A recording in WAV and what is spoken in it; ``name`` is LJSpeech's, a chapter and a number: ``LJ001-0012``."""

    name: str
    file: Path
    text: str


def read_recorded(ljspeech: Path, names: Sequence[str]) -> list[Recorded]:
    """Recordings of LJSpeech by their names."""
    rows = [line.split("|") for line in (ljspeech / "metadata.csv").read_text(encoding="utf-8").splitlines()]
    texts = {row[0]: row[2] for row in rows}
    return [Recorded(name, ljspeech / "wavs" / f"{name}.wav", texts[name]) for name in names]


def _audio(folder: Path, recorded: Sequence[Recorded]) -> None:
    folder.mkdir(parents=True)
    for one in recorded:
        shutil.copy(one.file, folder / f"{one.name}.wav")


def _list(path: Path, lines: Sequence[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def ljspeech(folder: Path, recorded: Sequence[Recorded]) -> Path:
    _audio(folder / "LJSpeech-1.1" / "wavs", recorded)
    lines = [f"{one.name}|as written|{one.text}" for one in recorded]
    return _list(folder / "LJSpeech-1.1" / "metadata.csv", lines).parent


def librispeech(folder: Path, recorded: Sequence[Recorded]) -> Path:
    for one in recorded:
        chapter, number = one.name.removeprefix("LJ").lstrip("0").split("-")
        at = folder / "LibriSpeech" / "test-clean" / "1" / chapter
        at.mkdir(parents=True, exist_ok=True)
        samples, rate = soundfile.read(one.file, dtype="int16")
        soundfile.write(at / f"1-{chapter}-{number}.flac", samples, rate, subtype="PCM_16")
        with (at / f"1-{chapter}.trans.txt").open("a", encoding="utf-8") as file:
            file.write(f"1-{chapter}-{number} {one.text.upper()}\n")
    return folder / "LibriSpeech"


def kaldi(folder: Path, recorded: Sequence[Recorded]) -> Path:
    _audio(folder / "wav", recorded)
    _list(folder / "wav.scp", [f"{one.name} wav/{one.name}.wav" for one in recorded])
    _list(folder / "utt2spk", [f"{one.name} lj" for one in recorded])
    return _list(folder / "text", [f"{one.name} {one.text}" for one in recorded]).parent


def nemo(folder: Path, recorded: Sequence[Recorded]) -> Path:
    _audio(folder / "wav", recorded)
    rows = [{"audio_filepath": f"wav/{one.name}.wav", "duration": 9.0, "text": one.text} for one in recorded]
    # A duration that is the whole file's cuts nothing.
    for row, one in zip(rows, recorded, strict=True):
        row["duration"] = soundfile.info(one.file).duration
    return _list(folder / "manifest.json", [json.dumps(row) for row in rows])


def parquet(folder: Path, recorded: Sequence[Recorded]) -> Path:
    import pyarrow
    import pyarrow.parquet

    held = [{"bytes": one.file.read_bytes(), "path": f"{one.name}.wav"} for one in recorded]
    table = pyarrow.table({"audio": held, "text": [one.text for one in recorded]})
    pyarrow.parquet.write_table(table, folder / "test-00000-of-00001.parquet", row_group_size=1)
    return folder


def tsv(folder: Path, recorded: Sequence[Recorded]) -> Path:
    _audio(folder / "wav", recorded)
    rows = [f"wav/{one.name}.wav\t{one.text}" for one in recorded]
    return _list(folder / "test.tsv", ["audio\ttext", *rows]).parent


def jsonl(folder: Path, recorded: Sequence[Recorded]) -> Path:
    _audio(folder / "wav", recorded)
    rows = [{"audio": f"wav/{one.name}.wav", "text": one.text, "id": one.name} for one in recorded]
    return _list(folder / "test.jsonl", [json.dumps(row) for row in rows]).parent


def audiofolder(folder: Path, recorded: Sequence[Recorded]) -> Path:
    _audio(folder / "test", recorded)
    rows = [{"file_name": f"{one.name}.wav", "transcription": one.text} for one in recorded]
    return _list(folder / "test" / "metadata.jsonl", [json.dumps(row) for row in rows]).parent


def tar(folder: Path, recorded: Sequence[Recorded]) -> Path:
    made = ljspeech(folder, recorded)
    with tarfile.open(folder / "set.tar.bz2", "w:bz2") as packed:
        packed.add(made, made.name)
    return folder / "set.tar.bz2"


def zipped(folder: Path, recorded: Sequence[Recorded]) -> Path:
    made = kaldi(folder / "set", recorded)
    with zipfile.ZipFile(folder / "set.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(made.rglob("*")):
            packed.write(path, path.relative_to(made))
    return folder / "set.zip"


LAYOUTS: Mapping[str, tuple[str, Callable[[Path, Sequence[Recorded]], Path]]] = {
    "ljspeech": ("asr_folder", ljspeech),
    "librispeech": ("librispeech_clean", librispeech),
    "kaldi": ("asr_folder", kaldi),
    "nemo": ("asr_folder", nemo),
    "parquet": ("asr_folder", parquet),
    "tsv": ("asr_folder", tsv),
    "jsonl": ("asr_folder", jsonl),
    "audiofolder": ("asr_folder", audiofolder),
    "tar": ("asr_folder", tar),
    "zip": ("asr_folder", zipped),
}
"""Task and writer of each; a writer fills an empty folder and returns what is given with ``--data``."""
