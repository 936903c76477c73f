"""Timing anew with systems whose times are known: which requests, which sides, which means, and what is left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tttbench.core.errors import UserError
from tttbench.core.exchange import AudioCommit, Request, Response, Trace
from tttbench.core.sample import spoken_sample
from tttbench.core.system import Capability, SystemCard, SystemOptions
from tttbench.core.task import Task
from tttbench.gate import interleaved
from tttbench.gate.interleaved import REQUESTS, Measured, measure
from tttbench.gate.snapshot import SampleFacts, Snapshot, SystemFacts
from tttbench.gate.speed import Rounds
from tttbench.pipeline.jobs import request_seed

about: Any = pytest.approx
"""Stands where a number is wanted."""

Make = Callable[..., Snapshot]


@dataclass
class Clockwork:
    """A system whose n-th answer to a sample takes ``seconds[n]`` (the first is the warm-up's); odd ids fail."""

    card: SystemCard
    seconds: Sequence[float]
    speaks: bool = False
    asked: list[Request] = field(default_factory=list)

    def generate(self, requests: Sequence[Request]) -> Sequence[Response | Exception]:
        (request,) = requests
        self.asked.append(request)
        if request.id == "odd":
            return [ValueError("too odd")]
        n = sum(one.id == request.id for one in self.asked) - 1
        end_s = self.seconds[min(n, len(self.seconds) - 1)] * (2 if request.id == "b" else 1)
        waveform = np.zeros(4_000, np.float32) if self.speaks and request.id != "c" else None
        trace = Trace(text_times_s=(end_s / 2,) if request.id == "a" else (), end_s=end_s, nfe=8)
        if self.speaks:
            trace = replace(trace, audio_commits=(AudioCommit(0.1, 4),))
        return [Response("x", (1, 2, 3, 4) if self.speaks else None, waveform, 8_000, trace=trace)]


@dataclass
class World:
    """What can be built here."""

    systems: dict[str, Clockwork]
    tasks: dict[str, Task]
    options: list[tuple[str, SystemOptions]] = field(default_factory=list)

    def build_system(self, name: str, options: SystemOptions) -> Clockwork:
        self.options.append((name, options))
        if name not in self.systems:
            raise UserError(f"no {name} here")
        return self.systems[name]

    def build_task(self, name: str) -> Task:
        return self.tasks[name]


def clockwork(name: str, *seconds: float, speaks: bool = False, families: frozenset[str] | None = None) -> Clockwork:
    card = SystemCard(name, Capability(families=families), weights_sha256="w" * 20, codec="")
    return Clockwork(card, seconds, speaks)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    soundfile.write(tmp_path / "a.wav", np.zeros(8_000), 8_000)

    def samples(folder: Path | None) -> list[object]:
        return [spoken_sample(one, tmp_path / "a.wav", "yes") for one in ("a", "b", "c", "d", "e", "f", "g", "odd")]

    task = Task(name="t", title="T", family="qa", description="", scores=(), samples=samples)  # type: ignore[arg-type]  # samples alone
    tasks = {name: replace(task, name=name) for name in ("t", "u")}
    made = World(
        {"fast": clockwork("fast", 9.0, 1.0, 4.0), "slow": clockwork("slow", 9.0, 2.0, 8.0)},
        {**tasks, "asr": replace(task, name="asr", family="asr")},
    )
    monkeypatch.setattr(interleaved, "build_system", made.build_system)
    monkeypatch.setattr(interleaved, "build_task", made.build_task)
    return made


def snapshot(make: Make, systems: Mapping[str, str], tasks: Mapping[str, Sequence[str]], **given: object) -> Snapshot:
    """Systems by label, and the ids of tasks' samples."""
    base = make(**given)
    return replace(
        base,
        seed=3,
        systems={label: SystemFacts(name, "topk", {"steps": 2}, "w" * 20, (1,)) for label, name in systems.items()},
        tasks={
            name: replace(base.tasks["task"], samples={one: SampleFacts("yes", "") for one in ids})
            for name, ids in tasks.items()
        },
    )


def test_rounds_are_geometric_means_over_requests_that_have_the_figure_in_all(world: World, make: Make) -> None:
    base = snapshot(make, {"sys": "fast"}, {"t": ["b", "gone", "a"]})
    run = snapshot(make, {"sys": "slow"}, {"t": ["a", "b"]})
    told: list[str] = []
    found = measure(base, run, 2, "cuda:1", told.append)
    # The warm-up is b's, which is the baseline's first; so a's first time is the warm-up's 9 s, and b's are 2 and 8 s.
    assert found == Measured(
        (
            Rounds(
                "sys",
                "t",
                "latency",
                "s",
                about([np.sqrt(2 * 9), np.sqrt(8 * 1)]),
                about([np.sqrt(4 * 9), np.sqrt(16 * 2)]),
            ),
            Rounds(
                "sys",
                "t",
                "rtf_input",
                "ratio",
                about([np.sqrt(2 * 9), np.sqrt(8 * 1)]),
                about([np.sqrt(4 * 9), np.sqrt(16 * 2)]),
            ),
            Rounds("sys", "t", "ttft", "s", about([4.5, 0.5]), about([4.5, 1.0])),
        ),
        (),
    )
    assert told == ["measuring sys on t, 2 rounds interleaved"]
    assert world.options == [
        ("fast", SystemOptions("cuda:1", 1, "topk", {"steps": 2})),
        ("slow", SystemOptions("cuda:1", 1, "topk", {"steps": 2})),
    ]
    (first, *_) = world.systems["slow"].asked
    assert (first.id, first.seed, first.task) == ("b", request_seed(3, "t", "b"), "t")


def test_at_most_six_requests_are_given(world: World, make: Make) -> None:
    base = snapshot(make, {"sys": "fast"}, {"t": list("gfedcba")})
    measure(base, base, 1, "cpu", lambda line: None)
    assert [one.id for one in world.systems["fast"].asked] == ["g", "g", *"gfedcb", *"gfedcb"]
    assert REQUESTS == 6


def test_passes_are_not_timed_and_speech_has_a_factor_of_its_own(world: World, make: Make) -> None:
    world.systems["fast"] = clockwork("fast", 1.0, speaks=True)
    # c is answered in writing alone, so its factor is of the second of its input.
    base = snapshot(make, {"sys": "fast"}, {"t": ["a", "c"]})
    found = measure(base, base, 1, "cpu", lambda line: None).rounds
    assert {one.figure: (one.baseline, one.unit) for one in found} == {
        "ttft": ([0.5], "s"),
        "latency": ([1.0], "s"),
        "rtf": ([2.0], "ratio"),
        "rtf_input": ([1.0], "ratio"),
    }


def test_a_time_of_0_in_one_round_takes_the_request_out(world: World, make: Make) -> None:
    world.systems["fast"] = clockwork("fast", 1.0, 1.0, 0.0)
    base, run = (snapshot(make, {"sys": name}, {"t": ["c", "d"]}) for name in ("fast", "slow"))
    found = measure(base, run, 2, "cpu", lambda line: None).rounds
    # c's second time, after its warm-up, is the 0; d has it in no round of these two.
    assert [(one.figure, one.baseline, one.run) for one in found] == [
        ("latency", [1.0, 1.0], about([9.0, 2.0])),
        ("rtf_input", [1.0, 1.0], about([9.0, 2.0])),
    ]
    for one in ("c", "a"):
        base, run = (snapshot(make, {"sys": name}, {"t": [one]}) for name in ("fast", "slow"))
        world.systems["fast"] = clockwork("fast", 0.0)
        assert measure(base, run, 2, "cpu", lambda line: None) == Measured((), ())


def test_sides_alternate_and_memory_is_given_back(world: World, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    sides: list[str] = []

    def noting(self: Clockwork, requests: Sequence[Request]) -> Sequence[Response | Exception]:
        sides.append(self.card.name[0])
        return [Response("x", trace=Trace(end_s=1.0))]

    collected: list[int] = []
    monkeypatch.setattr(Clockwork, "generate", noting)
    monkeypatch.setattr("tttbench.gate.interleaved.gc.collect", lambda: collected.append(1))
    base, run = (snapshot(make, {"sys": name}, {"t": ["c"]}) for name in ("fast", "slow"))
    measure(base, run, 4, "cpu", lambda line: None)
    assert ("".join(sides), collected) == ("fs" + "fssf" * 2, [1])


def test_what_cannot_be_measured_is_left_out_and_the_rest_is(world: World, make: Make) -> None:
    world.systems["writes"] = clockwork("writes", 1.0, families=frozenset({"asr"}))
    systems = {"gone": "fast", "absent": "none", "other": "fast", "codec": "fast", "sys": "fast"}
    tasks = {"missing": ["a"], "u": ["x", "y", "z", "zz"], "odd": [], "t": ["a"]}
    base = snapshot(make, systems, {"asr": ["odd"], **tasks}, source="base")
    run = snapshot(
        make, {one: name for one, name in systems.items() if one != "gone"}, {"asr": ["odd"], **tasks}, source="now"
    )
    changed = {
        "other": replace(base.systems["other"], weights="v" * 20),
        "codec": replace(base.systems["codec"], codec="c" * 20),
    }
    run = replace(
        run, systems={**run.systems, **changed}, tasks={one: run.tasks[one] for one in ("asr", "u", "odd", "t")}
    )
    world.tasks["odd"] = replace(world.tasks["t"], name="odd")
    told: list[str] = []
    found = measure(base, run, 1, "cpu", told.append)
    assert {(one.system, one.task) for one in found.rounds} == {("sys", "t")}
    again = "aren't among those that come with the task, so they can't be given again."
    assert found.left_out == (
        "absent wasn't measured anew: no none here",
        "other wasn't measured anew: fast has other weights now than in now "
        f"({'w' * 16}, not {'v' * 16}); restore them.",
        f"codec wasn't measured anew: fast has other codec now than in now (none, not {'c' * 16}); restore them.",
        "sys on asr wasn't measured anew: it fails to respond to odd: too odd",
        f"sys on u wasn't measured anew: its samples (x, y, z) {again}",
        f"sys on odd wasn't measured anew: its samples (none) {again}",
    )
    assert told == [f"measuring sys on {name}, 1 rounds interleaved" for name in ("asr", "u", "odd", "t")]


@pytest.mark.parametrize("side", ["baseline", "run"])
def test_a_task_that_one_of_both_cannot_take_is_left_alone(world: World, make: Make, side: str) -> None:
    world.systems["writes"] = clockwork("writes", 1.0, families=frozenset({"asr"}))
    names = ("writes", "fast") if side == "baseline" else ("fast", "writes")
    base, run = (snapshot(make, {"sys": name}, {"t": ["a"], "asr": ["a"]}) for name in names)
    found = measure(base, run, 1, "cpu", lambda line: None)
    assert ({one.task for one in found.rounds}, found.left_out) == ({"asr"}, ())
