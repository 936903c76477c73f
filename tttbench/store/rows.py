"""The values that a run directory gives and takes. Plain and frozen; what reads and writes them stands beside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tttbench.core.exchange import Conditions, Response, Status
from tttbench.core.metric import Score
from tttbench.core.sample import Sample
from tttbench.core.status import request_status


@dataclass(frozen=True)
class Recording:
    """A recording in the run directory.

    Attributes:
        file: relative to the run directory.
        sha256: of the file; ``""`` if it is missing.
        seconds: its length.
        sample_rate: in Hz.
        pcm_md5: of its samples, whichever version of whichever encoder wrote the file; ``""`` if unknown. By this a
            clip of one run is known to be that of another.
    """

    file: str
    sha256: str
    seconds: float
    sample_rate: int
    pcm_md5: str = ""


@dataclass(frozen=True)
class StoredSample:
    """A sample of the run, with its recordings as far as they are kept by now.

    Attributes:
        task: name of the task.
        sample: as the task listed it; its paths are those of the original data.
        inputs: recordings of its turns, by the turn's position.
        answer_audio: the recording of the reference answer.
    """

    task: str
    sample: Sample
    inputs: Mapping[int, Recording] = field(default_factory=dict)
    answer_audio: Recording | None = None

    @property
    def input_audio(self) -> Recording | None:
        """The recording of the last turn."""
        return self.inputs.get(len(self.sample.turns) - 1)

    @property
    def input_s(self) -> float:
        """Seconds of audio of all turns."""
        return sum(one.seconds for one in self.inputs.values())


@dataclass(frozen=True)
class AnswerKey:
    """Which answer: a system's, to a sample of a task, of one repeat (from 0)."""

    system: str
    task: str
    sample: str
    repeat: int = 0


@dataclass(frozen=True)
class NewAnswer:
    """What became of one request: a response, or the error that took its place.

    Attributes:
        key: which request.
        status: ``"ok"``, ``"empty"`` or ``"error"``.
        response: None if there is an error.
        error: message; ``""`` if there is a response.
        batch_size: how many requests were worked on at once, in this call and others; 0 if it never came to a call.
        finished_at: ISO 8601, UTC.
        conditions: of the machine meanwhile; None if nobody watched.
    """

    key: AnswerKey
    status: Status
    response: Response | None
    error: str
    batch_size: int
    finished_at: str
    conditions: Conditions | None = None


@dataclass(frozen=True)
class StoredAnswer:
    """One answer of the run: what was requested, what came back, how it was scored.

    Attributes:
        key: which answer.
        sample: with its recordings.
        status: the answer's own status; scores may add ``unparsed`` and ``derivation_failed``.
        response: without waveform (see ``audio``); None after an error.
        error: why there is no response.
        batch_size: how many requests were worked on at once; the answer's times are its own only where that is 1.
        audio: the spoken answer.
        conditions: of the machine meanwhile; None if that isn't known.
        scores: by score id.
        finished_at: ISO 8601, UTC.
    """

    key: AnswerKey
    sample: StoredSample
    status: Status
    response: Response | None
    error: str
    batch_size: int
    audio: Recording | None
    conditions: Conditions | None
    scores: Mapping[str, Score]
    finished_at: str = ""

    @property
    def text(self) -> str:
        """The written answer; ``""`` after an error."""
        return "" if self.response is None else self.response.text

    @property
    def answer_s(self) -> float:
        """Seconds of the spoken answer; 0 if there is none."""
        return 0.0 if self.audio is None else self.audio.seconds

    @property
    def outcome(self) -> Status:
        """How the request ended as a whole, as the run's counts have it; scores that leave it out say nothing of it."""
        return request_status(self.status, (score.status for score in self.scores.values() if not score.dropped))
