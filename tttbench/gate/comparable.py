"""Whether two runs can be compared, and where not: which field differs and how to fix it. Weighs no result.

What doesn't gate stops nothing: if it can't be compared, that is noted.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from tttbench.core.errors import UserError, did_you_mean
from tttbench.gate.rules import Rules
from tttbench.gate.snapshot import Metric, Snapshot, Timing
from tttbench.gate.verdict import Difference, Noted
from tttbench.scorers.former import former_score

FIELDS = (
    *("systems", "tasks", "metrics", "samples", "data", "prompt", "scorer", "transcriber", "judge"),
    *("device", "calibration", "timings"),
)
"""What ``--allow`` takes; the last three concern speed alone."""

_DEVICE_FACTS = ("device", "gpu", "processor", "cores")


log = logging.getLogger("tttbench")

MOST_LOST = 0.1
"""A figure of speed that more than this share of the samples has lost isn't compared by the rest."""


def differences(
    baseline: Snapshot, run: Snapshot, rules: Rules, *, allow: Sequence[str], speed: bool
) -> tuple[Difference, ...]:
    """Everything that must be equal and isn't, those of ``allow`` marked as allowed.

    Args:
        baseline, run: what is compared.
        rules: which metrics and figures gate.
        allow: fields whose difference is accepted.
        speed: whether speed is compared, so that the device counts.

    Raises:
        UserError: ``allow`` names a field that there isn't.
    """
    allow = with_old_names(allow)
    for field in allow:
        if field not in FIELDS:
            raise UserError(f"--allow {field}: no such field. {did_you_mean(field, FIELDS)}")
    gating = [one for one in baseline.metrics if metric_gates(one, baseline, rules)]
    timed = [one for one in baseline.timings if rules.of_figure(one.task, one.figure).gates]
    found = [*_missing(baseline, run, gating), *_tasks(baseline, run), *_prompts(baseline, run)]
    found += [*_recipes(baseline, run, gating)]
    found += _speed(baseline, run, timed) if speed else []
    return tuple(Difference(field, where, before, now, field in allow, fix) for field, where, before, now, fix in found)


def with_old_names(allow: Sequence[str]) -> tuple[str, ...]:
    """Return the fields of ``--allow`` as 0.1 meant them, where it meant something else. Read so until 0.3.

    ``judge`` was the transcriber; ``batch_size`` has nothing to allow any more.
    """
    if "batch_size" in allow:
        log.warning("--allow batch_size: latencies of requests that were generated together aren't compared; drop it.")
        allow = [field for field in allow if field != "batch_size"]
    if "judge" not in allow or "transcriber" in allow:
        return tuple(allow)
    log.warning("--allow judge: what transcribes is called transcriber now, and allowed too until 0.3; name it.")
    return (*allow, "transcriber")


def metric_gates(metric: Metric, baseline: Snapshot, rules: Rules) -> bool:
    """Whether a worsening of ``metric`` fails the gate."""
    is_primary = baseline.primary(metric.system, metric.task) == metric.name
    return rules.of_metric(metric.task, metric.name, is_primary=is_primary).gates is True


def noted(baseline: Snapshot, run: Snapshot) -> tuple[Noted, ...]:
    """What differs and may: it is what the comparison is about, or explains it."""
    found = []
    if baseline.seed != run.seed:
        found.append(Noted("seed", str(baseline.seed), str(run.seed)))
    for label, before in baseline.systems.items():
        now = run.systems.get(label)
        if now is None:
            continue
        for what in ("name", "strategy", "weights", "codec"):
            one, other = getattr(before, what), getattr(now, what)
            if one != other:
                found.append(Noted(f"{label}: {what}", _short(one), _short(other)))
        settings = [{**facts.decode, **facts.settings, **facts.identity} for facts in (before, now)]
        for name in sorted({*settings[0], *settings[1]}):
            one, other = (str(values.get(name, "default")) for values in settings)
            if one != other:
                found.append(Noted(f"{label}: {name}", one, other))
    for package in sorted({*baseline.versions, *run.versions}):
        one, other = baseline.versions.get(package, "absent"), run.versions.get(package, "absent")
        if one != other:
            found.append(Noted(package, one, other))
    new = [label for label in run.systems if label not in baseline.systems]
    if new:
        found.append(Noted("systems that the baseline doesn't have", "", ", ".join(new)))
    return tuple(found)


_Found = tuple[str, str, str, str, str]
"""Field, where, in the baseline, in the run, the fix."""


def _missing(baseline: Snapshot, run: Snapshot, gating: Sequence[Metric]) -> Iterator[_Found]:
    for field, before, now in (("systems", baseline.systems, run.systems), ("tasks", baseline.tasks, run.tasks)):
        gone = [name for name in before if name not in now]
        if gone:
            option = "give --match NEW=OLD if it has another name now, or run it" if field == "systems" else "run them"
            yield (
                field,
                "",
                ", ".join(gone),
                f"only {', '.join(now)}",
                f"{option}, or compare the rest with --allow {field}",
            )
    for one in gating:
        if one.system not in run.systems or one.task not in run.tasks:
            continue
        where = f"{one.name} of {one.system} on {one.task}"
        other = run.metric(one.system, one.task, one.name)
        if other is None:
            fix = "score it too, or compare the other metrics with --allow metrics"
            yield ("metrics", where, "scored", "not scored", fix)
            continue
        had = [sample for sample in _with_value(one) if sample in other.outcomes]
        # How many derivations may have failed is a threshold of its own (``valid``).
        failed = {sample for sample, outcome in other.outcomes.items() if outcome.status == "derivation_failed"}
        lost = len(set(had) - set(_with_value(other)) - failed)
        if lost:
            fix = "find out why; --allow metrics compares the samples that have a value in both"
            yield ("metrics", where, f"{len(had)} samples have a value", f"{lost} of them have lost it", fix)


def _with_value(metric: Metric) -> list[str]:
    """Samples that count in the corpus value."""
    return [
        sample
        for sample, one in metric.outcomes.items()
        if math.isfinite(one.numerator) and math.isfinite(one.denominator) and one.denominator > 0
    ]


def _tasks(baseline: Snapshot, run: Snapshot) -> Iterator[_Found]:
    for name, before in baseline.tasks.items():
        now = run.tasks.get(name)
        if now is None:
            continue
        if set(before.samples) != set(now.samples):
            both = len(set(before.samples) & set(now.samples))
            yield (
                "samples",
                name,
                f"{len(before.samples)} samples",
                f"{len(now.samples)}, of which {both} are the same",
                f"run the same --limit, or compare the {both} with --allow samples",
            )
        common = before.samples.keys() & now.samples.keys()
        other = any(before.samples[sample] != now.samples[sample] for sample in common)
        # The hash is over all samples, so it says nothing where their number differs, nor in a baseline without it.
        hashes = (before.listing_sha256, now.listing_sha256)
        whole = len(common) == len(before.samples) == len(now.samples)
        if other or (whole and all(hashes) and hashes[0] != hashes[1]):
            yield (
                "data",
                name,
                _short(before.listing_sha256) or "other references",
                _short(now.listing_sha256),
                "save a new baseline on the new data, or compare what has equal ids with --allow data",
            )
        if before.instruction != now.instruction:
            yield (
                "prompt",
                name,
                _quoted(before.instruction),
                _quoted(now.instruction),
                "give the same instruction, or save a new baseline; --allow prompt compares anyway",
            )


def _prompts(baseline: Snapshot, run: Snapshot) -> Iterator[_Found]:
    """Prompts that systems bring themselves."""
    families = sorted({task.family for task in baseline.tasks.values()})
    for label, before in baseline.systems.items():
        now = run.systems.get(label)
        if now is None:
            continue
        for family in families:
            one, other = before.prompts.get(family, ""), now.prompts.get(family, "")
            if one != other:
                fix = "prompt it as before, or save a new baseline; --allow prompt compares anyway"
                yield ("prompt", f"{family} of {label}", _quoted(one), _quoted(other), fix)


def _recipes(baseline: Snapshot, run: Snapshot, gating: Sequence[Metric]) -> Iterator[_Found]:
    """Scores that were made otherwise: by another scorer, normalizer or version, transcriber, or judge."""
    named: set[tuple[str, str, str]] = set()
    for before in gating:
        now = run.metric(before.system, before.task, before.name)
        if now is None:
            continue
        one, other = before.recipe, now.recipe
        blank = {"transcriber": "", "judge": "", "prompt_sha256": ""}
        if replace(one, **blank) != replace(other, **blank):
            yield (
                "scorer",
                f"{before.name} of {before.system} on {before.task}",
                str(replace(one, **blank)),
                str(replace(other, **blank)),
                _fix_of_recipe(before),
            )
        for field, parts in (("transcriber", ("transcriber",)), ("judge", ("judge", "prompt_sha256"))):
            values = [" ".join(getattr(recipe, part) for part in parts).strip() for recipe in (one, other)]
            if values[0] != values[1] and (field, *values) not in named:
                named.add((field, values[0], values[1]))
                yield (
                    field,
                    "",
                    values[0] or "none",
                    values[1] or "none",
                    f"take the same {field} (tttbench rescore RUN), or save a new baseline; --allow {field} compares "
                    "all the same",
                )


def _fix_of_recipe(before: Metric) -> str:
    """What to do about a score that is made otherwise now: the former way may still be asked for."""
    former = former_score(before.recipe)
    score_so = "score both with one version (tttbench rescore RUN)"
    if former:
        score_so = f"score the run as then (tttbench rescore RUN --add {former})"
    return f"{score_so}, or save a new baseline (tttbench baseline save)"


def _speed(baseline: Snapshot, run: Snapshot, timed: Sequence[Timing]) -> Iterator[_Found]:
    facts = [fact for fact in _DEVICE_FACTS if getattr(baseline.machine, fact) != getattr(run.machine, fact)]
    if facts:
        before, now = (
            ", ".join(str(getattr(one.machine, fact) or "none") for fact in facts) for one in (baseline, run)
        )
        yield (
            "device",
            ", ".join(facts),
            before,
            now,
            "measure both on one machine, or compare quality alone with --speed off",
        )
    if baseline.calibration != run.calibration:
        fix = "measure both with torch installed, or both without, or compare quality alone with --speed off"
        yield ("calibration", "", baseline.calibration, run.calibration, fix)
    for one in timed:
        if one.system not in run.systems or one.task not in run.tasks:
            continue
        timing = run.timing(one.system, one.task, one.figure)
        gone = _incomplete(run, one.system, one.task)
        had = [sample for sample in one.values if sample in run.tasks[one.task].samples and sample not in gone]
        lost = [sample for sample in had if timing is None or sample not in timing.values]
        if len(lost) > MOST_LOST * len(had):
            fix = "find out why they aren't timed any more; --allow timings compares the others"
            where = f"{one.figure} of {one.system} on {one.task}"
            yield ("timings", where, f"{len(had)} samples timed", f"{len(lost)} of them not", fix)


def _incomplete(run: Snapshot, system: str, task: str) -> set[str]:
    """Samples whose answer isn't timed because it is none, empty or cut: that is a matter of quality."""
    found = {sample for sample, one in run.answers.get((system, task), {}).items() if one.cut}
    for metric in run.metrics:
        if (metric.system, metric.task) == (system, task):
            found |= {sample for sample, one in metric.outcomes.items() if one.status in ("error", "empty")}
    return found


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:16]}…" if text.isalnum() else f"{text[:59]}…"


def _quoted(text: str) -> str:
    return repr(_short(text)) if text else "none"
