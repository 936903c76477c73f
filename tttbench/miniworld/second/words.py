"""The words of the second mini world: numbers, names, goods, days, times, and how a number and a time are read out.

Pure text. No commas anywhere: pauses belong to a recording (``renditions``), not to what is written.
"""

from __future__ import annotations

from itertools import pairwise

UNITS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
HOURS = UNITS[1:12]
"""Without twelve: behind "at" a small transcriber takes it for "well", recorded as it is."""
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
NAMES = (
    "Barbara", "Daniel", "David", "Helen", "Jessica", "Michael", "Peter", "Rebecca", "Robert", "Thomas", "Victoria",
    "William",
)  # fmt: skip
"""In alphabetical order; names that a small transcriber tells apart."""
COUNTED = ("apples", "bananas", "carrots", "cookies", "eggs", "lemons", "onions", "potatoes", "tomatoes")
UNCOUNTED = ("bread", "cheese", "chicken", "chocolate", "coffee", "honey", "milk", "pepper", "rice", "salt")
GOODS = COUNTED + UNCOUNTED
COLORS = ("black", "blue", "brown", "green", "orange", "red", "white", "yellow")
ANIMALS = ("bird", "cat", "cow", "dog", "duck", "fish", "horse", "sheep")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
PLACES = ("at the station", "at the market", "at the library", "at the airport", "at home", "in the park")
VEHICLES = ("bus", "train", "boat", "taxi")
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")
TIMES = ("once", "twice", "three times", "four times", "five times", "six times")
"""``TIMES[n - 1]`` is how often."""
MINUTES_PAST = {"ten": "ten", "quarter": "fifteen", "twenty": "twenty", "twenty five": "twenty five", "half": "thirty"}
MINUTES_TO = {"twenty five": "thirty five", "twenty": "forty", "quarter": "forty five", "ten": "fifty"}
GREETINGS = ("good morning", "good evening", "good night", "happy birthday")


def number_words(n: int) -> str:
    """``n`` from 0 to 99 as words without a hyphen, such as ``forty two``.

    Raises:
        ValueError: ``n`` lies outside.
    """
    if not 0 <= n < 100:
        raise ValueError(f"{n} is not a number from 0 to 99")
    if n < len(UNITS):
        return UNITS[n]
    tens, unit = divmod(n, 10)
    return TENS[tens - 2] + (f" {UNITS[unit]}" if unit else "")


def clock_times() -> tuple[tuple[str, str], ...]:
    """Every time of the world as it is told and as it is read off: ``("quarter to four", "three forty five")``."""
    found = [(f"{told} past {hour}", f"{hour} {read}") for hour in HOURS for told, read in MINUTES_PAST.items()]
    for before, hour in pairwise(HOURS):
        found += [(f"{told} to {hour}", f"{before} {read}") for told, read in MINUTES_TO.items()]
    return tuple(found)


def listed(items: list[str]) -> str:
    """``a b and c``."""
    return items[0] if len(items) == 1 else f"{' '.join(items[:-1])} and {items[-1]}"
