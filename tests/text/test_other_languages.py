"""The normal form of languages without rules of their own: what is one thing, what isn't, and what Whisper's makes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttbench.core.plugins import normalizers

BASIC, WHISPER = (normalizers.get(name).normalize for name in ("basic", "whisper-basic"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("п'ять", "п\u02bcять"),
        ("п'ять", "п\u2019ять"),
        ("c'hoar", "c\u02bchoar"),
        ("hallo Welt", "<think>Hm, Welt?</think>Hallo, Welt!"),
        ("hallo Welt", "<|START_THINKING|>Hm<|END_THINKING|>hallo Welt"),
        ("hallo Welt", "<b>hallo</b> Welt"),
        ("zero\u200bwidth", "zerowidth"),
        ("\u0645\u06cc\u200c\u0631\u0648\u0645", "\u0645\u06cc\u0631\u0648\u0645"),
        ("U.S.A.", "USA"),
        ("z. B.", "z.B."),
        ("5 %", "5%"),
        ("5 \uff05", "5%"),
        ("\u20ac5,50", "5,50 \u20ac"),
        ("$ 5", "$5"),
        ("20 \u00b0C", "20\u00b0C"),
        ("\u22125 Grad", "-5 Grad"),
        ("hallo [Lachen] Welt", "hallo Welt"),
    ],
)
def test_one_thing_has_one_form(one: str, other: str) -> None:
    assert BASIC(one) == BASIC(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("5 %", "5"),
        ("5 %", "5 \u2030"),
        ("$5", "5 \u20ac"),
        ("\u20bd5", "5"),
        ("-5", "5"),
        ("20\u00b0", "20"),
        ("3,14", "314"),
        ("a\u00f1o", "ano"),
        ("\u043a\u0440\u0430\u0439", "\u043a\u0440\u0430\u0438"),
        ("Welt", "<think>Welt</think>"),
    ],
)
def test_two_things_have_two_forms(one: str, other: str) -> None:
    assert BASIC(one) != BASIC(other)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("Das kostet 5 %, also $2,50!", "das kostet 5% also 2 50$"),
        ("L\u2019eau \u2013 c'est \u00e7a.", "l eau c est \u00e7a"),
        ("10-20 km, -5", "10 20 km -5"),
        ("5$ 3, 7 $ 2", "5$ 3 7 2$"),
        ("...", ""),
    ],
)
def test_forms(text: str, form: str) -> None:
    assert BASIC(text) == form


@given(st.text(st.characters(categories=["Ll", "Lu", "Nd"], max_codepoint=0x24F), max_size=30))
def test_words_without_signs_are_those_of_whisper(text: str) -> None:
    assert BASIC(text) == " ".join(WHISPER(text).split())


@given(st.one_of(st.text(max_size=30), st.text("5-%\u20ac\u00a3 .,a", max_size=12)))
def test_a_form_is_its_own_form(text: str) -> None:
    assert BASIC(BASIC(text)) == BASIC(text)
