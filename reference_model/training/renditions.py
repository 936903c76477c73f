"""Training examples whose answer was spoken in several ways, one of which is drawn each time an example is used.

With one recording of every answer a model can learn its codes by heart, and tokens that are committed together never
disagree. With several, the distribution over codes has several modes, as real speech has. Knows examples; no audio.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from reference_model.layout import Example
from reference_model.training.jitter import CodeJitter


@dataclass(frozen=True)
class RenderedExample(Example):
    """An example with all ways in which its answer was spoken.

    Attributes:
        renditions: complete answers, each with its ``<|im_end|>``; ``answer`` is the longest of them, so that what is
            laid out by its length has room for any.
    """

    renditions: tuple[tuple[int, ...], ...] = ()

    @classmethod
    def of(
        cls, prompt: tuple[int, ...], renditions: Sequence[tuple[int, ...]], transcript: tuple[int, ...]
    ) -> RenderedExample:
        """An example of a prompt and at least one rendition."""
        return cls(prompt, max(renditions, key=len), transcript, tuple(renditions))


@dataclass(frozen=True)
class DrawRendition:
    """Draws one rendition of an example's answer, and moves the prompt's codes if told so.

    Attributes:
        digest: of the renditions (see ``digest``), so that a training doesn't go on with others.
        then: how the prompt is varied; None: not at all.
    """

    digest: str
    then: CodeJitter | None = None

    def __call__(self, example: Example, rng: np.random.Generator) -> Example:
        """The example with one of its answers; an example without renditions keeps its own."""
        if isinstance(example, RenderedExample):
            answer = example.renditions[int(rng.integers(len(example.renditions)))]
            example = Example(example.prompt, answer, example.transcript)
        return example if self.then is None else self.then(example, rng)


def digest(examples: Iterable[Example]) -> str:
    """A hash of every rendition of every example, in order."""
    found = hashlib.sha256()
    for example in examples:
        for ids in example.renditions if isinstance(example, RenderedExample) else ():
            found.update(np.array([len(ids), *ids], np.int64).tobytes())
    return found.hexdigest()[:16]
