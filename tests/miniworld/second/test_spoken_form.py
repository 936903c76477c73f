"""What was spoken is the same however it is written: worked examples of what Whisper writes for such answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttbench.miniworld.second.spoken_form import spoken_form, word_errors
from tttbench.miniworld.second.words import number_words


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("Nine two seven four.", "9274"),
        ("Forty two twenty nine two.", "42, 29, 2."),
        ("Forty four forty seven.", "40, 4, 47"),
        ("Twenty thirty forty.", "203040"),
        ("David takes the bus at three thirty.", "David takes the bus at 3:30."),
        ("Seven four two.", "7 for 2"),
        ("The second is eggs.", "the 2nd is eggs"),
        ("Zero one.", "oh one"),
    ],
)
def test_the_same_words(said: str, written: str) -> None:
    assert spoken_form(said) == spoken_form(written)


@pytest.mark.parametrize(
    ("said", "form"),
    [
        ("Seventeen twenty.", ("1", "7", "2", "0")),
        ("On Monday visit Peter.", ("on", "monday", "visit", "peter")),
        ("ninety", ("9", "0")),
        ("", ()),
    ],
)
def test_the_form(said: str, form: tuple[str, ...]) -> None:
    assert spoken_form(said) == form


@given(st.lists(st.integers(10, 99), max_size=8))
def test_numbers_in_words_and_in_digits_are_alike(numbers: list[int]) -> None:
    assert spoken_form(" ".join(number_words(n) for n in numbers)) == tuple("".join(str(n) for n in numbers))


@pytest.mark.parametrize(
    ("reference", "transcript", "errors"),
    [
        ("one two three", "1 2 3", (0, 3)),
        ("one two three", "one three", (1, 3)),
        ("one", "one and a lot more than that", (1, 1)),
        ("the cat", "", (2, 2)),
    ],
)
def test_errors_are_counted_up_to_the_length(reference: str, transcript: str, errors: tuple[int, ...]) -> None:
    assert word_errors(reference, transcript) == errors


def test_without_the_cap_all_insertions_count() -> None:
    assert word_errors("one", "one and a lot", cap=False) == (3, 1)
