"""Batches of requests and recordings: how many calls overlap, and calls that return too many or too few answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import pytest

from tttbench.core.derivation import DerivationInput, Derived, Need
from tttbench.core.exchange import Message, Request, Response
from tttbench.core.sample import Turn
from tttbench.core.system import Capability, SystemCard
from tttbench.pipeline.executors.threads import ThreadsWorker
from tttbench.pipeline.jobs import DeriveItem, GenerateItem, derive_batch, respond_all
from tttbench.store.rows import AnswerKey


class Counted:
    """A system that wants two requests at once, and answers when ``at_once`` calls are waiting."""

    def __init__(self, at_once: int) -> None:
        self.card = SystemCard("counted", Capability(concurrency=2))
        self.most = self._now = 0
        self._all_there = threading.Barrier(at_once, timeout=5)
        self._lock = threading.Lock()

    def generate(self, requests: Sequence[Request]) -> list[Response | Exception]:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        self._all_there.wait()
        time.sleep(0.02)  # so that a call too many would be seen
        with self._lock:
            self._now -= 1
        return [Response("x") for _ in requests]


@pytest.mark.parametrize(("batch_size", "calls"), [(1, 2), (2, 1)])
def test_as_many_requests_overlap_as_a_system_wants(batch_size: int, calls: int) -> None:
    system = Counted(calls)
    items = [
        GenerateItem(AnswerKey("s", "t", str(at)), (Turn("user", "x"),), "qa", "", "", 30.0, at) for at in range(4)
    ]
    done = [one for batch in ThreadsWorker(system).generate(items, batch_size) for one in batch]
    assert [one.error for one in done] == [""] * 4
    assert sorted(one.key.sample for one in done) == ["0", "1", "2", "3"]
    assert system.most == calls


@pytest.mark.parametrize("beyond", [1, -1])
def test_a_number_of_answers_that_is_not_that_of_the_requests_is_an_error_of_each(beyond: int) -> None:
    class Miscounting:
        card = SystemCard("miscounting")

        def generate(self, requests: Sequence[Request]) -> list[Response | Exception]:
            return [Response("x")] * (len(requests) + beyond)

    requests = [Request("a", (Message("user", "x"),)), Request("b", (Message("user", "x"),))]
    # Whose the answers are, nobody knows: each request is tried alone.
    assert [str(one) for one in respond_all(Miscounting(), requests)] == [f"{1 + beyond} answers to 1 requests"] * 2


@pytest.mark.parametrize("beyond", [1, -1])
def test_a_number_of_derivations_that_is_not_that_of_the_recordings_is_a_failure_of_each(beyond: int) -> None:
    class Miscounting:
        name, recipe, batch_size = "miscounting", "miscounting 1", 2

        def derive(self, inputs: Sequence[DerivationInput]) -> list[Derived | Exception]:
            return [Derived("ok", "x")] * (len(inputs) + beyond)

    done = derive_batch(Miscounting(), [DeriveItem(Need("d", fields={"text": text})) for text in "ab"])
    assert [one.derived.error for one in done] == [f"RuntimeError: {1 + beyond} answers to 1 requests"] * 2
