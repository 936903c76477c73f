"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from tttbench.core.errors import UserError

if TYPE_CHECKING:
    from tttbench.core.scorer import ScoreSpec

_OPTION = re.compile(r"\w+\s*=")
"""``OPTION=…``; a system's name has a colon before any equals sign."""
_OPTIONED = re.compile(r"@[^@/]*:\s*\w+\s*=")
"""``…@STRATEGY:OPTION=…``, what more options can follow."""


def add_include(parser: argparse.ArgumentParser) -> None:
    """Add ``--include DIR``."""
    parser.add_argument(
        "--include",
        action="append",
        default=[],
        type=a_path,
        metavar="DIR",
        help="load the Python files of DIR, which register systems, scorers …; its *.toml are tasks and suites",
    )


def add_allow_outside(parser: argparse.ArgumentParser) -> None:
    """Add ``--allow-outside``."""
    parser.add_argument(
        "--allow-outside", action="store_true", help="let lists name audio outside of the folders given with --data"
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add ``--device``."""
    parser.add_argument("--device", default="auto", help="cpu, cuda, cuda:1 …; auto takes a GPU if there is one")


def add_scores(parser: argparse.ArgumentParser) -> None:
    """Add ``--add SCORE``."""
    parser.add_argument(
        "--add",
        action="append",
        default=[],
        metavar="SCORE[=ID]:OPTION=VALUE,…",
        help="a score beside the tasks' own, e.g. wer:recipe=whisper-en or spoken_accuracy:transcriber=whisper:base",
    )


def scores_of(args: argparse.Namespace) -> list[ScoreSpec]:
    """Return what ``--add`` names."""
    from tttbench.core.scores import parse_score

    return [parse_score(text, "--add") for text in args.add]


def include_all(folders: list[Path]) -> None:
    """Load what ``--include`` names."""
    from tttbench.core.registry import include

    for folder in folders:
        include(folder)


def resolve_device(name: str) -> str:
    """Return the device that ``name`` means; raises ``UserError`` if this machine has none such."""
    from tttbench.core.extras import is_installed, require

    if name == "cpu" or (name == "auto" and not is_installed("torch")):
        return "cpu"
    require("model", f"--device {name}")
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(f"--device {name}: not usable here ({reason.rstrip('.')}). Give --device cpu.") from error
    return name


def a_path(text: str) -> Path:
    """Read a path; an empty one would be the folder where one is."""
    if not text:
        raise argparse.ArgumentTypeError("must not be empty")
    return Path(text)


def positive(text: str) -> int:
    """Read a whole number of 1 or more."""
    return _whole(text, 1, "of 1 or more (below 2^63)")


def no_less_than_0(text: str) -> int:
    """Read a whole number of 0 or more."""
    return _whole(text, 0, "of 0 or more (below 2^63)")


def seed(text: str) -> int:
    """Read a whole number of 64 bits."""
    return _whole(text, -(2**63), "from -2^63 to 2^63 - 1")


def seconds(text: str) -> float:
    """Read a finite number of seconds above 0."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number of seconds above 0, not {text!r:.40}")
    return number


def _whole(text: str, lowest: int, says: str) -> int:
    # Python reads no number of thousands of digits.
    number = int(text) if text.lstrip("-").isdecimal() and len(text) < 21 else 2**63
    if not lowest <= number < 2**63:
        raise argparse.ArgumentTypeError(f"must be a whole number {says}, not {text!r:.40}")
    return number


def names(values: list[str]) -> list[str]:
    """Split comma-separated names, given once or several times."""
    return [name.strip() for value in values for name in value.split(",") if name.strip()]


def chosen(option: str, values: list[str]) -> list[str]:
    """Split likewise; raises ``UserError`` if a value names nothing: that would mean everything, or nothing."""
    for value in values:
        if not names([value]):
            raise UserError(f"{option} {value!r}: names nothing; leave the option out, or give it a name.")
    return names(values)


def system_labels(values: list[str], known: Collection[str] = ()) -> list[str]:
    """Split comma-separated systems, given once or several times; commas between options of a strategy don't split.

    ``["ttt:mini@par:prefix=4,refine=2,whisper:tiny.en"]`` are two systems: ``OPTION=VALUE`` alone is never one.

    Args:
        values: as they were given.
        known: labels of the suite, which may hold commas themselves.

    Raises:
        UserError: options that stand behind no ``NAME@STRATEGY:``.
    """
    labels: list[str] = []
    chosen("--systems", values)
    for value in values:
        own: list[str] = []
        for part in _parts(value, known):
            if part in known:
                own.append(part)
            elif not _OPTION.match(part):
                own.append(_without_brackets(part))
            elif not own or not _OPTIONED.search(own[-1]):
                before = own[-1] if own else ""
                at = before if "@" in before else f"{before or 'NAME'}@STRATEGY"
                raise UserError(f"--systems {value}: {part!r} is no system. Options follow a colon: {at}:{part}")
            else:
                own[-1] += f",{part}"
        labels += own
    return labels


def _parts(value: str, known: Collection[str]) -> list[str]:
    """Split at commas that stand in none of the ``known`` labels; of labels that begin alike the longest is meant."""
    with_commas = sorted((one for one in known if "," in one), key=len, reverse=True)
    found, rest = [], value
    while rest := rest.strip(" ,"):
        label = next((one for one in with_commas if rest == one or re.match(rf"{re.escape(one)}\s*,", rest)), "")
        part = label or rest.partition(",")[0].rstrip()
        found.append(part)
        rest = rest[len(part) :]
    return found


def _without_brackets(label: str) -> str:
    """Return ``label``; refuse ``NAME@STRATEGY(…``."""
    found = re.search(r"(@\w+)\(([^/]*?)\)?$", label)
    if found:
        right = f"{label[: found.start()]}{found[1]}:{found[2] or 'OPTION=VALUE'}"
        raise UserError(f"--systems {label}: options stand behind a colon, without brackets: {right}")
    return label
