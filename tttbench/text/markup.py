"""What of an answer is its words: no reasoning before it, no tags, no links, no notes about sounds. Knows strings.

Brackets of all kinds stay for the normalizers, which drop the brackets and keep what stands in them.
"""

from __future__ import annotations

import html
import re

_TRIGGERS = re.compile(r"[<\uff1c\u25c1\uff08\uff3b\u3010\u3014\[(\\$~{]|&#?\w+;|assistantfinal")

_REASONING = (
    r"(?:(?:inner|internal|hidden|private|chain[_ -]of)[ -]|(?:\w+[:_-])+)?"
    r"(?:(?:think(?:ing)?|thoughts?)(?:[_ -]process|[_-]\d)?|reason(?:ing)?|reflection|scratchpad|analysis|rationale|"
    r"deliberation|monologue|cot)"
)
"""How models name what they think before the answer."""
_REASONING_TAG = re.compile(
    rf"[<\uff1c]\s*(?P<close>/)?\s*{_REASONING}(?:\s[^<>]*)?[>\uff1e]"
    rf"|\[(?:(?P<close_square>/){_REASONING}|think|(?P<square>{_REASONING})(?=\].*\[/(?P=square)\]))\]"
    rf"|\u25c1(?P<close_triangle>/)?{_REASONING}\u25b7"
    rf"|<\|(?:(?:begin|start|(?P<close_bar>end|/))(?:_of)?_?)?{_REASONING}(?:_(?:begin|start|(?P<close_behind>end)))?\|>"
    r"|<\|channel>\s*thought\b|(?P<close_channel><channel\|>)"  # Gemma
    r"|<unused94>(?:\s*thought\b)?|(?P<close_unused><unused95>)",
    re.IGNORECASE | re.DOTALL,
)
"""Tags of any brackets; words in square ones may also be notes, so that most of them need their partner."""
_CLOSES = tuple(name for name in _REASONING_TAG.groupindex if name.startswith("close"))
_DETAILS = re.compile(r"<details\s[^<>]*\breasoning\b[^<>]*>.*?(?:</details>|\Z)", re.DOTALL)
_CHANNEL = re.compile(
    r"<\|channel\|>\s*(?:analysis|commentary)\b.*?(?=<\|channel\|>\s*final\b|<\|start\|>|\Z)", re.DOTALL
)
"""Reasoning in OpenAI's harmony format: everything that isn't the final channel."""
_BARE_FINAL_CHANNEL = "assistantfinal"
"""What is left of it where a program has left out the special tokens."""
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

_BRACKETED = re.compile(
    "|".join(
        rf"{re.escape(opened)}([^{re.escape(opened + closed)}\n]{{1,40}}){re.escape(closed)}"
        for opened, closed in ("[]", "()", "<>", "{}", "\uff3b\uff3d", "\uff08\uff09", "\u3010\u3011", "\u3014\u3015")
    )
)
_SOUNDS = frozenset(
    (
        "noise noises music laugh laughs laughter laughing chuckle chuckles chuckling applause cheering cheers "
        "silence inaudible unintelligible indistinct crosstalk cough coughs coughing sneeze sneezes sigh sighs "
        "sighing sniff sniffs gasp gasps breath breathing breathes groans screams whistle whistling static beep beeps "
        "hesitation unk unknown sil spn blank_audio throat s pad pause babble "
        "噪音 噪声 噪聲 音乐 音樂 笑声 笑聲 掌声 掌聲 咳嗽 静音 靜音 叹气 嘆氣"
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
    text = without_reasoning(html.unescape(text))
    if "<" in text:
        text = _without_tags(text)
    if "~~" in text:
        text = _STRUCK.sub(" ", text)
    if "](" in text:
        text = _LINK.sub(r" \1 ", text)
    if "\\" in text or "$" in text:
        text = _without_latex(text)
    return _BRACKETED.sub(_unless_a_note, text)


def without_reasoning(text: str) -> str:
    """Return ``text`` without what stands in thinking tags; see ``words_of``."""
    if "<|channel|>" in text:
        text = _FINAL_CHANNEL.sub(" ", _CHANNEL.sub(" ", text))
    text = text.rpartition(_BARE_FINAL_CHANNEL)[2]
    if "<details" in text:
        text = _DETAILS.sub(" ", text)
    kept: list[str] = []
    depth = end = 0
    for tag in _REASONING_TAG.finditer(text):
        closes = any(tag.group(*_CLOSES))
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
    text = _MATH.sub(r" \1 ", text.replace("$$", "$") if text.count("$$") == 2 else text)
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
