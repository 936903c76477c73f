"""One read model of a run, for pages, gate, index, tables and programs: whatever they show of a run they ask here.

Knows what a run directory holds, and nothing of how it is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType

from tttbench.core.derivation import Derived, Need
from tttbench.core.errors import UserError, did_you_mean
from tttbench.core.exchange import Waveform
from tttbench.core.metric import TOPLINE, MetricInfo, Score
from tttbench.store.manifest import Manifest, Summary, TaskEntry
from tttbench.store.rows import Recording, StoredAnswer, StoredSample
from tttbench.store.run_directory import RunStore
from tttbench.store.timings import Timings, cell_of, timings_of

TRANSCRIBER = "transcriber:"
"""How the names of derivers begin that make transcripts."""


class Run:
    """A run, open for reading. Use ``open``, and close it (or use it with ``with``).

    Attributes:
        folder: of the run.
        manifest: what was run, on what.
        summary: what came out; None if the run hasn't come so far.
        format_on_disk: format of the run directory; older ones are read as if they were of today's.
    """

    def __init__(self, store: RunStore) -> None:
        """Read the run that ``store`` has open."""
        self.folder: Path = store.folder
        self.manifest: Manifest = store.manifest
        self.summary: Summary | None = store.summary
        self.format_on_disk: int = store.format_on_disk
        self._store = store
        self._derived: dict[str, Mapping[str, Derived]] = {}
        self._languages: tuple[str, ...] | None = None

    @classmethod
    def open(cls, folder: Path | str) -> Run:
        """Open the run in ``folder``; nothing in it changes.

        Raises:
            UserError: there is no run, it has an unknown format, or is damaged; the message names file and field.
        """
        store = RunStore.open(folder)
        try:
            return cls(store)
        except BaseException:
            store.close()
            raise

    def __enter__(self) -> Run:
        """Return the run itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Close the run directory."""
        self._store.close()

    def answers(self, system: str | None = None, task: str | None = None) -> Iterator[StoredAnswer]:
        """Yield the answers with their scores, of one system or task if given, in the order of samples and repeats."""
        return self._store.answers(system, task)

    def samples(self, task: str | None = None) -> list[StoredSample]:
        """Return the samples of one task, or of all, in order."""
        return self._store.samples(task)

    def audio(self, recording: Recording) -> tuple[Waveform, int]:
        """Return the samples (float32, mono) and the sample rate (Hz); raises ``InputError`` if the file is missing."""
        return self._store.audio(recording.file)

    def task(self, task: str) -> TaskEntry:
        """Return what the manifest says of a task; raises ``UserError`` with the nearest names if there is none."""
        if task not in self.manifest.tasks:
            raise UserError(f"{self.folder}: has no task {task!r}. {did_you_mean(task, self.manifest.tasks)}")
        return self.manifest.tasks[task]

    def metric(self, score_id: str) -> MetricInfo:
        """Return what is known of a metric; of an unknown one no more than its id as title."""
        known = {} if self.summary is None else self.summary.metrics
        return known.get(score_id) or MetricInfo(score_id, direction="none")

    def primary(self, task: str, system: str = "") -> str:
        """Return the id of a task's primary metric; with a system, of the first metric that it has a result for.

        ``""`` if the task has no scores.
        """
        ids = [spec.id for spec in self.task(task).scores]
        if system and self.summary is not None:
            found = {one.metric for one in self.summary.results if (one.system, one.task) == (system, task)}
            ids = [one for one in ids if one in found] or ids
        return ids[0] if ids else ""

    def timings(self) -> Timings:
        """Return latency and compute: from the summary; from the answers, where it has none or was made by 0.1."""
        if self.summary is not None and self.summary.timed:
            return Timings(self.summary.probes, self.summary.timed)
        found = timings_of(
            [
                cell_of(label, entry.used_strategy, task, self.answers(label, task))
                for label, entry in self.manifest.systems.items()
                for task in self.manifest.tasks
            ]
        )
        of_the_run = () if self.summary is None else tuple(one for one in self.summary.probes if not one.task)
        return Timings((*found.probes, *of_the_run), found.answers)

    @property
    def transcribers(self) -> tuple[str, ...]:
        """Names of the derivers that made transcripts, in the manifest's order."""
        return tuple(name for name in self.manifest.derivers if name.startswith(TRANSCRIBER))

    def transcript(self, audio: Recording | None, deriver: str = "") -> Derived | None:
        """Return the transcript of a recording.

        Args:
            audio: of an answer, or of a reference answer; None gives None.
            deriver: which one's; ``""`` means the run's first transcriber.
        """
        name = deriver or next(iter(self.transcribers), "")
        if audio is None or not audio.sha256 or name not in self.manifest.derivers:
            return None
        recipe = self.manifest.derivers[name].recipe
        if recipe not in self._derived:
            self._derived[recipe] = self._store.derived_all(recipe) if recipe else {}
        made = self._derived[recipe]
        keys = (Need(name, audio.sha256, language=language).input_sha256 for language in ("", *self.languages))
        return next((made[key] for key in keys if key in made), None)

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages of the run's samples and tasks, sorted."""
        if self._languages is None:
            found = {task.language for task in self.manifest.tasks.values()}
            found |= {one.sample.language for one in self.samples()}
            self._languages = tuple(sorted(found - {""}))
        return self._languages

    def topline_scores(self, task: str) -> Mapping[str, Mapping[str, Score]]:
        """Return the scores of the reference audio, by sample id and score id."""
        return {sample: scores for (sample, _), scores in self._store.scores(TOPLINE, task).items()}
