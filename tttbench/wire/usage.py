"""Token counts, as each of OpenAI's endpoints names them.

Chat: ``{"prompt_tokens", "completion_tokens", "total_tokens", "prompt_tokens_details": {"audio_tokens"},
"completion_tokens_details": {"audio_tokens"}}``. Speech, transcripts and Realtime: ``{"input_tokens",
"output_tokens", "total_tokens", "input_token_details", "output_token_details"}``, or for some transcribers
``{"type": "duration", "seconds"}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tttbench.core.json_values import JsonObject, JsonValue


@dataclass(frozen=True)
class Usage:
    """What an answer took, as the server counts; None where it doesn't tell.

    Attributes:
        tokens_in, tokens_out: of prompt and answer, speech and thinking included.
        audio_in, audio_out: those of them that are audio.
        audio_s: seconds of audio that are paid for.
    """

    tokens_in: int | None = None
    tokens_out: int | None = None
    audio_in: int | None = None
    audio_out: int | None = None
    audio_s: float | None = None

    def chat(self) -> JsonObject:
        """As chat completions carry it."""
        given, made = self.tokens_in or 0, self.tokens_out or 0
        return {
            "prompt_tokens": given,
            "completion_tokens": made,
            "total_tokens": given + made,
            "prompt_tokens_details": {"audio_tokens": self.audio_in or 0, "cached_tokens": 0},
            "completion_tokens_details": {"audio_tokens": self.audio_out or 0, "reasoning_tokens": 0},
        }

    def plain(self) -> JsonObject:
        """As speech, transcripts and Realtime carry it."""
        given, made = self.tokens_in or 0, self.tokens_out or 0
        if self.tokens_in is None and self.tokens_out is None and self.audio_s is not None:
            return {"type": "duration", "seconds": self.audio_s}
        return {
            "type": "tokens",
            "input_tokens": given,
            "output_tokens": made,
            "total_tokens": given + made,
            "input_token_details": {"audio_tokens": self.audio_in or 0, "text_tokens": given - (self.audio_in or 0)},
            "output_token_details": {"audio_tokens": self.audio_out or 0, "text_tokens": made - (self.audio_out or 0)},
        }

    @property
    def cost(self) -> Mapping[str, float]:
        """By the names that costs have everywhere: those that are known."""
        named: dict[str, float | None] = {
            "tokens_in": self.tokens_in,
            "tokens_out": self.tokens_out,
            "audio_tokens_in": self.audio_in,
            "audio_tokens_out": self.audio_out,
            "audio_s": self.audio_s,
        }
        return {name: value for name, value in named.items() if value is not None}


def read_usage(value: JsonValue) -> Usage | None:
    """Return the counts of a reply; None where there are none. Counts that make no sense count as untold."""
    if not isinstance(value, Mapping):
        return None
    inside = _inner(value, "prompt_tokens_details", "input_token_details", "input_tokens_details")
    outside = _inner(value, "completion_tokens_details", "output_token_details", "output_tokens_details")
    seconds = value.get("seconds")
    return Usage(
        _count(value, "prompt_tokens", "input_tokens"),
        _count(value, "completion_tokens", "output_tokens"),
        _count(inside, "audio_tokens"),
        _count(outside, "audio_tokens"),
        float(seconds) if isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds >= 0 else None,
    )


def _inner(table: JsonObject, *names: str) -> JsonObject:
    found = next((table[name] for name in names if name in table), None)
    return found if isinstance(found, Mapping) else {}


def _count(table: JsonObject, *names: str) -> int | None:
    found = next((table[name] for name in names if name in table), None)
    return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else None
