"""The suite's records to and from plain JSON values.

JSON has no NaN and no infinity: they are written as null and read back as NaN. Waveforms are left out; they are kept
as audio files.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tttbench.core.records import (
    AudioCommit,
    FrontierPoint,
    Packet,
    ProbeResult,
    Response,
    Result,
    Sample,
    Score,
    Trace,
)


def to_plain(value: object) -> Any:
    """Return ``value`` as JSON values: dataclasses as objects, tuples as lists, paths as strings, NaN as null."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_plain(entry) for key, entry in value.items()}
    if isinstance(value, str) or value is None or isinstance(value, bool):
        return value
    if isinstance(value, Sequence | set | frozenset):
        return [to_plain(entry) for entry in (sorted(value) if isinstance(value, set | frozenset) else value)]
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):  # NumPy scalars and arrays
        return to_plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, int | float):
        return value
    return str(value)


def to_json(value: object, *, indent: int | None = None) -> str:
    """Return ``value`` as a JSON document."""
    return json.dumps(to_plain(value), ensure_ascii=False, allow_nan=False, indent=indent)


def response_to_plain(response: Response) -> dict[str, Any]:
    """Return a response without its waveform, of which only the length (in samples) is kept."""
    length = 0 if response.waveform is None else len(response.waveform)
    return {**to_plain(dataclasses.replace(response, waveform=None)), "waveform": None, "n_samples": length}


def response_from_plain(values: Mapping[str, Any]) -> Response:
    """Return a response whose ``waveform`` is None, whether there is an audio file or not."""
    codes = values["audio_codes"]
    return Response(
        text=values["text"],
        audio_codes=None if codes is None else tuple(codes),
        sample_rate=values["sample_rate"],
        finish_reason=values["finish_reason"],
        trace=trace_from_plain(values["trace"]),
    )


def trace_from_plain(values: Mapping[str, Any]) -> Trace:
    """Return the trace that ``to_plain`` wrote."""
    return Trace(
        stages_s=values["stages_s"],
        prefill_end_s=values["prefill_end_s"],
        text_times_s=tuple(values["text_times_s"]),
        text_tokens=tuple(values["text_tokens"]),
        audio_commits=tuple(AudioCommit(**entry) for entry in values["audio_commits"]),
        packets=tuple(Packet(**entry) for entry in values["packets"]),
        end_s=values["end_s"],
        nfe=values["nfe"],
        commit_step=tuple(values["commit_step"]),
        commit_confidence=tuple(_number(entry) for entry in values["commit_confidence"]),
        spans=tuple(values["spans"]),
    )


def sample_from_plain(values: Mapping[str, Any]) -> Sample:
    """Return the sample that ``to_plain`` wrote."""
    return Sample(
        **{
            **values,
            "audio": None if values["audio"] is None else Path(values["audio"]),
            "answer_audio": None if values["answer_audio"] is None else Path(values["answer_audio"]),
            "aliases": tuple(values["aliases"]),
        }
    )


def score_from_plain(values: Mapping[str, Any]) -> Score:
    """Return the score that ``to_plain`` wrote."""
    return Score(**{**values, **_numbers(values, ("value", "numerator", "denominator"))})


def result_from_plain(values: Mapping[str, Any]) -> Result:
    """Return the result that ``to_plain`` wrote."""
    return Result(**{**values, **_numbers(values, ("value", "ci_low", "ci_high", "value_best", "value_worst"))})


def probe_from_plain(values: Mapping[str, Any]) -> ProbeResult:
    """Return the probe result that ``to_plain`` wrote."""
    return ProbeResult(**{**values, **_numbers(values, ("p50", "p90", "p99"))})


def frontier_from_plain(values: Mapping[str, Any]) -> FrontierPoint:
    """Return the place that ``to_plain`` wrote."""
    numbers = _numbers(values, [name for name in values if name.startswith(("quality", "seconds"))])
    return FrontierPoint(**{**values, **numbers, "beaten_by": tuple(values["beaten_by"])})


def _numbers(values: Mapping[str, Any], names: Sequence[str]) -> dict[str, float]:
    return {name: _number(values[name]) for name in names}


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
