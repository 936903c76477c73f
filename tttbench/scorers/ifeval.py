"""``ifeval``: whether the written answer follows instructions that a program can check (IFEval, VoiceBench's subset).

By prompt all of its instructions have to be followed, by instruction each counts. ``mode=loose`` also takes the answer
without its first line, its last line, or its asterisks. A prompt with an instruction that isn't checked here is left
out for every system alike, whatever the answer: what is left out for some answers alone would bend the rest.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from tttbench.core.derivation import Need
from tttbench.core.errors import UserError
from tttbench.core.exchange import Status
from tttbench.core.json_values import JsonValue
from tttbench.core.metric import UNKNOWN, MetricInfo, Score
from tttbench.core.plugins import register_scorer
from tttbench.core.recipe import Recipe
from tttbench.core.sample import Sample
from tttbench.core.scorer import View
from tttbench.scorers.denominators import CHECKABLE
from tttbench.text import instructions
from tttbench.text.instructions import UNCHECKED, ArgumentError, is_followed

VERSION = 1
"""Raised whenever the same answer may be scored otherwise."""

IDS, ARGUMENTS = "instruction_id_list", "kwargs"
"""Names among a sample's metadata: ids of its instructions and what each is told, as JSON."""

_BY_PROMPT = MetricInfo(
    "Prompts followed",
    "prompts followed",
    "share of prompts all of whose instructions the written answer follows, of those that can be checked here",
    "%",
    100,
    "higher",
    "binary",
    lowest=0,
    highest=1,
)
_BY_INSTRUCTION = MetricInfo(
    "Instructions followed",
    "instructions followed",
    "share of instructions that the written answers follow, of prompts that can be checked here",
    "%",
    100,
    "higher",
    "rate",
    lowest=0,
    highest=1,
)


@dataclass(frozen=True)
class IfEval:
    """Instructions that are followed, by prompt or by instruction; a ``Scorer``."""

    by_instruction: bool = False
    loose: bool = False
    reads: frozenset[str] = frozenset({"text"})

    @property
    def info(self) -> MetricInfo:
        """Of prompts or of instructions, strictly or loosely."""
        info = _BY_INSTRUCTION if self.by_instruction else _BY_PROMPT
        return replace(info, title=f"{info.title}, loosely", short=f"{info.short}, loosely") if self.loose else info

    def recipe(self, recipes: Mapping[str, str]) -> Recipe:
        """Name, checks, what is counted, and which instructions leave a prompt out."""
        level = "instruction" if self.by_instruction else "prompt"
        return Recipe(
            f"ifeval@{VERSION}",
            matcher=f"ifeval_checks@{instructions.VERSION}",
            options=f"level={level},mode={'loose' if self.loose else 'strict'}",
            denominator=f"{CHECKABLE}@{instructions.VERSION} (left out: prompts with {', '.join(sorted(UNCHECKED))})",
        )

    def needs(self, sample: Sample, view: View) -> Iterable[Need]:
        """Need nothing."""
        return ()

    def score(self, sample: Sample, view: View) -> Score | None:
        """Return instructions followed over all of the prompt, or 1 or 0; None for a sample without instructions.

        One that there isn't, or that isn't told what it needs, gives no value: the detail's ``error`` names it.
        """
        if IDS not in sample.metadata:
            return None
        text = "" if view.status == "error" else view.text
        try:
            asked = _asked(sample.metadata)
            if unchecked := [name for name, _ in asked if name in UNCHECKED]:
                told = ", ".join(f"{name} ({UNCHECKED[name]})" for name in unchecked)
                left_out: Status = "error" if view.status == "error" else "unparsed"
                why = f"isn't checked here: {told}"
                return Score(math.nan, math.nan, 1.0, left_out, {"answer": text, "dropped": why})
            followed = {
                f"{number} {name}": is_followed(name, arguments, text, loose=self.loose)
                for number, (name, arguments) in enumerate(asked, 1)
            }
        except ArgumentError as error:
            return replace(UNKNOWN, detail={"error": f"instructions of the prompt: {error}"})
        status: Status = "error" if view.status == "error" else "ok" if text.strip() else "empty"
        detail: dict[str, JsonValue] = {"answer": text, "followed": dict(followed)}
        n, of = sum(followed.values()), len(followed)
        if not self.by_instruction:
            n, of = int(n == of), 1
        return Score(n / of, float(n), float(of), status, detail)


def _asked(metadata: Mapping[str, str]) -> list[tuple[str, Mapping[str, JsonValue]]]:
    """The instructions of a prompt, each with what it is told."""
    try:
        names, arguments = json.loads(metadata[IDS]), json.loads(metadata.get(ARGUMENTS, "[]"))
    except ValueError as error:
        raise ArgumentError(f"{IDS} or {ARGUMENTS} isn't JSON") from error
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise ArgumentError(f"{IDS} must be a list of ids")
    if not isinstance(arguments, list) or len(arguments) != len(names):
        raise ArgumentError(f"{ARGUMENTS} must be a list of {len(names)} tables")
    tables = [one if isinstance(one, Mapping) else {} for one in arguments]
    return list(zip(names, tables, strict=True))


@register_scorer("ifeval", options=("level", "mode"), summary=_BY_PROMPT.explanation)
def ifeval(options: Mapping[str, str]) -> IfEval:
    """Build it; raises ``UserError`` for a ``level`` or a ``mode`` that there isn't."""
    level, mode = options.get("level", "prompt"), options.get("mode", "strict")
    if level not in ("prompt", "instruction"):
        raise UserError(f"ifeval:level={level!s:.60}: must be 'prompt' or 'instruction'.")
    if mode not in ("strict", "loose"):
        raise UserError(f"ifeval:mode={mode!s:.60}: must be 'strict' or 'loose'.")
    return IfEval(level == "instruction", mode == "loose")
