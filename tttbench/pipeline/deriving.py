"""Calls of a deriver: its inputs read, what it makes of them checked and handed on as it arrives. Without the store."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import partial

from tttbench.core.checked import checked_derived
from tttbench.core.declared import longest_s
from tttbench.core.derivation import DerivationInput, Derived, Deriver, DeriverOfEach
from tttbench.core.errors import InputError, UserError
from tttbench.core.interrupts import stop_if_asked
from tttbench.core.system import SystemOptions
from tttbench.data.flac import decode_flac
from tttbench.pipeline.jobs import (
    DerivationDone,
    DeriveItem,
    WorkerSpec,
    all_answers,
    attempted,
    first_line,
    message_of,
)


def deriver_spec(name: str, options: SystemOptions, timeout_s: float) -> WorkerSpec:
    """Return how a deriver is opened: a call may take ``timeout_s`` an input, or what its own settings allow if longer.

    So a judge whose time-outs, retries and votes add up to more than the run's limit isn't cut off by that.
    """
    return WorkerSpec("deriver", name, options, max(timeout_s, longest_s(name, options)))


def derive_batch(deriver: Deriver, items: Sequence[DeriveItem]) -> Iterator[tuple[DerivationDone, ...]]:
    """Read a batch's recordings and yield its derivations as they arrive, each once.

    A deriver with ``derive_each`` gives them one by one, any other all at once. What fails is a failed derivation of
    its input alone.
    """
    inputs: list[DerivationInput] = []
    unread: list[DerivationDone] = []
    for item in items:
        try:
            inputs.append(_derivation_input(item))
        except InputError as error:
            unread.append(DerivationDone(item.need, Derived("failed", error=str(error))))
    if unread:
        yield tuple(unread)
    if not inputs:
        return
    parts = _one_by_one(deriver, inputs) if isinstance(deriver, DeriverOfEach) else iter([_at_once(deriver, inputs)])
    for part in parts:
        stop_if_asked()
        yield tuple(DerivationDone(inputs[at].need, _derived(outcome)) for at, outcome in part)


_Made = Sequence[tuple[int, Derived | Exception]]
"""Places of inputs in their batch, and what was made of each."""


def _at_once(deriver: Deriver, inputs: Sequence[DerivationInput]) -> _Made:
    found = all_answers(lambda: deriver.derive(list(inputs)), len(inputs))
    if not isinstance(found, Exception):
        return list(enumerate(found))
    if len(inputs) == 1:
        return [(0, found)]
    return [(at, outcome) for at, one in enumerate(inputs) for _, outcome in _at_once(deriver, [one])]


def _one_by_one(deriver: DeriverOfEach, inputs: Sequence[DerivationInput]) -> Iterator[_Made]:
    """Take them as they arrive; where the deriver breaks off, what is left is tried again, each input alone."""
    left = set(range(len(inputs)))
    fault: Exception | None = None
    each = attempted(lambda: iter(deriver.derive_each(list(inputs))))
    while left and fault is None:
        pair = each if isinstance(each, Exception) else attempted(partial(next, each, None))
        if isinstance(pair, Exception):
            fault = pair
        elif pair is None:
            fault = RuntimeError(f"it ended without {len(left)} of {len(inputs)} derivations")
        elif not _fits(pair, left):
            fault = RuntimeError("it must yield each input's place in the list once, with its derivation")
        else:
            left.remove(pair[0])
            yield [pair]
    for at in sorted(left):
        if fault is not None and len(inputs) == 1:
            yield [(at, fault)]
        else:
            for part in _one_by_one(deriver, [inputs[at]]):
                yield [(at, outcome) for _, outcome in part]


def _fits(pair: object, left: set[int]) -> bool:
    """Whether it is a pair that names an input of which nothing has been made."""
    return isinstance(pair, tuple) and len(pair) == 2 and type(pair[0]) is int and pair[0] in left


def _derived(outcome: Derived | Exception) -> Derived:
    if isinstance(outcome, Exception):
        return Derived("failed", error=message_of(outcome))
    try:
        return checked_derived(outcome)
    except UserError as error:
        return Derived("failed", error=f"the derivation can't be kept: {first_line(error)}")


def without_derivation(items: Sequence[DeriveItem], message: str) -> tuple[DerivationDone, ...]:
    """Return what became of inputs that nobody waits for any longer."""
    return tuple(DerivationDone(item.need, Derived("failed", error=message)) for item in items)


def _derivation_input(item: DeriveItem) -> DerivationInput:
    seed = int.from_bytes(hashlib.sha256(item.need.input_sha256.encode()).digest()[:4], "big")
    if item.recording is None:
        return DerivationInput(item.need, seed=seed)
    samples, sample_rate = decode_flac(item.recording)
    return DerivationInput(item.need, samples, sample_rate, seed)
