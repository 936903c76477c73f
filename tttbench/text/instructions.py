"""Instructions that a program can check, as IFEval defines them, each a function from an answer to yes or no.

The rules are those of google-research/google-research, instruction_following_eval (instructions.py at 3f357bde,
instructions_registry.py at 1d49f2c0), written anew and in linear time. Words that an instruction names are taken as
they stand, where the published code reads them as regular expressions. Five of its 25 instructions need a sentence
splitter, a tokenizer or a language detector of their own: they are ``UNCHECKED``, and nothing stands in for them.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tttbench.core.json_values import JsonObject, JsonValue

VERSION = 1
"""Raised whenever the same answer may be found to follow otherwise."""

UNCHECKED: Mapping[str, str] = {
    "language:response_language": "langdetect",
    "length_constraints:number_sentences": "NLTK's sentence splitter",
    "change_case:capital_word_frequency": "NLTK's word tokenizer",
    "change_case:english_capital": "langdetect",
    "change_case:english_lowercase": "langdetect",
}
"""Instructions that aren't checked here, and what the published code does it with."""

RESPONSES = ("My answer is yes.", "My answer is no.", "My answer is maybe.")
"""What ``constrained_response`` allows."""

Check = Callable[[str, "Arguments"], bool]


class ArgumentError(ValueError):
    """An instruction that there isn't, or without what it has to be told."""


@dataclass(frozen=True)
class Arguments:
    """What an instruction is told, by name; nulls are absent, as in the published table."""

    values: JsonObject

    def text(self, name: str) -> str:
        """A text that isn't empty, without white space around it."""
        found = self.values.get(name)
        if not isinstance(found, str) or not found.strip():
            raise ArgumentError(f"{name} must be a text, not {_told(found)}")
        return found.strip()

    def texts(self, name: str) -> Sequence[str]:
        """Texts of which there is one at least."""
        found = self.values.get(name)
        if not isinstance(found, list) or not found or not all(isinstance(one, str) and one for one in found):
            raise ArgumentError(f"{name} must be a list of texts, not {_told(found)}")
        return [str(one) for one in found]

    def whole(self, name: str, least: int = 0) -> int:
        """A whole number; tables with nulls keep them as 3.0."""
        found = self.values.get(name)
        number = math.nan if isinstance(found, bool) or not isinstance(found, int | float) else found
        if not (math.isfinite(number) and number % 1 == 0 and number >= least):
            raise ArgumentError(f"{name} must be a whole number of {least} or more, not {_told(found)}")
        return int(number)

    def compares(self, n: int, with_: str, relation: str = "relation") -> bool:
        """Whether ``n`` is as the relation to the number ``with_`` asks: ``"less than"`` or ``"at least"``."""
        asked = self.values.get(relation)
        if asked not in ("less than", "at least"):
            raise ArgumentError(f"{relation} must be 'less than' or 'at least', not {_told(asked)}")
        limit = self.whole(with_)
        return n < limit if asked == "less than" else n >= limit


def _told(value: JsonValue) -> str:
    return "absent" if value is None else f"{value!r:.40}"


def is_followed(instruction: str, arguments: Mapping[str, JsonValue], answer: str, *, loose: bool = False) -> bool:
    """Return whether an answer follows an instruction.

    Args:
        instruction: its id, e.g. ``"punctuation:no_comma"``.
        arguments: what it is told; those that are None count as absent.
        answer: the written answer; one without a word follows nothing.
        loose: whether it is enough that the answer does so without its first line, its last line, or its asterisks.

    Raises:
        ArgumentError: an id that isn't checked here, or arguments that it can't be checked with.
    """
    check = CHECKS.get(instruction)
    if check is None:
        needs = UNCHECKED.get(instruction)
        raise ArgumentError(f"{instruction:.60}: " + (f"needs {needs}" if needs else "there is no such instruction"))
    told = Arguments({name: value for name, value in arguments.items() if value is not None})
    try:
        # Each is asked even of nothing, so that arguments that are wrong never depend on the answer.
        found = [check(one, told) and bool(one.strip()) for one in (_variants(answer) if loose else (answer,))]
    except ArgumentError as error:
        raise ArgumentError(f"{instruction}: {error}") from error
    return any(found)


def _variants(answer: str) -> Iterator[str]:
    lines = answer.split("\n")
    shorter = ("\n".join(part).strip() for part in (lines[1:], lines[:-1], lines[1:-1]))
    for one in (answer, *shorter):
        yield one
        yield one.replace("*", "")


def _n_matches(words: str, text: str) -> int:
    return len(re.findall(re.escape(words), text, re.IGNORECASE))


def _existence(text: str, told: Arguments) -> bool:
    return all(_n_matches(one, text) for one in told.texts("keywords"))


def _frequency(text: str, told: Arguments) -> bool:
    return told.compares(_n_matches(told.text("keyword"), text), "frequency")


def _forbidden(text: str, told: Arguments) -> bool:
    words = told.texts("forbidden_words")
    return not any(re.search(rf"\b{re.escape(one)}\b", text, re.IGNORECASE) for one in words)


def _letters(text: str, told: Arguments) -> bool:
    letter = told.text("letter")
    if len(letter) != 1:
        raise ArgumentError(f"letter must be one character, not {letter!r:.40}")
    return told.compares(text.lower().count(letter.lower()), "let_frequency", "let_relation")


def _paragraphs(text: str, told: Arguments) -> bool:
    wanted = told.whole("num_paragraphs")
    parts = text.split("***")
    within = parts[1:-1]
    if any(not part.strip() for part in within):
        return False
    return sum(bool(part.strip()) for part in parts) == wanted


def _words(text: str, told: Arguments) -> bool:
    return told.compares(len(re.findall(r"\w+", text)), "num_words")


def _first_word(text: str, told: Arguments) -> bool:
    wanted, nth = told.whole("num_paragraphs"), told.whole("nth_paragraph", 1)
    word = told.text("first_word").lower()
    if nth > wanted:
        raise ArgumentError(f"nth_paragraph is {nth}, of {wanted}")
    parts = text.split("\n\n")
    n = sum(bool(part.strip()) for part in parts)
    # The n-th of all parts, also of those without a word, is the published code's reading.
    if nth > n or not parts[nth - 1].strip():
        return False
    first = parts[nth - 1].split()[0].lstrip("'").lstrip('"')
    return n == wanted and re.split(r"[.,?!'\"]", first)[0].lower() == word


def _placeholders(text: str, told: Arguments) -> bool:
    wanted, n = told.whole("num_placeholders"), 0
    for line in text.split("\n"):
        at = line.find("[")
        while at >= 0 and (end := line.find("]", at)) >= 0:
            n += 1
            at = line.find("[", end)
    return n >= wanted


def _postscript(text: str, told: Arguments) -> bool:
    marker, lower = told.text("postscript_marker"), text.lower()
    if marker == "P.P.S":
        return re.search(r"p\.\s?p\.\s?s", lower) is not None
    if marker == "P.S.":
        return re.search(r"p\.\s?s\.", lower) is not None
    return marker.lower() in lower


def _bullets(text: str, told: Arguments) -> bool:
    wanted = told.whole("num_bullets")
    stars = re.findall(r"^[^\S\n]*\*[^*].*$", text, re.MULTILINE)
    dashes = re.findall(r"^[^\S\n]*-.*$", text, re.MULTILINE)
    return len(stars) + len(dashes) == wanted


def _constrained(text: str, told: Arguments) -> bool:
    return any(one in text for one in RESPONSES)


def _highlights(text: str, told: Arguments) -> bool:
    wanted = told.whole("num_highlights")
    single = [one for one in re.findall(r"\*[^\n*]*\*", text) if one.strip("*").strip()]
    double = [one for one in re.findall(r"\*\*[^\n*]*\*\*", text) if one[2:-2].strip()]
    return len(single) + len(double) >= wanted


def _sections(text: str, told: Arguments) -> bool:
    wanted = told.whole("num_sections")
    return len(re.findall(rf"{re.escape(told.text('section_spliter'))}\s?\d+", text)) >= wanted


def _json(text: str, told: Arguments) -> bool:
    inner = text.strip()
    for fence in ("```json", "```Json", "```JSON", "```"):
        inner = inner.removeprefix(fence)
    try:
        json.loads(inner.removesuffix("```").strip())
    except (ValueError, RecursionError):
        return False
    return True


def _title(text: str, told: Arguments) -> bool:
    for line in text.split("\n"):
        start, end = line.find("<<"), line.rfind(">>")
        if 0 <= start <= end - 3 and line[start : end + 2].lstrip("<").rstrip(">").strip():
            return True
    return False


def _two_responses(text: str, told: Arguments) -> bool:
    parts = text.split("******")
    if any(not part.strip() for part in parts[1:-1]):
        return False
    filled = [part.strip() for part in parts if part.strip()]
    return len(filled) == 2 and filled[0] != filled[1]


def _repeats(text: str, told: Arguments) -> bool:
    return text.strip().lower().startswith(told.text("prompt_to_repeat").lower())


def _ends(text: str, told: Arguments) -> bool:
    return text.strip().strip('"').lower().endswith(told.text("end_phrase").lower())


def _no_comma(text: str, told: Arguments) -> bool:
    return "," not in text


def _quoted(text: str, told: Arguments) -> bool:
    inner = text.strip()
    return len(inner) > 1 and inner[0] == '"' == inner[-1]


CHECKS: Mapping[str, Check] = {
    "keywords:existence": _existence,
    "keywords:frequency": _frequency,
    "keywords:forbidden_words": _forbidden,
    "keywords:letter_frequency": _letters,
    "length_constraints:number_paragraphs": _paragraphs,
    "length_constraints:number_words": _words,
    "length_constraints:nth_paragraph_first_word": _first_word,
    "detectable_content:number_placeholders": _placeholders,
    "detectable_content:postscript": _postscript,
    "detectable_format:number_bullet_lists": _bullets,
    "detectable_format:constrained_response": _constrained,
    "detectable_format:number_highlighted_sections": _highlights,
    "detectable_format:multiple_sections": _sections,
    "detectable_format:json_format": _json,
    "detectable_format:title": _title,
    "combination:two_responses": _two_responses,
    "combination:repeat_prompt": _repeats,
    "startend:end_checker": _ends,
    "startend:quotation": _quoted,
    "punctuation:no_comma": _no_comma,
}
"""Instructions that are checked here, by id."""
