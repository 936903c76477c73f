"""The thresholds of a gate: defaults that need no file, and a TOML file that changes them, checked field by field.

Knows names of metrics, figures and tasks as text; compares nothing.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from tttbench.core.errors import UserError, did_you_mean

SpeedMode = Literal["auto", "required", "off"]

SPEED_FIGURES = ("ttft", "ttfa_wave", "rtf", "rtf_input")
"""Figures that gate by default: how long until something comes, and whether it keeps up with real time."""


@dataclass(frozen=True)
class QualityRule:
    """When a metric of quality has become worse.

    Attributes:
        gates: whether a worsening fails the gate; None: only the task's headline metric does.
        worse_by_more_than: smallest worsening that counts, in the metric's own unit (0.01 of an accuracy or an error
            rate is one point); within it on either side, values are the same.
        must_be_ok: whether every single request has to end ok for this metric, or the run is invalid.
    """

    gates: bool | None = None
    worse_by_more_than: float = 0.01
    must_be_ok: bool = False


@dataclass(frozen=True)
class SpeedRule:
    """When a figure of speed has become worse: ``factor`` times as large, or more; within it, it is the same."""

    gates: bool
    factor: float = 1.1


@dataclass(frozen=True)
class Rules:
    """All thresholds.

    Attributes:
        alpha: two-sided error of all tests together (Holm): half of it is the chance of a false alarm.
        power: with which the smallest detectable difference is found.
        resamples: of the bootstrap intervals, and draws of the swap test.
        seed: of both.
        max_errors, max_judge_failed: largest share of requests, or of a metric's scores, that may end so.
        speed: ``"auto"`` leaves the speed undecided where a machine was busy, ``"required"`` then fails, ``"off"``
            doesn't look at it.
        max_pace_difference: largest share by which the machine's own pace may differ between the runs.
        max_others_cores: most cores that other processes may keep busy on average.
        quality: by ``TASK.METRIC``, ``METRIC``, or ``""`` for the rest.
        figures: by ``TASK.FIGURE``, ``FIGURE``, or ``""`` for the factor of the rest.
    """

    alpha: float = 0.02
    power: float = 0.95
    resamples: int = 10_000
    seed: int = 1
    max_errors: float = 0.0
    max_judge_failed: float = 0.01
    speed: SpeedMode = "auto"
    max_pace_difference: float = 0.1
    max_others_cores: float = 0.2
    quality: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    figures: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def of_metric(self, task: str, metric: str, *, is_headline: bool) -> QualityRule:
        """The rule of a metric, its ``gates`` decided."""
        rule = QualityRule(**_layered(self.quality, task, metric))
        return replace(rule, gates=is_headline if rule.gates is None else rule.gates)

    def of_figure(self, task: str, figure: str) -> SpeedRule:
        """The rule of a figure of speed."""
        given = _layered(self.figures, task, figure)
        return SpeedRule(**{"gates": figure in SPEED_FIGURES, **given})


def read_rules(path: Path) -> Rules:
    """Read thresholds from a TOML file (``docs/gate.md``); what it doesn't name stays as it is by default.

    Raises:
        UserError: not readable, or an unknown or impossible field; names file and field.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UserError(f"{path}: not readable as TOML ({error}).") from error
    _known(raw, (*_TOP, "quality", "speed", "valid"), str(path))
    values: dict[str, Any] = {}
    for name, check in _TOP.items():
        if name in raw:
            values[name] = _checked(raw[name], check, f"{path}: field {name!r}")
    valid = _table(raw, "valid", path)
    _known(valid, _VALID, f"{path}: [valid]")
    for name in valid:
        values[name] = _checked(valid[name], _SHARE, f"{path}: field {name!r} of [valid]")
    speed = dict(_table(raw, "speed", path))
    for name, allowed in _SPEED.items():
        if name in speed:
            key = "speed" if name == "mode" else name
            values[key] = _checked(speed.pop(name), allowed, f"{path}: field {name!r} of [speed]")
    values["quality"] = _sections(_table(raw, "quality", path), _QUALITY, f"{path}: [quality]")
    values["figures"] = _sections(speed, _FIGURE, f"{path}: [speed]")
    return Rules(**values)


def unused_rules(rules: Rules, metrics: Sequence[tuple[str, str]], figures: Sequence[tuple[str, str]]) -> list[str]:
    """Sections of the rules that name no metric or figure of the runs: probably mistyped.

    Args:
        rules: as read.
        metrics, figures: (task, name) pairs that the runs have.
    """
    found = []
    for section, given, there in (("quality", rules.quality, metrics), ("speed", rules.figures, figures)):
        names = {name for _, name in there} | {f"{task}.{name}" for task, name in there} | {""}
        found += [f"[{section}.{name}]" for name in given if name not in names]
    return found


def _layered(sections: Mapping[str, Mapping[str, Any]], task: str, name: str) -> dict[str, Any]:
    """The most particular value of each field."""
    found: dict[str, Any] = {}
    for key in ("", name, f"{task}.{name}"):
        found |= sections.get(key, {})
    return found


@dataclass(frozen=True)
class _Check:
    kind: tuple[type, ...]
    low: float
    high: float
    what: str


_PROBABILITY = _Check((int, float), 1e-9, 1 - 1e-9, "a number between 0 and 1")
_SHARE = _Check((int, float), 0.0, 1.0, "a share from 0 to 1")
_NOT_NEGATIVE = _Check((int, float), 0.0, float("inf"), "a number of 0 or more")
_FACTOR = _Check((int, float), 1.0, float("inf"), "a factor of 1 or more")
_YES_OR_NO = _Check((bool,), 0, 1, "true or false")
_COUNT = _Check((int,), 100, 1e9, "a whole number of 100 or more")
_SEED = _Check((int,), 0, 2**63, "a whole number of 0 or more")
_MODE = ("auto", "required", "off")

_TOP = {"alpha": _PROBABILITY, "power": _PROBABILITY, "resamples": _COUNT, "seed": _SEED}
_VALID = ("max_errors", "max_judge_failed")
_SPEED: Mapping[str, _Check | tuple[str, ...]] = {
    "mode": _MODE,
    "max_pace_difference": _NOT_NEGATIVE,
    "max_others_cores": _NOT_NEGATIVE,
}
_QUALITY = {"gates": _YES_OR_NO, "worse_by_more_than": _NOT_NEGATIVE, "must_be_ok": _YES_OR_NO}
_FIGURE = {"gates": _YES_OR_NO, "factor": _FACTOR}


def _sections(table: Mapping[str, Any], checks: Mapping[str, _Check], where: str) -> dict[str, dict[str, Any]]:
    """Plain fields are for all; tables are for the metric, or ``TASK.METRIC``, that they are named after."""
    found: dict[str, dict[str, Any]] = {}

    def take(name: str, entries: Mapping[str, Any]) -> None:
        for key, value in entries.items():
            if isinstance(value, dict):
                if "." in name:
                    raise UserError(f"{where}: section {name}.{key} is too deep; write TASK.METRIC.")
                take(f"{name}.{key}" if name else key, value)
                continue
            at = f"{where}: {f'section {name!r}: ' if name else ''}"
            _known({key: value}, tuple(checks), at.rstrip(": "))
            found.setdefault(name, {})[key] = _checked(value, checks[key], f"{at}field {key!r}")

    take("", table)
    return found


def _checked(value: Any, check: _Check | tuple[str, ...], where: str) -> Any:
    if isinstance(check, tuple):
        if value not in check:
            raise UserError(f"{where} is {value!r}, expected one of {', '.join(check)}.")
        return value
    is_kind = isinstance(value, check.kind) and (isinstance(value, bool) == (bool in check.kind))
    if not is_kind or not check.low <= value <= check.high:
        raise UserError(f"{where} is {value!r}, expected {check.what}.")
    return value


def _table(raw: Mapping[str, Any], name: str, path: Path) -> Mapping[str, Any]:
    table = raw.get(name, {})
    if not isinstance(table, dict):
        raise UserError(f"{path}: {name!r} must be a section, [{name}].")
    return table


def _known(given: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    for name in given:
        if name not in known:
            raise UserError(f"{where}: unknown field {name!r}. {did_you_mean(name, known)}")
