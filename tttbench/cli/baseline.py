"""``tttbench baseline save|list|show|promote``: runs exported as small files, to be compared with later."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from tttbench.cli.options import a_path
from tttbench.core.errors import UserError

if TYPE_CHECKING:
    from tttbench.core.json_values import JsonObject
    from tttbench.gate.rules import Rules

HELP = "export runs as baselines, and see to them"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the actions and their options."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)

    save = actions.add_parser("save", help="export a run")
    save.add_argument("run_dir", type=a_path, metavar="RUN", help="run directory")
    save.add_argument("--name", default="main", help="of the baseline (default: main)")
    save.add_argument("--force", action="store_true", help="replace a baseline of that name without comparing")
    _shared(save, _save)

    listing = actions.add_parser("list", help="list the saved baselines, and which of them are stale")
    _shared(listing, _list)

    show = actions.add_parser("show", help="show what a baseline holds")
    show.add_argument("name", metavar="NAME", help="saved baseline, or its file")
    _shared(show, _show)

    promote = actions.add_parser("promote", help="put a run in a baseline's place, if the gate lets it")
    promote.add_argument("run_dir", metavar="RUN", help="run directory, or exported file")
    promote.add_argument("--name", default="main", help="of the baseline (default: main)")
    promote.add_argument("--speed", choices=("auto", "required", "off"), help="instead of the rules' mode")
    promote.add_argument(
        "--allow", action="append", default=[], metavar="FIELD", help="compare although FIELD differs; is recorded"
    )
    promote.add_argument("--accept", default="", metavar="REASON", help="although the gate doesn't pass; is recorded")
    promote.add_argument(
        "--match", action="append", default=[], metavar="NEW=OLD", help="the run's system NEW is the baseline's OLD"
    )
    _shared(promote, _promote)


def _shared(parser: argparse.ArgumentParser, action: object) -> None:
    parser.add_argument("--folder", type=a_path, default=None, metavar="DIR", help="of baselines (default: baselines)")
    parser.add_argument("--rules", type=a_path, metavar="FILE", help="TOML file with thresholds (docs/gate.md)")
    parser.add_argument("--json", action="store_true", help="the last line of stdout is one JSON document")
    parser.set_defaults(action=action)


def run(args: argparse.Namespace) -> int:
    """Do what is asked."""
    return int(args.action(args))


def _save(args: argparse.Namespace) -> int:
    from tttbench.gate.baseline_file import write_baseline
    from tttbench.gate.from_run import snapshot_of
    from tttbench.gate.valid import problems

    path = _folder(args) / f"{_checked_name(args.name)}.json"
    if path.exists() and not args.force:
        raise UserError(
            f"{path}: there already; 'tttbench baseline promote {args.run_dir} --name {args.name}' replaces it "
            "if the gate passes, --force in any case."
        )
    snapshot = snapshot_of(args.run_dir)
    found = problems(snapshot, _rules(args))
    if found:
        raise UserError("not saved, because a baseline must pass its own checks: " + " ".join(found))
    write_baseline(path, snapshot)
    return _done(args, path, f"Baseline {args.name}: {path} ({path.stat().st_size / 1000:.0f} kB)")


def _list(args: argparse.Namespace) -> int:
    from tttbench.cli.columns import columns
    from tttbench.core.serialize import to_json
    from tttbench.gate.baseline_file import read_baseline
    from tttbench.gate.stale import staleness

    folder = _folder(args)
    rows = [["name", "suite", "made", "systems", "tasks", "samples", "stale because"]]
    entries: list[JsonObject] = []
    for path in sorted(folder.glob("*.json")):
        try:
            baseline = read_baseline(path)
        except UserError as error:
            rows.append([path.stem, *["-"] * 5, str(error)])
            entries.append({"name": path.stem, "error": str(error)})
            continue
        snapshot, reasons = baseline.snapshot, staleness(baseline)
        counts = [len(snapshot.systems), len(snapshot.tasks), snapshot.answered]
        rows.append([path.stem, snapshot.suite, snapshot.made_at[:10], *map(str, counts), "; ".join(reasons) or "-"])
        entries.append({"name": path.stem, "made_at": snapshot.made_at, "suite": snapshot.suite, "stale": reasons})
    print(columns(rows, right=frozenset((3, 4, 5))) if entries else f"{folder} holds no baselines.")
    if args.json:
        print(to_json({"status": "done", "baselines": entries}))
    return 0


def _show(args: argparse.Namespace) -> int:
    from tttbench.cli.columns import columns
    from tttbench.core.serialize import to_json
    from tttbench.gate.baseline_file import read_baseline
    from tttbench.gate.stale import staleness
    from tttbench.scorers.paired import is_known

    path = Path(args.name) if os.path.isfile(args.name) else _folder(args) / f"{args.name}.json"
    baseline = read_baseline(path)
    snapshot, reasons = baseline.snapshot, staleness(baseline)
    machine = snapshot.machine
    device = ", ".join(str(fact or None) for fact in (machine.device, machine.processor, machine.cores))
    print(f"{path}: suite {snapshot.suite}, seed {snapshot.seed}, {snapshot.made_at}, tttbench {baseline.written_by}")
    print(f"{device}; transcriber: {', '.join(snapshot.transcribers) or 'none'}")
    for label, facts in snapshot.systems.items():
        print(f"system {label}: {facts.name} {facts.strategy}, weights {facts.weights[:16] or 'unknown'}")
    rows = [["system", "task", "metric", "value", "n", "not ok"]]
    for metric in snapshot.metrics:
        known = [one for one in metric.outcomes.values() if is_known(one)]
        total = sum(one.denominator for one in known)
        value = sum(one.numerator for one in known) / total if total else float("nan")
        shown = f"{metric.info.text(value)} {metric.info.unit}".strip()
        not_ok = sum(one.status != "ok" for one in metric.outcomes.values())
        rows.append([metric.system, metric.task, metric.name, shown, str(len(metric.outcomes)), str(not_ok)])
    print(columns(rows, right=frozenset((3, 4, 5))))
    for one in baseline.promotions:
        reason = f", accepted because: {one.reason}" if one.reason else ""
        print(f"promoted {one.at} from {one.source}: gate said {one.verdict}{reason}")
    for why in reasons:
        print(f"stale: {why}")
    if args.json:
        print(to_json({"status": "done", "file": str(path), "stale": reasons, "promotions": baseline.promotions}))
    return 0


def _promote(args: argparse.Namespace) -> int:
    from dataclasses import replace
    from datetime import UTC, datetime

    from tttbench.cli.gate import pairs
    from tttbench.cli.options import chosen
    from tttbench.core.serialize import to_json
    from tttbench.gate.baseline_file import read_baseline, write_baseline
    from tttbench.gate.baseline_form import Promotion
    from tttbench.gate.decide import gate, renamed
    from tttbench.gate.formats.words import difference_line, heading, sentence, where
    from tttbench.gate.sources import find_source
    from tttbench.gate.valid import problems

    folder = _folder(args)
    path = folder / f"{_checked_name(args.name)}.json"
    old = read_baseline(path)
    rules = _rules(args) if args.speed is None else replace(_rules(args), speed=args.speed)
    given = find_source(args.run_dir, folder).snapshot
    snapshot = renamed(given, pairs(args.match, given, old.snapshot))
    result = gate(old.snapshot, snapshot, rules, allow=chosen("--allow", args.allow))
    # A baseline must pass its own checks, whatever the reason.
    if result.exit_code and (not args.accept or problems(snapshot, rules)):
        print(heading(result))
        for line in result.problems:
            print(f"invalid: {line}")
        for difference in result.differences:
            print(difference_line(difference))
        for one in result.worse:
            print(f"{where(one)}: {sentence(one)}")
        print(f"Not promoted; {path} stays. What is fit can replace it anyway: --accept 'REASON'.")
        if args.json:
            print(to_json({"status": result.state, "exit_code": result.exit_code, "file": str(path)}))
        return result.exit_code
    now = datetime.now(UTC).isoformat(timespec="seconds")
    verdict = " ".join([result.state, *(f"(--allow {one.field})" for one in result.differences if one.allowed)])
    promotion = Promotion(now, snapshot.source, verdict, args.accept if result.exit_code else "")
    write_baseline(path, snapshot, (promotion, *old.promotions))
    return _done(args, path, f"Baseline {args.name} is now {snapshot.source}: {path}")


def _done(args: argparse.Namespace, path: Path, line: str) -> int:
    from tttbench.core.serialize import to_json

    print(line)
    if args.json:
        print(to_json({"status": "done", "file": str(path)}))
    return 0


def _folder(args: argparse.Namespace) -> Path:
    from tttbench.gate.sources import FOLDER

    return Path(args.folder or FOLDER)


def _rules(args: argparse.Namespace) -> Rules:
    from tttbench.gate.rules import Rules, read_rules

    return Rules() if args.rules is None else read_rules(args.rules)


def _checked_name(name: str) -> str:
    if not name or any(character in name for character in "/\\") or name.startswith("."):
        raise UserError(f"--name {name}: must be a plain file name, without its ending.")
    return name
