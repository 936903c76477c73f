"""How much of an answer a transcriber mishears, recorded and through a codec: the floor under every spoken score."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tttbench.miniworld.second.questions import Question
from tttbench.miniworld.second.renditions import renditions, speak_rendition
from tttbench.miniworld.second.spoken_form import word_errors

if TYPE_CHECKING:
    from reference_model.speech.mini import MiniCodec
    from tttbench.core.exchange import Waveform
    from tttbench.systems.whisper.transcriber import WhisperTranscriber


@dataclass(frozen=True)
class Floor:
    """Words of one condition that were transcribed wrongly.

    Attributes:
        errors, units: edits (each answer's capped at its length) and words of the references.
        by_family, by_manner: the same by family of question and by manner of speaking.
        wrong: up to ten answers with what was written down instead.
    """

    errors: int
    units: int
    by_family: dict[str, tuple[int, int]]
    by_manner: dict[str, tuple[int, int]]
    wrong: tuple[tuple[str, str], ...]

    @property
    def rate(self) -> float:
        """Edits per word."""
        return self.errors / max(1, self.units)


def measure(
    questions: Sequence[Question],
    transcriber: WhisperTranscriber,
    codec: MiniCodec | None = None,
    *,
    n_renditions: int = 3,
    seed: int,
) -> Floor:
    """Speak renditions of the answers, send them through the codec (None: not), and count what is transcribed wrongly.

    Args:
        questions: whose answers are spoken, each in one of its renditions.
        transcriber: writes down.
        codec: encodes and decodes.
        n_renditions: how many each answer has.
        seed: of the renditions.
    """
    from reference_model.speech.codec import speak

    rng = np.random.default_rng(seed)
    waves: list[Waveform] = []
    manners = []
    for question in questions:
        rendition = renditions(question.answer, question.gaps, n_renditions, seed)[int(rng.integers(n_renditions))]
        wave = speak_rendition(rendition)
        waves.append(wave if codec is None else speak(codec, codec.encode([wave])[0]))
        manners.append(rendition.manner.name)
    written = transcriber.transcribe(waves)
    families: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    ways: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    errors, units, wrong = 0, 0, []
    for question, manner, text in zip(questions, manners, written, strict=True):
        wrong_words, n = word_errors(question.answer, text)
        errors, units = errors + wrong_words, units + n
        for counts, key in ((families, question.family), (ways, manner)):
            counts[key][0] += wrong_words
            counts[key][1] += n
        if wrong_words:
            wrong.append((question.answer, text))
    return Floor(
        errors,
        units,
        {name: (a, b) for name, (a, b) in sorted(families.items())},
        {name: (a, b) for name, (a, b) in sorted(ways.items())},
        tuple(wrong[:10]),
    )
