"""How a score was made: every part that can change its value, and a digest that is equal where all of them are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Recipe:
    """The parts that made a score; scores of equal digests are comparable.

    Attributes:
        scorer: name and version, e.g. ``"wer@1"``.
        normalizer: name, version and package, e.g. ``"whisper-en@1 (whisper-normalizer 0.1.15)"``; ``""`` if none.
        matcher: what compares normalized texts, e.g. ``"answer_match@1"``, ``"jiwer 4.0.0"``; ``""`` if none.
        transcriber: recipe of what transcribed the spoken answer; ``""`` if nothing did.
        judge: recipe of what graded the answer; ``""`` if nothing did.
        prompt_sha256: of the judge's prompt; ``""`` without a judge.
        denominator: which samples count, ``"all@1"``: every request but those whose derivation failed.
        options: other options of the scorer, ``name=value`` sorted and joined by commas.
    """

    scorer: str
    normalizer: str = ""
    matcher: str = ""
    transcriber: str = ""
    judge: str = ""
    prompt_sha256: str = ""
    denominator: str = "all@1"
    options: str = ""

    @property
    def digest(self) -> str:
        """12 hexadecimal digits over all fields."""
        values = json.dumps([getattr(self, entry.name) for entry in fields(self)], ensure_ascii=False)
        return hashlib.sha256(values.encode()).hexdigest()[:12]

    def __str__(self) -> str:
        """Write it for people: the parts that there are, e.g. ``wer@1; whisper-en@1 (…); jiwer 4.0.0``."""
        return "; ".join(self._parts())

    def _parts(self) -> Iterator[str]:
        yield self.scorer
        for name in ("normalizer", "matcher"):
            if value := getattr(self, name):
                yield value
        if self.options:
            yield self.options
        for name in ("transcriber", "judge"):
            if value := getattr(self, name):
                yield f"{name}: {value}"
        if self.prompt_sha256:
            yield f"prompt {self.prompt_sha256[:12]}"
        if self.denominator != "all@1":
            yield f"denominator {self.denominator}"
