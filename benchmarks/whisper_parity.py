"""Our decoding of Whisper beside ``whisper.transcribe`` at temperature 0: are the texts equal, and what does it cost?

    python benchmarks/whisper_parity.py --save         # all recordings, six pairs: about 45 minutes on two cores
    python benchmarks/whisper_parity.py --limit 2 --pairs 1

Human recordings from ``$TTTBENCH_SHARED/data`` (default ``../shared/data``), joined ones of more than 30 s, noise, and
synthetic speech with pauses, decoded in batches of eight by ours and one by one by
``whisper.transcribe(model, audio, temperature=0, fp16=False)``; a text or a language that differs makes the exit
status 1. Then, interleaved in this process on the same recordings: ours against ``transcribe``, and ours against ours
without timestamps and no-speech gate. Prints tables, and as last line one JSON document (``--json``: that alone).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.timing import Compared
    from tttbench.core.exchange import Waveform
    from tttbench.systems.whisper.transcriber import WhisperTranscriber
    from tttbench.systems.whisper.weights import LoadedWhisper

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

BATCH = 8
TIMED = 32
"""As many recordings are timed: three of four are questions, the others sentences that are read."""


@dataclass(frozen=True)
class Clip:
    """A recording at 16 kHz: what it is called, and Whisper's code of its language, ``""`` to have it detected."""

    name: str
    waveform: Waveform
    language: str


@dataclass(frozen=True)
class Difference:
    """A clip that isn't transcribed alike: text and language by both."""

    clip: str
    ours: str
    theirs: str


@dataclass(frozen=True)
class Compare:
    """Clips of one kind, transcribed by one model in both ways."""

    name: str
    model: str
    clips: int
    audio_s: float
    windows: int
    different: tuple[Difference, ...]


def main(argv: Sequence[str] | None = None) -> int:
    """Compare, time, show, and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    shared = ROOT / os.environ.get("TTTBENCH_SHARED", "../shared") / "data"
    parser.add_argument("--data", type=Path, default=shared, help="folder of the recordings")
    parser.add_argument("--limit", type=int, metavar="N", help="recordings of a kind; default: all")
    parser.add_argument("--pairs", type=int, default=6, metavar="N", help="of timings; 0: none (default: 6)")
    parser.add_argument("--models", default="tiny.en,base", help="tiny.en, base, or both (default)")
    parser.add_argument("--save", nargs="?", type=Path, const=ROOT / "benchmarks" / "results", metavar="FOLDER")
    parser.add_argument("--json", action="store_true", help="print the JSON document alone")
    args = parser.parse_args(argv)

    from benchmarks.layout import aligned, marked
    from benchmarks.machine import this_machine
    from tttbench.systems.whisper.weights import load_whisper

    plain: dict[str, Any] = {
        "benchmark": "whisper_parity",
        "began": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": " ".join(["python", "benchmarks/whisper_parity.py", *(sys.argv[1:] if argv is None else argv)]),
        "machine": asdict(machine := this_machine(("torch", "numpy", "openai-whisper"))),
    }
    compared, timed = [], []
    for model in args.models.split(","):
        loaded = load_whisper(model)
        for name, clips in kinds(args.data, model, args.limit):
            print(f"{model}: {name}", file=sys.stderr, flush=True)
            compared.append(compare_texts(name, loaded, clips))
        if model == "tiny.en" and args.pairs:
            timed = list(compare_times(loaded, timed_clips(args.data), args.pairs))
    document = {**plain, "kinds": [asdict(one) for one in compared], "speed": [asdict(one) for one in timed]}
    tables = [[KIND, *map(_kind_row, compared)], [SPEED, *map(_speed_row, timed)]]
    if args.save:
        args.save.mkdir(parents=True, exist_ok=True)
        (args.save / "whisper_parity.json").write_text(
            json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        page = _markdown(document, [marked(table) for table in tables], str(machine))
        (args.save / "whisper_parity.md").write_text(page, encoding="utf-8")
    different = [one for kind in compared for one in kind.different]
    if not args.json:
        for table in tables:
            print(aligned(table), end="\n\n")
        for one in different:
            print(f"{one.clip}\n  ours   {one.ours}\n  theirs {one.theirs}")
    print(json.dumps(document, ensure_ascii=False))
    return 1 if different else 0


def kinds(data: Path, model: str, limit: int | None) -> Iterator[tuple[str, list[Clip]]]:
    """Yield the recordings for a model, kind by kind."""
    read = sorted((data / "ljspeech" / "wavs").glob("*.wav"))
    questions = sorted((data / "llama_questions").glob("*.wav"), key=lambda file: int(file.stem))
    speakers = sorted((data / "speakers").glob("*.flac"))
    reported = [file for name in ("24-near-silence", "25-sentences-dropped") for file in _reported(data, name)]
    if model == "base":
        words = sorted((data / "mandarin_words").glob("*.mp3"))[:limit]
        yield "Mandarin words, language given", [_clip(file, "zh") for file in words]
        yield "Mandarin words, language detected", [_clip(file, "") for file in words]
        yield "English, language detected", [_clip(file, "") for file in [*read[:6], *speakers[:6], *reported][:limit]]
        return
    for name, files in (("spoken questions", questions), ("a reader", read), ("24 speakers", speakers)):
        yield name, [_clip(file, "en") for file in files[:limit]]
    yield "noise, synthetic speech with pauses", [_clip(file, "en") for file in reported[:limit]]
    yield (
        "joined to more than 30 s",
        [
            *_joined([_clip(file, "en") for file in read], 10)[:limit],
            *_joined([_clip(file, "en") for file in speakers], 6)[:limit],
        ],
    )


def _reported(data: Path, name: str) -> list[Path]:
    return sorted((data / "reported" / name).glob("*.wav"))


def _clip(file: Path, language: str) -> Clip:
    from tttbench.data.audio import load_audio, resample
    from tttbench.systems.whisper.transcriber import SAMPLE_RATE_HZ

    audio = load_audio(file)
    return Clip(file.stem, resample(audio.samples, audio.sample_rate, SAMPLE_RATE_HZ), language)


def _joined(clips: Sequence[Clip], size: int) -> list[Clip]:
    import numpy as np

    groups = [clips[at : at + size] for at in range(0, len(clips), size)]
    return [
        Clip(f"{group[0].name} and on", np.concatenate([one.waveform for one in group]), group[0].language)
        for group in groups
    ]


def compare_texts(name: str, loaded: LoadedWhisper, clips: Sequence[Clip]) -> Compare:
    """Transcribe ``clips`` in both ways."""
    import whisper

    from tttbench.systems.whisper.transcriber import SAMPLE_RATE_HZ, WhisperTranscriber

    ours = WhisperTranscriber(loaded, BATCH).timed([one.waveform for one in clips], [one.language for one in clips])
    different, windows = [], 0
    for clip, made in zip(clips, ours, strict=True):
        theirs = whisper.transcribe(
            loaded.model, clip.waveform, temperature=0.0, fp16=False, language=clip.language or None
        )
        windows += len({segment["seek"] for segment in theirs["segments"]})
        pair = [f"[{made.language}] {made.text}", f"[{theirs['language']}] {theirs['text'].strip()}"]
        if pair[0] != pair[1]:
            different.append(Difference(clip.name, *pair))
    audio_s = sum(len(one.waveform) for one in clips) / SAMPLE_RATE_HZ
    return Compare(name, loaded.name, len(clips), round(audio_s, 1), windows, tuple(different))


def timed_clips(data: Path) -> list[Clip]:
    """The recordings that are timed."""
    questions = [_clip(data / "llama_questions" / f"{number}.wav", "en") for number in range(1, 1 + 3 * TIMED // 4)]
    read = sorted((data / "ljspeech" / "wavs").glob("*.wav"))[: TIMED // 4]
    return [*questions, *(_clip(file, "en") for file in read)]


def compare_times(loaded: LoadedWhisper, clips: Sequence[Clip], pairs: int) -> Iterator[Compared]:
    """Time ours against ``transcribe``, and against ours without timestamps and gate."""
    import whisper

    from benchmarks.timing import Comparison, compare
    from tttbench.systems.whisper.transcriber import WhisperTranscriber

    def transcribe() -> None:
        for one in clips:
            whisper.transcribe(loaded.model, one.waveform, temperature=0.0, fp16=False, language=one.language)

    def ours(transcriber: WhisperTranscriber) -> Callable[[], object]:
        return lambda: transcriber.transcribe([one.waveform for one in clips], "en")

    def plain(transcriber: WhisperTranscriber) -> Callable[[], object]:
        def run() -> None:
            with without_timestamps(transcriber):
                ours(transcriber)()

        return run

    for size in (BATCH, 1):
        transcriber = WhisperTranscriber(loaded, size)
        whole, bare = ours(transcriber), plain(transcriber)
        for name, title, slow, run_slow, fast, run_fast in (
            (f"transcribe_batch{size}", "a set of recordings", "transcribe", transcribe, f"ours, batch {size}", whole),
            (f"timestamps_batch{size}", "a set of recordings", "ours", whole, "no timestamps, no gate", bare),
        ):
            print(name, file=sys.stderr, flush=True)
            comparison = Comparison(name, title, slow, _seconds(run_slow), fast, _seconds(run_fast))
            yield compare(comparison, pairs, float("inf"))


def _seconds(call: Callable[[], object]) -> Callable[[], float]:
    def timed() -> float:
        # Of all threads, so that it says something on a machine that has other work, too.
        began = time.process_time()
        call()
        return time.process_time() - began

    return timed


@contextmanager
def without_timestamps(transcriber: WhisperTranscriber) -> Iterator[None]:
    """Decode as ``whisper.decode`` does with ``without_timestamps=True``: no rules, no gate, one window a clip."""
    from tttbench.systems.whisper import greedy

    def no_timestamps(window: object, logits: Any, eot: int, first_stamp: int) -> None:
        logits[first_stamp:] = -float("inf")

    prompt, forbid, threshold = transcriber._prompt, greedy._Window.forbid, greedy.NO_SPEECH
    changed: Any = transcriber
    changed._prompt = lambda clip: [*prompt(clip), transcriber._tokenizer.no_timestamps]
    setattr(greedy._Window, "forbid", no_timestamps)  # noqa: B010  (mypy takes no assignment to a method)
    greedy.NO_SPEECH = 2.0
    try:
        yield
    finally:
        del changed._prompt
        setattr(greedy._Window, "forbid", forbid)  # noqa: B010
        greedy.NO_SPEECH = threshold


KIND = ("recordings", "model", "clips", "minutes", "windows", "equal")
SPEED = ("slow", "CPU s", "fast", "CPU s", "ratio", "interval", "pairs")


def _kind_row(one: Compare) -> tuple[str, ...]:
    equal = one.clips - len(one.different)
    return one.name, one.model, str(one.clips), f"{one.audio_s / 60:.1f}", str(one.windows), f"{equal} of {one.clips}"


def _speed_row(one: Compared) -> tuple[str, ...]:
    ratio = one.ratio
    return (
        *(one.slow, f"{one.slow_s.median:.1f}", one.fast, f"{one.fast_s.median:.1f}", f"{ratio.median:.2f}"),
        *(f"{ratio.low:.2f} .. {ratio.high:.2f} ({100 * ratio.coverage:.0f} %)", str(ratio.n)),
    )


def _markdown(document: Mapping[str, Any], tables: Sequence[Sequence[str]], machine: str) -> str:
    """The page that is kept beside the document."""
    clips = sum(one["clips"] for one in document["kinds"])
    different = [one for kind in document["kinds"] for one in kind["different"]]
    lines = [
        "# Our decoding of Whisper beside `whisper.transcribe`",
        "",
        f"{clips - len(different)} of {clips} texts are equal to those of `whisper.transcribe(model, audio,",
        "temperature=0, fp16=False)`, and so are the languages where they were detected. Windows are those with text.",
        "",
        *tables[0],
        "",
        *(f"- {one['clip']}: ours “{one['ours']}”, theirs “{one['theirs']}”" for one in different),
        *([""] if different else []),
        f"CPU seconds for {TIMED} recordings, Whisper tiny.en; a ratio is the median over pairs measured interleaved.",
        "",
        *tables[1],
        "",
        f"{document['began']}, {machine}, load before {document['machine']['load']}, code "
        f"`{document['machine']['code']}`: `{document['command']}`",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
