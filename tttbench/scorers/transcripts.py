"""How scorers of spoken answers come by what is spoken in them: the transcript that a transcriber made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from tttbench.core.declared import recipe_of
from tttbench.core.derivation import Need
from tttbench.core.sample import Sample
from tttbench.core.scorer import View


@dataclass(frozen=True)
class Spoken:
    """What is known of a spoken answer.

    Attributes:
        status: ``ok``: there is a transcript; ``absent``: nothing was spoken; ``failed``: there is no transcript of it.
        text: the transcript.
        error: why there is none.
    """

    status: Literal["ok", "absent", "failed"]
    text: str = ""
    error: str = ""


@dataclass(frozen=True)
class Transcription:
    """Transcripts by one transcriber. ``system``: its name, e.g. ``"whisper:tiny.en"``; ``""`` where a run has none."""

    system: str

    @classmethod
    def of(cls, options: Mapping[str, str]) -> Transcription:
        """Take the option ``transcriber`` of a score."""
        return cls(options.get("transcriber", ""))

    @property
    def deriver(self) -> str:
        """Name of the deriver."""
        return f"transcriber:{self.system}" if self.system else ""

    def recipe(self, recipes: Mapping[str, str]) -> str:
        """What makes the transcripts, for a score's recipe."""
        return recipe_of(self.deriver, recipes) if self.system else "unknown"

    def needs(self, sample: Sample, view: View) -> Iterator[Need]:
        """Yield the need for a transcript of the answer, where something was spoken."""
        if self.system and view.audio is not None:
            yield self._need(sample, view.audio.sha256)

    def of_answer(self, sample: Sample, view: View) -> Spoken:
        """Return what is known of the spoken answer."""
        if view.audio is None:
            return Spoken("absent")
        if not self.system:
            return Spoken("failed", error="the run has no transcriber")
        derived = view.derived(self._need(sample, view.audio.sha256))
        if derived is None:
            return Spoken("failed", error=f"not transcribed yet by {self.system}")
        return Spoken("ok", derived.content) if derived.status == "ok" else Spoken("failed", error=derived.error)

    def _need(self, sample: Sample, sha256: str) -> Need:
        return Need(self.deriver, audio_sha256=sha256, language=sample.language)
