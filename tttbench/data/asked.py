"""Written questions asked in other ways: in speech that is made of them, clean or not, so that each can be compared.

The conditions of a task are tasks of their own, with the same samples under the same ids.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from tttbench.core.errors import UserError
from tttbench.core.language import primary_language
from tttbench.core.sample import Modality, Sample, SpeechRecipe, Turn
from tttbench.data.voices.conditions import condition_fault, condition_title

TEXT = "text"
"""The condition of questions in writing."""


_LATIN = frozenset({"de", "en", "es", "fr", "it"})
"""Languages of voices that make sounds, but no words, of other scripts than Latin."""


@dataclass(frozen=True)
class Asking:
    """A way of asking. ``condition``: ``"text"``, or one of speech; ``voice``: of a registry, ``ENGINE:SPEAKER``."""

    condition: str
    voice: str = ""

    @property
    def accepts(self) -> frozenset[Modality]:
        """What a system must accept."""
        return frozenset({"text"} if self.condition == TEXT else {"audio"})

    @property
    def title(self) -> str:
        """The condition in words."""
        return "in writing" if self.condition == TEXT else condition_title(self.condition)

    @property
    def suffix(self) -> str:
        """What a task's name ends in, of all conditions but the first."""
        return f"_{self.condition.replace(':', '').replace('-', 'minus')}"


def fault_of(conditions: Sequence[str], voice: str) -> str:
    """Return what is wrong with the conditions of a task, the end of a message; ``""`` if nothing is."""
    for condition in conditions:
        if condition != TEXT and (fault := condition_fault(condition)):
            return f"{fault[:-1]}, or text."
        if conditions.count(condition) > 1:
            return f"{condition!r:.60} is there twice; take one out."
        if condition != TEXT and not voice:
            return f'{condition!r:.60} needs a voice; say speak = "piper:joe".'
    return ""


def asked(samples: Iterable[Sample], asking: Asking, language: str, where: str) -> list[Sample]:
    """Return written samples as they are asked.

    Args:
        samples: with texts, and without recordings.
        asking: how.
        language: of samples that name none.
        where: the task, for messages.

    Raises:
        UserError: a sample has a recording, or no text; the voice isn't there, or speaks another language.
    """
    if asking.condition == TEXT:
        return [_with_text(sample, where) for sample in samples]
    from tttbench.data.voices.named import voice_recipe

    try:
        recipe = voice_recipe(asking.voice, asking.condition)
    except UserError as error:
        raise UserError(f"{where}: speak: {error}") from error
    return [_spoken(_with_text(sample, where), recipe, language, where) for sample in samples]


def _with_text(sample: Sample, where: str) -> Sample:
    for turn in sample.turns:
        if turn.role == "user" and (turn.audio is not None or not turn.text.strip()):
            what = "has a recording" if turn.audio is not None else "holds no text"
            raise UserError(
                f"{where}: sample {sample.id!a:.80} {what}; `speak` and `conditions` are of written questions (of "
                'qa_folder: options = { ask = "text" }).'
            )
    return sample


def _is_latin(text: str) -> bool:
    """Whether at least half of a text's letters are Latin: a name in another script is no fault."""
    letters = [] if text.isascii() else [one for one in text if one.isalpha()]
    latin = [one for one in letters if unicodedata.name(one, "").startswith(("LATIN", "FULLWIDTH LATIN"))]
    return len(latin) * 2 >= len(letters)


def _spoken(sample: Sample, recipe: SpeechRecipe, language: str, where: str) -> Sample:
    from tttbench.data.voices.made import speech_of

    spoken = sample.language or language
    if spoken and primary_language(spoken) != recipe.language:
        raise UserError(
            f"{where}: sample {sample.id!a:.80} is in {spoken!r:.40}, and the voice {recipe.voice} speaks "
            f"{recipe.language!r:.40}; take another voice."
        )
    for turn in sample.turns:
        if turn.role == "user" and recipe.language in _LATIN and not _is_latin(turn.text):
            raise UserError(
                f"{where}: sample {sample.id!a:.80} ({turn.text!r:.40}) isn't written in Latin letters, and the voice "
                f"{recipe.voice} speaks {recipe.language!r}; take a voice of its language."
            )
    turns = tuple(
        Turn(turn.role, "", speech_of(turn.text, recipe)) if turn.role == "user" else turn for turn in sample.turns
    )
    metadata = {"question": sample.text, **sample.metadata, "voice": recipe.voice, "condition": recipe.condition}
    return replace(sample, turns=turns, language=sample.language or language or recipe.language, metadata=metadata)
