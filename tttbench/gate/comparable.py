"""Whether two runs can be compared, and where not: which field differs and how to mend it. Weighs no result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tttbench.errors import UserError, did_you_mean
from tttbench.gate.snapshot import Snapshot
from tttbench.gate.verdict import Difference, Noted

FIELDS = (
    *("systems", "tasks", "metrics", "samples", "data", "prompt", "scorer", "judge"),
    *("device", "batch_size", "timings"),
)
"""What ``--allow`` takes; the last three concern speed alone."""

_DEVICE_FACTS = ("device", "gpu", "processor", "cores")


def differences(baseline: Snapshot, run: Snapshot, *, allow: Sequence[str], speed: bool) -> tuple[Difference, ...]:
    """Everything that must be equal and isn't, those of ``allow`` marked as allowed.

    Args:
        baseline, run: what is compared.
        allow: fields whose difference is accepted.
        speed: whether speed is looked at, so that the device and the requests a call count.

    Raises:
        UserError: ``allow`` names a field that there isn't.
    """
    for field in allow:
        if field not in FIELDS:
            raise UserError(f"--allow {field}: no such field. {did_you_mean(field, FIELDS)}")
    found = [*_missing(baseline, run), *_tasks(baseline, run), *_recipes(baseline, run)]
    found += _speed(baseline, run) if speed else []
    return tuple(
        Difference(field, where, before, now, field in allow, mend) for field, where, before, now, mend in found
    )


def noted(baseline: Snapshot, run: Snapshot) -> tuple[Noted, ...]:
    """What differs and may: it is what the comparison is about, or explains it."""
    found = []
    if baseline.seed != run.seed:
        found.append(Noted("seed", str(baseline.seed), str(run.seed)))
    for label, before in baseline.systems.items():
        now = run.systems.get(label)
        if now is None:
            continue
        for what in ("name", "strategy", "weights", "decode"):
            one, other = getattr(before, what), getattr(now, what)
            if one != other:
                found.append(Noted(f"{label}: {what}", _short(str(one)), _short(str(other))))
    for package in sorted({*baseline.versions, *run.versions}):
        one, other = baseline.versions.get(package, "absent"), run.versions.get(package, "absent")
        if one != other:
            found.append(Noted(package, one, other))
    new = [label for label in run.systems if label not in baseline.systems]
    if new:
        found.append(Noted("systems that the baseline doesn't have", "", ", ".join(new)))
    return tuple(found)


_Found = tuple[str, str, str, str, str]
"""Field, where, in the baseline, in the run, the mend."""


def _missing(baseline: Snapshot, run: Snapshot) -> Iterator[_Found]:
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
    for one in baseline.metrics:
        if one.system in run.systems and one.task in run.tasks and not run.metric(one.system, one.task, one.name):
            where = f"{one.system} on {one.task}"
            yield (
                "metrics",
                where,
                one.name,
                "not scored",
                "score it too, or compare the other metrics with --allow metrics",
            )


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
        elif before.data_sha256 != now.data_sha256 or before.samples != now.samples:
            yield (
                "data",
                name,
                _short(before.data_sha256),
                _short(now.data_sha256),
                "save a new baseline on the new data, or compare what has equal ids with --allow data",
            )
        if before.instruction != now.instruction:
            yield (
                "prompt",
                name,
                _quoted(before.instruction),
                _quoted(now.instruction),
                "ask with the same instruction, or save a new baseline; --allow prompt compares anyway",
            )


def _recipes(baseline: Snapshot, run: Snapshot) -> Iterator[_Found]:
    judged: list[str] = []
    for before in baseline.metrics:
        now = run.metric(before.system, before.task, before.name)
        if now is None:
            continue
        one, other = _without(before.recipe, baseline.judge), _without(now.recipe, run.judge)
        if one != other:
            yield (
                "scorer",
                f"{before.name} of {before.system} on {before.task}",
                one,
                other,
                "score both with one version (tttbench rescore RUN), or save a new baseline",
            )
        if baseline.judge and baseline.judge in before.recipe:
            judged.append(before.name)
    if judged and baseline.judge != run.judge:
        yield (
            "judge",
            "",
            baseline.judge,
            run.judge or "nobody listened",
            "let the same judge listen, or save a new baseline; --allow judge compares what two judges heard",
        )


def _speed(baseline: Snapshot, run: Snapshot) -> Iterator[_Found]:
    facts = [fact for fact in _DEVICE_FACTS if baseline.machine.get(fact) != run.machine.get(fact)]
    if facts:
        before, now = (", ".join(str(one.machine.get(fact, "none")) for fact in facts) for one in (baseline, run))
        yield (
            "device",
            ", ".join(facts),
            before,
            now,
            "measure both on one machine, or compare quality alone with --speed off",
        )
    for label, system in baseline.systems.items():
        other = run.systems.get(label)
        if other is not None and other.batch_size != system.batch_size:
            mend = "ask as many requests a call, or compare quality alone with --speed off"
            yield ("batch_size", label, str(system.batch_size), str(other.batch_size), mend)
    for one in baseline.timings:
        if one.system in run.systems and one.task in run.tasks and not run.timing(one.system, one.task, one.figure):
            mend = "find out why it isn't timed any more; --allow timings compares the others"
            yield ("timings", f"{one.figure} of {one.system} on {one.task}", "timed", "not timed", mend)


def _without(recipe: str, judge: str) -> str:
    return recipe.replace(judge, "JUDGE") if judge else recipe


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:16]}…" if text.isalnum() else f"{text[:59]}…"


def _quoted(text: str) -> str:
    return repr(_short(text)) if text else "none"
