"""Properties of ``en``: the same form for the same number however it is written, and nothing left to normalize."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tttbench.core.plugins import normalizers
from tttbench.text.decimals import ordinal, shifted, shortest
from tttbench.text.english.numbers import read_numbers
from tttbench.text.english.reading import read

ENGLISH = normalizers.get("en").normalize

ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen \
eighteen nineteen".split()
)
TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety".split()
ORDINALS = {"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth"}
ORDINALS["twelve"] = "twelfth"


def spelled(n: int, *, joins: str = " and ", hyphen: str = "-") -> str:
    """A number in words, by the schoolbook."""
    if n < 20:
        return ONES[n]
    if n < 100:
        return TENS[n // 10] + (hyphen + ONES[n % 10] if n % 10 else "")
    for size, word in ((10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred")):
        if n >= size:
            rest = n % size
            tail = "" if not rest else (joins if rest < 100 else " ") + spelled(rest, joins=joins, hyphen=hyphen)
            return f"{spelled(n // size, joins=joins, hyphen=hyphen)} {word}{tail}"
    raise AssertionError(n)


def spelled_ordinal(n: int) -> str:
    head, space, last = spelled(n, hyphen=" ").rpartition(" ")
    return head + space + ORDINALS.get(last, f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th")


NUMBERS = (
    st.integers(0, 10**9)
    | st.integers(0, 2000)
    | st.builds(lambda a, b: a * 10**b, st.integers(1, 999), st.integers(0, 6))
)


@settings(max_examples=1000)
@given(NUMBERS, st.sampled_from([" and ", " "]), st.sampled_from(["-", " ", "\u2011"]))
def test_numbers_spelled_and_in_digits_have_the_same_form(n: int, joins: str, hyphen: str) -> None:
    words = spelled(n, joins=joins, hyphen=hyphen)
    assert ENGLISH(words) == ENGLISH(str(n)) == ENGLISH(f"{n:,}") == str(n)
    assert ENGLISH(f"We saw {words} ships.") == f"we saw {n} ships"
    assert ENGLISH(f"minus {words}") == ENGLISH(f"-{n}")


@settings(max_examples=300)
@given(NUMBERS, st.integers(0, 9999).map(lambda n: f"{n:04d}"))
def test_decimals_and_units_are_read_by_value(n: int, decimals: str) -> None:
    number, digits = f"{n}.{decimals}", " ".join(ONES[int(digit)] for digit in decimals)
    value = shortest(number)
    assert ENGLISH(f"{spelled(n)} point {digits}") == ENGLISH(number) == value
    assert ENGLISH(f"{spelled(n)} point {digits} percent") == ENGLISH(f"{number}%") == f"{value}%"
    assert ENGLISH(f"{spelled(n)} dollars") == ENGLISH(f"${n:,}") == ENGLISH(f"{n} USD") == f"${n}"
    assert ENGLISH(f"{number} million") == shifted(value, 6)


@settings(max_examples=300)
@given(st.integers(1, 10**6))
def test_ordinals_spelled_and_in_digits_have_the_same_form(n: int) -> None:
    assert ENGLISH(f"the {spelled_ordinal(n)} ship") == ENGLISH(f"the {ordinal(str(n))} ship")


@given(st.integers(1100, 2099).filter(lambda year: year % 1000 >= 10))
def test_years_are_spoken_in_halves(year: int) -> None:
    century, rest = divmod(year, 100)
    halves = (
        f"{spelled(century)} {f'oh {ONES[rest]}' if rest < 10 else spelled(rest)}"
        if rest
        else f"{spelled(century)} hundred"
    )
    assert ENGLISH(f"in {halves} it was") == f"in {year} it was"


@given(st.lists(st.sampled_from("0123456789"), min_size=2, max_size=10), st.data())
def test_digits_are_equal_in_any_groups(digits: list[str], data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.booleans(), min_size=len(digits) - 1, max_size=len(digits) - 1))
    grouped = digits[0] + "".join((" " if cut else "") + digit for cut, digit in zip(cuts, digits[1:], strict=True))
    assert ENGLISH(grouped) == ENGLISH(" ".join(ONES[int(digit)] for digit in digits)) == "".join(digits)


RULED = """one two three twelve twenty sixty nine hundred thousand million and a an half point oh o minus negative
percent per cent dollar dollars cents pounds \u00a3 $ % -5 5 12 3.5 1,000 -3 July may the of 20th first
second twentieth past to quarter minutes am pm a.m. o'clock 3:05 3:00 U.S. u s a J. R. um uh hmm mm don't
it's 's n't 't 're World War II I ii henry VIII km m h / \u00b0 c km/h kg degrees + = * \u00d7 \u00f7 ^2
10^9 \u00bd 1/2 . , : - \u2013 \u2014 ' \u2019 # no. No. 5th 1960s sixties thirds third halves square
squared us usd \u20ac \u00a2 @ & ww ph.d. <b> </b> <think> </think> [noise] (x) { } \\boxed{4} $4$ ( )
"x" stra\u00dfe \u00e9 \u5317\u4eac \u0663 st. saint 0 00 05 .5 5. 1.2.3 20 1969 seconds number""".split()
PIECES = st.tuples(st.sampled_from(RULED), st.sampled_from([" ", " ", ""])).map("".join)


@settings(max_examples=2000)
@given(st.lists(PIECES, max_size=7).map("".join))
def test_a_normal_form_is_its_own_normal_form(text: str) -> None:
    form = ENGLISH(text)
    assert ENGLISH(form) == form


@settings(max_examples=2000)
@given(st.text(max_size=40))
def test_any_text_has_a_normal_form(text: str) -> None:
    form = ENGLISH(text)
    assert ENGLISH(form) == form
    assert form == " ".join(form.split())


@pytest.mark.parametrize(
    "text",
    [
        "9" * 5000,
        "$" + "9" * 5000 + " million",
        "one " * 3000,
        "<think>" * 500,
        "((((" * 500,
        "\\boxed{" * 500,
        "$" * 3000,
    ],
    ids=lambda text: text[:12],
)
def test_long_texts_are_no_trouble(text: str) -> None:
    assert isinstance(ENGLISH(text), str)


@pytest.mark.parametrize(
    ("words", "tokens"),
    [
        ("one hundred and one hundred", "100 and 100"),
        ("one thousand two thousand", "1000 2000"),
        ("one hundred two thousand", "102000"),
        ("salt and two and one hundred", "salt and 2 and 100"),
        ("july twenty nineteen sixty nine", "july 20 1969"),
        ("twenty nineteen", "2019"),
        ("one point two point three", "1.2.3"),
        ("seven minus five", "7 minus 5"),
        ("is minus five", "is -5"),
        ("the first hundred", "the 1st hundred"),
        ("hundreds of men", "hundreds of men"),
        ("this one hundred", "this 100"),
        ("one another", "one another"),
        ("nineteen hundreds", "1900s"),
        ("oh my", "oh my"),
        ("two thirds", "2/3"),
        ("one second", "1 second"),
    ],
)
def test_what_continues_a_number_and_what_does_not(words: str, tokens: str) -> None:
    assert " ".join(read_numbers(words.split())) == tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("In 2020 15 men", "in 2020 15 men"),
        ("He may 5", "he may 5th"),
        ("5 may come", "5 may come"),
        ("5 May 1990", "may 5th 1990"),
        ("won ten to four", "won 10 to 4"),
        ("5 $10", "5 $10"),
        ("US$5", "$5"),
        ("5 USD and 20 cents", "$5.2"),
        ("\u20ac5 and 20 cents", "\u20ac5.2"),
        ("it costs $", "it costs"),
        ("word\u2014word", "word word"),
        ("555-1234", "555 1234"),
        ("1-2", "1 to 2"),
        ("A-5", "a 5"),
        ("x = -5", "x equals -5"),
        ("the music of Bach", "the music of bach"),
        ("(music)", ""),
    ],
)
def test_tokens(text: str, tokens: str) -> None:
    assert " ".join(read(text)) == tokens
