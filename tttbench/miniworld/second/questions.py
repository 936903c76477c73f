"""Questions whose one right answer follows from their own content, so that answers can't be known by heart.

A family is a function of a random generator that returns a ``Question``. Short families answer in 1 to 6 words,
medium ones in up to about 20, long ones in 26 to 31, which is three spans of a spoken answer. Pure text.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from tttbench.miniworld.second import words
from tttbench.miniworld.second.words import listed, number_words

LONG_WORDS = (26, 31)
"""Least and most words of a long answer."""


@dataclass(frozen=True)
class Question:
    """A question with its answer.

    Attributes:
        family: name of the function that drew it.
        text: what is asked.
        answer: the one right answer, as it is written.
        gaps: numbers of words of ``answer`` after which a speaker may pause (between the items of a list), ascending.
        text_gaps: likewise for ``text``.
    """

    family: str
    text: str
    answer: str
    gaps: tuple[int, ...] = ()
    text_gaps: tuple[int, ...] = ()


def _sentence(text: str, end: str = ".") -> str:
    return text[0].upper() + text[1:] + end


def _question(family: str, asked: list[str], answered: list[str], end: str = ".") -> Question:
    """Join parts; a part that ends with ``,`` may be followed by a pause, one with ``.`` ends a sentence."""

    def join(parts: list[str]) -> tuple[str, tuple[int, ...]]:
        sentences: list[list[str]] = [[]]
        gaps, n = [], 0
        for part in parts:
            n += len(part.split())
            if part.endswith(","):
                gaps.append(n)
            sentences[-1].append(part.rstrip(",."))
            if part.endswith("."):
                sentences.append([])
        *firsts, last = (" ".join(sentence) for sentence in sentences if sentence)
        return " ".join([*(_sentence(one) for one in firsts), _sentence(last, end)]), tuple(g for g in gaps if g < n)

    text, text_gaps = join(asked)
    end = "."
    answer, gaps = join(answered)
    return Question(family, text, answer, gaps, text_gaps)


def _items(items: list[str]) -> list[str]:
    """A list whose items may be followed by a pause."""
    return [f"{item}," for item in items]


def _and(items: list[str]) -> list[str]:
    """``a, b, and c`` in parts."""
    return items if len(items) == 1 else [*_items(items[:-1]), "and " + items[-1]]


def _digits(rng: random.Random, n: int) -> list[str]:
    return [rng.choice(words.UNITS[:10]) for _ in range(n)]


def backwards(rng: random.Random) -> Question:
    """Digits from the last to the first."""
    digits = _digits(rng, rng.randint(2, 6))
    asked = rng.choice((["say", *digits, "backwards"], ["what is", *digits, "backwards"]))
    return _question("backwards", asked, digits[::-1], "?" if asked[0] == "what is" else ".")


def pick(rng: random.Random) -> Question:
    """One item of a list, by its place."""
    kind = rng.choice((words.UNITS[:13], words.NAMES, words.GOODS, words.ANIMALS, words.COLORS))
    items = rng.sample(kind, rng.randint(3, 6))
    place = rng.randrange(len(items))
    name = "last" if place == len(items) - 1 and rng.random() < 0.5 else words.ORDINALS[place]
    asked = rng.choice(([f"what is the {name} of", *_items(items)], [f"which is the {name} of", *_items(items)]))
    return _question("pick", asked, [f"the {name} is {items[place]}"], "?")


def compare(rng: random.Random) -> Question:
    """The larger or smaller of two numbers, with or without an action: one word where nothing more is asked."""
    one, other = rng.sample(range(100), 2)
    more = rng.random() < 0.5
    chosen = number_words(max(one, other) if more else min(one, other))
    noun = "more" if more else "less"
    asked = [f"which is {noun} {number_words(one)},", f"or {number_words(other)}"]
    if rng.random() < 0.3:
        return _question("compare", ["just the number.", *asked], [chosen], "?")
    return _question("compare", asked, [f"{chosen} is {noun}"], "?")


def clock(rng: random.Random) -> Question:
    """A time as it is read off a clock."""
    told, read = rng.choice(words.clock_times())
    if rng.random() < 0.3:
        return _question("clock", ["what time is", told], [read], "?")
    name, vehicle = rng.choice(words.NAMES), rng.choice(words.VEHICLES)
    action = rng.choice(("takes", "waits for"))
    said = f"{name} {action} the {vehicle} at"
    return _question("clock", [f"{said} {told}.", "when is that"], [f"{said} {read}"], "?")


def plus(rng: random.Random) -> Question:
    """A sum below 100."""
    one = rng.randint(1, 89)
    other = rng.randint(1, min(10, 99 - one))
    asked = f"{rng.choice(('what is', 'how much is'))} {number_words(one)} plus {number_words(other)}"
    answer = f"{number_words(one)} plus {number_words(other)},", f"is {number_words(one + other)}"
    return _question("plus", [asked], list(answer), "?")


def sort(rng: random.Random) -> Question:
    """Numbers by size, or names by the alphabet."""
    n = rng.randint(3, 7)
    if rng.random() < 0.6:
        numbers = rng.sample(range(20), n)
        up = rng.random() < 0.6
        ordered = sorted(numbers, reverse=not up)
        asked = [f"sort {'up' if up else 'down'}", *_items([number_words(i) for i in numbers])]
        return _question("sort", asked, _items([number_words(i) for i in ordered]))
    names = rng.sample(words.NAMES, n)
    return _question("sort", ["put in order of the alphabet", *_items(names)], _items(sorted(names)))


def shopping_list(rng: random.Random) -> Question:
    """A list with something added or taken off."""
    goods = rng.sample(words.GOODS, rng.randint(4, 8))
    if rng.random() < 0.6:
        n_added = rng.randint(1, 2)
        begin, added = goods[:-n_added], goods[-n_added:]
        asked = ["we need", *_and(begin)[:-1], _and(begin)[-1] + ".", "add", listed(added)]
        return _question("shopping_list", asked, ["you need", *_and(begin + added)])
    gone = rng.choice(goods)
    asked = ["we need", *_and(goods)[:-1], _and(goods)[-1] + ".", "take off the", gone]
    return _question("shopping_list", asked, ["you need", *_and([one for one in goods if one != gone])])


def stock(rng: random.Random) -> Question:
    """One more, or one less, of everything."""
    goods = rng.sample(words.COUNTED, rng.randint(2, 5))
    more = rng.random() < 0.5
    amounts = [rng.randint(2, 11) if more else rng.randint(3, 12) for _ in goods]
    changed = [n + 1 if more else n - 1 for n in amounts]
    before = _and([f"{number_words(n)} {good}" for n, good in zip(amounts, goods, strict=True)])
    after = _and([f"{number_words(n)} {good}" for n, good in zip(changed, goods, strict=True)])
    asked = ["we have", *before[:-1], before[-1] + ".", f"now one {'more' if more else 'less'} of each"]
    return _question("stock", asked, ["we have", *after])


def swap(rng: random.Random) -> Question:
    """What two people have after they have swapped."""
    (one, other), (first, second) = rng.sample(words.NAMES, 2), rng.sample(words.GOODS, 2)
    asked = [f"{one} has {first},", f"and {other} has {second}.", "they swap"]
    return _question("swap", asked, [f"{one} has {second},", f"and {other} has {first}"])


def reverse(rng: random.Random) -> Question:
    """Names, goods, animals or colors from the last to the first."""
    items = rng.sample(rng.choice((words.NAMES, words.GOODS, words.ANIMALS, words.COLORS)), rng.randint(4, 8))
    return _question("reverse", ["say from last to first", *_items(items)], _items(items[::-1]))


def appointment(rng: random.Random) -> Question:
    """An appointment with two things changed."""
    one, other = rng.sample(words.NAMES, 2)
    days, places = rng.sample(words.DAYS, 2), rng.sample(words.PLACES, 2)
    hours = rng.sample(words.HOURS, 2)
    kept = rng.choice(("day", "hour", "place"))
    change = {
        "day": f"at {hours[1]} {places[1]}",
        "hour": f"on {days[1]} {places[1]}",
        "place": f"on {days[1]} at {hours[1]}",
    }[kept]
    asked = [f"{one} visits {other} on {days[0]},", f"at {hours[0]},", f"{places[0]}.", f"make it {change}"]
    day, hour, place = days[kept != "day"], hours[kept != "hour"], places[kept != "place"]
    return _question("appointment", asked, [f"{one} visits {other} on {day},", f"at {hour},", place])


def _counted(first: int, last: int, step: int) -> list[str]:
    way = step if last > first else -step
    return [number_words(i) for i in range(first, last + (1 if way > 0 else -1), way)]


def _n_words(parts: list[str]) -> int:
    return sum(len(part.split()) for part in parts)


_STEPS = {1: "", 2: "by twos ", 3: "by threes ", 5: "by fives ", 10: "by tens "}


def count(rng: random.Random, least: int = 5, most: int = 20) -> Question:
    """Count up or down, in steps; ``least`` to ``most`` words."""
    while True:
        step = rng.choice((1, 1, 1, 2, 3, 5, 10))
        first, n = rng.randint(0, 99), rng.randint(3, 30)
        last = first + (n - 1) * step * rng.choice((1, -1))
        if 0 <= last < 100 and first != last:
            parts = _counted(first, last, step)
            if least <= _n_words(parts) <= most:
                break
    asked = f"count {_STEPS[step]}from {number_words(first)} to {number_words(last)}"
    return _question("count", [asked], _items(parts))


def count_on(rng: random.Random) -> Question:
    """A sequence, continued for some numbers."""
    step, n, more = rng.choice((1, 2, 3, 5, 10)), 3, rng.randint(2, 5)
    first = rng.randint(0, 99 - step * (n + more))
    way = rng.choice((1, -1))
    numbers = [first + step * i for i in range(n + more)][::way]
    given, rest = (_items([number_words(i) for i in part]) for part in (numbers[:n], numbers[n:]))
    return _question("count_on", [f"say the next {words.UNITS[more]} after", *given], rest)


def calendar(rng: random.Random) -> Question:
    """Days or months from one to another, forwards or backwards."""
    cycle, noun = rng.choice(((words.DAYS, "days"), (words.MONTHS, "months")))
    first, n, way = rng.randrange(len(cycle)), rng.randint(3, len(cycle)), rng.choice((1, -1))
    names = [cycle[(first + way * i) % len(cycle)] for i in range(n)]
    back = "" if way > 0 else " backwards"
    return _question("calendar", [f"say the {noun}{back} from {names[0]} to {names[-1]}"], _items(names))


def _fits(n_words: int) -> bool:
    return LONG_WORDS[0] <= n_words <= LONG_WORDS[1]


def long_count(rng: random.Random) -> Question:
    """Count for 26 to 31 words."""
    return replace(count(rng, *LONG_WORDS), family="long_count")


def greet(rng: random.Random) -> Question:
    """A greeting for everybody in a list: three words each."""
    names, greeting = rng.sample(words.NAMES, rng.choice((9, 10))), rng.choice(words.GREETINGS)
    asked = [f"say {greeting} to", *_items(names[:-1]), f"and {names[-1]}"]
    return _question("greet", asked, [f"{greeting} {name}," for name in names])


def moved(rng: random.Random) -> Question:
    """An appointment retold with day and time changed, the old ones named."""
    while True:
        one, other = rng.sample(words.NAMES, 2)
        days, place = rng.sample(words.DAYS, 2), rng.choice(words.PLACES)
        (told, read), (told_now, read_now) = rng.sample(words.clock_times(), 2)
        answered = [f"{one} and {other} no longer talk on {days[0]},", f"at {read},", f"{place},"]
        answered += [f"but now they talk on {days[1]},", f"at {read_now},", place]
        if _fits(_n_words(answered)):
            break
    asked = [f"{one} and {other} talk on {days[0]},", f"at {told},", f"{place}.", f"make it {days[1]} at {told_now}"]
    return _question("moved", asked, answered)


def plan(rng: random.Random) -> Question:
    """Whom to see on seven days, or at seven hours, that follow on each other."""
    names = rng.sample(words.NAMES, 7)
    action = rng.choice(("call", "invite", "visit"))
    if rng.random() < 0.5:
        first = rng.randrange(7)
        when = [f"on {words.DAYS[(first + i) % 7]}" for i in range(7)]
        begin = f"from {words.DAYS[first]} on {action}"
    else:
        first = rng.randrange(len(words.HOURS) - 6)
        when = [f"at {hour}" for hour in words.HOURS[first : first + 7]]
        begin = f"every hour from {words.HOURS[first]} on {action}"
    first_one, *others = [f"{name} {at}," for at, name in zip(when, names, strict=True)]
    return _question("plan", [begin, *_items(names)], [f"{action} {first_one}", *(f"and {one}" for one in others)])


def both(rng: random.Random) -> Question:
    """Two questions of medium families, answered one after the other."""
    while True:
        one, other = (rng.choice(tuple(_JOINED.values()))(rng) for _ in range(2))
        n = len(one.answer.split())
        if one.family != other.family and _fits(n + len(other.answer.split())):
            break
    asked = len(one.text.split())
    return Question(
        "both",
        f"{one.text} {other.text}",
        f"{one.answer} {other.answer}",
        (*one.gaps, n, *(n + gap for gap in other.gaps)),
        (*one.text_gaps, asked, *(asked + gap for gap in other.text_gaps)),
    )


Family = Callable[[random.Random], Question]
SHORT: Mapping[str, Family] = MappingProxyType({f.__name__: f for f in (backwards, pick, compare, clock, count_on)})
MEDIUM: Mapping[str, Family] = MappingProxyType(
    {f.__name__: f for f in (plus, sort, shopping_list, stock, swap, reverse, appointment, count, calendar)}
)
LONG: Mapping[str, Family] = MappingProxyType({f.__name__: f for f in (long_count, greet, moved, plan, both)})
_JOINED: Mapping[str, Family] = MappingProxyType(
    {f.__name__: f for f in (shopping_list, stock, swap, appointment, count, calendar)}
)


def draw(rng: random.Random) -> Question:
    """One question: short, medium and long families are equally likely, and so are the families of each."""
    families = rng.choice((SHORT, MEDIUM, LONG))
    return rng.choice(tuple(families.values()))(rng)
