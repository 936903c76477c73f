"""The values that a run directory gives and takes. Plain; ``tttbench.store.run_directory`` reads and writes them."""

from __future__ import annotations

from dataclasses import dataclass

from tttbench.core.records import Conditions, Response, Sample, Score, Status


@dataclass(frozen=True)
class Transcript:
    """What the judge heard in a recording; ``error`` says why there is no text."""

    text: str
    error: str = ""


@dataclass(frozen=True)
class Recording:
    """A recording in the run directory: ``file`` relative to it, and the sha256 of the file."""

    file: str
    sha256: str


@dataclass(frozen=True)
class NewAnswer:
    """What became of one request: a response, or the error that took its place.

    Attributes:
        sample_id: which sample of the task.
        status: ``"ok"``, ``"empty"`` or ``"error"``.
        response: None if there is an error.
        error: message; ``""`` if there is a response.
        batch_size: how many requests were answered together with it.
        finished_at: ISO 8601, UTC.
        conditions: how quiet the machine was meanwhile; None if nobody watched.
    """

    sample_id: str
    status: Status
    response: Response | None
    error: str
    batch_size: int
    finished_at: str
    conditions: Conditions | None = None


@dataclass(frozen=True)
class StoredSample:
    """A sample of the run, with its recordings as far as they are kept by now."""

    task: str
    sample: Sample
    input_audio: str | None
    truth: Recording | None


@dataclass(frozen=True)
class StoredAnswer:
    """One row of the run: who was asked what, what came back, what the judge heard, how it was scored.

    Attributes:
        system: label of the system.
        task: name of the task.
        sample: the sample; its paths are those of the original data.
        status: the answer's own status; scores may add ``unparsed`` and ``judge_failed``.
        response: without waveform (see ``audio``); None after an error.
        error: why there is no response.
        batch_size: how many requests were answered together with it.
        audio: the spoken answer, a file relative to the run directory.
        audio_sha256: hash of that file; ``""`` if there is none.
        answer_s: its length in seconds; 0 if there is none.
        input_audio: the spoken input, likewise.
        input_s: its length in seconds.
        truth_audio: the true recording of the answer, likewise.
        heard: what the run's judge heard in ``audio``; None if it didn't listen or failed.
        heard_error: why the judge failed.
        truth_heard: what it heard in ``truth_audio``.
        conditions: how quiet the machine was while it was answered; None if that isn't known.
        scores: in no particular order.
    """

    system: str
    task: str
    sample: Sample
    status: Status
    response: Response | None
    error: str
    batch_size: int
    audio: str | None
    audio_sha256: str
    answer_s: float
    input_audio: str | None
    input_s: float
    truth_audio: str | None
    heard: str | None
    heard_error: str
    truth_heard: str | None
    conditions: Conditions | None
    scores: tuple[Score, ...]

    @property
    def text(self) -> str:
        """The written answer; ``""`` after an error."""
        return "" if self.response is None else self.response.text
