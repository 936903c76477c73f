"""The thresholds of a gate: defaults that need no file, and a TOML file that changes them, checked field by field.

Knows names of metrics, figures and tasks as text; compares nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from tttbench.core.json_values import JsonObject
from tttbench.core.tables import Check, Document, Share, key_step, read_table
from tttbench.data.documents import read_toml, renamed
from tttbench.probes.machine_load import IdleLimits

T = TypeVar("T", bound="QualityChange | SpeedChange")
V = TypeVar("V")

SpeedMode = Literal["auto", "required", "off"]

SPEED_FIGURES = ("ttft", "ttfa_wave", "rtf", "rtf_input")
"""Figures that gate by default: how long until something comes, and whether it keeps up with real time."""


@dataclass(frozen=True)
class QualityRule:
    """When a metric of quality has become worse.

    Attributes:
        gates: whether a worsening fails the gate; by default only that of a task's primary metric does.
        worse_by_more_than: smallest worsening that counts, in the metric's own unit (0.01 of an accuracy or an error
            rate is one point); within it on either side, values are the same.
        must_be_ok: whether every single request has to end ok for this metric, or the run is invalid.
    """

    gates: bool
    worse_by_more_than: float = 0.01
    must_be_ok: bool = False


@dataclass(frozen=True)
class SpeedRule:
    """When a figure of speed has become worse: ``factor`` times as large, or more; within it, it is the same."""

    gates: bool
    factor: float = 1.1


Amount = Annotated[float, Check(least=0)]


@dataclass(frozen=True)
class QualityChange:
    """What a section of ``[quality]`` changes of a ``QualityRule``; None: nothing."""

    gates: bool | None = None
    worse_by_more_than: Amount | None = None
    must_be_ok: bool | None = None

    def made_to(self, rule: QualityRule) -> QualityRule:
        """The rule with what the section gives."""
        return QualityRule(
            gates=_given(self.gates, rule.gates),
            worse_by_more_than=_given(self.worse_by_more_than, rule.worse_by_more_than),
            must_be_ok=_given(self.must_be_ok, rule.must_be_ok),
        )


@dataclass(frozen=True)
class SpeedChange:
    """What a section of ``[speed]`` changes of a ``SpeedRule``; None: nothing."""

    gates: bool | None = None
    factor: Annotated[float, Check(least=1)] | None = None

    def made_to(self, rule: SpeedRule) -> SpeedRule:
        """The rule with what the section gives."""
        return SpeedRule(gates=_given(self.gates, rule.gates), factor=_given(self.factor, rule.factor))


def _given(value: V | None, default: V) -> V:
    return default if value is None else value


@dataclass(frozen=True)
class Rules:
    """All thresholds.

    Attributes:
        alpha: two-sided error of all tests together (Holm): half of it is the chance of a false alarm.
        power: with which the smallest detectable difference is found.
        resamples: of the bootstrap intervals, and draws of the permutation test.
        seed: of both.
        max_errors, max_derivation_failed: largest share of requests, or of a metric's scores, that may end so.
        speed: ``"auto"`` leaves the speed undecided where a machine was busy, ``"required"`` then fails, ``"off"``
            doesn't look at it.
        max_calibration_difference: largest share by which the machine's calibration time may differ between the runs.
        max_others_cores: most cores that other processes may keep busy on average.
        quality: by ``TASK.METRIC``, ``METRIC``, or ``""`` for the rest.
        figures: by ``TASK.FIGURE``, ``FIGURE``, or ``""`` for the factor of the rest.
    """

    alpha: float = 0.02
    power: float = 0.95
    resamples: int = 10_000
    seed: int = 1
    max_errors: float = 0.0
    max_derivation_failed: float = 0.01
    speed: SpeedMode = "auto"
    max_calibration_difference: float = IdleLimits.max_calibration_difference
    max_others_cores: float = IdleLimits.max_others_cores
    quality: Mapping[str, QualityChange] = field(default_factory=dict)
    figures: Mapping[str, SpeedChange] = field(default_factory=dict)

    def of_metric(self, task: str, metric: str, *, is_primary: bool) -> QualityRule:
        """The rule of a metric, its ``gates`` decided."""
        rule = QualityRule(gates=is_primary)
        for change in _layers(self.quality, task, metric):
            rule = change.made_to(rule)
        return rule

    def of_figure(self, task: str, figure: str) -> SpeedRule:
        """The rule of a figure of speed."""
        rule = SpeedRule(gates=figure in SPEED_FIGURES)
        for change in _layers(self.figures, task, figure):
            rule = change.made_to(rule)
        return rule


@dataclass(frozen=True)
class _Valid:
    """``[valid]``."""

    max_errors: Share = Rules.max_errors
    max_derivation_failed: Share = Rules.max_derivation_failed


@dataclass(frozen=True)
class _Speed(SpeedChange):
    """``[speed]`` without the tables of single figures."""

    mode: SpeedMode = Rules.speed
    max_calibration_difference: Amount = Rules.max_calibration_difference
    max_others_cores: Amount = Rules.max_others_cores


@dataclass(frozen=True)
class _File:
    """The whole file."""

    alpha: Annotated[float, Check(above=0, below=1)] = Rules.alpha
    power: Annotated[float, Check(above=0, below=1)] = Rules.power
    resamples: Annotated[int, Check(least=100, most=10**9)] = Rules.resamples
    seed: Annotated[int, Check(least=0)] = Rules.seed
    valid: _Valid = field(default_factory=_Valid)
    speed: JsonObject = field(default_factory=dict)
    quality: JsonObject = field(default_factory=dict)


def read_rules(path: Path) -> Rules:
    """Read thresholds from a TOML file (``docs/gate.md``); what it doesn't name stays as it is by default.

    Raises:
        UserError: not readable, or an unknown or impossible field; names file and field.
    """
    document = read_toml(path)
    given = read_table(_File, _renamed(document))
    speed, figures = _split(given.speed)
    for_all = read_table(_Speed, Document(speed, document.source, at="speed"))
    quality, metrics = _split(given.quality)
    return Rules(
        alpha=given.alpha,
        power=given.power,
        resamples=given.resamples,
        seed=given.seed,
        max_errors=given.valid.max_errors,
        max_derivation_failed=given.valid.max_derivation_failed,
        speed=for_all.mode,
        max_calibration_difference=for_all.max_calibration_difference,
        max_others_cores=for_all.max_others_cores,
        quality={
            "": read_table(QualityChange, Document(quality, document.source, at="quality")),
            **dict(_sections(QualityChange, metrics, document, "quality")),
        },
        figures={
            "": SpeedChange(for_all.gates, for_all.factor),
            **dict(_sections(SpeedChange, figures, document, "speed")),
        },
    )


def _renamed(document: Document) -> Document:
    """The document with today's names of keys."""
    values = document.values
    if not isinstance(values, Mapping):
        return document
    made = dict(values)
    for section, old, new in (
        ("valid", "max_judge_failed", "max_derivation_failed"),
        ("speed", "max_pace_difference", "max_calibration_difference"),
    ):
        if section in made:
            made[section] = renamed(made[section], old, new, document, f"{section}.")
    return replace(document, values=made)


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


def _layers(sections: Mapping[str, T], task: str, name: str) -> list[T]:
    """The sections that hold for a metric or figure, the most particular last."""
    return [sections[key] for key in ("", name, f"{task}.{name}") if key in sections]


def _split(table: JsonObject) -> tuple[JsonObject, Mapping[str, JsonObject]]:
    """The plain fields of a table, and the tables in it, which are named after a metric, figure or task."""
    tables = {name: value for name, value in table.items() if isinstance(value, Mapping)}
    return {name: value for name, value in table.items() if name not in tables}, tables


def _sections(kind: type[T], tables: Mapping[str, JsonObject], document: Document, at: str) -> Iterator[tuple[str, T]]:
    """The changes for single metrics or figures, by ``NAME`` and by ``TASK.NAME``."""
    for name, table in tables.items():
        own, of_task = _split(table)
        if own:
            yield name, read_table(kind, Document(own, document.source, at=f"{at}.{key_step(name)}"))
        for inner, entries in of_task.items():
            where = f"{at}.{key_step(name)}.{key_step(inner)}"
            for deeper in _split(entries)[1]:
                raise document.error(f"{where}.{key_step(deeper)}", "is too deep; sections are METRIC or TASK.METRIC.")
            yield f"{name}.{inner}", read_table(kind, Document(entries, document.source, at=where))
