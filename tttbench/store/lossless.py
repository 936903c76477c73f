"""What a run says of ways of decoding that are declared lossless: how many answers were compared with their oracle."""

from __future__ import annotations

from collections.abc import Mapping

from tttbench.store.manifest import LosslessCheck


def lossless_sentences(checks: Mapping[str, tuple[LosslessCheck, ...]]) -> list[str]:
    """Say it in sentences, the faults first; none where nothing was compared.

    Args:
        checks: by the label of the system.
    """
    every = [one for of_system in checks.values() for one in of_system]
    faults = [f"Not lossless ({one.declared}): {one.difference}." for one in every if one.difference]
    sound = [one for one in every if not one.difference]
    if not sound:
        return faults
    n_systems = sum(any(not one.difference for one in of_system) for of_system in checks.values())
    declared = sorted({part for one in sound for part in one.declared.split(", ")})
    n, rounding = sum(one.n for one in sound), sum(one.rounding for one in sound)
    found = "every token is the same" if not rounding else f"every token is the same but in {rounding:,}, by rounding"
    systems, answers = (f"{k:,} {noun}{'s' * (k != 1)}" for k, noun in ((n_systems, "system"), (n, "answer")))
    return [
        *faults,
        f"Declared lossless ({'; '.join(declared)}): of {systems}, {answers} of this run were generated again by the "
        f"oracle; {found}.",
    ]
