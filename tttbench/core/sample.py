"""What a task asks: samples of one or several turns, and where the audio of a turn lies. Reads nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Role = Literal["system", "user", "assistant"]

Modality = Literal["audio", "text"]
"""What a request or an answer is made of."""


@dataclass(frozen=True, slots=True)
class Place:
    """A row of a list.

    Attributes:
        file: the list.
        number: of the row, from 1.
        unit: what rows of this list are called.
        fields: the fields of the row that are meant, e.g. ``"audio, start, end"``; ``""`` for the whole row.
    """

    file: Path
    number: int
    unit: Literal["line", "entry", "row"] = "line"
    fields: str = ""

    def __str__(self) -> str:
        """Say where it is, for messages."""
        return f"{self.file}, {self.unit} {self.number}" + (f" ({self.fields})" if self.fields else "")


@dataclass(frozen=True, slots=True)
class SpeechRecipe:
    """What makes speech of texts.

    Attributes:
        voice: ``ENGINE:SPEAKER``, e.g. ``"piper:joe"``.
        package: that speaks, with its version.
        sha256: of what holds the voice.
        language: BCP 47 primary tag of what it speaks.
        condition: ``"clean"``, ``"noise:10"`` (dB), ``"telephone"``.
        version: of our own part in it.
    """

    voice: str
    package: str
    sha256: str
    language: str
    condition: str = "clean"
    version: int = 1

    def __str__(self) -> str:
        """Say it in a line, for pages."""
        return f"{self.voice} ({self.package}, sha256 {self.sha256[:12]}), {self.condition}, version {self.version}"


@dataclass(frozen=True, slots=True)
class MadeSpeech:
    """Speech that is made when it is needed: of which text, and how."""

    text: str
    recipe: SpeechRecipe


@dataclass(frozen=True, slots=True)
class AudioRef:
    """Audio that is read when it is needed, never before.

    Attributes:
        path: the audio file, or the archive or table that holds it.
        member: name of the file in a tar or zip archive, or ``COLUMN[ROW]`` of a parquet table; ``""`` if none.
        start_s, end_s: the segment in seconds; ``end_s`` None means to the end.
        listed: where a list names it, for messages; it makes no audio another, and a run doesn't keep it.
        made: what it is made of, where it is made; ``path`` is where it is kept then.
        rate_hz: the sample rate that a list gives it, None if none does: of a file of another rate, nothing can be
            told. It makes no audio another, and a run doesn't keep it.
    """

    path: Path
    member: str = ""
    start_s: float = 0.0
    end_s: float | None = None
    listed: Place | None = field(default=None, compare=False, metadata={"kept": False})
    made: MadeSpeech | None = field(default=None, metadata={"may_lack": True})
    rate_hz: float | None = field(default=None, compare=False, metadata={"kept": False})

    def __str__(self) -> str:
        """Say where it is, for messages: path, member and segment, or what it is made of."""
        if self.made is not None:
            return f"speech by {self.made.recipe.voice} of {self.made.text!a:.80}"
        member = f" ({self.member})" if self.member else ""
        if not self.start_s and self.end_s is None:
            return f"{self.path}{member}"
        end = "" if self.end_s is None else f"{self.end_s:g}"
        return f"{self.path}{member} [{self.start_s:g}-{end} s]"


CONVERSATION = "conversation"
"""The metadata of the last round of a conversation that is graded as a whole: a JSON list of its rounds in order, each
with ``id`` (of its sample), ``question`` and ``references``."""

QUESTIONS = "questions"
"""The metadata of an earlier round, whose turns are recordings: a JSON list of what the user says in them, in order."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a conversation: text, audio, or both; or the system's own answer to an earlier sample.

    ``answer_to``: id of that sample, which the same task lists before; what the system answered stands in the turn's
    place once it is asked.
    """

    role: Role
    text: str = ""
    audio: AudioRef | None = None
    # Runs of development versions lack it.
    answer_to: str = field(default="", metadata={"may_lack": True})


@dataclass(frozen=True, slots=True)
class Renditions:
    """Audio codes in which the right answer is spoken, in several manners, all of them right.

    Attributes:
        codec: fingerprint of the codec whose codes they are.
        codes: one entry a rendition.
    """

    codec: str
    codes: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """One item of a task.

    Attributes:
        id: unique within its task.
        turns: the conversation up to the answer that is asked for; one user turn is the common case.
        references: accepted answers: the transcript, the right answer and its aliases, five captions; none for open
            questions. The first is the one to show.
        answer: the reference answer where the task has one recorded: what is spoken in it, and its audio. It gives the
            topline of scores of spoken answers.
        language: BCP 47 tag of the answer that is expected, e.g. ``"en"``, ``"zh"``; ``""`` if unknown.
        cluster: samples that share it are resampled together (speaker, question); ``""`` means independent.
        metadata: anything worth showing (voice, condition, source).
        renditions: audio codes of the right answer, where a task knows them.
    """

    id: str
    turns: tuple[Turn, ...]
    references: tuple[str, ...] = ()
    answer: Turn | None = None
    language: str = ""
    cluster: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    # Runs of development versions lack it.
    renditions: Renditions | None = field(default=None, metadata={"may_lack": True})

    @property
    def audio(self) -> AudioRef | None:
        """The audio of the last turn."""
        return self.turns[-1].audio if self.turns else None

    @property
    def text(self) -> str:
        """The text of the last turn."""
        return self.turns[-1].text if self.turns else ""

    @property
    def reference(self) -> str:
        """The first reference; ``""`` if there is none."""
        return self.references[0] if self.references else ""


def spoken_sample(
    sample_id: str,
    audio: AudioRef | Path,
    *references: str,
    text: str = "",
    answer: Turn | None = None,
    language: str = "",
    cluster: str = "",
    metadata: Mapping[str, str] | None = None,
    renditions: Renditions | None = None,
) -> Sample:
    """Return the common sample: one user turn with audio, and the answers that are accepted."""
    reference = audio if isinstance(audio, AudioRef) else AudioRef(audio)
    turn = Turn("user", text, reference)
    return Sample(sample_id, (turn,), references, answer, language, cluster, metadata or {}, renditions)
