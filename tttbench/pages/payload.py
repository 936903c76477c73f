"""The per-sample rows as compact JSON inside the page, and how it is kept from being read as HTML.

Rows are arrays in the order of ``COLUMNS``; systems, tasks, statuses and metrics are indices into lists. A trace is
packed: times in milliseconds, confidences and passes as one character a code, tokens as lengths of the parts of the
answer. ``static/rows.js`` unpacks it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from itertools import accumulate

import numpy as np

from tttbench.core.exchange import CUT_WORDS, STATUSES, Trace
from tttbench.core.json_values import JsonObject, JsonValue

from .labels import unit_of
from .view import DiffChunk, ReportView, Row

COLUMNS = (
    "system",
    "task",
    "id",
    "family",
    "status",
    "wrong",
    "message",
    "question",
    "reference",
    "aliases",
    "spokenReference",
    "text",
    "transcript",
    "moreTranscripts",
    "referenceTranscript",
    "textDiff",
    "transcriptDiff",
    "scores",
    "ttft",
    "ttfaCodes",
    "ttfaWave",
    "rtf",
    "nfePerCode",
    "inputAudio",
    "answerAudio",
    "referenceAudio",
    "metadata",
    "finish",
    "codes",
    "trace",
)

_CONFIDENCE_BASE = 48
"""Confidence c is written as the character 48 + round(63 c): '0' is 0 and 'o' is 1."""

_LEAPS = "".join(map(chr, (*range(48, 58), *range(65, 91), *range(97, 123))))
"""One character for each of -31 to 30; none of them has to be escaped."""
_NO_LEAP = 31

_OPS = {"equal": "=", "delete": "d", "insert": "i", "substitute": "s"}


def payload(view: ReportView) -> str:
    """Return the JSON text for a ``<script type="application/json">``; safe to embed as it is."""
    systems = list(dict.fromkeys([s.name for s in view.systems] + [r.system for r in view.rows]))
    tasks = list(dict.fromkeys([t.name for t in view.tasks] + [r.task for r in view.rows]))
    metrics = list(dict.fromkeys(score.metric for row in view.rows for score in row.scores))
    document: JsonObject = {
        "columns": COLUMNS,
        "systems": systems,
        "shown": [view.shown(name) for name in systems],
        "strategies": [view.strategy(name) for name in systems],
        "tasks": tasks,
        "statuses": STATUSES,
        "metrics": [
            {
                "id": name,
                "title": view.metric(name).title,
                "short": view.metric(name).column,
                "unit": unit_of(view.metric(name)),
                "scale": view.metric(name).scale,
                "kind": view.metric(name).aggregation,
                "direction": view.metric(name).direction,
            }
            for name in metrics
        ],
        "cutWords": CUT_WORDS,
        # Of each system and task whose times a busy machine touched: why.
        "busy": [
            [systems.index(one.system), tasks.index(one.task), one.busy]
            for one in view.timed
            if one.busy and one.system in systems and one.task in tasks
        ],
        "rows": [_row(row, systems, tasks, metrics) for row in view.rows],
    }
    return embed(document)


def embed(document: JsonObject) -> str:
    """Serialise to JSON that no HTML parser can leave: ``<``, ``>`` and ``&`` become escapes. NaN is refused."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _row(row: Row, systems: Sequence[str], tasks: Sequence[str], metrics: Sequence[str]) -> list[JsonValue]:
    latency = row.latency
    cells: list[JsonValue] = [
        systems.index(row.system),
        tasks.index(row.task),
        f"{row.id} #{row.repeat + 1}" if row.repeat else row.id,
        row.family,
        STATUSES.index(row.status),
        int(row.wrong),
        row.message,
        row.question,
        row.reference,
        row.references[1:],
        row.answer_text,
        row.text,
        row.transcript,
        row.more_transcripts,
        row.reference_transcript,
        packed_diff(row.text_diff),
        packed_diff(row.transcript_diff),
        [
            [
                metrics.index(s.metric),
                _number(s.value),
                STATUSES.index(s.status),
                s.note,
                *([1] if s.is_left_out else []),
            ]
            for s in row.scores
        ],
        _number(latency.ttft_s),
        _number(latency.ttfa_codes_s),
        _number(latency.ttfa_wave_s),
        _number(latency.rtf),
        _number(latency.nfe_per_code),
        row.input_audio,
        row.answer_audio,
        row.reference_audio,
        row.metadata,
        row.finish_reason,
        row.codes,
        None if row.trace is None else _trace(row.trace, row.sample_rate, row.text),
    ]
    return [None if _blank(cell) else cell for cell in cells]


def _blank(cell: JsonValue) -> bool:
    """Empty text and empty collections are written as null; numbers never are."""
    return not cell and not isinstance(cell, int | float)


def packed_diff(chunks: Sequence[DiffChunk]) -> list[list[str]]:
    """A difference as the scripts take it; without any nothing is written: the plain text is shown."""
    if all(chunk.op == "equal" for chunk in chunks):
        return []
    packed = []
    for chunk in chunks:
        words = [chunk.expected] if chunk.op == "delete" else [chunk.given]
        if chunk.op == "substitute":
            words = [chunk.expected, chunk.given]
        packed.append([_OPS[chunk.op], *words])
    return packed


def _trace(trace: Trace, sample_rate: int, text: str) -> JsonObject:
    packed: JsonObject = {
        "prefill": _milliseconds(trace.prefill_end_s),
        "text": [_milliseconds(time) for time in trace.text_times_s],
        "tokens": _tokens(trace.text_tokens, text),
        "commits": [[_milliseconds(commit.time_s), commit.n_codes] for commit in trace.audio_commits],
        "chunks": [
            [_milliseconds(chunk.time_s), _milliseconds(chunk.n_samples / sample_rate)]
            for chunk in trace.chunks
            if sample_rate
        ],
        "end": _milliseconds(trace.end_s),
        "nfe": trace.nfe,
        "stages": {stage: _milliseconds(seconds) for stage, seconds in trace.stages_s.items()},
        "steps": _steps(trace.commit_step),
        "confidence": _confidences(trace.commit_confidence),
        "spans": list(trace.spans),
    }
    return {key: value for key, value in packed.items() if not _blank(value)}


def _tokens(tokens: Sequence[str], text: str) -> list[int] | list[str]:
    """Their lengths in characters where they make up the written answer, which stands in the row anyway."""
    return [len(token) for token in tokens] if "".join(tokens) == text else list(tokens)


def _steps(steps: Sequence[int]) -> list[JsonValue]:
    """The pass of the first code and one string, or the passes as they are where some are too far apart for that.

    A character says by how many passes a code came after the latest one before it: 0 to a few in blocks, 1 in AR.
    """
    if len(steps) < 2:
        return list(steps)
    latest = list(accumulate(steps, max))
    leaps = [step - before + _NO_LEAP for before, step in zip(latest, steps[1:], strict=False)]
    if min(leaps) < 0 or max(leaps) >= len(_LEAPS):
        return list(steps)
    return [steps[0], "".join(_LEAPS[leap] for leap in leaps)]


def _confidences(values: Sequence[float]) -> str:
    """One character a code; nan, which no model should give, counts as 0."""
    shares = np.clip(np.nan_to_num(np.asarray(values, dtype=np.float64)), 0.0, 1.0)
    return (_CONFIDENCE_BASE + np.rint(63 * shares)).astype(np.uint8).tobytes().decode("ascii")


def _milliseconds(seconds: float | None) -> float | None:
    """Milliseconds to a tenth; whole ones as integers, which are shorter."""
    if seconds is None or not math.isfinite(seconds):
        return None
    rounded = round(1000 * seconds, 1)
    return int(rounded) if rounded.is_integer() else rounded


def _number(value: float | None) -> float | None:
    """Five significant digits are more than the page shows."""
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.5g}")
