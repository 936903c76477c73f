"""``[[ablate]]`` of a suite: one system, and beside it the same system with one thing switched off a row.

Knows the switches and the settings they stand for; whether a switch changes a system is for whoever knows the system.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from tttbench.core.errors import did_you_mean
from tttbench.core.json_values import JsonObject
from tttbench.core.tables import Check, Document, Name

OFF: Mapping[str, JsonObject] = {
    "cfg": {"cfg": 0.0},
    "cache": {"cache": "none"},
    "steps": {"steps_per_block": 1},
    "prompt_audio": {"prompt_audio": "causal"},
    "forbid_non_audio": {"forbid_non_audio": False},
    "forbid_audio_in_text": {"forbid_audio_in_text": False},
    "text_sampling": {"text_temperature": 0.0},
    "audio_sampling": {"audio_temperature": 0.0},
}
"""What can be switched off, and the decode settings with which it is off."""


@dataclass(frozen=True)
class AblateEntry:
    """An ``[[ablate]]`` table: the label of a system, and what is switched off, each in a system of its own."""

    base: Name
    off: Annotated[tuple[Name, ...], Check(fewest=1, unique=True, fix='name switches, e.g. off = ["cfg", "cache"]')]


@dataclass(frozen=True)
class Ablation:
    """One system switched off: its label, that of what it is compared with, the switch, and where that is asked for."""

    system: str
    base: str
    switch: str
    where: str


def without(base: str, switch: str) -> str:
    """Return the label of a system that ``switch`` is off in, by the label of what it is compared with."""
    return f"{base} without {switch}"


def ablations(entry: AblateEntry, at: int, labels: Sequence[str], document: Document) -> list[Ablation]:
    """Return the systems of the entry ``ablate[at]``; ``labels`` are those of the suite's ``[[systems]]``.

    Raises:
        UserError: a base that is no system, or an unknown switch.
    """
    if entry.base not in labels:
        near = did_you_mean(entry.base, labels)
        raise document.error(f"ablate[{at}].base", f"{entry.base!r} is no system of the suite. {near}")
    found = []
    for place, switch in enumerate(entry.off):
        field = f"ablate[{at}].off[{place}]"
        if switch not in OFF:
            raise document.error(field, f"{switch!r} can't be switched off. {did_you_mean(switch, OFF)}")
        found.append(Ablation(without(entry.base, switch), entry.base, switch, f"{document.source}: {field}"))
    return found
