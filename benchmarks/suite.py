"""What the suite itself costs on this machine: scoring, resampling, assessing a run and writing its report.

    python benchmarks/suite.py --save                    # everything; some minutes, most to fill a run directory
    python benchmarks/suite.py --only 'bootstrap_*'      # some parts
    python benchmarks/suite.py --scale tiny              # a smoke test of seconds

All data are made from a fixed seed. Prints a table with the goals, and as last line one JSON document. A goal that is
missed doesn't change the exit status; a part that couldn't be run does.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PACKAGES = ("numpy", "jiwer", "rapidfuzz", "whisper-normalizer", "jinja2", "matplotlib", "soundfile")
NAMES = ("scoring", "bootstrap_counts", "bootstrap_values", "bootstrap_clusters", "assess", "report")
HEADING = ("part", "what", "measured", "CPU s", "goal", "verdict")


def arguments(argv: Sequence[str] | None) -> tuple[argparse.ArgumentParser, argparse.Namespace]:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", choices=["full", "tiny"], default="full", help="tiny runs in seconds, without goals")
    parser.add_argument(
        "--only", action="append", metavar="NAME", help=f"measure this alone, * is a wildcard; of: {', '.join(NAMES)}"
    )
    parser.add_argument(
        "--save",
        nargs="?",
        type=Path,
        const=RESULTS,
        metavar="FOLDER",
        help="write suite.json and suite.md there (default: benchmarks/results); parts that were saved before and "
        "aren't measured now are kept",
    )
    args = parser.parse_args(argv)
    for pattern in args.only or ():
        if not fnmatch.filter(NAMES, pattern):
            parser.error(f"--only {pattern}: no such part; there are: {', '.join(NAMES)}")
    return parser, args


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and save if asked to."""
    parser, args = arguments(argv)
    from benchmarks.layout import aligned
    from benchmarks.suite_parts import SCALES, Parts

    file = args.save and args.save / "suite.json"
    kept = _kept(parser, file, args.scale) if file else {}
    command = " ".join(["python", "benchmarks/suite.py", *(sys.argv[1:] if argv is None else argv)])
    found: dict[str, Any] = {}
    parts = Parts(SCALES[args.scale])
    try:
        for name in NAMES:
            if args.only and not any(fnmatch.fnmatch(name, pattern) for pattern in args.only):
                continue
            print(f"{name} …", file=sys.stderr, flush=True)
            found[name] = measure(name, parts, goals=args.scale == "full") | {"command": command}
    finally:
        parts.close()
    if file:
        both = {**kept, **found}
        document = record(args.scale, {name: both[name] for name in NAMES if name in both})
        args.save.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        file.with_suffix(".md").write_text(markdown(document["parts"], args.scale), encoding="utf-8")
    print(aligned([HEADING, *rows(found)]))
    print(json.dumps(record(args.scale, found)))
    return 1 if any("error" in part for part in found.values()) else 0


def measure(name: str, parts: Any, *, goals: bool) -> dict[str, Any]:
    """One part with what a reader needs to judge it; what went wrong, where it couldn't be run."""
    from benchmarks.machine import this_machine
    from benchmarks.suite_parts import PARTS

    began, began_s = datetime.now(UTC).isoformat(timespec="seconds"), time.perf_counter()
    plain: dict[str, Any] = {"began": began, "machine": asdict(this_machine(PACKAGES))}
    try:
        figures = PARTS[name](parts)
    except Exception as error:
        traceback.print_exc()
        return {**plain, "error": f"{type(error).__name__}: {error}"}
    took_s = round(time.perf_counter() - began_s, 1)
    return {
        **plain,
        "took_s": took_s,
        "figures": [
            {**asdict(one), "goal": one.goal if goals else None, "verdict": one.verdict if goals else ""}
            for one in figures
        ],
    }


def record(scale: str, parts: Mapping[str, Any]) -> dict[str, Any]:
    """The document."""
    missed = [name for name, part in parts.items() if any(f["verdict"] == "missed" for f in part.get("figures", ()))]
    failed = [name for name, part in parts.items() if "error" in part]
    return {"benchmark": "suite", "scale": scale, "missed": missed, "failed": failed, "parts": parts}


def rows(parts: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """A line a figure."""
    found: list[tuple[str, ...]] = []
    for name, part in parts.items():
        if "error" in part:
            found.append((name, part["error"], "", "", "", "failed"))
        for one in part.get("figures", ()):
            cpu = "" if one["cpu_s"] is None else f"{one['cpu_s']:.2f}"
            goal = "" if one["goal"] is None else f"<= {one['goal']:g} {one['unit']}"
            found.append((name, one["what"], f"{one['value']:.2f} {one['unit']}", cpu, goal, one["verdict"]))
    return found


def markdown(parts: Mapping[str, Any], scale: str) -> str:
    """The page that is committed beside the JSON."""
    from benchmarks.layout import marked
    from benchmarks.machine import Machine

    machines = {name: Machine(**part["machine"]) for name, part in parts.items()}
    different = list(dict.fromkeys(map(str, machines.values())))
    lines = [
        "# What the suite itself costs, measured",
        "",
        f"Scale `{scale}`, data made from a fixed seed, each part once. Goals are for the time on the clock, which "
        "grows where others use the machine (see the load); CPU seconds, of all cores together, hardly do. Only "
        "resampling uses several cores.",
        "",
        *marked([HEADING, *rows(parts)]),
        "",
        "## What was run, when and where",
        "",
    ]
    for name, part in parts.items():
        machine = machines[name]
        code = f", code `{machine.code}`" if machine.code else ""
        where = f"machine {1 + different.index(str(machine))}, load before {machine.load:g}{code}"
        lines.append(
            f"- `{name}`: {part['began']}, {part.get('took_s', 0):.0f} s with its data, {where}: `{part['command']}`"
        )
    lines += ["", *(f"Machine {number}: {machine}." for number, machine in enumerate(different, 1)), ""]
    return "\n".join(lines)


def _kept(parser: argparse.ArgumentParser, file: Path, scale: str) -> dict[str, Any]:
    """Parts that were saved before."""
    if not file.exists():
        return {}
    try:
        plain = json.loads(file.read_text(encoding="utf-8"))
        parts = {name: plain["parts"][name] for name in NAMES if name in plain["parts"]}
        rows(parts)
        markdown(parts, scale)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        parser.error(f"{file}: not a record of this benchmark ({error!r}); move it away")
    if plain["scale"] != scale:
        parser.error(f"{file}: holds scale {plain['scale']!r}, not {scale!r}; save to another folder")
    return parts


if __name__ == "__main__":
    # Without this folder, whose files would hide packages of the same names; the repository last, so that an installed
    # package is the one that is measured.
    sys.path = [*(entry for entry in sys.path if Path(entry).resolve() != ROOT / "benchmarks"), str(ROOT)]
    sys.exit(main())
