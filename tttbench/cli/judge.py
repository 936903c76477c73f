"""``tttbench judge check|sample|correct``: is a judge usable, and what do a person's labels make of its verdicts."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from tttbench.cli import judge_sheets

if TYPE_CHECKING:
    from tttbench.core.judging import JudgeSettings
    from tttbench.derive.judge.checking import JudgeCheck, Share

HELP = "check a judge on answers whose verdict is known, and correct results by a person's labels"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the actions and their options."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    check = actions.add_parser("check", help="grade a small shipped set: is the judge usable?")
    check.add_argument("judge", metavar="JUDGE", help="openai_chat:MODEL; the server is that of OPENAI_BASE_URL")
    check.add_argument("--recipe", default="judge-binary", help="the prompt (default: judge-binary)")
    check.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="OPTION=VALUE",
        help="an option of scores by a judge, such as temperature=0.5 (default: votes=3)",
    )
    check.add_argument("--json", action="store_true", help="the last line of stdout is one JSON document")
    check.set_defaults(action=_check)
    judge_sheets.configure(actions)


def run(args: argparse.Namespace) -> int:
    """Do what is asked."""
    return int(args.action(args))


def settings_of(args: argparse.Namespace) -> JudgeSettings:
    """Return the judge that ``judge check`` names."""
    from tttbench.core.errors import UserError, did_you_mean
    from tttbench.core.judging import OPTIONS, JudgeSettings

    options = {"votes": "3", "recipe": args.recipe}
    for one in args.set:
        name, equals, value = one.partition("=")
        if not equals or name not in OPTIONS or name in ("judge", "recipe"):
            known = [option for option in OPTIONS if option not in ("judge", "recipe")]
            told = name if equals or name in OPTIONS else "…"  # else it may be a key
            raise UserError(f"--set {told:.60}: must be OPTION=VALUE. {did_you_mean(name, known)}")
        options[name] = value
    found = JudgeSettings.of("judge check", {**options, "judge": args.judge})
    if found.scale.of != "answer":
        raise UserError(
            f"--recipe {args.recipe}: grades {found.scale.of}s, and the check's set holds answers to questions."
        )
    if found.scale.shows:
        raise UserError(
            f"--recipe {args.recipe}: needs the {found.scale.shows} that was asked for, which the check's set lacks."
        )
    return found


def _check(args: argparse.Namespace) -> int:
    from tttbench.cli.progress_bars import ProgressDisplay
    from tttbench.core.interrupts import stoppable
    from tttbench.core.judging import deriver_title
    from tttbench.core.serialize import to_json
    from tttbench.core.system import SystemOptions
    from tttbench.derive.judge.checking import check_items, checked, need_of
    from tttbench.pipeline.deriving import deriver_spec
    from tttbench.pipeline.executors import executor
    from tttbench.pipeline.jobs import DeriveItem, WorkerSpec
    from tttbench.pipeline.progress import Work

    settings = settings_of(args)
    needs = {need_of(item, settings).input_sha256: item for item in check_items()}
    work = Work(deriver_title(settings.deriver), len(needs))
    made = {}
    spec = deriver_spec(settings.deriver, SystemOptions(), WorkerSpec.timeout_s)
    with stoppable(), ProgressDisplay() as display, executor("serial").open(spec) as opened:
        display.planned([work])
        display.started(work)
        for batch in opened.derive([DeriveItem(need_of(item, settings)) for item in needs.values()]):
            for done in batch:
                made[needs[done.need.input_sha256].id] = done.derived
            display.advanced(len(batch), sum(done.derived.status == "failed" for done in batch))
        display.finished()
    found = checked(settings, made)
    print(check_text(found))
    if args.json:
        print(to_json(found))
    return 0 if found.usable else 1


def check_text(found: JudgeCheck) -> str:
    """Write what came of a check for a terminal."""
    from tttbench.cli.columns import columns
    from tttbench.pages.labels import cost_words

    rows = [["answers that are", "graded as they should be", "95 % interval", "without a verdict"]]
    for title, one in (
        *((kind.title, kind) for kind in found.kinds),
        ("right, all kinds", found.right),
        ("not right, all kinds", found.other),
    ):
        rows.append([title, *_cells(one)])
    lines = [columns(rows, right=frozenset({1, 3})), ""]
    if found.votes > 1:
        agreement, low, high = found.self_agreement, found.self_agreement_low, found.self_agreement_high
        lines.append(
            f"Agreement with itself over {found.votes} votes: {agreement:.1%} of pairs [{low:.1%}, {high:.1%}]."
        )
    alias = found.with_alias
    lines.append(f"Agreement with contains-alias, which knows no meaning: {alias.value:.1%} {_interval(alias)}.")
    if cost := cost_words(found.cost):
        lines.append(f"Cost: {', '.join(cost)}.")
    lines += [f"Without a verdict: {error}" for error in found.errors[:3]]
    if found.usable:
        lines.append(f"{found.judge} with {found.prompt} is usable. How far it is off on your task, labels tell:")
        lines.append("  tttbench judge sample RUN --n 100")
    else:
        lines.append(f"{found.judge} with {found.prompt} is NOT shown to be usable: {'; '.join(found.reasons)}.")
    return "\n".join(lines)


def _cells(one: Share) -> list[str]:
    return [f"{one.hits} of {one.n}", _interval(one), str(one.failed) if one.failed else ""]


def _interval(one: Share) -> str:
    return f"[{one.ci_low:.1%}, {one.ci_high:.1%}]" if one.n else "-"
