"""How names and numbers are written on the page: metric titles, percentages, units, rounding.

Knows the suite's own metric names; an unknown one is shown under its own name with four significant digits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

MISSING = "—"


@dataclass(frozen=True)
class MetricLabel:
    """What a metric is called and how it is written.

    ``unit``: ``"%"`` or ``"points"`` for shares of 1, which are shown times 100; ``""`` for plain values.
    """

    title: str
    short: str
    explanation: str
    unit: str

    @property
    def percent(self) -> bool:
        """Whether the value is a share of 1, shown times 100."""
        return self.unit != ""


_METRICS = {
    "wer": MetricLabel("WER", "WER", "word error rate: all edits over all reference words", "%"),
    "cer": MetricLabel("CER", "CER", "character error rate: all edits over all reference characters", "%"),
    "text_accuracy": MetricLabel(
        "Written answers right", "written", "the right answer is found in the written answer", "%"
    ),
    "spoken_accuracy": MetricLabel(
        "Spoken answers right",
        "spoken",
        "a judge transcribes the spoken answer and the right answer is found in it",
        "%",
    ),
    "self_wer": MetricLabel(
        "Said against written", "said", "word errors of the spoken answer against the system's own text", "%"
    ),
    "oracle_agreement": MetricLabel(
        "Codes of the oracle", "codes", "share of audio codes that the oracle wrote at the same place", "%"
    ),
    "spoken_gap": MetricLabel("Lost in speaking", "lost", "share right in writing minus share right aloud", "points"),
    "spoken_ceiling": MetricLabel(
        "Ceiling of spoken answers", "ceiling", "the same judge on the true recordings of the answers", "%"
    ),
}

_PROBES = {
    "prefill": ("Reading the prompt (prefill)", "Prompt read"),
    "ttft": ("Time to the first text token", "First text"),
    "ttfa_codes": ("Time to the first audio codes", "First codes"),
    "ttfa_wave": ("Time to the first sound", "First sound"),
    "latency": ("Time to the whole answer", "Whole answer"),
    "rtf": ("Real-time factor, in all", "RTF"),
    "rtf_input": ("Real-time factor of the input, in all", "RTF of the input"),
    "nfe": ("Passes of the network", "Passes"),
    "nfe_per_code": ("Passes per audio code", "Passes per code"),
    "codes_per_s": ("Audio codes per second of decoding", "Codes per second"),
    "stalls": ("Stalls in playback", "Stalls"),
    "stall_s": ("Stalled in all", "Stalled"),
    "peak_memory": ("Peak memory", "Peak memory"),
}
"""Latency metrics: their titles, and what stands over a column."""

_STAGES = ("rtf_input_", "rtf_")

STATUS_TITLES = {
    "ok": "ok",
    "empty": "empty",
    "unparsed": "unparsed",
    "judge_failed": "judge failed",
    "error": "error",
}


def metric_label(metric: str) -> MetricLabel:
    """The label of a quality metric; unknown names that speak of a rate or an accuracy are shown as per cent."""
    known = _METRICS.get(metric)
    if known is not None:
        return known
    unit = "points" if metric.endswith("_gap") else "%" if metric.endswith(("_accuracy", "_rate", "wer", "cer")) else ""
    title = metric.replace("_", " ")
    return MetricLabel(title, title, "", unit)


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


def format_value(value: float | None, *, percent: bool) -> str:
    """Write a score: ``0.0512`` as "5.1" (per cent, sign left to the caller) or with four significant digits."""
    if value is None or math.isnan(value):
        return MISSING
    if percent:
        return _minus(f"{100 * value:.1f}")
    return _minus(f"{value:.4g}")


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
    if ":" in name[:head]:
        head = name.index(":") + 1
    tail = longest - head - 1
    end = name[-tail:]
    slash = end.find("/")
    return f"{name[:head]}…{end[slash:] if 0 <= slash < tail // 2 else end}"


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


def count(number: int, singular: str, plural: str = "") -> str:
    """ "1 request", "2 requests"."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"
