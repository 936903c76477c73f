"""How long input and answer of a TtT model may be: arithmetic on positions. Loads nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tttbench.core.errors import InputError, UserError
from tttbench.core.exchange import Request
from tttbench.core.system import Lengths

if TYPE_CHECKING:
    from reference_model.decoding import DecodeConfig

TEXT_CHUNK, AUDIO_CHUNK = 13, 26
"""Text tokens and codes of one turn of an interleaved answer of TtT (arXiv 2509.20072); see docs/reference_model.md."""


@dataclass(frozen=True)
class Limits:
    """What bounds a model's input and answer.

    Attributes:
        positions: tokens of prompt and answer that the weights were made for.
        codes_per_s: of the codec.
    """

    positions: int
    codes_per_s: float

    def codes(self, seconds: float) -> int:
        """Return the number of codes that ``seconds`` of audio take."""
        return math.ceil(seconds * self.codes_per_s)

    def check(self, request: Request, seconds: float, n_around: int) -> None:
        """Refuse a request that leaves no room for an answer.

        An ASR answer repeats the input, with text in between; any other takes at least one turn of both.

        Args:
            request: named in the message.
            seconds: length of its audio; 0 for none.
            n_around: tokens of its prompt beside the audio.

        Raises:
            InputError: naming the request and the fix.
        """
        repeats = request.family == "asr"
        turn = TEXT_CHUNK + AUDIO_CHUNK
        n_codes = self.codes(seconds)
        n_answer = math.ceil(n_codes * turn / AUDIO_CHUNK) if repeats else turn
        if n_around + n_codes + n_answer > self.positions:
            free = self.positions - n_around
            allowed = max(0, free * AUDIO_CHUNK // (AUDIO_CHUNK + turn) if repeats else free - turn)
            # What is advised fits: rounded down, once more where ``codes`` rounds a whole number of codes up.
            tenths = math.floor(10 * allowed / self.codes_per_s)
            tenths -= self.codes(tenths / 10) > allowed
            what, fix = f"{seconds:.1f} s of audio", f"Give at most {tenths / 10:.1f} s"
            if not n_codes:
                what, fix = "the text", "Shorten it"
            raise InputError(
                f"{request.id}: {what} and an answer take {n_around + n_codes + n_answer} positions, but the model has "
                f"{self.positions}. {fix}, or take a model with more positions."
            )
        if repeats and seconds > request.max_seconds:
            raise InputError(
                f"{request.id}: {seconds:.1f} s of audio, which the model repeats as it transcribes it, but "
                f"the task waits for {request.max_seconds:g} s at most. Cut the audio, or raise the task's max_seconds."
            )

    def check_lengths(self, system: str, lengths: Lengths, n_positions: int) -> None:
        """Refuse a synthetic request of ``n_positions`` tokens with its answer that the positions don't hold.

        Raises:
            UserError: naming system, lengths and fix.
        """
        if n_positions > self.positions:
            raise UserError(
                f"a prompt of {lengths.prompt_codes} codes and a span of {lengths.span_codes} take {n_positions} "
                f"positions, but {system} has {self.positions}. Shorten them by {n_positions - self.positions} in all."
            )

    def bound(self, settings: DecodeConfig, request: Request, n_prompt: int) -> DecodeConfig:
        """Return ``settings`` with no more tokens than the request waits for and the positions hold."""
        room = max(1, self.positions - n_prompt)
        n_codes = self.codes(request.max_seconds)
        waited_for = n_codes + n_codes // AUDIO_CHUNK + 1  # each span has an end token
        return replace(
            settings,
            max_text_tokens=min(settings.max_text_tokens, room),
            max_audio_tokens=min(settings.max_audio_tokens, waited_for, room),
        )
