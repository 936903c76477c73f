"""Questions of the second world: the answer follows from the question, found again by rules written for this test."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttbench.miniworld.second import questions, words
from tttbench.miniworld.second.questions import LONG, MEDIUM, SHORT

FAMILIES = {**SHORT, **MEDIUM, **LONG}
ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
VALUE = {word: n for n, word in enumerate(ONES)}
TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def numbers(text: str) -> list[int]:
    """Number words read greedily: ``forty two three`` is 42 and 3."""
    found: list[int] = []
    tokens = text.lower().split()
    i = 0
    while i < len(tokens):
        if tokens[i] in TENS:
            unit = VALUE.get(tokens[i + 1], 0) if i + 1 < len(tokens) else 0
            joins = 0 < unit < 10
            found.append(TENS[tokens[i]] + (unit if joins else 0))
            i += 2 if joins else 1
        else:
            found.append(VALUE[tokens[i]])
            i += 1
    return found


def spoken(values: list[int]) -> str:
    by_value = {n: word for word, n in {**VALUE, **TENS}.items()}
    return " ".join(by_value[n] if n in by_value else f"{by_value[n // 10 * 10]} {by_value[n % 10]}" for n in values)


def clock(told: str) -> str:
    """``quarter to four`` read off in minutes after midnight."""
    found = re.fullmatch(r"(.+) (past|to) (\w+)", told)
    assert found is not None
    amount, way, hour = found.groups()
    minutes = {"quarter": 15, "half": 30}.get(amount) or numbers(amount)[0]
    total = VALUE[hour] * 60 + (minutes if way == "past" else -minutes)
    return f"{spoken([(total // 60 - 1) % 12 + 1])} {spoken([total % 60])}"


def solve(text: str) -> str:
    """The answer to one question, in lower case, without its period."""
    text = text.lower().rstrip(".?")
    rules = (
        (r"(?:say|what is) (.+) backwards", lambda m: " ".join(m[1].split()[::-1])),
        (r"(?:what|which) is the (\w+) of (.+)", _pick),
        (r"(just the number\. )?which is (more|less) (.+) or (.+)", _compare),
        (r"what time is (.+)", lambda m: clock(m[1])),
        (r"(\w+) (takes|waits for) the (\w+) at (.+)\. when is that", _when),
        (r"say the next (\w+) after (.+)", _next),
        (r"(?:what|how much) is (.+) plus (.+)", _plus),
        (r"sort (up|down) (.+)", lambda m: spoken(sorted(numbers(m[2]), reverse=m[1] == "down"))),
        (r"put in order of the alphabet (.+)", lambda m: " ".join(sorted(m[1].split()))),
        (r"we need (.+) and (\w+)\. (add|take off the) (.+)", _need),
        (r"we have (.+)\. now one (more|less) of each", _stock),
        (r"(\w+) has (\w+) and (\w+) has (\w+)\. they swap", lambda m: f"{m[1]} has {m[4]} and {m[3]} has {m[2]}"),
        (r"say from last to first (.+)", lambda m: " ".join(m[1].split()[::-1])),
        (
            r"(\w+ visits \w+) on (\w+) at (\w+) (.+)\. make it(?: on (\w+))?(?: at (?!the|home)(\w+))?(?: (.+))?",
            _appointment,
        ),
        (r"count (?:by (\w+) )?from (.+) to (.+)", _count),
        (r"say the (days|months)( backwards)? from (\w+) to (\w+)", _calendar),
        (r"say (.+) to (.+) and (\w+)", lambda m: " ".join(f"{m[1]} {name}" for name in [*m[2].split(), m[3]])),
        (r"(\w+ and \w+) talk on (\w+) at (.+ (?:past|to) \w+) (.+)\. make it (\w+) at (.+)", _moved),
        (r"from (\w+) on (\w+) (.+)", _days),
        (r"every hour from (\w+) on (\w+) (.+)", _hours),
    )
    for pattern, rule in rules:
        if (match := re.fullmatch(pattern, text)) and not (pattern.startswith("say (.+) to") and "last to" in text):
            return rule(match)
    raise AssertionError(f"no rule for {text!r}")


def _pick(match: re.Match[str]) -> str:
    items = match[2].split()
    order = ["first", "second", "third", "fourth", "fifth", "sixth"]
    return f"the {match[1]} is {items[-1] if match[1] == 'last' else items[order.index(match[1])]}"


def _compare(match: re.Match[str]) -> str:
    chosen = (max if match[2] == "more" else min)(numbers(match[3])[0], numbers(match[4])[0])
    return spoken([chosen]) if match[1] else f"{spoken([chosen])} is {match[2]}"


def _when(match: re.Match[str]) -> str:
    return f"{match[1]} {match[2]} the {match[3]} at {clock(match[4])}"


def _next(match: re.Match[str]) -> str:
    given = numbers(match[2])
    step = given[1] - given[0]
    return spoken([given[-1] + step * (i + 1) for i in range(VALUE[match[1]])])


def _plus(match: re.Match[str]) -> str:
    (one,), (other,) = numbers(match[1]), numbers(match[2])
    return f"{match[1]} plus {match[2]} is {spoken([one + other])}"


def _need(match: re.Match[str]) -> str:
    goods = [*match[1].split(), match[2]]
    if match[3] == "add":
        goods += [word for word in match[4].split() if word != "and"]
    else:
        goods.remove(match[4])
    return f"you need {' '.join(goods[:-1])} and {goods[-1]}"


def _stock(match: re.Match[str]) -> str:
    change = 1 if match[2] == "more" else -1
    return "we have " + " ".join(spoken([VALUE[word] + change]) if word in VALUE else word for word in match[1].split())


def _appointment(match: re.Match[str]) -> str:
    who, day, hour, place, *new = match.groups()
    return f"{who} on {new[0] or day} at {new[1] or hour} {new[2] or place}"


def _count(match: re.Match[str]) -> str:
    step = {None: 1, "twos": 2, "threes": 3, "fives": 5, "tens": 10}[match[1]]
    (first,), (last,) = numbers(match[2]), numbers(match[3])
    return spoken(list(range(first, last + 1, step) if last > first else range(first, last - 1, -step)))


def _calendar(match: re.Match[str]) -> str:
    cycle = [name.lower() for name in (DAYS if match[1] == "days" else MONTHS)]
    place, names = cycle.index(match[3]), [match[3]]
    while len(names) == 1 or names[-1] != match[4]:
        place = (place + (-1 if match[2] else 1)) % len(cycle)
        names.append(cycle[place])
    return " ".join(names)


def _moved(match: re.Match[str]) -> str:
    who, day, told, place, new_day, new_told = match.groups()
    before = f"{who} no longer talk on {day} at {clock(told)} {place}"
    return f"{before} but now they talk on {new_day} at {clock(new_told)} {place}"


def _days(match: re.Match[str]) -> str:
    days = [day.lower() for day in DAYS]
    first = days.index(match[1])
    items = [f"{name} on {days[(first + i) % 7]}" for i, name in enumerate(match[3].split())]
    return f"{match[2]} {' and '.join(items)}"


def _hours(match: re.Match[str]) -> str:
    first = VALUE[match[1]]
    items = [f"{name} at {spoken([(first + i - 1) % 12 + 1])}" for i, name in enumerate(match[3].split())]
    return f"{match[2]} {' and '.join(items)}"


def single(question: questions.Question) -> list[str]:
    """A question of the family ``both`` as its two questions: each ends in two sentences or one."""
    if question.family != "both":
        return [question.text]
    sentences = re.findall(r"[^.?]+[.?]", question.text)
    parts, rest = [], [one.strip() for one in sentences]
    while rest:
        n = 1 if re.match(r"(Count|Say the)", rest[0]) else 2
        parts.append(" ".join(rest[:n]))
        rest = rest[n:]
    return parts


@pytest.mark.parametrize("family", FAMILIES)
@given(seed=st.integers(0, 2**32))
def test_the_answer_follows_from_the_question(family: str, seed: int) -> None:
    question = FAMILIES[family](random.Random(seed))
    answer = " ".join(solve(part) for part in single(question))
    assert re.sub(r"[.]", "", question.answer).lower() == answer


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_is_named_after_its_function(family: str) -> None:
    assert {FAMILIES[family](random.Random(seed)).family for seed in range(20)} == {family}


@given(seed=st.integers(0, 2**32))
def test_pauses_stand_between_words(seed: int) -> None:
    question = questions.draw(random.Random(seed))
    for text, gaps in ((question.answer, question.gaps), (question.text, question.text_gaps)):
        assert list(gaps) == sorted(set(gaps))
        assert all(0 < gap < len(text.split()) for gap in gaps)
        assert "," not in text
        assert text[0].isupper()
        assert text[-1] in ".?"


@pytest.mark.parametrize("family", LONG)
def test_long_answers_have_26_to_31_words(family: str) -> None:
    drawn = [LONG[family](random.Random(seed)) for seed in range(60)]
    assert all(26 <= len(question.answer.split()) <= 31 for question in drawn)


@pytest.mark.parametrize("family", SHORT)
def test_short_answers_have_10_words_at_most(family: str) -> None:
    assert all(len(SHORT[family](random.Random(seed)).answer.split()) <= 10 for seed in range(100))


@pytest.mark.parametrize(
    ("n", "said"), [(0, "zero"), (10, "ten"), (19, "nineteen"), (20, "twenty"), (42, "forty two"), (99, "ninety nine")]
)
def test_numbers_are_read_without_hyphens(n: int, said: str) -> None:
    assert words.number_words(n) == said


@pytest.mark.parametrize("n", [-1, 100])
def test_other_numbers_are_refused(n: int) -> None:
    with pytest.raises(ValueError, match=f"{n} is not a number from 0 to 99"):
        words.number_words(n)


def test_every_time_is_told_in_one_way() -> None:
    times = words.clock_times()
    assert len(times) == 11 * 5 + 10 * 4
    assert len({told for told, _ in times}) == len({read for _, read in times}) == len(times)
    assert dict(times)["quarter to two"] == "one forty five"
    assert dict(times)["half past eleven"] == "eleven thirty"
