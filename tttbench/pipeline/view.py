"""What scorers see of the run's answers, and of the reference audio in an answer's place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tttbench.core.declared import recipe_of
from tttbench.core.derivation import Derived, Need
from tttbench.core.exchange import Response, Status, Trace, Waveform
from tttbench.core.sample import CONVERSATION
from tttbench.core.scorer import SpokenAudio
from tttbench.store.rows import Recording, StoredAnswer, StoredSample
from tttbench.store.run_directory import RunStore


class Derivations:
    """The run's derivations by deriver and input, as far as they have been made."""

    def __init__(self, store: RunStore) -> None:
        """Read them from ``store``, all of a recipe at once."""
        self._store = store
        self._recipes = dict(store.manifest.recipes())
        self._found: dict[str, Mapping[str, Derived]] = {}

    def get(self, need: Need) -> Derived | None:
        """The derivation, or None if it hasn't been made."""
        if need.deriver not in self._recipes:
            self._recipes[need.deriver] = recipe_of(need.deriver, self._recipes)
        recipe = self._recipes[need.deriver]
        if recipe not in self._found:
            self._found[recipe] = self._store.derived_all(recipe)
        return self._found[recipe].get(need.input_sha256)

    def keep(self, recipe: str, made: Mapping[str, Derived]) -> None:
        """Keep what was made by a recipe, by the hash of its input."""
        if made:
            known = self._found[recipe] if recipe in self._found else self._store.derived_all(recipe)
            self._store.save_derived(recipe, made)
            self._found[recipe] = {**known, **made}


@dataclass(frozen=True)
class Peers:
    """Answers that may be seen beside one: of other systems to the same sample, or of the same system to others.

    ``answers``: by system, task, sample and repeat.
    """

    answers: Mapping[tuple[str, str, str, int], StoredAnswer] = field(default_factory=dict)

    def with_answers(self, answers: Iterable[StoredAnswer]) -> Peers:
        """Return the same with these."""
        keys = ((one, one.key) for one in answers)
        return Peers({**self.answers, **{(key.system, key.task, key.sample, key.repeat): one for one, key in keys}})


def has_rounds(samples: Iterable[StoredSample]) -> bool:
    """Whether a task has conversations whose scorers look at several answers: graded as a whole, or with own ones."""
    return any(
        CONVERSATION in one.sample.metadata or any(turn.answer_to for turn in one.sample.turns) for one in samples
    )


class AnswerView:
    """An answer of the run as a scorer sees it; a ``View``."""

    def __init__(self, answer: StoredAnswer, store: RunStore, derivations: Derivations, peers: Peers) -> None:
        """Look at ``answer``; its waveform is read from ``store`` when it is asked for."""
        self._answer = answer
        self._store = store
        self._derivations = derivations
        self._peers = peers

    @property
    def status(self) -> Status:
        """The answer's own status."""
        return self._answer.status

    @property
    def text(self) -> str:
        """The written answer."""
        return self._answer.text

    @property
    def audio(self) -> SpokenAudio | None:
        """The spoken answer."""
        return spoken_audio(self._answer.audio)

    def waveform(self) -> Waveform | None:
        """Read the spoken answer."""
        return None if self._answer.audio is None else self._store.audio(self._answer.audio.file)[0]

    @property
    def input_s(self) -> float:
        """Seconds of audio in the request."""
        return self._answer.sample.input_s

    @property
    def input_audio(self) -> SpokenAudio | None:
        """The audio of the last turn."""
        return spoken_audio(self._answer.sample.input_audio)

    @property
    def reference_audio(self) -> SpokenAudio | None:
        """The recording of the reference answer."""
        return spoken_audio(self._answer.sample.answer_audio)

    @property
    def codes(self) -> tuple[int, ...] | None:
        """The answer's audio codes."""
        return None if self._response is None else self._response.audio_codes

    @property
    def codec(self) -> str:
        """The codec that the system's card names."""
        card = self._store.manifest.systems[self._answer.key.system].card
        return "" if card is None else card.codec

    @property
    def trace(self) -> Trace | None:
        """The answer's trace."""
        return None if self._response is None else self._response.trace

    @property
    def finish_reason(self) -> str:
        """Why the answer ended."""
        return "" if self._response is None else self._response.finish_reason

    def derived(self, need: Need) -> Derived | None:
        """A derivation that was made."""
        return self._derivations.get(need)

    def answer_to(self, sample_id: str) -> AnswerView | None:
        """The same system's answer to another sample, in the same repeat."""
        return self._beside(self._answer.key.system, sample_id)

    def peer(self, system: str) -> AnswerView | None:
        """Another system's answer to the same sample and repeat."""
        return self._beside(system, self._answer.key.sample)

    def _beside(self, system: str, sample_id: str) -> AnswerView | None:
        key = self._answer.key
        found = self._peers.answers.get((system, key.task, sample_id, key.repeat))
        return None if found is None else AnswerView(found, self._store, self._derivations, self._peers)

    @property
    def _response(self) -> Response | None:
        return self._answer.response


class ReferenceView:
    """The reference answer of a sample in the place of a system's; a ``View``."""

    codes: tuple[int, ...] | None = None
    codec = ""
    trace: Trace | None = None
    finish_reason = "stop"
    status: Status = "ok"

    def __init__(self, sample: StoredSample, store: RunStore, derivations: Derivations) -> None:
        """Look at the reference answer of ``sample``, which has a recording of it."""
        self._sample = sample
        self._store = store
        self._derivations = derivations

    @property
    def text(self) -> str:
        """What is spoken in it."""
        answer = self._sample.sample.answer
        return "" if answer is None else answer.text

    @property
    def audio(self) -> SpokenAudio | None:
        """Its recording."""
        return spoken_audio(self._sample.answer_audio)

    def waveform(self) -> Waveform | None:
        """Read its recording."""
        recording = self._sample.answer_audio
        return None if recording is None else self._store.audio(recording.file)[0]

    @property
    def input_s(self) -> float:
        """Seconds of audio in the request."""
        return self._sample.input_s

    @property
    def input_audio(self) -> SpokenAudio | None:
        """The audio of the last turn."""
        return spoken_audio(self._sample.input_audio)

    @property
    def reference_audio(self) -> SpokenAudio | None:
        """Its own recording."""
        return self.audio

    def derived(self, need: Need) -> Derived | None:
        """A derivation that was made."""
        return self._derivations.get(need)

    def answer_to(self, sample_id: str) -> AnswerView | None:
        """Reference audio is of one sample."""
        return None

    def peer(self, system: str) -> AnswerView | None:
        """Reference audio has no peers."""
        return None


def spoken_audio(recording: Recording | None) -> SpokenAudio | None:
    """Return what scorers see of a recording."""
    return None if recording is None else SpokenAudio(recording.sha256, recording.seconds, recording.sample_rate)
