"""How names and numbers are written on a page: units, rounding, short names, titles of latency metrics.

Of a score's metric it knows what ``MetricInfo`` says.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import parse_qsl

from tttbench.core.judging import JUDGE
from tttbench.core.metric import Comparison, Corrected, MetricInfo, Result
from tttbench.scorers import words
from tttbench.store.manifest import DerivedTotal, SystemCost

MISSING = "—"


_PROBES = {
    "prefill": ("Prefill", "Prefill"),
    "ttft": ("Time to first text token (TTFT)", "TTFT"),
    "ttfa_codes": ("Time to first audio tokens", "First audio tokens"),
    "ttfa_wave": ("Time to first audio (TTFA)", "TTFA"),
    "latency": ("Time to complete answer", "Complete"),
    "rtf": ("Real-time factor", "RTF"),
    "rtf_input": ("Real-time factor of the input", "RTF of input"),
    "nfe": ("Forward passes (NFE)", "NFE"),
    "nfe_per_code": ("Forward passes per audio token", "NFE per token"),
    "codes_per_s": ("Audio tokens per second of decoding", "Audio tokens/s"),
    "stalls": ("Stalls in playback", "Stalls"),
    "stall_s": ("Time stalled", "Stalled"),
    "peak_memory": ("Peak memory", "Peak memory"),
}
"""Latency metrics: their titles, and what stands over a column."""

_STAGES = ("rtf_input_", "rtf_")

STATUS_TITLES = {
    "ok": "ok",
    "empty": "empty",
    "unparsed": "unparsed",
    "derivation_failed": "derivation failed",
    "error": "error",
}

RUN_STATUSES = {
    "done": "done",
    "done_with_errors": "done with errors",
    "incomplete": "incomplete",
    "running": "running",
    "interrupted": "interrupted",
    "unreadable": "can't be read",
}
"""What a run's status is called, from best to worst."""


def status_count(number: int, status: str) -> str:
    """How many requests ended so, in words: "2 errors", "1 empty"."""
    return f"{number:,} {ended(number, status)}"


def ended(number: int, status: str) -> str:
    """What so many requests that ended so are called."""
    title = STATUS_TITLES.get(status, status)
    return f"{title}s" if status == "error" and number != 1 else title


def probe_title(metric: str) -> str:
    """The title of a latency metric."""
    return _PROBES[metric][0] if metric in _PROBES else metric.replace("_", " ")


def probe_head(metric: str) -> str:
    """The title of a latency metric for the head of a column."""
    return _PROBES[metric][1] if metric in _PROBES else metric.replace("_", " ")


def is_stage(metric: str) -> bool:
    """Whether a latency metric is one stage's part of a real-time factor."""
    return metric.startswith(_STAGES) and metric not in _PROBES


def stage_name(metric: str) -> str:
    """The stage whose part of a real-time factor ``metric`` is."""
    prefix = next((prefix for prefix in _STAGES if metric.startswith(prefix)), "")
    return metric.removeprefix(prefix).replace("_", " ")


def format_value(value: float | None, info: MetricInfo) -> str:
    """Write a metric's value in its unit, which is left to the caller, as ``MetricInfo.text`` does."""
    return MISSING if value is None or math.isnan(value) else _minus(info.text(value))


def together(values: Sequence[float], info: MetricInfo, *, signed: bool = False) -> tuple[str, ...]:
    """Write values that stand beside each other, as a value and its interval, with as many decimals as each other.

    Shares and points have one decimal; of anything else the largest has four significant digits, of
    differences (``signed``) three. Without a unit, a dash for NaN.
    """
    shown = [abs(info.shown(value)) for value in values if math.isfinite(value)]
    largest = max(shown, default=0.0)
    places = 0 if all(one == round(one) for one in shown) else max(0, (2 if signed else 3) - _magnitude(largest))
    texts = []
    for value in values:
        if math.isnan(value):
            texts.append(MISSING)
        elif info.unit in ("%", "points") or math.isinf(value):
            texts.append(_minus(info.text(value, signed=signed)))
        else:
            text = _minus(f"{info.shown(value):.{places}f}")
            texts.append(f"+{text}" if signed and text[0] != "\u2212" else text)
    return tuple(texts)


def behind(text: str, unit: str) -> str:
    """A number's text with its unit on the same line; without one where there is no number."""
    return f"{text}\u00a0{unit}" if unit and text != MISSING else text


def figure_of(result: Result, info: MetricInfo) -> tuple[str, str]:
    """A result as it is shown: its value with its unit, and its interval ("" without one), in the same decimals."""
    value, low, high = together((result.value, result.ci_low, result.ci_high), info)
    return behind(value, unit_of(info)), f"{low} to {high}" if MISSING not in (low, high) else ""


def _magnitude(value: float) -> int:
    """The power of ten of the first digit of a positive value as it is rounded to four digits; 0 for 0."""
    return int(f"{value:.3e}".partition("e")[2]) if value else 0


def unit_of(info: MetricInfo) -> str:
    """A metric's unit as it stands behind a value: "/min" for what is counted per minute."""
    return _per(info.unit)


def difference_unit_of(info: MetricInfo) -> str:
    """The unit of a difference, likewise."""
    return _per(info.difference_unit)


def _per(unit: str) -> str:
    return unit.removeprefix("1") if unit.startswith("1/") else unit


def direction(info: MetricInfo) -> str:
    """Which way is better, in words."""
    if info.direction != "none":
        return f"{info.direction} is better"
    return "a difference" if info.unit == "points" else "neither way is better"


def with_unit(value: float | None, info: MetricInfo) -> str:
    """Write a metric's value with its unit, kept on one line."""
    text = format_value(value, info)
    return behind(text, unit_of(info))


def against(one: Comparison, info: MetricInfo) -> str:
    """The difference to the best with its unit and interval: "+12.4 points [+4.5, +20.1]"; empty without one."""
    if math.isnan(one.difference):
        return ""
    figure, low, high = together((one.difference, one.ci_low, one.ci_high), info, signed=True)
    bounds = "" if math.isnan(one.ci_low) else f" [{low}, {high}]"
    return f"{behind(figure, difference_unit_of(info))}{bounds}"


def points(share: float) -> str:
    """A difference of shares in points, signed."""
    return _minus(words.points(share))


def format_quantity(value: float | None, unit: str) -> str:
    """Write a measured quantity with its unit, to three significant digits: "310 ms", "1.24 s", "0.31"."""
    if value is None or math.isnan(value):
        return MISSING
    if math.isinf(value):
        return "∞"
    if unit == "s":
        return f"{_digits(1000 * value)} ms" if abs(value) < 1 else f"{_digits(value)} s"
    if unit in ("B", "bytes"):
        return f"{_digits(value / 1e6)} MB"
    suffix = {"1/s": " /s", "MB": " MB", "MiB": " MiB", "GiB": " GiB"}.get(unit, "")
    return _digits(value) + suffix


def short_names(names: Sequence[str], longest: int = 22) -> dict[str, str]:
    """Shorten long names in the middle, paths at a slash if possible.

    Args:
        names: all names that are shown together, in their order.
        longest: characters that a name may have; half as many again where names would look alike otherwise, and where
            that doesn't help, their place in the order behind them.

    Returns:
        Name → what is shown of it; short names stay as they are.
    """
    short = {name: _shortened(name, longest) for name in names}
    for length in range(longest, longest * 3 // 2 + 1):
        seen = list(short.values())
        alike = [name for name, text in short.items() if seen.count(text) > 1]
        short |= {name: _shortened(name, length) for name in alike}
    seen = list(short.values())
    return {
        name: text if seen.count(text) == 1 else f"{text} #{at}" for at, (name, text) in enumerate(short.items(), 1)
    }


def _shortened(name: str, longest: int) -> str:
    if len(name) <= longest:
        return name
    # The end says more than the beginning: folders of one experiment differ there.
    head = longest // 3
    if ":" in name[: longest // 2]:
        head = name.index(":") + 1
    tail = longest - head - 1
    end = name[-tail:]
    slash = end.find("/")
    return f"{name[:head]}…{end[slash:] if 0 <= slash < tail // 2 else end}"


def judge_line(total: DerivedTotal) -> str:
    """What a judge made and cost, in a sentence."""
    judge, _, query = total.deriver.removeprefix(JUDGE).partition("?")
    prompt = dict(parse_qsl(query)).get("prompt", "")
    graded = count(total.n, "answer") + " graded" + (f", of which {total.failed:,} failed" if total.failed else "")
    return f"Judge {judge} ({prompt}): {', '.join([graded, *cost_words(total.cost)])}."


def cost_line(total: SystemCost) -> str:
    """What the answers of a system cost, in a sentence."""
    return f"System {total.system}: {', '.join([count(total.n, 'answer'), *cost_words(total.cost)])}."


def corrected_text(one: Corrected, info: MetricInfo) -> str:
    """A corrected value with its interval and what it rests on, for the place below the value as it was scored."""
    value, low, high = together((one.value, one.ci_low, one.ci_high), info)
    few = MISSING in (low, high)
    bounds = "" if few else f" [{low}, {high}]"
    notes = f"the score is off on {one.n_differ:,}{'; too few labels for an interval' if few else ''}"
    return f"{behind(value, unit_of(info))}{bounds}, corrected by {count(one.n_labels, 'label')} ({notes})"


def corrected_line(one: Corrected, info: MetricInfo) -> str:
    """The same in a sentence of its own."""
    raw = with_unit(one.raw, info)
    return f"{one.metric} of {one.system} on {one.task}: {raw} as scored; {corrected_text(one, info)}."


def cost_words(cost: Mapping[str, float]) -> list[str]:
    """What answers or derivations cost, in words; nothing of what isn't known."""
    found = [count(round(cost["requests"]), "request")] if cost.get("requests") else []
    for way in ("in", "out"):
        if tokens := cost.get(f"tokens_{way}"):
            found.append(f"{round(tokens):,} tokens {way}")
    if usd := cost.get("usd"):
        found.append(f"{usd:.2f} USD" if usd >= 0.01 else "less than 0.01 USD")
    return found


def _digits(value: float) -> str:
    """Three significant digits without an exponent, at most four decimals."""
    if value == 0:
        return "0"
    if abs(value) < 0.00005:
        return "<\u00a00.0001"
    places = max(0, 2 - math.floor(math.log10(abs(value))))
    return _minus(f"{value:.{min(places, 4)}f}")


def _minus(text: str) -> str:
    """A proper minus sign, and no negative zero."""
    if text.startswith("-"):
        return text[1:] if not text.strip("-0.") else "\u2212" + text[1:]
    return text


def listing(items: Iterable[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    found = list(items)
    return " and ".join([", ".join(found[:-1]), found[-1]]) if len(found) > 1 else "".join(found)


def count(number: int, singular: str, plural: str = "") -> str:
    """ "1 request", "2 requests"."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"
