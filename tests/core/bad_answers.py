"""Responses that no run can take, and what is said about each; beside them one that has everything."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tttbench.core.checked import LONGEST_S, LONGEST_TEXT, LONGEST_WORD
from tttbench.core.exchange import AudioCommit, Chunk, Response, Trace

WAVE = np.linspace(-1, 1, 320, dtype=np.float32)

TRACE = Trace(
    stages_s={"prefill": 0.1, "decode": 0.5},
    prefill_end_s=0.1,
    text_times_s=(0.2, 0.3),
    text_tokens=("a", "b"),
    audio_commits=(AudioCommit(0.4, 26), AudioCommit(0.4, 0)),
    chunks=(Chunk(0.5, 300), Chunk(0.6, 20)),
    end_s=0.6,
    nfe=4,
    commit_step=(1, 2),
    commit_confidence=(0.5, 0.25),
    spans=(2,),
)

SPOKEN = Response("hi", (0, 2), WAVE, 16_000, "length", TRACE)


def changed(**fields: Any) -> Response:
    """A response whose fields hold anything, as a plug-in's may."""
    return replace(SPOKEN, **fields)


def traced(**fields: Any) -> Response:
    """Likewise with fields of its trace."""
    return replace(SPOKEN, trace=replace(TRACE, **fields))


@dataclass(frozen=True)
class Evil(Response):
    """A response that can't even be looked at."""

    def __getattribute__(self, name: str) -> Any:
        if name == "text":
            raise ZeroDivisionError("no text")
        return object.__getattribute__(self, name)


class OwnText(str):
    """A text of a class of its own, whose methods raise."""

    __slots__ = ()

    def __len__(self) -> int:
        raise ZeroDivisionError("no length")

    def strip(self, characters: str | None = None, /) -> str:
        raise ZeroDivisionError(f"nothing to strip {characters}")


class OwnFloat(float):
    """A number that can't be compared."""

    def __lt__(self, other: object) -> bool:
        raise ZeroDivisionError("no order")


class OwnList(list[Any]):
    """A list that has a length and nothing else."""

    def __iter__(self) -> Any:
        raise ZeroDivisionError("no entries")


class OwnArray(np.ndarray[Any, Any]):
    """An array whose methods raise."""

    def __len__(self) -> int:
        raise ZeroDivisionError("no length")


def unfinished() -> Response:
    """A response that nobody has filled."""
    return Response.__new__(Response)


def endless() -> list[Any]:
    """A list that holds itself."""
    found: list[Any] = []
    found.append(found)
    return found


REFUSED: list[tuple[object, str]] = [
    # No response at all.
    (None, "must be a Response, not None."),
    ("Paris", "must be a Response, not 'Paris'."),
    (("Paris", None), "must be a Response, not a tuple."),
    (Response, "must be a Response, not a type."),
    (SystemExit(3), "must be a Response, not a SystemExit."),
    # Types.
    (changed(text=b"x"), "text: must be a string, not a bytes."),
    (changed(text=None), "text: must be a string, not null."),
    (changed(text=["x"]), "text: must be a string, not a list."),
    (changed(text="\ud800"), r"text: must not hold the character '\ud800'."),
    (changed(text="a\0b"), r"text: must not hold the character '\x00'."),
    (changed(finish_reason=None), "finish_reason: must be a string, not null."),
    (changed(trace=None), "trace: must be an object, not null."),
    (changed(trace="fast"), "trace: must be an object, not 'fast'."),
    (changed(audio_codes="12"), "audio_codes: must be a list of values, not '12'."),
    (changed(audio_codes={1, 2}), "audio_codes: must be a list of values, not a set."),
    (changed(audio_codes=(one for one in (1, 2))), "audio_codes: must be a list of values, not a generator."),
    (changed(audio_codes=(1, 2.5)), "audio_codes[1]: must be a whole number, not 2.5."),
    (changed(audio_codes=(1, True)), "audio_codes[1]: must be a whole number, not true."),
    (changed(audio_codes=np.zeros(2, np.float32)), "audio_codes[0]: must be a whole number, not 0.0."),
    (changed(audio_codes=np.zeros((2, 2), int)), "audio_codes[0]: must be a whole number, not a list."),
    (changed(audio_codes=endless()), "can't be read: RecursionError"),
    (changed(sample_rate=True), "sample_rate: must be a whole number, not true."),
    (changed(sample_rate=16_000.0), "sample_rate: must be a whole number, not 16000.0."),
    (changed(sample_rate="16000"), "sample_rate: must be a whole number, not '16000'."),
    (traced(end_s="1"), "trace.end_s: must be a finite number, not '1'."),
    (traced(end_s=True), "trace.end_s: must be a finite number, not true."),
    (traced(text_times_s=0.5), "trace.text_times_s: must be a list of values, not 0.5."),
    (traced(text_tokens=(1, 2)), "trace.text_tokens[0]: must be a string, not 1."),
    (traced(text_tokens=("a", "\udfff")), r"trace.text_tokens[1]: must not hold the character '\udfff'."),
    (traced(stages_s=None), "trace.stages_s: must be an object, not null."),
    (traced(stages_s={5: 0.1}), "trace.stages_s.5: must be a string, not 5."),
    (traced(chunks=(0.5,)), "trace.chunks[0]: must be an object, not 0.5."),
    (traced(nfe=2.5), "trace.nfe: must be a whole number, not 2.5."),
    (Evil("x"), "can't be read: ZeroDivisionError: no text."),
    (unfinished(), "can't be read: AttributeError"),
    (changed(audio_codes=OwnList([1])), "can't be read: ZeroDivisionError: no entries."),
    (changed(text=OwnText("a\0b")), r"text: must not hold the character '\x00'."),
    (traced(end_s=OwnFloat("nan")), "trace.end_s: must be a finite number, not nan."),
    # Times.
    (traced(end_s=math.nan), "trace.end_s: must be a finite number, not nan."),
    (traced(end_s=math.inf), "trace.end_s: must be a finite number, not inf."),
    (traced(prefill_end_s=math.nan), "trace.prefill_end_s: must be a finite number, not nan."),
    (traced(text_times_s=(0.2, math.nan)), "trace.text_times_s[1]: must be a finite number, not nan."),
    (traced(stages_s={"decode": math.inf}), "trace.stages_s.decode: must be a finite number, not inf."),
    (traced(chunks=(Chunk(math.nan, 320),)), "trace.chunks[0].time_s: must be a finite number, not nan."),
    (traced(end_s=-0.1), "trace.end_s: times must be 0 or more, not -0.1."),
    (traced(end_s=2 * LONGEST_S), "trace.end_s: must be at most 1,000,000 s, not 2e+06."),
    (traced(end_s=0.0, prefill_end_s=2e6), "trace.prefill_end_s: times must not be later than 1,000,000 s, but one is"),
    (traced(prefill_end_s=0.7), "trace.prefill_end_s: times must not be later than the end of the answer (0.6 s), but"),
    (traced(text_times_s=(-0.2, 0.3)), "trace.text_times_s: times must be 0 or more, not -0.2."),
    (traced(text_times_s=(0.3, 0.2)), "trace.text_times_s: times must not decrease."),
    (traced(audio_commits=(AudioCommit(0.4, 1), AudioCommit(0.3, 1))), "trace.audio_commits: times must not decrease."),
    (traced(chunks=(Chunk(0.5, 300), Chunk(0.4, 20))), "trace.chunks: times must not decrease."),
    (traced(compute_s=-0.1), "trace.compute_s: must be from 0 to 1,000,000 s, not -0.1."),
    (traced(compute_s=2 * LONGEST_S), "trace.compute_s: must be from 0 to 1,000,000 s, not 2e+06."),
    (traced(stages_s={"decode": -0.1}), "trace.stages_s: must be from 0 to 1,000,000 s, but 'decode' is -0.1."),
    # Counts and lengths.
    (changed(audio_codes=(1, -2)), "audio_codes: must be whole numbers of 0 or more, not -2."),
    (traced(nfe=-1), "trace.nfe: must count from 0, not -1."),
    (traced(audio_commits=(AudioCommit(0.4, -1),)), "trace.audio_commits: must count from 0, not -1."),
    (traced(chunks=(Chunk(0.4, 321), Chunk(0.5, -1))), "trace.chunks: must count from 0, not -1."),
    (traced(commit_step=(-1, 1)), "trace.commit_step: must count from 0, not -1."),
    (traced(spans=(-1, 3)), "trace.spans: must count from 0, not -1."),
    (traced(commit_confidence=(0.5, 1.5)), "trace.commit_confidence: must be probabilities from 0 to 1."),
    (traced(commit_confidence=(0.5, -0.5)), "trace.commit_confidence: must be probabilities from 0 to 1."),
    (traced(text_tokens=("a",)), "trace.text_tokens: must be as many as text_times_s, 2, not 1."),
    (traced(commit_confidence=(0.5,)), "trace.commit_confidence: must be as many as commit_step, 2, not 1."),
    (traced(spans=(1,)), "trace.spans: must sum to the length of commit_step, 2, not 1."),
    (traced(chunks=(Chunk(0.5, 10),)), "trace.chunks: must hold the waveform's 320 samples in all, not 10."),
    (changed(waveform=None), "trace.chunks: must hold the waveform's 0 samples in all, not 320."),
    (changed(text="x" * (LONGEST_TEXT + 1)), "text: must have at most 1,000,000 characters, not 1,000,001."),
    (changed(finish_reason="x" * (LONGEST_WORD + 1)), "finish_reason: must have at most 1,000 characters, not 1,001."),
    (traced(stages_s={"x" * 1001: 0.1}), "trace.stages_s: a name must have at most 1,000 characters, not 1,001."),
    # Waveforms.
    (changed(waveform=[0.5]), "waveform: must be a NumPy array, not a list."),
    (changed(waveform=b"\0\0"), "waveform: must be a NumPy array, not a bytes."),
    (changed(waveform=WAVE.astype(np.int16)), "waveform: must be float32 from -1 to 1, not int16: divide it by 32768."),
    (changed(waveform=WAVE.astype(np.uint8)), "waveform: must be float32 from -1 to 1, not uint8."),
    (changed(waveform=WAVE.astype(bool)), "waveform: must be float32 from -1 to 1, not bool."),
    (changed(waveform=WAVE.astype(np.complex64)), "waveform: must be float32 from -1 to 1, not complex64."),
    (changed(waveform=WAVE.astype(object)), "waveform: must be float32 from -1 to 1, not object."),
    (changed(waveform=32_767 * WAVE), "waveform: must lie from -1 to 1, but reaches 32767: divide it by its full"),
    (changed(waveform=WAVE.reshape(2, 160)), "waveform: must be mono, shape (n,), not (2, 160)."),
    (changed(waveform=np.zeros((), np.float32)), "waveform: must be mono, shape (n,), not ()."),
    (changed(waveform=np.zeros((0, 2), np.float32)), "waveform: must be mono, shape (n,), not (0, 2)."),
    (changed(waveform=np.full(320, np.nan, np.float32)), "waveform: must not hold NaN or infinity."),
    (changed(waveform=np.full(320, np.inf, np.float32)), "waveform: must not hold NaN or infinity."),
    (changed(sample_rate=0), "sample_rate: must be from 1,000 to 655,350 Hz, not 0."),
    (changed(sample_rate=-16_000), "sample_rate: must be from 1,000 to 655,350 Hz, not -16000."),
    (changed(sample_rate=1), "sample_rate: must be from 1,000 to 655,350 Hz, not 1."),
    (changed(sample_rate=10**9), "sample_rate: must be from 1,000 to 655,350 Hz, not 1000000000."),
]
