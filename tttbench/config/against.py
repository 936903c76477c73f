"""``--against``: a suite that compares two models, carried out on two others. Knows no checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tttbench.config.ablate import without
from tttbench.config.suite import Suite, SystemPlan, refuse_twice, system_plan
from tttbench.core.errors import UserError
from tttbench.core.plugins import systems


def the_one_system(labels: Sequence[str], against: str) -> str:
    """Return the system that ``--systems`` names beside ``--against``.

    Raises:
        UserError: there isn't exactly one, it is the other one, or either has a strategy: strategies are the suite's.
    """
    if len(labels) != 1:
        given = f"names {len(labels)}" if labels else "is missing"
        raise UserError(f"--against {against}: takes one system beside it, but --systems {given}; give one.")
    for option, name in (("--systems", labels[0]), ("--against", against)):
        if strategy := system_plan(name).strategy:
            raise UserError(f"{option} {name}: the ways of decoding are the suite's; leave @{strategy} out.")
    if labels[0] == against:
        raise UserError(f"--against {against}: is what --systems names; give another one.")
    return labels[0]


def strategies_against(system: str, against: str) -> Sequence[str]:
    """Return the strategies by which the second of two systems that are compared is decoded.

    Raises:
        UserError: they are no pair that can be compared.
    """
    kind, _, spec = system.partition(":")
    other_kind, _, other_spec = against.partition(":")
    decoding = systems.get(kind).decoding
    if kind != other_kind or decoding is None or decoding.against is None:
        raise UserError(
            f"--systems {system} --against {against}: both must be checkpoints of the reference model; give ttt:FOLDER "
            "twice."
        )
    return decoding.against(spec, other_spec)


def set_against(suite: Suite, system: str, against: str, strategies: Sequence[str]) -> Suite:
    """Return the suite with ``system`` in the place of its first model and ``against`` in that of its second.

    Args:
        suite: of two models, the first of which it decodes in several ways.
        system, against: names of systems.
        strategies: by which the second is decoded where the suite names none; each is a system.

    Labels that the suite gives stay. Systems with something switched off are called after their base, whatever that is
    called now, and how to come by the suite's own models is no longer said.

    Raises:
        UserError: the suite has another number of models, or two systems would have one label.
    """
    models = list(dict.fromkeys(plan.name for plan in suite.systems))
    if len(models) != 2:
        named = ", ".join(models[:4]) + (" …" if len(models) > 4 else "")
        raise UserError(
            f"--against {against}: suite {suite.name!r} has systems of {len(models)} models ({named}), and --against "
            "is for suites of two, such as 'decoding'; give one of those, or name all systems with --systems."
        )
    made: list[SystemPlan] = []
    labels: dict[str, list[str]] = {}  # of those that take a system's place, by that system's label
    switched = {one.system: one for one in suite.ablations}
    for plan in suite.systems:
        is_first = plan.name == models[0]
        ablation = switched.get(plan.label)
        for at, strategy in enumerate([plan.strategy] if is_first or plan.strategy else strategies):
            if ablation is not None:  # its base stands before it
                called = without(labels[ablation.base][at], ablation.switch)
            else:
                called = f"{plan.called} {strategy}" if plan.called and at else plan.called
            new = replace(plan, name=system if is_first else against, strategy=strategy, called=called, get="")
            labels.setdefault(plan.label, []).append(new.label)
            made.append(new)
    refuse_twice([plan.label for plan in made], f"--against {against}")
    return replace(
        suite,
        title=f"{suite.title}: {system} against {against}",
        systems=tuple(made),
        oracle=labels[suite.oracle][0] if suite.oracle else "",
        ablations=tuple(
            replace(one, system=off, base=on)
            for one in suite.ablations
            for off, on in zip(labels[one.system], labels[one.base], strict=True)
        ),
    )
