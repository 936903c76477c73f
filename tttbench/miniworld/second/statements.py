"""Sentences to be written down that ask nothing: digit strings, appointments, shopping, stock and times. Pure text."""

from __future__ import annotations

import random

from tttbench.miniworld.second import words
from tttbench.miniworld.second.words import listed, number_words

TOPICS = ("digits", "appointment", "shopping", "stock", "clock")


def draw(rng: random.Random, topic: str) -> str:
    """One sentence of a topic; there are far more of each than any training set holds.

    Raises:
        ValueError: the topic is unknown.
    """
    if topic not in TOPICS:
        raise ValueError(f"unknown topic {topic!r}, expected one of {TOPICS}")
    text = {"digits": _digits, "appointment": _appointment, "shopping": _shopping, "stock": _stock, "clock": _clock}[
        topic
    ](rng)
    return text[0].upper() + text[1:] + "."


def _digits(rng: random.Random) -> str:
    return " ".join(rng.choice(words.UNITS[:10]) for _ in range(rng.randint(4, 9)))


def _appointment(rng: random.Random) -> str:
    one, other = rng.sample(words.NAMES, 2)
    day, hour, place = rng.choice(words.DAYS), rng.choice(words.UNITS[1:13]), rng.choice(words.PLACES)
    return rng.choice(
        (
            f"{one} visits {other} on {day} at {hour} {place}",
            f"{one} and {other} meet on {day} {place}",
            f"{one} and {other} no longer meet on {day}",
            f"now {one} visits {other} at {hour} {place}",
        )
    )


def _shopping(rng: random.Random) -> str:
    goods = rng.sample(words.GOODS, rng.randint(3, 6))
    one, other = rng.sample(words.NAMES, 2)
    return rng.choice(
        (
            f"we need {listed(goods)}",
            f"{one} buys {listed(goods)}",
            f"{one} likes {goods[0]} and {other} likes {goods[1]}",
            f"add {goods[0]} and take off the {goods[1]}",
        )
    )


def _stock(rng: random.Random) -> str:
    goods = rng.sample(words.COUNTED, rng.randint(2, 4))
    return "we have " + listed([f"{number_words(rng.randint(2, 99))} {good}" for good in goods])


def _clock(rng: random.Random) -> str:
    name, vehicle, time = rng.choice(words.NAMES), rng.choice(words.VEHICLES), rng.choice(rng.choice(_TIMES))
    return f"{name} {rng.choice(('takes', 'waits for'))} the {vehicle} on {rng.choice(words.DAYS)} at {time}"


_TIMES = words.clock_times()
