"""Codes in as they are committed, chunks of waveform out as soon as they are final. Knows one answer and its codec.

Each chunk costs the vocoder the codes in it and about ten around it, so codes that come one by one (AR models) are
held back, little at first for the sake of the TTFA: the first chunk is made when three codes (0.2 s) can be spoken,
beyond those that the vocoder must look ahead, the second of 5 codes, so that it comes before the first has been played,
later ones of 13. Thus a span of 26 makes three chunks. Blocks that are longer (26 in hybrid models) are spoken at once,
and the end of a span holds nothing back.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tttbench.core.exchange import Waveform

if TYPE_CHECKING:
    from reference_model.decoding import Event
    from reference_model.speech.codec import Codec, Speaker

FIRST_CODES, SECOND_CODES, LATER_CODES = 3, 5, 13


@lru_cache(maxsize=4)
def load_codec(folder: Path, device: str = "cpu") -> Codec:
    """Load the codec in ``folder``; systems that name the same folder share it.

    Raises:
        CheckpointError: naming the file that is missing or damaged, or the kind of codec that is unknown.
    """
    from reference_model.speech import codec

    return codec.load_codec(folder, device)


class Speech:
    """One spoken answer on its way out.

    Attributes:
        chunks: the waveform so far.
        times_s: for each chunk the moment it was there, by ``time.perf_counter``.
        vocode_s: seconds spent on them.
    """

    def __init__(self, codec: Codec) -> None:
        """Begin an answer; nothing is computed yet. With a codec that can't speak nothing ever is."""
        from reference_model.speech.codec import speaks

        self.chunks: list[Waveform] = []
        self.times_s: list[float] = []
        self.vocode_s = 0.0
        self._speaker: Speaker | None = codec.speaker() if speaks(codec) else None
        self._lookahead = codec.lookahead_codes
        self._held: list[int] = []
        self._began = False

    def take(self, event: Event) -> None:
        """Take an event of the decoder; blocks of audio are spoken before it returns, unless they are held back."""
        from reference_model.decoding import AudioCommitted

        if not isinstance(event, AudioCommitted) or self._speaker is None:
            return
        self._held += event.codes
        first = self._lookahead + FIRST_CODES
        enough = {0: first, 1: SECOND_CODES}.get(len(self.chunks), LATER_CODES)
        # A first span within the look-ahead yields no sample, so there is nothing to hand on yet.
        least = 1 if self._began else self._lookahead + 1
        if len(self._held) >= (least if event.ends_span else enough):
            self._speak(self._speaker)

    @property
    def speaks(self) -> bool:
        """Whether the codec can speak."""
        return self._speaker is not None

    def finish(self) -> Waveform:
        """Speak what is left and return the whole waveform."""
        if self._speaker is not None:
            if self._held:
                self._speak(self._speaker)
            if self._began:
                self._keep(self._speaker.finish)
        return np.concatenate([np.zeros(0, np.float32), *self.chunks])

    def _speak(self, speaker: Speaker) -> None:
        codes, self._held = self._held, []
        self._began = True
        self._keep(lambda: speaker.push(codes))

    def _keep(self, make: Callable[[], Waveform]) -> None:
        """Time the next chunk and keep it, unless it is empty."""
        before_s = time.perf_counter()
        chunk = make()
        now_s = time.perf_counter()
        self.vocode_s += now_s - before_s
        if len(chunk):
            self.chunks.append(chunk)
            self.times_s.append(now_s)
