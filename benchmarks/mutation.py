"""How many small faults the tests notice: a random sample of mutants of the code between the model and the reports.

    python benchmarks/mutation.py --save                   # 400 mutants, at most 90 minutes on two cores
    python benchmarks/mutation.py --mutants 80 --seed 1    # a look
    python benchmarks/mutation.py --survivors              # those that survived once more, after tests were added

The sample is drawn by ``--seed``, equally from eight strata (``STRATA``), without looking at tests. Each mutant runs
against its nearest tests: those that run its lines, fastest first, up to ``--budget`` seconds of them, until one fails.
A mutant whose tests hang is stopped and counts as killed. Every twentieth run is a control without a fault; one that
fails means that tests fail by themselves, and the exit status is 1. What is done is kept in ``--work`` after every
mutant, and a run that was stopped goes on there, unless code or tests have changed.

``benchmarks/mutation_reasons.toml`` says of survivors why no test should kill them. Prints a table, and as last line
one JSON document (``--json``: that alone).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import shutil
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from benchmarks.mutants import Mutant, mutants_of  # noqa: E402  # the path comes first

if TYPE_CHECKING:
    from benchmarks.mutation_tests import LineMap, Outcome, Worker

STRATA: Mapping[str, tuple[str, ...]] = {
    "scoring": ("tttbench/scorers/**/*.py", "tttbench/text/**/*.py"),
    "gate": ("tttbench/gate/**/*.py",),
    "pipeline": ("tttbench/pipeline/**/*.py",),
    "store": ("tttbench/store/**/*.py",),
    "data": ("tttbench/data/**/*.py",),
    "derive": ("tttbench/derive/**/*.py", "tttbench/core/derivation.py"),
    "limits": ("tttbench/systems/ttt/limits.py", "reference_model/limits.py"),
    "strategies": ("reference_model/decoding/strategies/*.py", "reference_model/decoding/strategy.py"),
}
PACKAGES = ("tttbench", "reference_model")
REASONS = ROOT / "benchmarks" / "mutation_reasons.toml"
CONTROL_EVERY = 20
HEADING = ("stratum", "mutants", "drawn", "killed", "by a time limit", "survived", "no test runs them", "killed, %")


@dataclass(frozen=True)
class Judged:
    """A mutant and what the tests said."""

    mutant: Mutant
    stratum: str
    outcome: Outcome

    @property
    def killed(self) -> bool:
        return self.outcome.verdict in ("killed", "timeout")


def main(argv: Sequence[str] | None = None) -> int:
    """Draw, run, show, and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutants", type=int, default=400, metavar="N", help="in all strata together (default: 400)")
    parser.add_argument("--seed", type=int, default=0, help="of the sample (default: 0)")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="at once (default: 2)")
    parser.add_argument("--budget", type=float, default=30.0, metavar="S", help="seconds of tests (default: 30)")
    parser.add_argument("--stratum", choices=STRATA, action="append", help="only this one; may be repeated")
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "mutation", metavar="FOLDER")
    parser.add_argument("--survivors", action="store_true", help="run again those that survived, with today's tests")
    parser.add_argument("--save", nargs="?", type=Path, const=ROOT / "benchmarks" / "results", metavar="FOLDER")
    parser.add_argument("--json", action="store_true", help="print the JSON document alone")
    args = parser.parse_args(argv)
    if args.mutants < len(STRATA) or args.workers < 1 or args.budget <= 0:
        parser.error(f"--mutants must be at least {len(STRATA)}, --workers at least 1, --budget above 0")
    from benchmarks.machine import this_machine

    began, began_s, machine = datetime.now(UTC), time.monotonic(), this_machine(("pytest", "coverage", "hypothesis"))
    population = {name: _mutants(patterns) for name, patterns in STRATA.items() if name in (args.stratum or STRATA)}
    drawn = draw(population, args.mutants, args.seed)
    kept = args.work / f"seed{args.seed}-{args.mutants}.jsonl"
    code = _digest(PACKAGES)
    stamp = code + _digest(("tests",))
    judged = _kept(kept, drawn, code if args.survivors else stamp)
    if args.survivors:
        judged = {key: one for key, one in judged.items() if one.killed}
    todo = [(name, one) for name, mutants in drawn.items() for one in mutants if one.key not in judged]
    failed_controls: list[str] = []
    if todo:
        failed_controls = _run(args, todo, judged, kept, {"stamp": stamp, "code": code})
    rows = table(population, drawn, judged)
    reasons = tomllib.loads(REASONS.read_text(encoding="utf-8"))["reasons"] if REASONS.exists() else {}
    alive = survivors(judged, reasons)
    document: dict[str, Any] = {
        "benchmark": "mutation",
        "began": began.isoformat(timespec="seconds"),
        "command": " ".join(["python", "benchmarks/mutation.py", *(sys.argv[1:] if argv is None else argv)]),
        "machine": asdict(machine),
        "seed": args.seed,
        "budget_s": args.budget,
        "population": {name: len(mutants) for name, mutants in population.items()},
        **_counted([judged[one.key] for mutants in drawn.values() for one in mutants if one.key in judged]),
        "took_s": time.monotonic() - began_s,
        "failed_controls": failed_controls,
    }
    if args.save:
        from benchmarks.layout import marked

        args.save.mkdir(parents=True, exist_ok=True)
        (args.save / "mutation.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        page = _markdown(document, marked(rows), alive)
        (args.save / "mutation.md").write_text(page, encoding="utf-8")
    if not args.json:
        from benchmarks.layout import aligned

        print(aligned(rows))
        for row in alive:
            print("  ".join(row))
    print(json.dumps(document))
    return 1 if failed_controls else 0


def draw(population: Mapping[str, Sequence[Mutant]], n: int, seed: int) -> dict[str, list[Mutant]]:
    """As many of each stratum, without replacement; a stratum that has fewer gives all, and the others more."""
    drawn: dict[str, list[Mutant]] = {}
    left, strata = n, sorted(population, key=lambda name: len(population[name]))
    for number, name in enumerate(strata):
        share = min(len(population[name]), left // (len(strata) - number))
        drawn[name] = random.Random(f"{seed} {name}").sample(list(population[name]), share)
        left -= share
    return {name: drawn[name] for name in population}


def table(
    population: Mapping[str, Sequence[Mutant]],
    drawn: Mapping[str, Sequence[Mutant]],
    judged: Mapping[str, Judged],
) -> list[tuple[str, ...]]:
    """A row a stratum, and one for all."""
    from tttbench.stats.wilson import wilson_interval

    def row(name: str, n_all: int, mutants: Sequence[Mutant]) -> tuple[str, ...]:
        of = [judged[one.key] for one in mutants if one.key in judged]
        count = {verdict: sum(one.outcome.verdict == verdict for one in of) for verdict in VERDICTS}
        share = wilson_interval(sum(one.killed for one in of), len(of))
        percent = f"{100 * share.estimate:.1f} [{100 * share.low:.1f}, {100 * share.high:.1f}]" if of else "—"
        return (name, str(n_all), str(len(of)), *(str(count[verdict]) for verdict in VERDICTS), percent)

    rows = [row(name, len(population[name]), mutants) for name, mutants in drawn.items()]
    everything = [one for mutants in drawn.values() for one in mutants]
    return [HEADING, *rows, row("all", sum(map(len, population.values())), everything)]


VERDICTS = ("killed", "timeout", "survived", "untested")


def survivors(judged: Mapping[str, Judged], reasons: Mapping[str, str]) -> list[tuple[str, ...]]:
    """Place, fault and reason of those that no test killed, in the order of their places."""
    alive = [one for one in judged.values() if not one.killed]
    alive.sort(key=lambda one: (one.mutant.path, one.mutant.line, one.mutant.column, one.mutant.key))
    return [
        (
            f"{one.mutant.path}:{one.mutant.line}",
            one.mutant.kind,
            f"`{_short(one.mutant.before)}` → `{_short(one.mutant.after)}`",
            reasons.get(one.mutant.key, "no test runs it" if one.outcome.verdict == "untested" else "—"),
            one.mutant.key,
        )
        for one in alive
    ]


def _run(
    args: argparse.Namespace,
    todo: Sequence[tuple[str, Mutant]],
    judged: dict[str, Judged],
    kept: Path,
    heading: Mapping[str, str],
) -> list[str]:
    """Judge mutants one by one, keeping each below ``heading``; returns what controls failed by."""
    from benchmarks import mutation_tests
    from benchmarks.mutation_tests import Outcome, Worker, begin, ended, import_libraries

    workers = [Worker(args.work.resolve() / f"copy{number}") for number in range(args.workers)]
    import_libraries()
    tests = _test_map(workers, heading["stamp"], args.work)
    failed_controls: list[str] = []
    kept.parent.mkdir(parents=True, exist_ok=True)
    queue: Iterator[tuple[str, Mutant | None]] = _with_controls(todo)
    strata: dict[int, str] = {}
    control_tests: list[str] = []
    partial = kept.with_name(kept.name + ".partial")
    partial.write_text("".join(json.dumps(one) + "\n" for one in (heading, *map(asdict, judged.values()))))
    partial.replace(kept)
    with kept.open("a", encoding="utf-8") as file:

        def keep(stratum: str, mutant: Mutant, outcome: Outcome) -> None:
            judged[mutant.key] = one = Judged(mutant, stratum, outcome)
            file.write(json.dumps(asdict(one)) + "\n")
            file.flush()
            print(
                f"{len(judged)}: {mutant.key}: {outcome.verdict}, {outcome.took_s:.1f} s", file=sys.stderr, flush=True
            )

        more = True
        while more or any(worker.busy for worker in workers):
            for number, worker in enumerate(workers):
                if worker.busy is not None:
                    mutant = worker.busy.mutant
                    outcome = ended(worker)
                    if outcome is None:
                        continue
                    if mutant is not None:
                        keep(strata[number], mutant, outcome)
                    elif outcome.verdict != "survived":
                        failed_controls.append(outcome.by)
                while more and worker.busy is None:
                    following = next(queue, None)
                    if following is None:
                        more = False
                        break
                    stratum, mutant = following
                    near = tests.nearest(mutant, args.budget) if mutant else control_tests
                    if mutant is not None and not near:
                        keep(stratum, mutant, Outcome("untested", "", 0, 0.0))
                        continue
                    if not near:
                        continue
                    strata[number], control_tests = stratum, near
                    begin(
                        worker,
                        mutant,
                        near,
                        args.budget,
                        mutation_tests.EXTRA_S + 10 * sum(tests.seconds[test] for test in near),
                    )
            time.sleep(0.05)
    return failed_controls


def _with_controls(todo: Sequence[tuple[str, Mutant]]) -> Iterator[tuple[str, Mutant | None]]:
    """Mutants of all strata mixed, since neighbours share tests; a control after every so many, of the tests before."""
    mixed = sorted(todo, key=lambda one: hashlib.sha256(one[1].key.encode()).digest())
    for number, one in enumerate(mixed, 1):
        yield one
        if number % CONTROL_EVERY == 0:
            yield one[0], None


def _test_map(workers: Sequence[Worker], stamp: str, work: Path) -> LineMap:
    """The map of today's code and tests, made anew in new copies unless the ones that are there are of today."""
    from benchmarks.mutation_tests import copy_repository, make_map, read_map

    mark = work / "stamp"
    is_of_today = mark.exists() and mark.read_text(encoding="utf-8") == stamp
    for worker in workers:
        if not is_of_today:
            mark.unlink(missing_ok=True)
            shutil.rmtree(worker.folder, ignore_errors=True)
        copy_repository(ROOT, worker.folder)
    if not is_of_today:
        print("running all tests once, to see which lines each runs", file=sys.stderr, flush=True)
        make_map(workers, PACKAGES)
        mark.write_text(stamp, encoding="utf-8")
    found = read_map([worker.folder for worker in workers])
    if found.unusable:
        named = ", ".join(found.unusable[:5])
        print(
            f"not used, as they don't pass without a fault: {len(found.unusable)} ({named})",
            file=sys.stderr,
            flush=True,
        )
    return found


def _mutants(patterns: Sequence[str]) -> list[Mutant]:
    paths = sorted({path for pattern in patterns for path in ROOT.glob(pattern)})
    return [one for path in paths for one in mutants_of(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))]


def _kept(file: Path, drawn: Mapping[str, Sequence[Mutant]], stamp: str) -> dict[str, Judged]:
    """What was judged before under this stamp, of the mutants that are drawn."""
    from benchmarks.mutation_tests import Outcome

    if not file.exists():
        return {}
    heading, *lines = file.read_text(encoding="utf-8").splitlines()
    if stamp not in json.loads(heading).values():
        return {}
    wanted = {one.key: one for mutants in drawn.values() for one in mutants}
    found: dict[str, Judged] = {}
    for line in lines:
        try:
            plain = json.loads(line)
        except ValueError:  # the line that was being written when the run was stopped
            continue
        one = Judged(Mutant(**plain["mutant"]), plain["stratum"], Outcome(**plain["outcome"]))
        if wanted.get(one.mutant.key) == one.mutant:
            found[one.mutant.key] = one
    return found


def _digest(folders: Sequence[str]) -> str:
    """Of all Python and TOML below some folders."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".py", ".toml", ".j2", ".js") and path.is_file():
                digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _short(text: str, length: int = 60) -> str:
    text = " ".join(text.split()).replace("|", "\\|").replace("`", "'")
    return text if len(text) <= length else text[: length - 1] + "…"


def _counted(of: Sequence[Judged]) -> dict[str, object]:
    killed = sum(one.killed for one in of)
    return {
        "drawn": len(of),
        "killed": killed,
        "killed_percent": 100 * killed / len(of) if of else None,
        "tests_s": sum(one.outcome.took_s for one in of),
        "mutants": [{"key": one.mutant.key, "stratum": one.stratum, **asdict(one.outcome)} for one in of],
    }


def _markdown(document: Mapping[str, Any], rows: Sequence[str], alive: Sequence[tuple[str, ...]]) -> str:
    """The page that is kept beside the document."""
    lines = [
        "# Small faults that the tests notice",
        "",
        f"{document['drawn']} mutants drawn with seed {document['seed']}, each against the tests that run its lines,",
        f"the fastest first, up to {document['budget_s']:g} s of them. Percent killed with Wilson's 95 % interval.",
        "",
        *rows,
        "",
        "## Survivors",
        "",
        "| place | operator | fault | why no test kills it |",
        "|---|---|---|---|",
        *(f"| `{place}` | {kind} | {fault} | {reason} |" for place, kind, fault, reason, _ in alive),
        "",
        f"{document['began']}, code `{document['machine']['code']}`: `{document['command']}`.",
        f"Tests ran for {document['tests_s']:.0f} s in all; the last call took {document['took_s']:.0f} s.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
