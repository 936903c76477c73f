"""Recordings in every layout that transcribed speech is read in, and as WenetSpeech: long files with segments."""

from __future__ import annotations

import json
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

RATE_HZ = 16_000
PAUSE_S = 0.5


@dataclass(frozen=True)
class Recorded:
    """A recording and what is spoken in it. Of LJSpeech ``name`` is a chapter and a number: ``LJ001-0012``."""

    name: str
    file: Path
    text: str


def read_ljspeech(folder: Path, limit: int | None = None) -> list[Recorded]:
    """The first recordings of LJSpeech, with their normalized texts."""
    rows = [line.split("|") for line in (folder / "metadata.csv").read_text(encoding="utf-8").splitlines()[:limit]]
    return [Recorded(row[0], folder / "wavs" / f"{row[0]}.wav", row[2]) for row in rows]


def read_listed(path: Path, limit: int | None = None) -> list[Recorded]:
    """The first recordings of a list without a header: a file beside it and a text a line."""
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[:limit]]
    return [Recorded(Path(row[0]).stem, path.parent / row[0], row[1]) for row in rows]


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
    lengths_s = [soundfile.info(one.file).duration for one in recorded]
    rows = [
        {"audio_filepath": f"wav/{one.name}.wav", "duration": length_s, "text": one.text}
        for one, length_s in zip(recorded, lengths_s, strict=True)
    ]
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


def write_wenetspeech(folder: Path, parts: Mapping[str, Sequence[Recorded]]) -> Path:
    """Write recordings as WenetSpeech has them: one long Opus file a subset, and a list of its segments.

    Args:
        folder: where to; made if need be.
        parts: recordings by subset, ``TEST_NET`` or ``TEST_MEETING``; at any rate.
    """
    import soxr

    audios = []
    for subset, recorded in parts.items():
        name, at = f"{subset}_Y0001", 0
        pause = np.zeros(round(PAUSE_S * RATE_HZ), np.float32)
        waves, segments = [], []
        for number, one in enumerate(recorded):
            samples, rate = soundfile.read(one.file, dtype="float32", always_2d=True)
            wave = soxr.resample(samples.mean(axis=1), rate, RATE_HZ)
            begin = at + len(pause)
            at = begin + len(wave)
            waves += [pause, wave]
            times = {"begin_time": round(begin / RATE_HZ, 3), "end_time": round(at / RATE_HZ, 3)}
            segments.append({"sid": f"{name}_S{number:05d}", "subsets": [subset], "text": one.text, **times})
        path = folder / "audio" / subset.lower() / "B00000" / f"{name}.opus"
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = np.concatenate([*waves, pause])
        soundfile.write(path, whole, RATE_HZ, format="OGG", subtype="OPUS")
        entry = {"aid": name, "path": path.relative_to(folder).as_posix(), "duration": len(whole) / RATE_HZ}
        audios.append({**entry, "segments": segments})
    document = {"data": "WenetSpeech", "version": "v1.0", "audios": audios}
    (folder / "WenetSpeech.json").write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return folder
