"""Whether a run is fit to be compared: complete, answered, transcribed. Weighs no result and compares nothing."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator

from tttbench.core.exchange import Status
from tttbench.gate.comparable import metric_gates
from tttbench.gate.rules import Rules
from tttbench.gate.snapshot import Snapshot


def problems(snapshot: Snapshot, rules: Rules) -> tuple[str, ...]:
    """Return why ``snapshot`` can't be gated, a sentence each; none if it can."""
    return tuple(_problems(snapshot, rules))


def _problems(snapshot: Snapshot, rules: Rules) -> Iterator[str]:
    source = snapshot.source
    if snapshot.status in ("running", "interrupted", ""):
        yield (
            f"{source}: was cut off ({snapshot.answered} answers are there); finish it with "
            f"'tttbench run SUITE --out {source} --resume'."
        )
        return
    if snapshot.answered < snapshot.expected or snapshot.status == "incomplete":
        yield f"{source}: incomplete, {snapshot.answered} of {snapshot.expected} requests are answered; --resume it."
    if not snapshot.metrics:
        yield f"{source}: has no scores, so there is nothing to compare."
    yield from _never_answered(snapshot)
    for metric in snapshot.metrics:
        gates = metric_gates(metric, snapshot, rules)
        where = f"{source}: {metric.name} of {metric.system} on {metric.task}"
        counts = Counter(outcome.status for outcome in metric.outcomes.values())
        n = len(metric.outcomes)
        limits: tuple[tuple[Status, float], ...] = (
            ("error", rules.max_errors),
            # What could not be derived stops nothing unless it gates.
            ("derivation_failed", rules.max_derivation_failed if gates else math.inf),
        )
        for status, most in limits:
            # Divided, as a share of the rules may be a little less than its decimals: 0.29 * 100 < 29.
            if n and counts[status] / n > most:
                has = "--resume --retry-errors repeats them" if snapshot.transcribers else "give it a --transcriber"
                fix = "--resume --retry-errors repeats them" if status == "error" else has
                yield (
                    f"{where}: {counts[status]} of {n} ended as {status}, allowed are {most:.1%} "
                    f"(max_{'errors' if status == 'error' else status} of [valid]); {fix}."
                )
        rule = rules.of_metric(metric.task, metric.name, is_primary=gates)
        not_ok = n - counts["ok"]
        if rule.must_be_ok and not_ok:
            rest = ", ".join(f"{count} {status}" for status, count in counts.items() if status != "ok")
            yield f"{where}: every request must be ok (must_be_ok), {not_ok} of {n} are not: {rest}."


def _never_answered(snapshot: Snapshot) -> Iterator[str]:
    """Systems that gave no answer to a task, or nothing but empty ones: what they reached says nothing of them."""
    scored = dict.fromkeys((one.system, one.task) for one in snapshot.metrics)
    for system, task in dict.fromkeys([*scored, *snapshot.answers]):
        if task not in snapshot.tasks or not any(one.reference for one in snapshot.tasks[task].samples.values()):
            continue  # where nothing is spoken, an empty answer is right
        metrics = [one for one in snapshot.metrics if (one.system, one.task) == (system, task)]
        statuses = {outcome.status for one in metrics for outcome in one.outcomes.values()}
        errors = [one.error for one in snapshot.answers.get((system, task), {}).values()]
        if statuses and statuses <= {"empty", "error"}:
            kind = "empty" if "empty" in statuses else "an error"
            yield f"{snapshot.source}: {system} never answered {task}: every answer is {kind}; fix it, or leave it out."
        elif not metrics and errors and all(errors):
            yield (
                f"{snapshot.source}: {system} never answered {task}: every request ended as an error, such as "
                f"{errors[0].rstrip('.')!r}; fix it, or leave it out."
            )
