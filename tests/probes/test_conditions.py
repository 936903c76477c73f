"""What is noted of the machine while something is timed."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tttbench.core.errors import UserError
from tttbench.probes.conditions import Watch, calibration, fixed_work


@contextmanager
def busy_process() -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-c", "print(1, flush=True)\nwhile True: pass"], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    try:
        yield
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_pace_is_the_time_of_the_fixed_work() -> None:
    watch = Watch("cpu")
    watch.begin()
    found = watch.end()
    assert 0 < found.calibration_s < 10


def test_the_work_is_the_same_for_all_watches() -> None:
    assert fixed_work("cpu") is fixed_work("cpu")


@pytest.fixture
def without_torch(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    fixed_work.cache_clear()
    monkeypatch.setitem(sys.modules, "torch", None)
    yield
    fixed_work.cache_clear()


def test_without_torch_numpy_does_the_work(without_torch: None) -> None:
    assert calibration() == "numpy"
    watch = Watch("cpu")
    watch.begin()
    assert 0 < watch.end().calibration_s < 10


def test_without_torch_no_other_device_is_watched(without_torch: None) -> None:
    with pytest.raises(UserError, match=r"device cuda needs torch.*pip install 'tttbench\[model\]'"):
        Watch("cuda")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what other processes do")
def test_another_process_is_seen() -> None:
    watch = Watch("cpu")
    with busy_process():
        watch.begin()
        time.sleep(1.0)
        found = watch.end()
    assert found.others_cores is not None
    # It shares the cores with whatever else runs here, so it may get only a part of one.
    assert found.others_cores > 0.2


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what other processes do")
def test_own_work_is_not_counted_as_others(monkeypatch: pytest.MonkeyPatch) -> None:
    # Wall clock, all cores, this process: 3 core-seconds in 2 s, of which 1 its own.
    times = iter([(10.0, 100.0, 7.0), (12.0, 103.0, 8.0)])
    watch = Watch("cpu")
    monkeypatch.setattr("tttbench.probes.conditions._now", lambda: next(times))
    watch.begin()
    assert watch.end().others_cores == 1.0


def test_what_others_do_is_counted_over_the_fixed_work_too(monkeypatch: pytest.MonkeyPatch) -> None:
    # A call of 1 ms behind work of 99 ms, and one tick of 10 ms: a tenth of a core, not ten cores.
    clock = [0.0]
    watch = Watch("cpu")
    monkeypatch.setattr("tttbench.probes.conditions._now", lambda: (clock[0], clock[0] and 0.01, 0.0))
    monkeypatch.setattr("tttbench.probes.conditions._STAT", Path(__file__))
    monkeypatch.setattr(watch, "_work", lambda: clock.__setitem__(0, 0.099))
    watch.begin()
    clock[0] = 0.1
    assert watch.end().others_cores == pytest.approx(0.1)
