"""Options that several verbs share, and how their values are read."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from tttbench.core.errors import UserError

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
        type=Path,
        metavar="DIR",
        help="import the Python files of DIR, which register systems, tasks or scorers; its *.toml files are suites",
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add ``--device``."""
    parser.add_argument("--device", default="auto", help="cpu, cuda, cuda:1 …; auto takes a GPU if there is one")


def include_all(folders: list[Path]) -> None:
    """Import what ``--include`` names."""
    from tttbench.core.registry import include

    for folder in folders:
        include(folder)


def resolve_device(name: str) -> str:
    """Return the device that ``name`` means; raises ``UserError`` if this machine has none such."""
    if name == "cpu":
        return name
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(f"--device {name}: not usable here ({reason.rstrip('.')}). Give --device cpu.") from error
    return name


def positive(text: str) -> int:
    """Read a whole number of 1 or more."""
    number = int(text) if text.lstrip("-").isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of 1 or more, not {text!r}")
    return number


def names(values: list[str]) -> list[str]:
    """Split comma-separated names, given once or several times."""
    return [name.strip() for value in values for name in value.split(",") if name.strip()]


def system_labels(values: list[str]) -> list[str]:
    """Split comma-separated systems, given once or several times; commas between options of a strategy don't split.

    ``["ttt:mini@par:prefix=4,refine=2,whisper:tiny.en"]`` are two systems: ``OPTION=VALUE`` alone is never one.

    Raises:
        UserError: options that stand behind no ``NAME@STRATEGY:``.
    """
    labels: list[str] = []
    for value in values:
        own: list[str] = []
        for part in names([value]):
            if not _OPTION.match(part):
                own.append(_without_brackets(part))
            elif not own or not _OPTIONED.search(own[-1]):
                before = own[-1] if own else ""
                at = before if "@" in before else f"{before or 'NAME'}@STRATEGY"
                raise UserError(f"--systems {value}: {part!r} is no system. Options follow a colon: {at}:{part}")
            else:
                own[-1] += f",{part}"
        labels += own
    return labels


def _without_brackets(label: str) -> str:
    """Return ``label``; refuse ``NAME@STRATEGY(…``."""
    found = re.search(r"(@\w+)\(([^/]*?)\)?$", label)
    if found:
        right = f"{label[: found.start()]}{found[1]}:{found[2] or 'OPTION=VALUE'}"
        raise UserError(f"--systems {label}: options stand behind a colon, without brackets: {right}")
    return label
