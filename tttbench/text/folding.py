"""Characters that look or sound alike become one: width, case, apostrophes, dashes, accents, digits of other scripts.

What is left are letters with their marks, ASCII digits, single spaces' worth of white space, and the punctuation that
can change what a number or word means (``KEPT``). Everything else is white space, or nothing where it has no width.
"""

from __future__ import annotations

import re
import unicodedata

CURRENCIES = "$\u00a3\u20ac\u00a5\u20b9\u20a9\u20bd\u20bf\u20ba\u20b4\u20aa\u0e3f\u20ab\u20b1\u20a6\u20b8"
"""Signs of money; the unit of an amount, whichever of them is meant, is part of its value."""

KEPT = f"'-.,:/%&+=*^#@\u2212\u00d7\u00f7\u00b0\u00a2{CURRENCIES}"
"""Punctuation and symbols that stay. All dashes are ``-``; an em dash is one only where it joins two numbers."""

APOSTROPHES = "\u0091\u0092\u2018\u2019\u201a\u201b\u02bc\u02bb\u02b9\u02c8\u2032\u00b4\u0060\uff07\ua78c\u055a"
_BEFORE = str.maketrans(
    {
        **dict.fromkeys(APOSTROPHES, "'"),
        # What most texts that aren't ASCII have in them, so that they can go the short way.
        **dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb\u2026\u00a0\u202f\u2009", " "),
        **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u00ad", ""),
        **dict.fromkeys("\u2010\u2011\u2012\u2013", "-"),
        # Compatibility would make letters, words and other numbers of these.
        "\u00ba": "\u00b0",
        "\u2116": " number ",
        "\u2030": " per mille ",
        "\u20a8": "\u20b9",
        **{superscript: f"^{digit}" for digit, superscript in enumerate("\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076")},
        **{superscript: f"^{digit}" for digit, superscript in enumerate("\u2077\u2078\u2079", 7)},
    }
)
_EM_DASH = re.compile(r"(?<=\d)[\u2014\u2015](?=\d)")
_VULGAR = re.compile(r"(?<=\d)\s*(?=[\u00bc-\u00be\u2150-\u215e\u2189])")
"""Between a number and ½."""
_LATIN_OR_GREEK_MARKS = re.compile(r"(?<=[a-z\u00df-\u024f\u0250-\u02af\u0370-\u03ff])[\u0300-\u036f]+")
_CYRILLIC_STRESS = re.compile(r"(?<=[\u0400-\u04ff])[\u0300\u0301]+|(?<=\u0435)\u0308")
"""Stress marks, and the dots of ё, which are mostly not written."""
_VOWEL_POINTS = re.compile(r"[\u0640\u064b-\u0652\u0670\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7]")
"""Arabic and Hebrew vowel signs, and the Arabic stroke that only lengthens a word."""
_STRAY_MARKS = re.compile(r"(?<![^\W_])[\u0300-\u036f]+")


_INVISIBLE = (
    *(range(0x115F, 0x1161), range(0x17B4, 0x17B6), range(0x180B, 0x1810), range(0x2060, 0x2070)),
    *(range(0xFE00, 0xFE10), range(0xE0000, 0xE1000)),
)


def is_invisible(character: str) -> bool:
    """Whether a character is never shown: Unicode's default-ignorable ones, as joiners and variation selectors."""
    code = ord(character)
    return (
        unicodedata.category(character) == "Cf"
        or code in (0x034F, 0x3164, 0xFFA0)
        or any(code in codes for codes in _INVISIBLE)
    )


class _Characters(dict[int, str]):
    """What becomes of a character, found once each."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        category = unicodedata.category(character)
        if is_invisible(character):
            found = ""
        elif character in KEPT or category[0] in "LM":
            found = character
        elif category == "Nd":
            found = str(unicodedata.digit(character))
        elif category[0] == "N":
            found = character
        elif category == "Pd":
            found = " " if code in (0x2014, 0x2015, 0x2E3A, 0x2E3B) else "-"
        elif code == 0x2044:
            found = "/"  # of ½
        else:
            found = " "
        self[code] = found
        return found


_CHARACTERS = _Characters()
_OTHER_LETTERS = str.maketrans(
    {
        "\u0153": "oe",
        "\u00f8": "o",
        "\u00e6": "ae",
        "\u0111": "d",
        "\u00f0": "d",
        "\u00fe": "th",
        "\u0142": "l",
        "\u0131": "i",
    }
)


def fold(text: str) -> str:
    """Return ``text`` in lower case, with one form of each apostrophe, dash, digit and accented letter.

    Latin and Greek letters lose their accents (``ß`` is ``ss``), Cyrillic ones their stress marks, Arabic and Hebrew
    their vowel points; all other marks stay, as words of other scripts differ by them.
    """
    if not text.isascii():
        text = _EM_DASH.sub("-", text.translate(_BEFORE))
    if text.isascii():
        return text.lower().replace("`", "'").translate(_CHARACTERS)
    text = _VULGAR.sub(" and ", text)
    text = unicodedata.normalize("NFKC", text).casefold()
    text = unicodedata.normalize("NFKD", text)
    text = _CYRILLIC_STRESS.sub("", _LATIN_OR_GREEK_MARKS.sub("", text))
    text = _STRAY_MARKS.sub("", _VOWEL_POINTS.sub("", text))
    return unicodedata.normalize("NFC", text).translate(_OTHER_LETTERS).translate(_CHARACTERS)
