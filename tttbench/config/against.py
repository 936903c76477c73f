"""``--against``: a suite that compares two models, carried out on two others. Knows no checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tttbench.config.suite import Suite, SystemPlan, system_plan
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

    Raises:
        UserError: the suite has another number of models.
    """
    models = list(dict.fromkeys(plan.name for plan in suite.systems))
    if len(models) != 2:
        named = ", ".join(models[:4]) + (" …" if len(models) > 4 else "")
        raise UserError(
            f"--against {against}: suite {suite.name!r} has systems of {len(models)} models ({named}), and --against "
            "is for suites of two, such as 'decoding'; give one of those, or name all systems with --systems."
        )
    made: list[SystemPlan] = []
    for plan in suite.systems:
        if plan.name == models[0]:
            made.append(replace(plan, name=system))
            continue
        for at, strategy in enumerate([plan.strategy] if plan.strategy else strategies):
            called = f"{plan.called} {strategy}" if plan.called and at else plan.called
            made.append(replace(plan, name=against, strategy=strategy, called=called))
    return replace(suite, title=f"{suite.title}: {system} against {against}", systems=tuple(made))
