"""Whisper on published recordings through the command line: one set in ten layouts, Mandarin, long files with segments.

    python benchmarks/recognition.py --save            # 60 English and 40 Mandarin recordings, 60 spoken questions
    python benchmarks/recognition.py --limit 2 --only layouts

It needs ``pip install ".[offline,parquet]"``. Recordings from ``$TTTBENCH_SHARED/data`` (default ``../shared/data``).
Each row is a call of ``tttbench run``. Where the same recordings in another layout get another answer or another rate,
the exit status is 1. Prints a table, and as last line one JSON document.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))
RESULTS = ROOT / "benchmarks" / "results"

PARTS = ("layouts", "mandarin", "wenetspeech", "questions")
TINY, BASE = "whisper:tiny.en", "whisper:base"
HANS = ("--add", "cer_zh=zh-hans:script=hans")
RAW = ("--add", "cer_zh=raw:recipe=raw")
HEADING = ("recordings", "system", "task", "n", "rates, %", "answers")


@dataclass(frozen=True)
class Call:
    """A call of ``tttbench run``: which recordings, what they are given to, and ``--data`` of its task."""

    title: str
    system: str
    task: str
    data: Path
    more: tuple[str, ...] = ()

    def words(self, limit: int | None) -> list[str]:
        """Return its words, without the run directory."""
        limited = [] if limit is None else ["--limit", str(limit)]
        given = ["--systems", self.system, "--tasks", self.task, "--data", f"{self.task}={self.data}"]
        return ["run", "--device", "cpu", *given, "--batch-size", "8", *self.more, *limited]


@dataclass(frozen=True)
class Row:
    """What came of a call: error rates in percent by metric, and a hash of the answers, sorted, of one task."""

    title: str
    system: str
    task: str
    n: int
    rates: Mapping[str, float]
    answers: str


def calls(part: str, data: Path, work: Path, limit: int | None) -> Iterator[Call]:
    """Yield the calls of a part; what they are given is written into ``work``."""
    from benchmarks.recognition_sets import LAYOUTS, read_listed, read_ljspeech, write_wenetspeech

    words = data / "mandarin_words" / "transcripts.tsv"
    if part == "layouts":
        recorded = read_ljspeech(data / "ljspeech", limit)
        for name, (task, write) in LAYOUTS.items():
            folder = work / name
            folder.mkdir()
            yield Call(f"LJSpeech as {name}", TINY, task, write(folder, recorded))
    elif part == "mandarin":
        yield Call("Mandarin words", BASE, "asr_folder_zh", words, (*RAW, *HANS))
    elif part == "wenetspeech":
        recorded = read_listed(words)
        half = len(recorded) // 2
        given = write_wenetspeech(work / "WenetSpeech", {"TEST_NET": recorded[:half], "TEST_MEETING": recorded[half:]})
        for task in ("wenetspeech_net", "wenetspeech_meeting"):
            yield Call("Mandarin words as WenetSpeech", BASE, task, given, HANS)
    else:
        yield Call("Llama Questions", TINY, "llama_questions_asr", data / "llama_questions")


def run(call: Call, folder: Path, limit: int | None) -> Row:
    """Carry out a call and read what came of it."""
    import tttbench

    subprocess.run(
        [sys.executable, "-m", "tttbench", *call.words(limit), "--out", str(folder)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    found = tttbench.load(folder)
    texts = sorted(map(str, found.samples["text"]))
    digest = hashlib.sha256("\n".join(texts).encode()).hexdigest()[:12]
    rates = {str(row.metric): round(100 * float(row.value), 3) for row in found.results.itertuples()}
    return Row(call.title, call.system, call.task, len(texts), rates, digest)


def differing(rows: Sequence[Row]) -> list[str]:
    """Return the titles of layouts whose answers or rates aren't those of the first."""
    layouts = [row for row in rows if row.title.startswith("LJSpeech as ")]
    return [row.title for row in layouts if (row.rates, row.answers) != (layouts[0].rates, layouts[0].answers)]


def cells(row: Row) -> tuple[str, ...]:
    """A line of the table."""
    rates = ", ".join(f"{name} {value:.3f}" for name, value in row.rates.items())
    return (row.title, row.system, row.task, str(row.n), rates, row.answers)


def markdown(document: Mapping[str, object], rows: Sequence[Row]) -> str:
    """The page beside the JSON."""
    from benchmarks.layout import marked

    table = "\n".join(marked([HEADING, *map(cells, rows)]))
    return (
        "# Whisper on published recordings, by the command line\n\n"
        "One call of `tttbench run` a row. Equal hashes are equal answers. LJSpeech: one reader, the first recordings "
        "of the set. Mandarin words: four characters each, which says little of sentences; `raw` counts traditional "
        "and simplified characters as different, `zh-hans` as equal.\n\n"
        f"{table}\n\n"
        f"{document['began']}, load before {document['load']}, {document['machine']}, code `{document['code']}`: "
        f"`{document['command']}`\n"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run, show, and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    shared = ROOT / os.environ.get("TTTBENCH_SHARED", "../shared") / "data"
    parser.add_argument("--data", type=Path, default=shared, help="folder of the recordings")
    parser.add_argument("--limit", type=int, metavar="N", help="recordings of a set; default: all")
    parser.add_argument("--only", choices=PARTS, action="append", help="this part only; may be repeated")
    parser.add_argument("--save", nargs="?", type=Path, const=RESULTS, metavar="FOLDER")
    args = parser.parse_args(argv)
    if find_spec("pyarrow") is None:
        print('It writes tables too, and pyarrow is missing: pip install ".[offline,parquet]"', file=sys.stderr)
        return 2

    from benchmarks.layout import aligned
    from benchmarks.machine import this_machine

    machine = this_machine(("torch", "openai-whisper"))
    began = datetime.now(UTC).isoformat(timespec="seconds")
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for part in args.only or PARTS:
            for call in calls(part, args.data, work, args.limit):
                print(f"{call.title}: {call.task}", file=sys.stderr, flush=True)
                rows.append(run(call, work / "runs" / str(len(rows)), args.limit))
    document = {
        "benchmark": "recognition",
        "began": began,
        "command": " ".join(["python", "benchmarks/recognition.py", *(sys.argv[1:] if argv is None else argv)]),
        "load": machine.load,
        "machine": str(machine),
        "code": machine.code,
        "rows": [asdict(row) for row in rows],
        "different": differing(rows),
    }
    if args.save:
        args.save.mkdir(parents=True, exist_ok=True)
        text = json.dumps(document, indent=1, ensure_ascii=False)
        (args.save / "recognition.json").write_text(f"{text}\n", encoding="utf-8")
        (args.save / "recognition.md").write_text(markdown(document, rows), encoding="utf-8")
    print(aligned([HEADING, *map(cells, rows)]))
    print(json.dumps(document, ensure_ascii=False))
    return 1 if differing(rows) else 0


if __name__ == "__main__":
    sys.exit(main())
