"""Conversations in which a system gets its own answers back: in rounds, resumed, with failed rounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tttbench.config.suite import SystemPlan, TaskPlan
from tttbench.core.errors import InputError
from tttbench.core.exchange import Message, Request, Response
from tttbench.core.sample import Sample, Turn
from tttbench.core.system import Capability, SystemCard
from tttbench.core.task import Task
from tttbench.pipeline.generate import generate_all
from tttbench.pipeline.jobs import GenerateItem, read_request
from tttbench.pipeline.plan import Plan, PlannedTask, generate_item, listing_sha256
from tttbench.pipeline.rounds import in_rounds
from tttbench.pipeline.view import AnswerView, Derivations, Peers, has_rounds
from tttbench.scorers.judges import question_of
from tttbench.store.run_directory import RunStore

from .stages import Told, Workers
from .test_generate import opened, plan_of

ONE = (Turn("user", "one?"),)
TWO = (*ONE, Turn("assistant", answer_to="c-1"), Turn("user", "two?"))
THREE = (*TWO, Turn("assistant", answer_to="c-2"), Turn("user", "three?"))
SAMPLES = (Sample("c-1", ONE), Sample("c-2", TWO), Sample("c-3", THREE), Sample("d-1", (Turn("user", "alone?"),)))


class Talker:
    """Answers each request with its id and the number of the call; fails at the ids in ``broken``."""

    def __init__(self, *, speaks: bool = False, broken: frozenset[str] = frozenset()) -> None:
        self.card = SystemCard("x", Capability(produces=frozenset({"text", "audio"}), turns=True))
        self.asked: list[tuple[str, tuple[Message, ...]]] = []
        self.speaks, self.broken = speaks, broken

    def generate(self, requests: Sequence[Request]) -> list[Response | Exception]:
        found: list[Response | Exception] = []
        for one in requests:
            self.asked.append((one.id, one.messages))
            if one.id in self.broken:
                found.append(ValueError("broken"))
            elif self.speaks:
                found.append(Response("", waveform=np.full(1_600, 0.5, np.float32), sample_rate=16_000))
            else:
                found.append(Response(f"{one.id} by call {len(self.asked)}"))
        return found

    def told(self) -> dict[str, list[str]]:
        """What each request held, the last time it was asked."""
        return {name: [one.text for one in messages] for name, messages in self.asked}


def plan(*given: Sample, **suite: int) -> Plan:
    samples = given or SAMPLES
    made = Task(name="t", title="t", family="qa", description="", scores=(), samples=lambda folder: samples)
    planned = PlannedTask(TaskPlan("t"), made, (), samples, "")
    return plan_of(planned, systems=(SystemPlan("one:x"),), **suite)


def run(store: RunStore, talker: Talker, **suite: int) -> Told:
    told = Told()
    generate_all(plan(**suite), store, Workers({"one:x": talker}), told)
    return told


def test_each_round_holds_the_systems_own_answers_to_those_before(tmp_path: Path) -> None:
    talker = Talker()
    with opened(tmp_path / "run", plan()) as store:
        run(store, talker)
        assert [name for name, _ in talker.asked] == ["c-1", "d-1", "c-2", "c-3"]
        assert talker.told()["c-2"] == ["one?", "c-1 by call 1", "two?"]
        assert talker.told()["c-3"] == ["one?", "c-1 by call 1", "two?", "c-2 by call 3", "three?"]
        (_, messages) = talker.asked[-1]
        assert [one.role for one in messages] == ["user", "assistant", "user", "assistant", "user"]
        assert [one.text for one in store.answers()] == [
            *("c-1 by call 1", "c-2 by call 3", "c-3 by call 4", "d-1 by call 2")
        ]


def items(*samples: Sample) -> list[GenerateItem]:
    task = plan().tasks[0].task
    return [generate_item(task, sample, "one:x", 0, repeat) for repeat in range(2) for sample in samples]


def rounds(found: Sequence[GenerateItem]) -> list[list[str]]:
    return [[f"{one.key.sample}/{one.key.repeat}" for one in part] for part in in_rounds(found)]


LAST = Sample("c-3", (Turn("assistant", answer_to="c-2"), Turn("user", "three?")))
"""A round that is given the answer before it alone, and so one, as the round before it is."""


def test_a_round_waits_for_what_it_names_however_few_answers_it_holds() -> None:
    found = items(Sample("c-1", ONE), Sample("c-2", TWO), LAST, Sample("d-1", ONE))
    assert rounds(found) == [["c-1/0", "d-1/0", "c-1/1", "d-1/1"], ["c-2/0", "c-2/1"], ["c-3/0", "c-3/1"]]
    # What isn't asked any more isn't waited for.
    assert rounds([found[2], found[3]]) == [["c-3/0", "d-1/0"]]
    assert rounds(found[1:4]) == [["c-2/0", "d-1/0"], ["c-3/0"]]
    # Two answers of one round are no later than one.
    both = Sample("e-1", (Turn("assistant", answer_to="c-1"), Turn("assistant", answer_to="d-1"), Turn("user")))
    assert rounds([found[0], found[3], *items(both)[:1]]) == [["c-1/0", "d-1/0"], ["e-1/0"]]


def test_a_round_with_the_last_answer_alone_is_asked_once_that_is_there(tmp_path: Path) -> None:
    talker = Talker()
    planned = plan(Sample("c-1", ONE), Sample("c-2", TWO), LAST)
    with opened(tmp_path / "run", planned) as store:
        generate_all(planned, store, Workers({"one:x": talker}), Told())
        assert [one.status for one in store.answers()] == ["ok", "ok", "ok"]
    assert talker.told()["c-3"] == ["c-2 by call 2", "three?"]


def test_every_repeat_is_a_conversation_of_its_own(tmp_path: Path) -> None:
    talker = Talker()
    with opened(tmp_path / "run", plan(repeats=2)) as store:
        run(store, talker, repeats=2)
        answers = {(one.key.sample, one.key.repeat): one.text for one in store.answers()}
    asked = [messages[1].text for name, messages in talker.asked if name == "c-2"]
    assert asked == [answers["c-1", 0], answers["c-1", 1]]
    assert answers["c-1", 0] != answers["c-1", 1]


def test_a_resumed_run_goes_on_with_the_answers_that_are_kept(tmp_path: Path) -> None:
    with opened(tmp_path / "run", plan()) as store:
        run(store, Talker(broken=frozenset({"c-2"})))
        assert {one.key.sample: one.status for one in store.answers()} == {
            "c-1": "ok",
            "c-2": "error",
            "c-3": "error",
            "d-1": "ok",
        }
        (last,) = [one for one in store.answers() if one.key.sample == "c-3"]
        assert last.error == "c-2, an earlier round of the same conversation, has no answer, so this one can't be asked"
        store.forget_errors()
        again = Talker()
        run(store, again)
        assert [name for name, _ in again.asked] == ["c-2", "c-3"]
        assert again.told()["c-3"] == ["one?", "c-1 by call 1", "two?", "c-2 by call 1", "three?"]


def test_a_round_that_was_only_spoken_is_given_back_as_its_recording(tmp_path: Path) -> None:
    talker = Talker(speaks=True)
    with opened(tmp_path / "run", plan()) as store:
        run(store, talker)
        assert all(one.inputs == {} for one in store.samples("t"))  # they belong to the answers, not to the samples
    (own,) = [messages[1] for name, messages in talker.asked if name == "c-2"]
    assert own.audio is not None
    assert (own.text, own.sample_rate, len(own.audio)) == ("", 16_000, 1_600)
    assert own.audio == pytest.approx(np.full(1_600, 0.5), abs=1e-3)


def test_outside_of_a_run_a_later_round_is_refused_and_warm_up_leaves_it_out(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="c-2: is a later round of a conversation"):
        read_request(generate_item(plan().tasks[0].task, SAMPLES[1], "one:x", 0))
    talker = Talker()
    with opened(tmp_path / "run", plan(warmup=2)) as store:
        run(store, talker, warmup=2)
    assert [name for name, _ in talker.asked] == ["c-1", "c-1", "d-1", "c-2", "c-3"]


def test_a_listing_with_other_answers_in_it_is_another_listing() -> None:
    given = replace(SAMPLES[1], turns=(*ONE, Turn("assistant", "right"), Turn("user", "two?")))
    hashes = {listing_sha256([SAMPLES[1]]), listing_sha256([given]), listing_sha256([replace(SAMPLES[1], turns=ONE)])}
    assert len(hashes) == 3


def test_scorers_see_the_answers_that_a_later_round_holds(tmp_path: Path) -> None:
    with opened(tmp_path / "run", plan()) as store:
        run(store, Talker())
        kept = store.samples("t")
        assert has_rounds(kept)
        assert not has_rounds(one for one in kept if one.sample.id == "d-1")
        answers = {one.key.sample: one for one in store.answers()}
        peers = Peers().with_answers(answers.values())
        view = AnswerView(answers["c-3"], store, Derivations(store), peers)
        assert question_of(SAMPLES[2], view).splitlines() == [
            *("user: one?", "assistant: c-1 by call 1", "user: two?", "assistant: c-2 by call 3", "user: three?")
        ]
