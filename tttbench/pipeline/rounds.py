"""Conversations in which a system gets its own answers back: round by round, each once the rounds before are answered.

A turn that names an earlier sample (``Turn.answer_to``) stands for what the system answered to it, in the same repeat:
its text, or where it writes none, its recording.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tttbench.pipeline.jobs import GenerateItem
from tttbench.store.rows import StoredAnswer

Answered = Mapping[tuple[str, int], StoredAnswer]
"""What a system answered to the samples of a task, by sample and repeat."""


@dataclass(frozen=True)
class Filled:
    """Requests whose earlier rounds are answered, and those that can't be asked, each with the reason."""

    items: tuple[GenerateItem, ...]
    impossible: tuple[tuple[GenerateItem, str], ...] = ()


def needs_own_answers(item: GenerateItem) -> bool:
    """Whether a request waits for answers to earlier ones."""
    return any(turn.answer_to for turn in item.turns)


def in_rounds(items: Sequence[GenerateItem]) -> Iterator[Sequence[GenerateItem]]:
    """Yield the requests that wait for none of the others, then those that wait for these, and so on.

    Args:
        items: in the order of the listing, in which answers are named of earlier samples alone. An answer to a request
            that isn't among them isn't waited for: it is there, or it will never be.
    """
    depths: dict[tuple[str, int], int] = {}
    rounds: dict[int, list[GenerateItem]] = {}
    for item in items:
        repeat = item.key.repeat
        waits_for = [depths.get((turn.answer_to, repeat), -1) for turn in item.turns if turn.answer_to]
        depth = depths[item.key.sample, repeat] = 1 + max(waits_for, default=-1)
        rounds.setdefault(depth, []).append(item)
    for depth in sorted(rounds):
        yield rounds[depth]


def answered(answers: Iterator[StoredAnswer]) -> Answered:
    """Return answers by sample and repeat."""
    return {(one.key.sample, one.key.repeat): one for one in answers}


def filled(items: Sequence[GenerateItem], answers: Answered, folder: Path) -> Filled:
    """Put the system's own answers into the turns that stand for them.

    Args:
        items: requests.
        answers: of the same system to the same task.
        folder: of the run, where recordings lie.
    """
    found, impossible = [], []
    for item in items:
        lacking = [name for turn in item.turns if (name := turn.answer_to) and not _has_answer(item, name, answers)]
        if lacking:
            why = f"{lacking[0]}, an earlier round of the same conversation, has no answer, so this one can't be asked"
            impossible.append((item, why))
        else:
            found.append(_filled(item, answers, folder))
    return Filled(tuple(found), tuple(impossible))


def _has_answer(item: GenerateItem, sample: str, answers: Answered) -> bool:
    one = answers.get((sample, item.key.repeat))
    return one is not None and one.response is not None


def _filled(item: GenerateItem, answers: Answered, folder: Path) -> GenerateItem:
    turns, spoken = list(item.turns), {}
    for at, turn in enumerate(item.turns):
        if turn.answer_to:
            one = answers[turn.answer_to, item.key.repeat]
            turns[at] = replace(turn, text=one.text, answer_to="")
            if one.audio is not None and not one.text.strip():
                spoken[at] = folder / one.audio.file
    return replace(item, turns=tuple(turns), spoken=spoken)
