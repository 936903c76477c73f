"""What a gate compares: scores and times of every sample, and all that must be equal to compare them. Plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tttbench.core.exchange import Status
from tttbench.core.json_values import JsonObject
from tttbench.core.metric import MetricInfo
from tttbench.core.recipe import Recipe
from tttbench.probes.machine_load import MachineLoad
from tttbench.store.manifest import Machine


@dataclass(frozen=True)
class Outcome:
    """One metric's verdict on one answer, as a numerator and a denominator (nan where there is no value)."""

    numerator: float
    denominator: float
    status: Status


@dataclass(frozen=True)
class Metric:
    """All verdicts of one metric on a system's answers to a task, by sample id.

    ``name`` is the score's id, ``info`` what the metric is, ``recipe`` what made the scores.
    """

    system: str
    task: str
    name: str
    info: MetricInfo
    recipe: Recipe
    outcomes: Mapping[str, Outcome]


@dataclass(frozen=True)
class Timing:
    """One latency metric of a system's answers to a task by sample id; all values are above 0, and lower is better.

    Of complete answers: none that are empty or were cut. ``unit``: ``"s"``, ``"ratio"`` or ``"passes"``.
    """

    system: str
    task: str
    figure: str
    unit: str
    values: Mapping[str, float]


@dataclass(frozen=True)
class AnswerText:
    """An answer as it was written, and the transcript of it; ``""`` where there is none. ``error`` says why.

    ``cut``: whether a length limit cut it.
    """

    text: str
    transcript: str
    error: str
    cut: bool = False


@dataclass(frozen=True)
class SystemFacts:
    """What a system was.

    Attributes:
        name, strategy: as it was built.
        decode: settings that were asked for; ``settings`` all that held, where they are known.
        weights, codec: sha256, ``""`` where it has none.
        prompts: by family of tasks, where it has its own.
        identity: anything else that can change an answer.
        batch_sizes: how many requests were worked on at once, each number once.
    """

    name: str
    strategy: str
    decode: JsonObject
    weights: str
    batch_sizes: tuple[int, ...]
    settings: JsonObject = field(default_factory=dict)
    codec: str = ""
    prompts: Mapping[str, str] = field(default_factory=dict)
    identity: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SampleFacts:
    """What a sample was: the reference or right answer, and the cluster it is resampled with (``""``: none)."""

    reference: str
    cluster: str


@dataclass(frozen=True)
class TaskFacts:
    """What a task was.

    Attributes:
        family, instruction: of the task.
        listing_sha256: of the samples' listing; ``""`` in baselines of before 0.2, which hashed the audio instead.
        metrics: ids of its scores, the primary metric first.
        samples: by id; with repeats an entry an answer.
        own_data: whether the data came with the task, and not from a folder that was given.
        cluster: what samples of one cluster share, e.g. ``"speaker"``.
    """

    family: str
    instruction: str
    listing_sha256: str
    metrics: tuple[str, ...]
    samples: Mapping[str, SampleFacts]
    own_data: bool = True
    cluster: str = "cluster"


@dataclass(frozen=True)
class Snapshot:
    """A run, as far as it can be compared.

    Attributes:
        source: path of the run directory or of the exported file.
        made_at: when the run ended, ISO 8601.
        suite, seed: of the run.
        status: of the run: ``"done"``, ``"done_with_errors"``, ``"incomplete"``, ``"running"``, ``"interrupted"``.
        expected, answered: requests.
        transcribers: recipes of what transcribed the spoken answers; none if nothing did.
        versions: of the packages that can change an answer or a score.
        machine: what it was made on.
        systems, tasks: what was run, by label and name.
        metrics, timings: in the order of the run.
        loads: by (system, task).
        answers: by (system, task) and sample.
    """

    source: str
    made_at: str
    suite: str
    seed: int
    status: str
    expected: int
    answered: int
    transcribers: tuple[str, ...]
    versions: Mapping[str, str]
    machine: Machine
    systems: Mapping[str, SystemFacts]
    tasks: Mapping[str, TaskFacts]
    metrics: tuple[Metric, ...]
    timings: tuple[Timing, ...]
    loads: Mapping[tuple[str, str], MachineLoad]
    answers: Mapping[tuple[str, str], Mapping[str, AnswerText]]

    @property
    def calibration(self) -> str:
        """What did the fixed piece of work behind ``MachineLoad.calibration_s``; torch, where a run doesn't say."""
        return self.machine.calibration

    def metric(self, system: str, task: str, name: str) -> Metric | None:
        """The metric of that name, if the run has it."""
        wanted = (system, task, name)
        return next((one for one in self.metrics if (one.system, one.task, one.name) == wanted), None)

    def primary(self, system: str, task: str) -> str:
        """The first of the task's metrics that the system has: one that only writes has none of the spoken answer."""
        there = {one.name for one in self.metrics if (one.system, one.task) == (system, task)}
        return next((name for name in self.tasks[task].metrics if name in there), "")

    def timing(self, system: str, task: str, figure: str) -> Timing | None:
        """The latency metric of that name, if the run has it."""
        wanted = (system, task, figure)
        return next((one for one in self.timings if (one.system, one.task, one.figure) == wanted), None)
