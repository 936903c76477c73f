"""``tttbench advantage FIRST SECOND``: two probes over batch sizes and lengths, and where the lead of one ends."""

from __future__ import annotations

import argparse
from pathlib import Path

from tttbench.cli.options import a_path

HELP = "compare two probes over batch sizes and lengths: where does an advantage end?"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("first", type=a_path, metavar="FIRST", help="folder of a probe")
    parser.add_argument("second", type=a_path, metavar="SECOND", help="folder of the other system's probe")
    parser.add_argument(
        "--out", type=a_path, default=Path("advantage.html"), metavar="FILE", help="page (default: advantage.html)"
    )
    parser.add_argument("--json", action="store_true", help="the last line of stdout is one JSON document")


def run(args: argparse.Namespace) -> int:
    """Compare, print a table, and write the page."""
    from tttbench.cli.columns import columns, number
    from tttbench.core.serialize import to_json, to_plain
    from tttbench.data.atomic import write_atomic
    from tttbench.pages.advantage import advantage_page
    from tttbench.probes.advantage import advantages, ends, read_probe

    first, second = read_probe(args.first), read_probe(args.second)
    rows = advantages(first, second)
    head = ["prompt", "answer", "batch", first.system, second.system, "times as fast", "at least", "at most", "faster"]
    names = {"first": first.system, "second": second.system, "": "open"}
    table = [
        [
            *(f"{one:,}" for one in (row.prompt_codes, row.span_codes, row.batch_size)),
            *(number(one) for one in (row.first, row.second, row.ratio, row.low, row.high)),
            names[row.faster],
        ]
        for row in rows
    ]
    print("Answers a second; prompt and answer in audio tokens.")
    print(columns([head, *table], right=frozenset(range(8))))
    sentences = ends(rows, first.system, second.system)
    for sentence in sentences:
        print(sentence)
    if first.busy or second.busy:
        print("~ The machine was busy in some of these points; measure again on an idle one.")
    write_atomic(args.out, advantage_page(first, second, rows, sentences).encode())
    print(f"Page: {args.out}")
    if args.json:
        print(to_json({"first": first.system, "second": second.system, "points": to_plain(rows), "ends": sentences}))
    return 0
