"""Writes the second world's test sets: one uncompressed tar each, ``samples.jsonl`` first and Opus files behind it.

A line of ``samples.jsonl`` holds ``id``, ``audio`` (a member's name for each condition), ``voice``, ``cluster`` and
* of ``asr.tar``: ``topic`` and ``text``;
* of ``qa.tar``: ``family``, ``question``, ``answer`` (all of it must be said), ``answer_audio`` (a member: one
  rendition, the topline of spoken scores) and ``renditions``: codes of true renditions, by the codec whose
  ``codec_sha256`` stands beside, for the edit distance to the nearest.
Tars are the same bytes for the same input: members have no time, owner or mode of their own.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from tttbench.core.exchange import Waveform
from tttbench.data.voices.conditions import CONDITIONS, NOISE_DB, TELEPHONE_HZ, in_noise, over_telephone
from tttbench.data.voices.engines import SAMPLE_RATE_HZ
from tttbench.miniworld.second.corpus import Statement
from tttbench.miniworld.second.questions import Question

SAMPLES = "samples.jsonl"
COMPRESSION = 0.965
"""Of Opus by libsndfile: about 16 kbit/s, so that both sets together stay below 10 MB."""


@dataclass(frozen=True)
class Prompt:
    """A test recording: what is said, by which voice, and the samples at 16 kHz."""

    said: Question | Statement
    voice: str
    wave: Waveform


@dataclass(frozen=True)
class SpokenAnswer:
    """An answer's reference audio at 16 kHz, and the codes of several true renditions."""

    wave: Waveform
    renditions: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class _Spoken:
    """What every line says of a recording; ``audio`` by condition."""

    id: str
    audio: Mapping[str, str]
    voice: str
    cluster: str


@dataclass(frozen=True)
class _StatementRow(_Spoken):
    """A line of ``asr.tar``."""

    topic: str
    text: str


@dataclass(frozen=True)
class _QuestionRow(_Spoken):
    """A line of ``qa.tar``."""

    family: str
    question: str
    answer: str
    answer_audio: str
    renditions: tuple[tuple[int, ...], ...]
    codec_sha256: str


def write(path: Path, prompts: Sequence[Prompt], answers: Sequence[SpokenAnswer], codec_sha256: str, seed: int) -> None:
    """Write one test set, in all conditions.

    Args:
        path: of the tar.
        prompts: all questions, or all sentences.
        answers: of the questions, in their order; none for sentences.
        codec_sha256: fingerprint of the codec that made the renditions' codes; "" without answers.
        seed: of the noise.
    """
    rng = np.random.default_rng(seed)
    rows: list[_StatementRow | _QuestionRow] = []
    members: dict[str, bytes] = {}
    for i, prompt in enumerate(prompts):
        others = [prompts[int(j)].wave for j in rng.integers(len(prompts), size=3)]
        recorded: dict[str, tuple[Waveform, int]] = {
            "clean": (prompt.wave, SAMPLE_RATE_HZ),
            "noise": (in_noise(prompt.wave, others if i % 2 else [], NOISE_DB, rng), SAMPLE_RATE_HZ),
            "telephone": (over_telephone(prompt.wave), TELEPHONE_HZ),
        }
        name = f"{'qa' if isinstance(prompt.said, Question) else 'asr'}-{i:03d}"
        audio = {condition: f"{condition}/{name}.opus" for condition in CONDITIONS}
        members |= {audio[condition]: opus(*recorded[condition]) for condition in CONDITIONS}
        said, spoken = prompt.said, (name, audio, prompt.voice, name)
        if isinstance(said, Statement):
            rows.append(_StatementRow(*spoken, topic=said.topic, text=said.text))
            continue
        members[f"answer/{name}.opus"] = opus(answers[i].wave, SAMPLE_RATE_HZ)
        rows.append(
            _QuestionRow(
                *spoken,
                family=said.family,
                question=said.text,
                answer=said.answer,
                answer_audio=f"answer/{name}.opus",
                renditions=answers[i].renditions,
                codec_sha256=codec_sha256,
            )
        )
    listing = "".join(json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rows).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_tar(path, {SAMPLES: listing, **members})


def write_tar(path: Path, members: Mapping[str, bytes]) -> None:
    """Write an uncompressed tar, whole or not at all."""
    temporary = path.with_suffix(".tmp")
    with tarfile.open(temporary, "w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    temporary.rename(path)


def opus(wave: Waveform, sample_rate_hz: int) -> bytes:
    """A mono wave as an Opus file, the same bytes for the same wave."""
    import soundfile

    content = io.BytesIO()
    soundfile.write(content, wave, sample_rate_hz, format="OGG", subtype="OPUS", compression_level=COMPRESSION)
    return _without_serial(content.getvalue())


def _without_serial(ogg: bytes) -> bytes:
    """An Ogg file whose stream has number 0 in place of a random one, with the pages' checksums (RFC 3533, section 6).

    A page is ``OggS``, version, flags, position (8 bytes), the stream's number (at 14), the page's (at 18), a checksum
    (at 22), how many segments (at 26) and the length of each, and then their content.
    """
    pages = []
    at = 0
    while at < len(ogg):
        n = ogg[at + 26]
        end = at + 27 + n + sum(ogg[at + 27 : at + 27 + n])
        page = bytearray(ogg[at:end])
        page[14:18] = page[22:26] = bytes(4)
        page[22:26] = _crc(page).to_bytes(4, "little")
        pages.append(bytes(page))
        at = end
    return b"".join(pages)


def _crc(page: bytes | bytearray) -> int:
    """Ogg's CRC-32: polynomial 0x04C11DB7 from the highest bit on, begun at 0 and not inverted."""
    crc = 0
    for byte in page:
        crc = (crc << 8 & 0xFFFFFFFF) ^ _CRC[crc >> 24 ^ byte]
    return crc


def _crc_of(byte: int) -> int:
    crc = byte << 24
    for _ in range(8):
        crc = (crc << 1 ^ (0x04C11DB7 if crc & 0x80000000 else 0)) & 0xFFFFFFFF
    return crc


_CRC = tuple(_crc_of(byte) for byte in range(256))


def rate_transcribed_wrongly(
    path: Path, transcribe: Callable[[list[Waveform]], list[str]], condition: str
) -> Mapping[str, tuple[int, int]]:
    """Transcribe the prompts of a test set, or (condition ``answer``) its reference audio: errors and words by voice.

    It is the topline of the transcriber on this set, in the spoken form; all ``answer`` recordings are one voice.
    """
    import soundfile

    from tttbench.data.audio import resample
    from tttbench.miniworld.second.spoken_form import word_errors

    waves, keys, texts = [], [], []
    with tarfile.open(path) as archive:

        def content(name: str) -> bytes:
            member = archive.extractfile(name)
            assert member is not None
            return member.read()

        for line in content(SAMPLES).decode().splitlines():
            row = json.loads(line)
            name = row["answer_audio"] if condition == "answer" else row["audio"][condition]
            samples, rate = soundfile.read(io.BytesIO(content(name)), dtype="float32")
            waves.append(resample(samples, rate, SAMPLE_RATE_HZ))
            keys.append(condition if condition == "answer" else row["voice"])
            texts.append(row["answer"] if condition == "answer" else row.get("text") or row["question"])
    found: dict[str, tuple[int, int]] = {}
    for key, text, written in zip(keys, texts, transcribe(waves), strict=True):
        errors, units = word_errors(text, written)
        before = found.get(key, (0, 0))
        found[key] = (before[0] + errors, before[1] + units)
    return found
