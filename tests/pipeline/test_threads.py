"""The executor ``threads``: how many calls overlap."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import pytest

from tttbench.core.exchange import Request, Response
from tttbench.core.sample import Turn
from tttbench.core.system import Capability, SystemCard
from tttbench.pipeline.executors.threads import ThreadsWorker
from tttbench.pipeline.jobs import GenerateItem
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
