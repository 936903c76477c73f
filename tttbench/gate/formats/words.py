"""The outcome in words and figures, as all formats show it. Knows results, no format."""

from __future__ import annotations

import math

from tttbench.gate.verdict import Difference, GateResult, QualityVerdict, SpeedVerdict
from tttbench.scorers.words import p_text, plural

HEADINGS = {
    "pass": "Passed: nothing that gates is worse.",
    "regression": "Failed: worse than the baseline.",
    "invalid": "No verdict: a run is not fit for it.",
    "not comparable": "No verdict: the runs can't be compared.",
}


def heading(result: GateResult) -> str:
    """One line that says how it ended."""
    if result.state == "pass":
        open_ = sum(one.gates and one.verdict == "cannot tell" for one in result.verdicts)
        return (
            HEADINGS["pass"] if not open_ else f"Passed: nothing that gates is surely worse; for {open_} it can't tell."
        )
    return HEADINGS[result.state]


def outcome(result: GateResult) -> str:
    """How it ended, and, of what passed, what it could have seen."""
    return " ".join(filter(None, (heading(result), could_show(result))))


def could_show(result: GateResult) -> str:
    """Of a gate that passed, the smallest worsening that it would have shown of whatever gates: of the coarsest metric
    in each unit, and of the coarsest time."""
    if result.state != "pass":
        return ""
    quality = [one for one in result.quality if one.gates]
    speed = [one for one in result.speed if one.gates and not one.busy]
    gating: list[QualityVerdict | SpeedVerdict] = [*quality, *speed]
    blind = [one for one in gating if math.isnan(one.detectable)]
    found = []
    for unit in dict.fromkeys(one.info.difference_unit for one in quality):
        seen = [one for one in quality if one.info.difference_unit == unit and not math.isnan(one.detectable)]
        if seen:
            coarsest = max(seen, key=lambda one: one.info.shown(one.detectable))
            size = f"{quality_value(coarsest, coarsest.detectable)} {unit}".strip()
            found.append(f"{size} ({_of(coarsest)})")
    if timed := [one for one in speed if not math.isnan(one.detectable)]:
        slowest = max(timed, key=lambda one: one.detectable)
        found.append(f"a factor of {slowest.detectable:.2f} ({_of(slowest)})")
    power = f"with a power of {100 * result.power:g} %"
    told = f"Smallest worsening that it would have shown, {power}: {', '.join(found)}." if found else ""
    more = f" and {len(blind) - 1} more" if len(blind) > 1 else ""
    unseen = f"So few samples would have shown no worsening of {_of(blind[0])}{more}." if blind else ""
    return " ".join(filter(None, (told, unseen)))


def _of(one: QualityVerdict | SpeedVerdict) -> str:
    units = _units(one) if isinstance(one, QualityVerdict) else ""
    name = one.metric if isinstance(one, QualityVerdict) else one.figure
    return f"{name} of {one.system} on {one.task}, n = {one.n}{units}"


def where(one: QualityVerdict | SpeedVerdict) -> str:
    """Which metric or figure: ``SYSTEM · TASK · NAME``."""
    return f"{one.system} · {one.task} · {one.metric if isinstance(one, QualityVerdict) else one.figure}"


def quality_value(one: QualityVerdict, value: float, *, signed: bool = False) -> str:
    """A value of the metric in its unit, which is left to the caller."""
    return one.info.text(value, signed=signed)


def speed_value(one: SpeedVerdict, value: float) -> str:
    """A time in milliseconds or seconds, or a plain number."""
    if one.unit != "s":
        return f"{value:.3g}"
    return f"{1000 * value:.0f} ms" if value < 1 else f"{value:.2f} s"


def difference_text(one: QualityVerdict | SpeedVerdict) -> str:
    """The difference with its interval, or the factor with its."""
    if isinstance(one, SpeedVerdict):
        return f"{one.factor:.2f} times [{one.low:.2f}, {one.high:.2f}]"
    figures = [quality_value(one, value, signed=True) for value in (one.difference, one.low, one.high)]
    return figures[0] if math.isnan(one.low) else f"{figures[0]} [{figures[1]}, {figures[2]}]"


_BEGINNINGS = ("the same: ", "the same ", "can't tell: ", "can't tell ", "worse ", "better ", "slower ", "faster ")


def sentence(one: QualityVerdict | SpeedVerdict, *, named: bool = True) -> str:
    """What the verdict means, in a sentence; without its name where that stands beside it."""
    text = _of_speed(one) if isinstance(one, SpeedVerdict) else _of_quality(one)
    return text if named else text[max(len(begin) for begin in _BEGINNINGS if text.startswith(begin)) :]


def _of_quality(one: QualityVerdict) -> str:
    margin = quality_value(one, one.margin)
    points = f" {one.info.difference_unit}" if one.info.difference_unit else ""
    if one.verdict == "same":
        if one.is_identical:
            each = "the only sample" if one.n == 1 else f"each of {one.n} samples"
            return f"the same: {each} scores as before{_could_show(one, points)}"
        return f"the same within {margin}{points}{_could_show(one, points)}"
    if one.verdict in ("worse", "better"):
        coins = "" if one.only_baseline is None else f", {one.only_baseline} lost and {one.only_run} won"
        return f"{one.verdict} (p = {p_text(one.p_value if one.p_adjusted is None else one.p_adjusted)}{coins})"
    without = f", {one.n_unknown} more without a value" if one.n_unknown else ""
    return f"can't tell with n = {one.n}{without}{_units(one)}{_looks(one)}{_could_show(one, points)}"


def _looks(one: QualityVerdict) -> str:
    """What a reader sees in the interval all the same; where there is none, in the test by itself."""
    if one.low <= 0 <= one.high or (math.isnan(one.low) and not one.p_value <= 0.05):
        return ""
    looks = "worse" if (one.difference > 0) == one.lower_is_better else "better"
    p_value = one.p_value if one.p_adjusted is None else one.p_adjusted
    among = "" if one.p_adjusted is None else " among all that gate"
    return f" (looks {looks}, but p = {p_text(p_value)}{among})"


def _units(one: QualityVerdict) -> str:
    return f" in {plural(one.n_units, one.cluster)}" if one.n_units != one.n else ""


def _could_show(one: QualityVerdict, points: str) -> str:
    if math.isnan(one.detectable):
        return "; so few would show no worsening at all"
    pieces = f"{one.cluster}s" if one.n_units != one.n else "answers" if one.info.aggregation == "rate" else ""
    even = f", even if it is whole {pieces} that are lost," if pieces else ""
    return f"; the smallest worsening that it would show{even} is {quality_value(one, one.detectable)}{points}"


def _of_speed(one: SpeedVerdict) -> str:
    if one.busy:
        return f"can't tell: {one.busy}"
    if one.verdict == "same":
        return f"the same within a factor of {one.limit:g}{_could_show_factor(one)}"
    p_value = p_text(one.p_value if one.p_adjusted is None else one.p_adjusted)
    if one.verdict == "worse":
        return f"slower (p = {p_value}, limit {one.limit:g} times)"
    if one.verdict == "better":
        return f"faster (p = {p_value})"
    return f"can't tell with n = {one.n}{_could_show_factor(one)}"


def _could_show_factor(one: SpeedVerdict) -> str:
    if math.isnan(one.detectable):
        return "; so few would show no factor at all"
    return f"; the smallest factor that it would show is {one.detectable:.2f} times"


def difference_line(one: Difference) -> str:
    """A field that differs: what it is in both, and what to do."""
    place = f" ({one.where})" if one.where else ""
    known = f"{one.field}{place}: baseline {one.baseline or 'none'}, run {one.run or 'none'}."
    return f"{known} Allowed by --allow {one.field}." if one.allowed else f"{known} {one.fix[0].upper()}{one.fix[1:]}."
