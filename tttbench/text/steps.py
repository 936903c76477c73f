"""Normal forms as named steps, one applied after the other: what ``tttbench explain`` switches on one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import Literal

from tttbench.core.extras import Extra
from tttbench.core.plugins import register_normalizer


@dataclass(frozen=True)
class Step:
    """One step of a normal form: what it does, as a heading, and text to text."""

    name: str
    apply: Callable[[str], str]


MakeSteps = Callable[[], Sequence[Step]]

_STEPS: dict[str, MakeSteps] = {}


def steps_of(normalizer: str) -> Sequence[Step]:
    """Return the steps of a normalizer, in order; none if it isn't made of steps."""
    make = _STEPS.get(normalizer)
    return make() if make is not None else ()


def stepwise() -> list[str]:
    """Return the names of normalizers that are made of steps, sorted."""
    return sorted(_STEPS)


def tell_steps(normalizer: str, make: MakeSteps) -> None:
    """Say which steps make the same of a text as ``normalizer`` does."""
    _STEPS[normalizer] = lru_cache(maxsize=1)(make)


def register_steps(
    name: str, *, version: int, package: str = "", summary: str = "", extra: Extra | Literal[""] = ""
) -> Callable[[MakeSteps], MakeSteps]:
    """Register a function that returns steps as the normalizer that applies them; see ``Normalizer``.

    The function is called once, on first use: what it needs is imported then.
    """

    def register(make: MakeSteps) -> MakeSteps:
        tell_steps(name, make)

        @register_normalizer(name, version=version, package=package, summary=summary, extra=extra)
        @lru_cache(maxsize=16_384)
        def normalize(text: str) -> str:
            return reduce(lambda form, step: step.apply(form), steps_of(name), text)

        return make

    return register
