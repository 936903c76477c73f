"""What has been measured, part by part, and the file that keeps it: parts may come from different days and runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.curve import Curve, Point
from benchmarks.machine import Machine
from benchmarks.timing import Compared
from reference_model.roofline import Ceilings
from tttbench.stats.median import MedianInterval


class RecordError(Exception):
    """The file can't be added to; the message says why and what to do."""


@dataclass(frozen=True)
class Part:
    """One comparison, or the curve, with what a reader needs to judge and to repeat it.

    Attributes:
        name: as ``--only`` takes it.
        began: date and time in UTC, ISO 8601.
        took_s: seconds, making the models excluded.
        command: that ran it, perhaps among other parts.
        machine: where.
        found: the outcome.
    """

    name: str
    began: str
    took_s: float
    command: str
    machine: Machine
    found: Compared | Curve


@dataclass(frozen=True)
class Record:
    """Parts by name, all of one shape of the large model."""

    shape: str
    parts: Mapping[str, Part]

    def with_part(self, part: Part, order: tuple[str, ...]) -> Record:
        """The same with ``part`` in place of an older one of its name, in the given order of names."""
        parts = {**self.parts, part.name: part}
        return replace(self, parts={name: parts[name] for name in order if name in parts})

    @property
    def compared(self) -> dict[str, Compared]:
        """The comparisons among the parts."""
        return {name: part.found for name, part in self.parts.items() if isinstance(part.found, Compared)}

    @property
    def curve(self) -> Curve | None:
        """The curve, if it is among the parts."""
        return next((part.found for part in self.parts.values() if isinstance(part.found, Curve)), None)

    def to_json(self) -> dict[str, Any]:
        """As plain values; ``ratios`` holds the medians."""
        parts = {}
        for name, part in self.parts.items():
            kind = "curve" if isinstance(part.found, Curve) else "comparison"
            plain = asdict(part)
            parts[name] = {**{key: plain[key] for key in plain if key not in ("name", "found")}, kind: plain["found"]}
        return {
            "benchmark": "decoding",
            "shape": self.shape,
            "ratios": {name: one.ratio.median for name, one in self.compared.items()},
            "parts": parts,
        }


def load_record(path: Path, shape: str) -> Record:
    """Read what was measured before; an empty record where nothing was.

    Raises:
        RecordError: if the file isn't such a record, or one of another shape.
    """
    if not path.exists():
        return Record(shape, {})
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        record = Record(plain["shape"], {name: _part(name, part) for name, part in plain["parts"].items()})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RecordError(f"{path}: not a record of this benchmark ({error!r}); move it away") from error
    if record.shape != shape:
        raise RecordError(f"{path}: holds shape {record.shape!r}, not {shape!r}; save to another folder")
    return record


def save_record(path: Path, record: Record) -> None:
    """Write the file as a whole, so that a run that is stopped leaves the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(record.to_json(), indent=1) + "\n", encoding="utf-8")
    partial.replace(path)


def _part(name: str, plain: Mapping[str, Any]) -> Part:
    return Part(
        name=name,
        began=plain["began"],
        took_s=plain["took_s"],
        command=plain["command"],
        machine=Machine(**plain["machine"]),
        found=_curve(plain["curve"]) if "curve" in plain else _compared(plain["comparison"]),
    )


def _compared(plain: Mapping[str, Any]) -> Compared:
    intervals = {key: MedianInterval(**plain[key]) for key in ("slow_s", "fast_s", "ratio")}
    return Compared(**{**plain, **intervals})


def _curve(plain: Mapping[str, Any]) -> Curve:
    points = (Point(**{**point, "seconds": MedianInterval(**point["seconds"])}) for point in plain["points"])
    return Curve(Ceilings(**plain["ceilings"]), tuple(points))
