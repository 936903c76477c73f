"""Words that the field has better ones for become fewer: their number in each file may fall, and never rise.

``tests/words.json`` holds what is left. Whoever removes some writes it anew with ``python tests/test_words.py``, which
refuses to raise a number. Words that also mean something else (a code point, to answer a request) are not counted.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEFT = ROOT / "tests" / "words.json"

BETTER = {
    "transcriber, transcript": r"ears|heard|hears|hearing|misheard",
    "spoken, text-speech gap": r"aloud",
    "reference audio, topline": r"true recordings?",
    "fix": r"mend|mends|mended|mending",
    "paired permutation test": r"swap tests?",
    "interleaved": r"(?<!turn )(?<!content )in turns",
    "machine load": r"peace|peaceful|quiet (?:machine|run)s?",
    "calibration time": r"pace|paces",
    "dominates, Pareto front": r"beats|beaten|who beats whom|at its price",
    "primary metric": r"headlines?",
    "command": r"verbs?",
    "chunk": r"packets?",
    "TTFA": r"first sound",
    "prefill": r"prompt read",
    "progress reporter": r"(?<!event )listeners?",
    "invalid": r"can't be meant|cannot be meant",
    "a resumed run": r"gone on with",
    "stale": r"had better not",
    "warm-up": r"answers for nothing",
}
"""What to write, and the words in whose place; whole words, in names too."""

FOLDERS = ("tttbench", "reference_model", "reports", "tasks", "docs", "benchmarks")
SUFFIXES = {".py", ".md", ".toml", ".j2", ".js", ".css"}
OLD_NAMES = (
    "CHANGELOG.md",
    "docs/change_a_plugin.md",
    "tttbench/store/format2/",
    "tttbench/gate/baseline_format1.py",
    "benchmarks/results/",
)
"""Files that tell old names from new ones, read what was written with them, or are results of their day."""

_PATTERN = re.compile(rf"(?<![a-z])(?:{'|'.join(BETTER.values())})(?![a-z])")


def counted() -> dict[str, int]:
    """Words by file, for files that have any."""
    paths = [*ROOT.glob("*.md"), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*"))]
    found: Counter[str] = Counter()
    for path in sorted(paths):
        name = path.relative_to(ROOT).as_posix()
        if path.suffix in SUFFIXES and path.is_file() and not name.startswith(OLD_NAMES):
            text = re.sub(r"(?<=[a-z])(?=[A-Z])|_|\s+", " ", path.read_text(encoding="utf-8")).lower()
            found[name] = len(_PATTERN.findall(text))
    return {name: number for name, number in found.items() if number}


def test_no_file_has_more_of_them() -> None:
    left = json.loads(LEFT.read_text())
    more = {name: (left.get(name, 0), number) for name, number in counted().items() if number > left.get(name, 0)}
    assert not more, f"words that the field has better ones for (before, now): {more}; see BETTER in {__file__}"


def test_what_is_gone_stays_gone() -> None:
    found = counted()
    fewer = {name for name, number in json.loads(LEFT.read_text()).items() if found.get(name, 0) < number}
    assert not fewer, f"fewer are left in {sorted(fewer)}: keep that with python tests/test_words.py"


def _write() -> int:
    left, found = json.loads(LEFT.read_text()) if LEFT.exists() else None, counted()
    more = [name for name, number in found.items() if left is not None and number > left.get(name, 0)]
    if more:
        print(f"more of them than before in {', '.join(more)}", file=sys.stderr)
        return 1
    LEFT.write_text(json.dumps(found, indent=1) + "\n")
    print(f"{sum(found.values())} words in {len(found)} files")
    return 0


if __name__ == "__main__":
    sys.exit(_write())
