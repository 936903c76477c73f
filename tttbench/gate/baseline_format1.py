"""Baselines of tttbench 0.1 (format 1) as if they were of today's format. Knows JSON values; checks little.

What is wrong in them is found when the result is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from tttbench.core.errors import UserError
from tttbench.core.json_values import JsonObject, JsonValue
from tttbench.core.metric import MetricInfo
from tttbench.core.plugins import build_scorer
from tttbench.core.scorer import ScoreSpec
from tttbench.core.serialize import to_plain
from tttbench.core.tables import Document
from tttbench.store.format2.recipes import parse_recipe


def upgraded(document: Document) -> Document:
    """Return the document as format 2 would hold it; parts that aren't what they should be stay as they are."""
    values = document.values
    assert isinstance(values, Mapping)  # seen by the caller
    made: dict[str, JsonValue] = dict(values)
    made["format"] = 2
    judge = made.pop("judge", "")
    made["transcribers"] = [judge] if judge else []
    made["tasks"] = _each(made.get("tasks"), _task)
    made["metrics"] = _each(made.get("metrics"), _metric)
    made["loads"] = _each(made.pop("peace", []), _load)
    made["answers"] = _each(made.get("answers"), _answers)
    return replace(document, values=made)


def _each(entries: JsonValue, convert: Callable[[JsonObject], JsonObject]) -> JsonValue:
    if not isinstance(entries, list):
        return entries
    return [convert(entry) if isinstance(entry, Mapping) else entry for entry in entries]


def _renamed(entry: JsonObject, **names: str) -> JsonObject:
    return {names.get(key, key): value for key, value in entry.items()}


def _task(entry: JsonObject) -> JsonObject:
    # It hashed the audio; today's hash is of the listing, so the two say nothing of each other.
    return {**_renamed(entry, kind="family"), "listing_sha256": ""}


def _load(entry: JsonObject) -> JsonObject:
    return _renamed(entry, pace_s="calibration_s")


def _answers(entry: JsonObject) -> JsonObject:
    return _renamed(entry, heard="transcripts")


def _metric(old: JsonObject) -> JsonObject:
    entry = dict(old)
    kind, lower = entry.pop("kind", "value"), entry.pop("lower_is_better", False)
    name, recipe, not_ok = entry.get("name"), entry.get("recipe"), entry.get("not_ok")
    entry["info"] = to_plain(_info(str(name), str(kind), bool(lower)))
    if isinstance(recipe, str):
        entry["recipe"] = to_plain(parse_recipe(recipe))
    if isinstance(not_ok, Mapping):
        entry["not_ok"] = {
            sample: "derivation_failed" if status == "judge_failed" else status for sample, status in not_ok.items()
        }
    return entry


def _info(name: str, kind: str, lower: bool) -> MetricInfo:
    """What the metric is: as its scorer says, or what the baseline says of it."""
    try:
        known = build_scorer(ScoreSpec(name, name)).info
    except UserError:  # there is no such scorer here, or it needs options
        known = None
    if known is not None and (known.aggregation, known.lower_is_better) == (kind, lower):
        return known
    aggregation = kind if kind in ("rate", "binary") else "value"
    share = aggregation != "value"
    return MetricInfo(
        name.replace("_", " "),
        unit="%" if share else "",
        scale=100.0 if share else 1.0,
        direction="lower" if lower else "higher",
        aggregation=aggregation,  # type: ignore[arg-type]  # one of the three
    )
