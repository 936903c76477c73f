"""What the mini model costs beside another process that keeps a core busy, by how torch's threads wait.

    python benchmarks/busy_machine.py --save           # 12 requests, five rounds: about ten minutes on an idle machine
    python benchmarks/busy_machine.py --requests 2 --rounds 1

Every measurement is a process of its own, since OpenMP reads its settings once: ``ttt:mini`` answers the first samples
of mini_qa one at a time, after one that isn't counted. A round measures every policy alone and beside one busy loop,
one after the other, so that whatever else the machine does meets them all; the ratio is taken round by round. CPU
seconds, of all threads, say what a core that others want is used for. Answers (texts and codes) must be equal under
all policies, or the exit status is 1. ``--save`` keeps what was found after every round. Prints a table, and as last
line one JSON document (``--json``: that alone).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tttbench.stats.median import MedianInterval

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))
SETTINGS = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "OMP_NUM_THREADS")
POLICIES: Mapping[str, Mapping[str, str]] = {
    "as shipped": {},
    # What libgomp does where nothing is set: about 3 ms awake, then asleep.
    "torch's own": {"GOMP_SPINCOUNT": "300000"},
    "awake briefly": {"GOMP_SPINCOUNT": "10000"},
    "asleep": {"OMP_WAIT_POLICY": "PASSIVE"},
    "one thread": {"OMP_NUM_THREADS": "1"},
}
HEADING = ("policy", "CPU s, alone", "CPU s, beside a loop", "ratio", "clock s, alone", "clock s, beside a loop")


@dataclass(frozen=True)
class Measured:
    """One process's answers.

    Attributes:
        cpu_s, clock_s: of the counted requests together; CPU seconds of all threads, user and system.
        others_cores: how many cores other processes kept busy meanwhile, the loop included.
        threads: torch's.
        answers: sha256 of all texts and codes.
    """

    cpu_s: float
    clock_s: float
    others_cores: float | None
    threads: int
    answers: str


@dataclass(frozen=True)
class Found:
    """A policy's measurements, one of each kind a round, in the order of rounds."""

    policy: str
    settings: Mapping[str, str]
    alone: tuple[Measured, ...]
    beside: tuple[Measured, ...]

    @property
    def ratio(self) -> MedianInterval:
        """CPU seconds beside the loop over those alone, round by round."""
        from tttbench.stats.median import median_interval

        return median_interval([busy.cpu_s / idle.cpu_s for idle, busy in zip(self.alone, self.beside, strict=True)])


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, show, and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=12, metavar="N", help="counted ones (default: 12)")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="of all measurements (default: 5)")
    parser.add_argument("--save", nargs="?", type=Path, const=ROOT / "benchmarks" / "results", metavar="FOLDER")
    parser.add_argument("--json", action="store_true", help="print the JSON document alone")
    parser.add_argument("--answer", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.requests < 1 or args.rounds < 1:
        parser.error("--requests and --rounds must be at least 1")
    if args.answer:
        print(json.dumps(asdict(answer(args.requests))))
        return 0
    from benchmarks.layout import aligned, marked
    from benchmarks.machine import this_machine

    plain: dict[str, Any] = {
        "benchmark": "busy_machine",
        "began": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": " ".join(["python", "benchmarks/busy_machine.py", *(sys.argv[1:] if argv is None else argv)]),
        "machine": asdict(machine := this_machine()),
        "requests": args.requests,
    }
    for found in rounds_of(args.requests, args.rounds):
        answers = {one.answers for policy in found for one in (*policy.alone, *policy.beside)}
        policies = [{**asdict(one), "ratio": asdict(one.ratio)} for one in found]
        document = {**plain, "answers_equal": len(answers) == 1, "policies": policies}
        table = [HEADING, *(_row(one) for one in found)]
        if args.save:
            args.save.mkdir(parents=True, exist_ok=True)
            (args.save / "busy_machine.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
            page = _markdown(document, marked(table), str(machine))
            (args.save / "busy_machine.md").write_text(page, encoding="utf-8")
    if not args.json:
        print(aligned(table))
        print("All answers are equal." if document["answers_equal"] else f"{len(answers)} different sets of answers!")
    print(json.dumps(document))
    return 0 if document["answers_equal"] else 1


def rounds_of(n_requests: int, rounds: int) -> Iterator[list[Found]]:
    """Measure all policies, alone and beside a loop, every second round in the opposite order.

    Yields:
        After each round, what was found so far.
    """
    taken: dict[tuple[str, bool], list[Measured]] = {(name, busy): [] for name in POLICIES for busy in (False, True)}
    for number in range(rounds):
        for name, busy in list(taken)[:: -1 if number % 2 else 1]:
            print(f"round {number + 1}: {name}{', beside a loop' if busy else ''}", file=sys.stderr, flush=True)
            with _loop() if busy else _nothing():
                taken[name, busy].append(_in_a_process(POLICIES[name], n_requests))
        yield [Found(name, POLICIES[name], tuple(taken[name, False]), tuple(taken[name, True])) for name in POLICIES]


def answer(n_requests: int) -> Measured:
    """Let ``ttt:mini`` answer in this process."""
    from tttbench.core.plugins import build_system, build_task
    from tttbench.core.system import SystemOptions
    from tttbench.pipeline.jobs import read_request
    from tttbench.pipeline.plan import generate_item
    from tttbench.probes.conditions import Watch

    system, task = build_system("ttt:mini", SystemOptions(batch_size=1)), build_task("mini_qa")
    samples = task.samples(None)[: n_requests + 1]
    requests = [read_request(generate_item(task, sample, "ttt:mini", 0))[0] for sample in samples]
    # Imported behind the package, which says how torch's threads wait.
    import torch

    system.generate(requests[:1])
    watch = Watch("cpu")
    watch.begin()
    began_s, before = time.perf_counter(), os.times()
    responses = [one for request in requests[1:] for one in system.generate([request])]
    clock_s, after = time.perf_counter() - began_s, os.times()
    others = watch.end().others_cores
    digest = hashlib.sha256()
    for one in responses:
        if isinstance(one, Exception):
            raise one
        digest.update(repr((one.text, one.audio_codes)).encode())
    cpu_s = after.user - before.user + after.system - before.system
    return Measured(cpu_s, clock_s, others, torch.get_num_threads(), digest.hexdigest())


def _in_a_process(settings: Mapping[str, str], n_requests: int) -> Measured:
    environment = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    command = [sys.executable, str(Path(__file__).resolve()), "--answer", "--requests", str(n_requests)]
    done = subprocess.run(command, env={**environment, **settings}, stdout=subprocess.PIPE, text=True, check=True)
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


@contextmanager
def _loop() -> Iterator[None]:
    """A process that never waits."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def _row(one: Found) -> tuple[str, ...]:
    from statistics import median

    def seconds(kind: str, measured: Sequence[Measured]) -> str:
        values = [getattr(each, kind) for each in measured]
        return f"{median(values):.1f} [{min(values):.1f}, {max(values):.1f}]"

    ratio = one.ratio
    return (
        one.policy,
        seconds("cpu_s", one.alone),
        seconds("cpu_s", one.beside),
        f"{ratio.median:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]",
        seconds("clock_s", one.alone),
        seconds("clock_s", one.beside),
    )


def _markdown(document: Mapping[str, Any], table: Sequence[str], machine: str) -> str:
    """The page that is kept beside the document."""
    first = document["policies"][0]
    others = [one["others_cores"] for policy in document["policies"] for one in policy["alone"]]
    known = [value for value in others if value is not None]
    load = f"; during those alone, others kept {min(known):.1f} to {max(known):.1f} cores busy" if known else ""
    lines = [
        "# The mini model beside a process that keeps a core busy",
        "",
        f"`ttt:mini` answers {document['requests']} questions (mini_qa), one at a time, in a process of its own:",
        f"medians of {len(first['alone'])} rounds with their range, of the ratio with its interval; CPU seconds of all",
        "threads. All policies were measured in each round, one after the other.",
        "",
        *table,
        "",
        "Answers (texts and codes) were equal in all." if document["answers_equal"] else "Answers were NOT equal.",
        "",
        f"{document['began']}, {machine}, load before {document['machine']['load']}, code "
        f"`{document['machine']['code']}`{load}: `{document['command']}`",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
