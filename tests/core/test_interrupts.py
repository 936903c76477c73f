"""A wish to stop survives where Python would swallow it."""

from __future__ import annotations

import contextlib
import io
import signal

import numpy as np
import pytest

from tttbench.core.interrupts import stop_if_asked, stoppable
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


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_while_a_recording_is_encoded_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    class Pressed(io.BytesIO):
        def write(self, data: object) -> int:
            signal.raise_signal(signal.SIGINT)
            return 0

    monkeypatch.setattr("tttbench.data.flac.io.BytesIO", Pressed)
    with stoppable(), pytest.raises(KeyboardInterrupt):
        encode_flac(np.zeros(1000, np.float32), 16_000)


def test_handlers_are_put_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with stoppable():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
