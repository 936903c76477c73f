"""The executor ``threads``: how many calls overlap."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import pytest

from tttbench.core import interrupts
from tttbench.core.derivation import DerivationInput, Derived, Need
from tttbench.core.exchange import Request, Response
from tttbench.core.sample import Turn
from tttbench.core.system import Capability, SystemCard
from tttbench.pipeline.executors.threads import ThreadsWorker
from tttbench.pipeline.jobs import DeriveItem, GenerateItem
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
    # As many were worked on at once, so none of their times is a latency.
    assert {one.batch_size for one in done} == {2}
    assert {one.conditions is None for one in done} == {calls > 1}


def test_one_call_at_a_time_is_one_that_is_watched() -> None:
    system = Counted(1)
    items = [GenerateItem(AnswerKey("s", "t", "0"), (Turn("user", "x"),), "qa", "", "", 30.0, 0)]
    ((one,),) = ThreadsWorker(system).generate(items, 1)
    assert one.batch_size == 1
    assert one.conditions is not None


class Gate:
    """A deriver whose calls wait for each other, as many as it says that it takes at once (None: it doesn't say)."""

    name, recipe, batch_size = "gate", "gate@1", 1

    def __init__(self, concurrency: int | None, at_once: int) -> None:
        if concurrency is not None:
            self.concurrency = concurrency
        self.most = self._now = 0
        self._all_there = threading.Barrier(at_once, timeout=5)
        self._lock = threading.Lock()

    def derive(self, inputs: Sequence[DerivationInput]) -> list[Derived | Exception]:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        self._all_there.wait()
        time.sleep(0.02)
        with self._lock:
            self._now -= 1
        return [Derived("ok", "x") for _ in inputs]


@pytest.mark.parametrize(("concurrency", "calls"), [(None, 1), (0, 1), (1, 1), (2, 2)])
def test_as_many_derivations_overlap_as_a_deriver_says(concurrency: int | None, calls: int) -> None:
    deriver = Gate(concurrency, calls)
    needs = [DeriveItem(Need("gate", fields={"n": str(at)})) for at in range(4)]
    done = [one for batch in ThreadsWorker(deriver).derive(needs) for one in batch]
    assert sorted(one.need.fields["n"] for one in done) == ["0", "1", "2", "3"]
    assert ([one.derived.content for one in done], deriver.most) == (["x"] * 4, calls)


def test_who_stops_a_run_stops_the_calls_that_have_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stops(Counted):
        def generate(self, requests: Sequence[Request]) -> list[Response | Exception]:
            self.most += 1
            return [Response("x")]

    monkeypatch.setattr(interrupts, "_wanted", threading.Event())
    interrupts._wanted.set()
    system = Stops(1)
    items = [
        GenerateItem(AnswerKey("s", "t", str(at)), (Turn("user", "x"),), "qa", "", "", 30.0, at) for at in range(9)
    ]
    with pytest.raises(KeyboardInterrupt):
        list(ThreadsWorker(system).generate(items, 1))
    # Two at once, and one more at most that was given before the first had ended.
    assert system.most <= 3


def test_nothing_to_do_calls_nobody() -> None:
    assert list(ThreadsWorker(Counted(1)).generate([], 1)) == []
