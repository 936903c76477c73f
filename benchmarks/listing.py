"""What it costs to list 100,000 recordings before a run begins, by form of their list: seconds and memory.

    python benchmarks/listing.py --save
    python benchmarks/listing.py --recordings 200      # a smoke test of seconds, without goals

Each form is listed by a process of its own. Prints a table, and as last line one JSON document.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
N = 100_000
GOAL_CPU_S, GOAL_MB = 5.0, 300.0
A_FOLDER = 1_000
SPEAKERS = 500
TEXT = "the quick brown fox jumps over the lazy dog and runs away from number"
HEADING = ("form", "recordings", "seconds", "CPU s", "MB", "verdict")


@dataclass(frozen=True)
class Cost:
    """Of one process, from its start to the last sample: seconds on the clock, of CPU, and its largest memory."""

    n: int
    seconds: float
    cpu_s: float
    mb: float

    @property
    def verdict(self) -> str:
        return "" if self.n < N else "met" if self.cpu_s <= GOAL_CPU_S and self.mb <= GOAL_MB else "missed"


def name_of(at: int) -> str:
    """The path of a recording, as lists have it."""
    return f"clips/{at // A_FOLDER:03d}/{at:06d}.wav"


def write_tsv(folder: Path, n: int) -> Path:
    path = folder / "test.tsv"
    rows = (f"{name_of(at)}\t{TEXT} {at}\ts{at % SPEAKERS}\n" for at in range(n))
    path.write_text("audio\ttext\tspeaker\n" + "".join(rows))
    return path


def write_json_lines(folder: Path, n: int) -> Path:
    path = folder / "test.jsonl"
    with path.open("w") as file:
        for at in range(n):
            row = {"audio_filepath": name_of(at), "text": f"{TEXT} {at}", "duration": 5.0, "speaker": f"s{at % 500}"}
            file.write(json.dumps(row) + "\n")
    return path


def write_parquet(folder: Path, n: int) -> Path:
    import pyarrow
    import pyarrow.parquet

    audio = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
    columns = {
        "audio": pyarrow.array([{"bytes": b"\0" * 200, "path": f"{at:06d}.wav"} for at in range(n)], audio),
        "text": [f"{TEXT} {at}" for at in range(n)],
        "speaker": [f"s{at % SPEAKERS}" for at in range(n)],
    }
    path = folder / "table" / "test.parquet"
    path.parent.mkdir()
    pyarrow.parquet.write_table(pyarrow.table(columns), path, row_group_size=A_FOLDER)
    return path


def write_kaldi(folder: Path, n: int) -> Path:
    columns: Mapping[str, Callable[[int], str]] = {
        "wav.scp": name_of,
        "text": lambda at: f"{TEXT} {at}",
        "utt2spk": lambda at: f"s{at % SPEAKERS}",
    }
    for name, of in columns.items():
        (folder / name).write_text("".join(f"u{at:06d} {of(at)}\n" for at in range(n)))
    (folder / "segments").write_text("".join(f"u{at:06d} u{at:06d} 0 5\n" for at in range(n)))
    return folder


FORMS: Mapping[str, Callable[[Path, int], Path]] = {
    "tsv": write_tsv,
    "json lines": write_json_lines,
    "parquet": write_parquet,
    "kaldi": write_kaldi,
}


def write_clips(folder: Path, n: int) -> None:
    for at in range(n):
        path = folder / name_of(at)
        if at % A_FOLDER == 0:
            path.parent.mkdir(parents=True)
        path.touch()


def measure(data: Path) -> Cost:
    """List ``data`` in a process of its own."""
    ended = subprocess.run(
        [sys.executable, __file__, "--child", str(data)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return Cost(**json.loads(ended.stdout.splitlines()[-1]))


def child(data: Path) -> None:
    """List ``data`` and print what it cost."""
    began = time.perf_counter()
    from tttbench.core.plugins import build_task
    from tttbench.data.samples import list_samples

    n = len(list_samples(build_task("asr_folder"), data))
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = time.perf_counter() - began
    print(
        json.dumps(asdict(Cost(n, round(seconds, 2), round(used.ru_utime + used.ru_stime, 2), round(largest_mb(), 1))))
    )


def largest_mb() -> float:
    """The most memory that this process had; ``ru_maxrss`` may be that of the process which started it."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("/proc/self/status has no VmHWM")


def rows(costs: Mapping[str, Cost]) -> list[tuple[str, ...]]:
    """A line a form."""
    return [
        (form, f"{one.n:,}", f"{one.seconds:.2f}", f"{one.cpu_s:.2f}", f"{one.mb:.0f}", one.verdict)
        for form, one in costs.items()
    ]


def markdown(document: Mapping[str, object], costs: Mapping[str, Cost]) -> str:
    """The page beside the JSON."""
    lines = [" | ".join(row) for row in (HEADING, ["---"] * len(HEADING), *rows(costs))]
    return (
        "# Listing recordings before a run, measured\n\n"
        f"Goals: {GOAL_CPU_S:g} s of CPU and {GOAL_MB:g} MB a form, of the whole process, imports included. Seconds on "
        "the clock grow where others use the machine (see the load).\n\n"
        + "".join(f"| {line} |\n" for line in lines)
        + f"\n{document['began']}, load before {document['load']}, {document['machine']}, code `{document['code']}`: "
        f"`{document['command']}`\n"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and save if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recordings", type=int, default=N, metavar="N", help="how many; goals are for 100,000")
    parser.add_argument("--save", nargs="?", type=Path, const=RESULTS, metavar="FOLDER", help="write listing.json, .md")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.child:
        child(args.child)
        return 0
    from benchmarks.layout import aligned
    from benchmarks.machine import this_machine

    machine = this_machine(("pyarrow",))
    began = datetime.now(UTC).isoformat(timespec="seconds")
    costs = {}
    with tempfile.TemporaryDirectory() as folder:
        write_clips(Path(folder), args.recordings)
        for form, write in FORMS.items():
            print(f"{form} …", file=sys.stderr, flush=True)
            costs[form] = measure(write(Path(folder), args.recordings))
    document = {
        "benchmark": "listing",
        "began": began,
        "command": " ".join(["python", "benchmarks/listing.py", *(sys.argv[1:] if argv is None else argv)]),
        "load": machine.load,
        "machine": str(machine),
        "code": machine.code,
        "forms": {form: asdict(one) | {"verdict": one.verdict} for form, one in costs.items()},
    }
    if args.save:
        args.save.mkdir(parents=True, exist_ok=True)
        (args.save / "listing.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        (args.save / "listing.md").write_text(markdown(document, costs), encoding="utf-8")
    print(aligned([HEADING, *rows(costs)]))
    print(json.dumps(document))
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
