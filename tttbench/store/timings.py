"""Latency and compute of a run's answers: which of them are timed, which are left out, and where the machine was busy.

The one way from the rows of a run to figures of time, for summary, pages, frames and gate. An answer is timed if it is
complete: not an error, not empty, not cut by a length limit. It is empty if it holds no word and no sound though there
was something to be said, or if any of its scores says so, as where it should have been spoken and wasn't.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from tttbench.core.metric import ProbeResult, TimedAnswers
from tttbench.probes.latency import Timed, latency_probes, timed
from tttbench.probes.machine_load import MachineLoad, load_of, reasons
from tttbench.store.rows import StoredAnswer

LeftOut = Literal["error", "empty", "cut"]


def why_left_out(answer: StoredAnswer) -> LeftOut | None:
    """Return why an answer is in no latency; None if it is complete."""
    if answer.response is None:
        return "error"
    references = answer.sample.sample.references
    silence_is_right = bool(references) and not any(map(str.strip, references))
    if (answer.status == "empty" and not silence_is_right) or any(
        score.status == "empty" for score in answer.scores.values()
    ):
        return "empty"
    return "cut" if answer.response.is_cut else None


def timed_answer(answer: StoredAnswer) -> Timed | None:
    """Return a complete answer as far as time is concerned; None for any other."""
    if answer.response is None or why_left_out(answer) is not None:
        return None
    return timed(answer.response, answer.answer_s, answer.sample.input_s, max(1, answer.batch_size))


@dataclass(frozen=True)
class TimedCell:
    """A system's answers to a task, as far as time is concerned.

    Attributes:
        system, strategy, task: whose.
        timed: complete answers.
        left_out: the others, by why.
        load: of the machine meanwhile; None if nobody watched.
    """

    system: str
    strategy: str
    task: str
    timed: tuple[Timed, ...]
    left_out: Counter[LeftOut]
    load: MachineLoad | None


def cell_of(system: str, strategy: str, task: str, answers: Iterable[StoredAnswer]) -> TimedCell:
    """Return what is timed of a system's answers to a task."""
    found: list[Timed] = []
    left_out: Counter[LeftOut] = Counter()
    conditions = []
    for answer in answers:
        reason, one = why_left_out(answer), timed_answer(answer)
        if reason is not None:
            left_out[reason] += 1
        elif one is not None:
            found.append(one)
            conditions.append(answer.conditions)
    return TimedCell(system, strategy, task, tuple(found), left_out, load_of(conditions))


@dataclass(frozen=True)
class Timings:
    """The figures of a run's cells, and which answers each cell's are of."""

    probes: tuple[ProbeResult, ...]
    answers: tuple[TimedAnswers, ...]


def timings_of(cells: Sequence[TimedCell]) -> Timings:
    """Return the figures of all cells of a run; their calibration times are compared with the run's shortest."""
    probes: list[ProbeResult] = []
    answers: list[TimedAnswers] = []
    for cell, busy in zip(cells, reasons([cell.load for cell in cells]), strict=True):
        found = latency_probes(cell.system, cell.strategy, cell.task, cell.timed, busy)
        probes += found
        together = max((one.together for one in cell.timed), default=1)
        answers.append(
            TimedAnswers(
                cell.system,
                cell.task,
                len(cell.timed),
                error=cell.left_out["error"],
                empty=cell.left_out["empty"],
                cut=cell.left_out["cut"],
                together=together,
                why_no_latency=why_no_latency(together),
                # Answers from a file have no times that a busy machine could have touched.
                busy=busy if any(probe.busy for probe in found) else "",
            )
        )
    return Timings(tuple(probes), tuple(answers))


def why_no_latency(together: int) -> str:
    """Return why answers that were made ``together`` at a time have no latency; ``""`` if they were made alone."""
    if together <= 1:
        return ""
    return (
        f"generated {together} at a time, so each one's times hold the others'; one request at a time "
        "(--batch-size 1, --executor serial) gives latencies, and 'tttbench probe --batch-size' throughput"
    )


def in_words(answers: TimedAnswers) -> str:
    """Return what is left out, in words: ``"20 errors, 10 empty, 4 cut"``; ``""`` if nothing is."""
    return ", ".join(_left_out(answers))


def _left_out(answers: TimedAnswers) -> Iterator[str]:
    if answers.error:
        yield f"{answers.error:,} error{'s' * (answers.error != 1)}"
    if answers.empty:
        yield f"{answers.empty:,} empty"
    if answers.cut:
        yield f"{answers.cut:,} cut by a length limit"
