"""A wish to stop survives where Python would swallow it."""

from __future__ import annotations

import contextlib
import io
import signal

import numpy as np
import pytest

from tttbench.core.interrupts import deferred, stop_if_asked, stoppable
from tttbench.data.flac import encode_flac


def test_without_a_wish_nothing_stops() -> None:
    with stoppable():
        stop_if_asked()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_swallowed_signal_is_remembered(number: signal.Signals) -> None:
    with stoppable():
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(number)
        with pytest.raises(KeyboardInterrupt):
            stop_if_asked()
    stop_if_asked()


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_while_a_recording_is_encoded_is_not_lost_and_prints_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Pressed(io.BytesIO):
        def write(self, data: bytes) -> int:  # type: ignore[override]  # what soundfile gives
            signal.raise_signal(signal.SIGINT)
            return super().write(data)

    monkeypatch.setattr("tttbench.data.flac.io.BytesIO", Pressed)
    with stoppable(), pytest.raises(KeyboardInterrupt):
        encode_flac(np.zeros(1000, np.float32), 16_000)


def test_a_deferred_interrupt_comes_when_the_block_ends() -> None:
    reached = []

    def press() -> None:
        with deferred():
            signal.raise_signal(signal.SIGINT)
            reached.append("the end of the block")

    with stoppable(), pytest.raises(KeyboardInterrupt):
        press()
    assert reached


def test_handlers_are_put_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with stoppable():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
