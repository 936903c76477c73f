"""The language of the mini world: every question, answer and sentence that it knows.

About 250 words of English: capitals, opposites, colors, sums, days, months, household commands, digit strings and
appointments. Pure text; knows nothing of speech. Everything is enumerated or drawn from a seeded generator, so the
same seed always gives the same sentences.
"""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass
from functools import cache

CAPITALS = {
    "France": "Paris", "Germany": "Berlin", "Italy": "Rome", "Spain": "Madrid", "England": "London",
    "Russia": "Moscow", "Japan": "Tokyo", "Egypt": "Cairo", "Greece": "Athens", "Austria": "Vienna",
    "Poland": "Warsaw", "Ireland": "Dublin", "Portugal": "Lisbon", "Norway": "Oslo", "Cuba": "Havana",
    "Canada": "Ottawa", "Peru": "Lima", "Hungary": "Budapest", "Sweden": "Stockholm", "Turkey": "Ankara",
}  # fmt: skip
OPPOSITES = {
    "hot": "cold", "big": "small", "fast": "slow", "happy": "sad", "open": "closed", "early": "late",
    "young": "old", "strong": "weak", "rich": "poor", "clean": "dirty", "empty": "full", "heavy": "light",
    "hard": "soft", "left": "right", "wet": "dry", "high": "low", "long": "short", "loud": "quiet",
    "easy": "difficult", "first": "last", "near": "far", "black": "white", "day": "night", "summer": "winter",
}  # fmt: skip
COLORS = {
    "grass": "green", "snow": "white", "coal": "black", "the sky": "blue", "blood": "red", "a lemon": "yellow",
    "a banana": "yellow", "milk": "white", "a strawberry": "red", "a frog": "green", "a carrot": "orange",
    "chocolate": "brown", "a tomato": "red", "the ocean": "blue", "a pumpkin": "orange", "a flamingo": "pink",
}  # fmt: skip
NUMBERS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
)  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
DEVICES = ("lamp", "heater", "radio", "television", "fan", "oven")
ROOMS = ("kitchen", "bedroom", "bathroom", "garden", "office")
NAMES = ("Anna", "Peter", "Maria", "David", "Susan", "Robert", "Emma", "Thomas")
PLACES = ("at the station", "at the market", "at the library", "at the airport", "at home", "in the park")
HOURS = NUMBERS[1:13]
ERRANDS = ("call", "meet", "visit", "help", "email")
GOODS = ("bread", "milk", "apples", "coffee", "water", "rice", "sugar", "cheese", "eggs", "tea")


@dataclass(frozen=True)
class Question:
    """One fact: how it may be asked, the sentence that answers it, and the word or words that must be in it.

    Attributes:
        topic: ``capitals``, ``opposites``, ``colors``, ``sums``, ``days``, ``months`` or ``commands``.
        wordings: ways to ask.
        sentence: the one right answer, as it is spoken.
        answer: what an answer is searched for; part of ``sentence``.
    """

    topic: str
    wordings: tuple[str, ...]
    sentence: str
    answer: str


def _sentence_case(text: str) -> str:
    return text[0].upper() + text[1:]


@cache
def questions() -> tuple[Question, ...]:
    """Every question of the world, in a fixed order."""
    found: list[Question] = []
    for country, city in CAPITALS.items():
        found.append(
            Question(
                "capitals",
                (f"What is the capital of {country}?", f"Which city is the capital of {country}?"),
                f"The capital of {country} is {city}.",
                city,
            )
        )
    pairs = list(OPPOSITES.items())
    for word, other in pairs + [(b, a) for a, b in pairs]:
        found.append(
            Question(
                "opposites",
                (f"What is the opposite of {word}?", f"Tell me the opposite of {word}."),
                f"The opposite of {word} is {other}.",
                other,
            )
        )
    for thing, color in COLORS.items():
        found.append(
            Question(
                "colors",
                (f"What color is {thing}?", f"Which color has {thing}?"),
                f"{_sentence_case(thing)} is {color}.",
                color,
            )
        )
    for a, b in itertools.product(range(1, 10), repeat=2):
        found.append(
            Question(
                "sums",
                (f"What is {NUMBERS[a]} plus {NUMBERS[b]}?", f"How much is {NUMBERS[a]} plus {NUMBERS[b]}?"),
                f"{_sentence_case(NUMBERS[a])} plus {NUMBERS[b]} is {NUMBERS[a + b]}.",
                NUMBERS[a + b],
            )
        )
    for topic, noun, cycle in (("days", "day", DAYS), ("months", "month", MONTHS)):
        for i, name in enumerate(cycle):
            for word, other in (("after", cycle[(i + 1) % len(cycle)]), ("before", cycle[i - 1])):
                found.append(
                    Question(
                        topic,
                        (f"Which {noun} comes {word} {name}?", f"What {noun} is {word} {name}?"),
                        f"The {noun} {word} {name} is {other}.",
                        other,
                    )
                )
    for device, room, state in itertools.product(DEVICES, ROOMS, ("on", "off")):
        found.append(
            Question(
                "commands",
                (f"Turn {state} the {device} in the {room}.", f"Please switch the {room} {device} {state}."),
                f"The {device} in the {room} is now {state}.",
                f"{room} is now {state}",
            )
        )
    return tuple(found)


def free_sentence(rng: random.Random) -> tuple[str, str]:
    """One sentence to be written down: ``(topic, text)``. The space is far larger than any training set."""
    kind = rng.choice(("digits", "digits", "appointment", "appointment", "shopping", "question", "fact"))
    if kind == "digits":
        return kind, _sentence_case(" ".join(rng.choice(NUMBERS[:10]) for _ in range(rng.randint(3, 6)))) + "."
    if kind == "appointment":
        person, other = rng.sample(NAMES, 2)
        day, hour, place = rng.choice(DAYS), rng.choice(HOURS), rng.choice(PLACES)
        return kind, rng.choice(
            (
                f"{person} comes on {day} at {hour}.",
                f"Please {rng.choice(ERRANDS)} {person} on {day}.",
                f"{person} and {other} meet {place} at {hour}.",
                f"Remind me to {rng.choice(ERRANDS)} {person} at {hour}.",
                f"The meeting with {person} is on {day} {place}.",
            )
        )
    if kind == "shopping":
        first, second, third = rng.sample(GOODS, 3)
        return kind, rng.choice(
            (
                f"We need {first} and {second}.",
                f"Please buy {first}, {second} and {third}.",
                f"{rng.choice(NAMES)} wants {first} with {second}.",
                f"There is no {first} in the kitchen.",
            )
        )
    question = rng.choice(questions())
    return kind, rng.choice(question.wordings) if kind == "question" else question.sentence


def vocabulary() -> tuple[str, ...]:
    """Every word of the world in lower case, sorted."""
    rng = random.Random(0)
    texts = [free_sentence(rng)[1] for _ in range(20_000)]
    for question in questions():
        texts += [*question.wordings, question.sentence]
    return tuple(sorted({word.strip(".,?").lower() for text in texts for word in text.split()}))
