"""Codes in as they are committed, packets of waveform out as soon as they are final. Knows one answer and its codec.

Each packet costs the vocoder the codes in it and about ten around it, so codes that come one by one (AR models) are
held back, little at first for the sake of the time to the first sound: the first packet is made when three codes
(0.2 s) can be heard of it, beyond those that the vocoder must look ahead, the second of 5 codes, so that it comes
before the first has been played, later ones of 13. Thus a span of 26 makes three packets. Blocks that are longer (26
in hybrid models) are spoken at once, and the end of a span holds nothing back.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tttbench.core.records import Waveform

if TYPE_CHECKING:
    from reference_model.decoding import Event
    from reference_model.speech.mini import MiniCodec

FIRST_HEARD_CODES, SECOND_CODES, LATER_CODES = 3, 5, 13


@lru_cache(maxsize=4)
def load_codec(folder: Path) -> MiniCodec:
    """Load the codec in ``folder``; systems that name the same folder share it. It runs on the CPU.

    Raises:
        CheckpointError: naming the file that is missing or damaged.
    """
    from reference_model.speech.mini import MiniCodec

    return MiniCodec.load(folder)


class Speech:
    """One spoken answer on its way out.

    Attributes:
        packets: the waveform so far.
        times_s: for each packet the moment it was there, by ``time.perf_counter``.
        vocode_s: seconds spent on them.
    """

    def __init__(self, codec: MiniCodec) -> None:
        """Begin an answer; nothing is computed yet."""
        from reference_model.speech.networks import FrameNet

        self.packets: list[Waveform] = []
        self.times_s: list[float] = []
        self.vocode_s = 0.0
        self._lookahead = FrameNet.lookahead_codes
        self._held: list[int] = []
        self._handed: deque[list[int]] = deque()
        self._started = False
        self._ended = False
        self._stream = codec.stream(self._blocks())

    def hear(self, event: Event) -> None:
        """Take an event of the decoder; blocks of audio are spoken before it returns, unless they are held back."""
        from reference_model.decoding import AudioCommitted

        if not isinstance(event, AudioCommitted):
            return
        self._held += event.codes
        first = self._lookahead + FIRST_HEARD_CODES
        enough = {0: first, 1: SECOND_CODES}.get(len(self.packets), LATER_CODES)
        # A first block within the look-ahead yields no sample, and the stream couldn't be left waiting for more.
        least = 1 if self._started else self._lookahead + 1
        if len(self._held) >= (least if event.ends_span else enough):
            self._hand_over()
            self._speak()

    def finish(self) -> Waveform:
        """Speak what is left and return the whole waveform."""
        if self._held:
            self._hand_over()
        self._ended = True
        while self._started and self._speak():
            pass
        return np.concatenate([np.zeros(0, np.float32), *self.packets])

    def _hand_over(self) -> None:
        self._handed.append(self._held)
        self._held = []
        self._started = True

    def _speak(self) -> bool:
        """Make the next packet; False if there is none."""
        before_s = time.perf_counter()
        packet = next(self._stream, None)
        now_s = time.perf_counter()
        self.vocode_s += now_s - before_s
        if packet is None:
            return False
        self.packets.append(packet)
        self.times_s.append(now_s)
        return True

    def _blocks(self) -> Iterator[list[int]]:
        while self._handed or not self._ended:
            if not self._handed:
                raise RuntimeError("the codec holds back more codes than FrameNet.lookahead_codes")
            yield self._handed.popleft()
