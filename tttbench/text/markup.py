"""What of an answer is its words: no reasoning before it, no tags, no links, no notes about sounds. Knows strings.

Brackets of all kinds stay for the normalizers, which drop the brackets and keep what stands in them.
"""

from __future__ import annotations

import html
import re

_TRIGGERS = re.compile(r"[<\u25c1\[(\\$~{]|&#?\w+;")

_REASONING = r"(?:think|thinking|thought|thoughts|thought_process|reason|reasoning|reflection|scratchpad|seed:think)"
_REASONING_TAG = re.compile(
    rf"<(?P<close>/)?{_REASONING}(?:\s[^<>]*)?>"
    rf"|\[(?P<close_square>/)?think\]"
    rf"|\u25c1(?P<close_triangle>/)?think\u25b7"
    r"|<\|(?:begin|(?P<close_bar>end))_of_(?:thought|thinking)\|>",
    re.IGNORECASE,
)
_CHANNEL = re.compile(
    r"<\|channel\|>\s*(?:analysis|commentary)\b.*?(?=<\|channel\|>\s*final\b|<\|start\|>|\Z)", re.DOTALL
)
"""Reasoning in OpenAI's harmony format: everything that isn't the final channel."""
_FINAL_CHANNEL = re.compile(r"(?:<\|start\|>\s*\w+\s*)?<\|channel\|>\s*final\b[^<]*(?=<\|)")
_SPECIAL_TOKEN = re.compile(r"<\|[^<>|]*\|>")
_TAG = re.compile(r"<(/?)([A-Za-z][\w:-]*)((?:\s[^<>]*)?/?)>")
_ALONE = frozenset({"br", "hr", "img", "wbr", "p", "li"})
"""Tags that mean something without a partner."""
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]+(?:\s[^()]*)?\)")
_STRUCK = re.compile(r"~~.+?~~", re.DOTALL)

_MATH = re.compile(r"\$(?=\S)(?!\d[\d.,]*\s+[A-Za-z])([^$\n]*?\S)\$(?!\d)")
_FRACTION = re.compile(r"\\[dt]?frac\{([^{}]*)\}\{([^{}]*)\}")
_COMMAND = re.compile(r"\\[A-Za-z]+\*?\{([^{}]*)\}")
_OPERATORS = {"times": "\u00d7", "cdot": "\u00d7", "div": "\u00f7", "circ": "\u00b0", "degree": "\u00b0"}
_BARE_COMMAND = re.compile(r"\\([A-Za-z]+)")
_ESCAPED = re.compile(r"\\([%$&#_{}])")

_BRACKETED = re.compile(r"\[([^\[\]\n]{1,40})\]|\(([^()\n]{1,40})\)|<([^<>\n]{1,40})>|\{([^{}\n]{1,40})\}")
_SOUNDS = frozenset(
    (
        "noise noises music laugh laughs laughter laughing chuckle chuckles chuckling applause cheering cheers "
        "silence inaudible unintelligible indistinct crosstalk cough coughs coughing sneeze sneezes sigh sighs "
        "sighing sniff sniffs gasp gasps breath breathing breathes groans screams whistle whistling static beep beeps "
        "hesitation unk unknown sil spn blank_audio throat s pad"
    ).split()
)
_LONGEST_NOTE = 3


def words_of(text: str) -> str:
    """Return ``text`` without reasoning, tags, links' addresses, struck-out words and notes such as ``[laughter]``.

    What stands in thinking tags isn't the answer: between the tags, behind one that is never closed, and before one
    that was never opened (chat templates open it themselves). A name in angle brackets is a tag if it has a partner,
    attributes or a slash; else it is a word, as is what stands in any other brackets.
    """
    if _TRIGGERS.search(text) is None:
        return text
    text = _without_reasoning(html.unescape(text))
    if "<" in text:
        text = _without_tags(text)
    if "~~" in text:
        text = _STRUCK.sub(" ", text)
    if "](" in text:
        text = _LINK.sub(r" \1 ", text)
    if "\\" in text or "$" in text:
        text = _without_latex(text)
    return _BRACKETED.sub(_unless_a_note, text)


def _without_reasoning(text: str) -> str:
    if "<|channel|>" in text:
        text = _FINAL_CHANNEL.sub(" ", _CHANNEL.sub(" ", text))
    kept: list[str] = []
    depth = end = 0
    for tag in _REASONING_TAG.finditer(text):
        closes = any(tag.group("close", "close_square", "close_triangle", "close_bar"))
        if not closes:
            if depth == 0:
                kept.append(text[end : tag.start()])
            depth += 1
        elif depth:
            depth -= 1
        else:
            kept.clear()
        end = tag.end()
    if depth == 0:
        kept.append(text[end:])
    return " ".join(kept)


def _without_tags(text: str) -> str:
    text = _SPECIAL_TOKEN.sub(" ", text)
    tags = _TAG.findall(text)
    opened = {name for slash, name, _ in tags if not slash}
    closed = {name for slash, name, _ in tags if slash}

    def replaced(tag: re.Match[str]) -> str:
        slash, name, rest = tag.groups()
        is_tag = slash or "=" in rest or rest.strip() == "/" or name in _ALONE or name in (opened & closed)
        return " " if is_tag else tag[0]

    return _TAG.sub(replaced, text)


def _without_latex(text: str) -> str:
    text = _MATH.sub(r" \1 ", text)
    if "\\" not in text:
        return text
    text = _FRACTION.sub(r" \1/\2 ", text)
    for _ in range(4):  # \boxed{\text{Paris}}
        text, found = _COMMAND.subn(r" \1 ", text)
        if not found:
            break
    text = _BARE_COMMAND.sub(lambda command: f" {_OPERATORS.get(command[1], '')} ", text)
    return _ESCAPED.sub(r"\1", text)


def _unless_a_note(bracketed: re.Match[str]) -> str:
    inside = next(part for part in bracketed.groups() if part is not None)
    words = inside.lower().split()
    is_note = 0 < len(words) <= _LONGEST_NOTE and (words[0] in _SOUNDS or words[-1] in _SOUNDS)
    return " " if is_note else bracketed[0]
