"""One repeat of a measurement: every request asked once, in calls of a batch. Knows no point and no stopping rule."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from tttbench.core.errors import UserError
from tttbench.core.exchange import Conditions, Message, Request, Response
from tttbench.core.system import PassRun
from tttbench.probes.compute import shared
from tttbench.probes.latency import Timed, timed
from tttbench.probes.memory import device_peak_bytes, peak_bytes, release_free_memory, reset_peak

if TYPE_CHECKING:
    from reference_model.roofline import Ceilings
    from tttbench.probes.conditions import Watch

NOISE_HZ = 16_000


@dataclass(frozen=True)
class Call:
    """Requests that are asked together.

    Attributes:
        ids: of the requests, for messages.
        inputs_s: seconds of audio in each; 0 where there is none.
        ask: asks them.
        means_something: whether they hold something to be answered, so that an empty answer, or one that a limit cut,
            is none; to noise and to forced answers any is.
    """

    ids: tuple[str, ...]
    inputs_s: tuple[float, ...]
    ask: Callable[[], Sequence[Response | Exception]]
    means_something: bool = False


@dataclass(frozen=True)
class Turn:
    """What one repeat showed.

    Attributes:
        timed: the requests that were answered completely.
        errors: a message for each that was not answered.
        seconds: of all calls together.
        passes: passes that the system told, in order.
        peak_bytes: most memory that the process held.
        device_peak_bytes: most memory that tensors took on the device; None on a CPU.
        empty, cut: answers that are neither in ``timed`` nor in a rate: empty ones, and those that a limit cut.
        conditions: of the machine meanwhile; None if nobody watched.
    """

    timed: tuple[Timed, ...]
    errors: tuple[str, ...]
    seconds: float
    passes: tuple[PassRun, ...]
    peak_bytes: int
    device_peak_bytes: int | None
    empty: int = 0
    cut: int = 0
    conditions: Conditions | None = None

    @property
    def together(self) -> int:
        """The most requests that were worked on at once."""
        return max((one.together for one in self.timed), default=1)

    @property
    def latency_s(self) -> float:
        """The median over the requests of this turn; nan if none was answered, or several were together."""
        if not self.timed or self.together > 1:
            return math.nan
        return statistics.median(one.trace.end_s for one in self.timed)

    @property
    def measured_s(self) -> float:
        """What is measured until it is known well enough: the latency; of requests together the seconds of all calls.

        nan if none was answered.
        """
        return self.seconds if self.timed and self.together > 1 else self.latency_s

    @property
    def answers_per_s(self) -> float:
        """Complete answers of all calls over their seconds."""
        return len(self.timed) / self.seconds if self.seconds > 0 else math.nan

    @property
    def codes_per_s(self) -> float:
        """Codes of all answers over the seconds of all calls; nan if there are none."""
        n_codes = sum(one.n_codes for one in self.timed)
        return n_codes / self.seconds if n_codes and self.seconds > 0 else math.nan

    def percent_of_limit(self, ceilings: Ceilings | None) -> float:
        """Least time of the passes behind the prefill over the time they took, in per cent; nan where none are told."""
        decode = [one for one in self.passes if not one.prefill]
        seconds = sum(one.seconds for one in decode)
        if ceilings is None or seconds <= 0:
            return math.nan
        return 100 * sum(one.work.limit_s(ceilings) for one in decode) / seconds


def take_turn(
    calls: Sequence[Call],
    passes: list[PassRun],
    device: str,
    clock: Callable[[], float],
    *,
    afresh: bool = False,
    watch: Watch | None = None,
) -> Turn:
    """Make every call once.

    Args:
        calls: what is asked.
        passes: where the system appends its passes while it is asked.
        device: whose memory is watched beside the process's.
        clock: monotonic seconds.
        afresh: give free memory back first. What is asked then takes it again, which costs time.
        watch: watches the machine meanwhile.
    """
    answered: list[Timed] = []
    errors: list[str] = []
    empty = cut = 0
    seconds = 0.0
    passes.clear()
    if afresh:
        release_free_memory()
    reset_peak(device)
    if watch is not None:
        watch.begin()
    for call in calls:
        before_s = clock()
        answers = _answers(call)
        call_s = clock() - before_s
        seconds += call_s
        for name, input_s, answer in zip(call.ids, call.inputs_s, shared(answers, call_s), strict=True):
            if isinstance(answer, Response):
                is_empty = not answer.text.strip() and not _seconds_of(answer)
                if call.means_something and (is_empty or answer.is_cut):
                    empty, cut = empty + is_empty, cut + (not is_empty)
                else:
                    answered.append(timed(answer, _seconds_of(answer), input_s, len(call.ids)))
            else:
                said = str(answer) if isinstance(answer, UserError) else f"{type(answer).__name__}: {answer}"
                errors.append(said if said.startswith(f"{name}:") else f"{name}: {said}")
    conditions = None if watch is None else watch.end()
    memory = (peak_bytes(), device_peak_bytes(device))
    return Turn(tuple(answered), tuple(errors), seconds, tuple(passes), *memory, empty, cut, conditions)


def _answers(call: Call) -> Sequence[Response | Exception]:
    """The call's answers; what it raises is the error of all its requests."""
    try:
        answers = call.ask()
    except Exception as error:
        return [error] * len(call.ids)
    if len(answers) != len(call.ids):
        return [RuntimeError(f"the system gave {len(answers)} answers to {len(call.ids)} requests")] * len(call.ids)
    return answers


def _seconds_of(answer: Response) -> float:
    """Seconds of the spoken answer; 0 if there is none."""
    return 0.0 if answer.waveform is None or not answer.sample_rate else len(answer.waveform) / answer.sample_rate


def calls_of(
    answer: Callable[[Sequence[Request]], Sequence[Response | Exception]], requests: Sequence[Request], batch_size: int
) -> list[Call]:
    """Return the calls in which ``requests`` are asked ``batch_size`` at a time; those of a task mean something."""
    calls = []
    for at in range(0, len(requests), batch_size):
        batch = requests[at : at + batch_size]
        inputs_s = (0.0 if one.audio is None else len(one.audio) / one.sample_rate for one in batch)
        ids = tuple(one.id for one in batch)
        calls.append(Call(ids, tuple(inputs_s), partial(answer, batch), any(one.task for one in batch)))
    return calls


def noise_requests(family: str, count: int, seconds: float, seed: int) -> list[Request]:
    """Return ``count`` requests whose audio is quiet white noise of ``seconds`` at 16 kHz."""
    made = []
    for at in range(count):
        noise = np.random.default_rng([seed, at]).normal(0.0, 0.05, round(seconds * NOISE_HZ)).astype(np.float32)
        made.append(
            Request(f"noise-{at}", (Message("user", audio=noise, sample_rate=NOISE_HZ),), family, seed=seed + at)
        )
    return made
