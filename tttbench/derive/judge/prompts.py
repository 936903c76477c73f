"""The judge's prompts: versioned files of our own wording, and what of an answer goes with them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tttbench.core.json_values import JsonObject
from tttbench.core.judging import SCALES, Scale
from tttbench.core.tables import Count, Name, read_table
from tttbench.data.documents import read_toml

FOLDER = Path(__file__).parent.parent / "prompts"


@dataclass(frozen=True)
class _File:
    """A prompt as it lies on disk."""

    version: Count
    summary: Name
    system: str


@dataclass(frozen=True)
class Prompt:
    """A prompt: its name, version, hash, instruction to the judge, and the verdicts that it asks for."""

    name: str
    version: int
    sha256: str
    summary: str
    system: str
    scale: Scale

    @property
    def recipe(self) -> str:
        """Name, version and hash."""
        return f"prompt {self.name}@{self.version} sha256:{self.sha256}"

    @property
    def key(self) -> str:
        """The field of the reply that holds the verdict."""
        return "verdict" if self.scale.is_binary else "grade"

    @property
    def schema(self) -> JsonObject:
        """JSON schema of the reply."""
        kind, values = "string", ["yes", "no"]
        verdict: JsonObject = {"type": kind, "enum": values}
        if not self.scale.is_binary:
            verdict = {"type": "integer", "enum": list(range(self.scale.lowest, self.scale.highest + 1))}
        return {
            "type": "object",
            "properties": {self.key: verdict},
            "required": [self.key],
            "additionalProperties": False,
        }


@lru_cache(maxsize=8)
def load_prompt(name: str) -> Prompt:
    """Return the prompt called ``name``, one of ``SCALES``."""
    path = FOLDER / f"{name}.toml"
    found = read_table(_File, read_toml(path))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return Prompt(name, found.version, sha256, found.summary, found.system.strip(), SCALES[name])


def material(fields: Mapping[str, str], language: str) -> str:
    """Return what is sent with a prompt: one JSON object, so that no answer can pass for the end of its field."""
    graded = next(one for one in ("caption", "conversation", "answer") if one in fields)
    given: JsonObject = {name: text for name, text in fields.items() if name not in ("references", graded)}
    if references := json.loads(fields.get("references", "[]")):
        given = {**given, "reference_captions" if graded == "caption" else "accepted_answers": references}
    if language:
        given = {**given, "language": language}
    value = json.loads(fields[graded]) if graded == "conversation" else fields[graded]
    return json.dumps({**given, graded: value}, ensure_ascii=False, indent=1)
