"""``tttbench gate BASELINE RUN``: compare two runs and fail if the second one is worse."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tttbench.cli.options import a_path, add_device, add_include, chosen, include_all, positive, resolve_device
from tttbench.core.errors import StorageError, UserError, did_you_mean

if TYPE_CHECKING:
    from tttbench.gate.snapshot import Snapshot
    from tttbench.gate.sources import Source
    from tttbench.gate.verdict import GateResult

HELP = "compare a run with a baseline; 1 if it is worse, 3 if a run is invalid, 4 if they can't be compared"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("baseline", metavar="BASELINE", help="run directory, exported file, or a saved baseline's name")
    parser.add_argument("run_dir", metavar="RUN", help="likewise; what is compared with it")
    parser.add_argument("--rules", type=a_path, metavar="FILE", help="TOML file with thresholds (docs/gate.md)")
    parser.add_argument(
        "--allow", action="append", default=[], metavar="FIELD", help="compare although FIELD differs; may be repeated"
    )
    parser.add_argument(
        "--match", action="append", default=[], metavar="NEW=OLD", help="the run's system NEW is the baseline's OLD"
    )
    parser.add_argument("--speed", choices=("auto", "required", "off"), help="instead of the rules' mode")
    parser.add_argument(
        "--measure",
        type=positive,
        metavar="ROUNDS",
        help="time the systems of both anew, interleaved, so many rounds: holds on a busy machine, too",
    )
    parser.add_argument("--folder", type=a_path, default=None, metavar="DIR", help="of baselines (default: baselines)")
    parser.add_argument("--html", type=a_path, metavar="FILE", help="write the comparison page")
    parser.add_argument("--junit", type=a_path, metavar="FILE", help="write JUnit XML")
    parser.add_argument("--markdown", type=a_path, metavar="FILE", help="write Markdown")
    parser.add_argument("--github", action="store_true", help="add the Markdown to the step summary of GitHub Actions")
    parser.add_argument(
        "--benchmark-json",
        type=a_path,
        metavar="DIR",
        help="write bigger-is-better.json and smaller-is-better.json for github-action-benchmark",
    )
    add_device(parser)
    add_include(parser)
    parser.add_argument("--json", action="store_true", help="the last line of stdout is one JSON document")


def run(args: argparse.Namespace) -> int:
    """Compare, show, write; the exit status says what came out."""
    from dataclasses import replace

    from tttbench.gate.decide import gate, renamed
    from tttbench.gate.rules import Rules, read_rules
    from tttbench.gate.sources import FOLDER, Source, find_source

    include_all(args.include)
    rules = Rules() if args.rules is None else read_rules(args.rules)
    if args.speed is not None:
        rules = replace(rules, speed=args.speed)
    summary = _step_summary() if args.github else None
    allow = chosen("--allow", args.allow)
    folder = args.folder or FOLDER
    baseline, given = find_source(args.baseline, folder), find_source(args.run_dir, folder)
    matched = pairs(args.match, given.snapshot, baseline.snapshot)
    now = Source(renamed(given.snapshot, matched), given.folder, {old: new for new, old in matched.items()})
    if args.measure and rules.speed == "off":
        raise UserError("--measure: goes without --speed off.")
    result = gate(baseline.snapshot, now.snapshot, replace(rules, speed="off") if args.measure else rules, allow=allow)
    if args.measure and result.exit_code in (0, 1):
        # Nothing is measured for runs that can't be compared.
        from tttbench.gate.interleaved import measure

        measured = measure(baseline.snapshot, now.snapshot, args.measure, resolve_device(args.device), _report)
        result = gate(baseline.snapshot, now.snapshot, rules, allow=allow, rounds=measured.rounds)
        result = replace(result, warnings=(*result.warnings, *measured.left_out))
    stale = (f"the baseline is stale: {reason}; save a new one." for reason in baseline.stale)
    result = replace(result, warnings=(*result.warnings, *stale))
    # Whoever closes our output before the end must not turn a regression into a pass.
    args.status_if_unread = result.exit_code
    _show(result)
    _write(args, result, baseline, now, summary)
    if args.html:
        print(f"Comparison: {args.html}")
    from tttbench.gate.formats.words import outcome

    print(outcome(result))
    if args.json:
        from tttbench.core.serialize import to_json
        from tttbench.gate.formats.document import document

        print(to_json(document(result)))
    return result.exit_code


def _show(result: GateResult) -> None:
    from tttbench.cli.columns import gate_table
    from tttbench.gate.formats.words import difference_line

    for problem in result.problems:
        print(f"invalid: {problem}")
    for difference in result.differences:
        print(("differs: " if difference.allowed else "not comparable: ") + difference_line(difference))
    if result.verdicts:
        print(gate_table(result.verdicts))
    for one in result.noted:
        print(f"changed: {one.what}: {one.baseline or 'none'} → {one.run or 'none'}")
    for warning in result.warnings:
        print(f"note: {warning}", file=sys.stderr)


def _write(args: argparse.Namespace, result: GateResult, baseline: Source, now: Source, summary: Path | None) -> None:
    from tttbench.data.atomic import write_atomic
    from tttbench.gate.formats.benchmark_action import benchmark_json
    from tttbench.gate.formats.junit import junit
    from tttbench.gate.formats.markdown import markdown

    def write(option: str, path: Path, text: str) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(path, text.encode())
        except (OSError, StorageError) as error:
            raise UserError(f"{option} {path}: can't be written: {error}") from error

    if args.junit:
        write("--junit", args.junit, junit(result))
    if args.markdown:
        write("--markdown", args.markdown, markdown(result))
    if summary is not None:
        try:
            with summary.open("a", encoding="utf-8") as file:
                file.write(markdown(result) + "\n")
        except OSError as error:
            raise UserError(f"--github: GITHUB_STEP_SUMMARY can't be written: {error}") from error
    if args.benchmark_json:
        for name, bigger in (("bigger", True), ("smaller", False)):
            path = args.benchmark_json / f"{name}-is-better.json"
            write("--benchmark-json", path, benchmark_json(result, bigger_is_better=bigger))
    if args.html:
        from dataclasses import replace

        from tttbench.gate.same_recipe import with_baseline_recipes
        from tttbench.pages.comparison import comparison_page

        now = replace(now, snapshot=with_baseline_recipes(baseline.snapshot, now.snapshot)[0])
        write("--html", args.html, comparison_page(result, baseline, now, args.html))


def _step_summary() -> Path:
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        raise UserError(
            "--github: GITHUB_STEP_SUMMARY isn't set, so this is no step of GitHub Actions; use --markdown."
        )
    return Path(path)


def pairs(values: Sequence[str], run: Snapshot, baseline: Snapshot) -> dict[str, str]:
    """Read ``--match NEW=OLD``: labels may hold equals signs, so the sign is the one with a known label on each side.

    Raises:
        UserError: no such split; names the labels that come near.
    """
    found = {}
    for value in values:
        splits = [(value[:at], value[at + 1 :]) for at, character in enumerate(value) if character == "="]
        if not splits:
            raise UserError(f"--match {value}: must be NEW=OLD, e.g. ttt:/models/new=ttt:/models/old.")
        fitting = [(new, old) for new, old in splits if new in run.systems and old in baseline.systems]
        if not fitting:
            new, old = next((split for split in splits if split[0] in run.systems), splits[0])
            side, name, known = ("baseline", old, baseline) if new in run.systems else ("run", new, run)
            raise UserError(f"--match {value}: the {side} has no {name!r}. {did_you_mean(name, known.systems)}")
        found[fitting[0][0]] = fitting[0][1]
    return found


def _report(line: str) -> None:
    print(line, file=sys.stderr)
