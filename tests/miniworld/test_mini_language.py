"""The closed domain: its size, one right answer to every question, sentences that a seed repeats."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from tttbench.miniworld import language

QUESTIONS = language.questions()


def test_about_250_words() -> None:
    assert 200 <= len(language.vocabulary()) <= 280


def test_words_are_plain() -> None:
    assert all(word.isalpha() and word.islower() for word in language.vocabulary())


def test_every_topic_has_all_its_questions() -> None:
    assert Counter(question.topic for question in QUESTIONS) == {
        "capitals": 20,
        "opposites": 2 * 24,
        "colors": 16,
        "sums": 9 * 9,
        "days": 7 * 2,
        "months": 12 * 2,
        "commands": 6 * 5 * 2,
    }


def test_a_wording_asks_one_question() -> None:
    wordings = [wording for question in QUESTIONS for wording in question.wordings]
    assert len(set(wordings)) == len(wordings)


def test_the_answer_stands_in_its_sentence() -> None:
    assert all(question.answer in question.sentence for question in QUESTIONS)


@pytest.mark.parametrize(
    ("wording", "sentence", "answer"),
    [
        ("What is the capital of Peru?", "The capital of Peru is Lima.", "Lima"),
        ("What is the opposite of light?", "The opposite of light is heavy.", "heavy"),
        ("How much is nine plus nine?", "Nine plus nine is eighteen.", "eighteen"),
        ("Which day comes before Monday?", "The day before Monday is Sunday.", "Sunday"),
        ("What month is after December?", "The month after December is January.", "January"),
        ("Turn on the fan in the office.", "The fan in the office is now on.", "office is now on"),
        ("What color is the sky?", "The sky is blue.", "blue"),
    ],
)
def test_known_answers(wording: str, sentence: str, answer: str) -> None:
    (question,) = [question for question in QUESTIONS if wording in question.wordings]
    assert (question.sentence, question.answer) == (sentence, answer)


def test_every_sum_is_right() -> None:
    number = {name: n for n, name in enumerate(language.NUMBERS)}
    for question in QUESTIONS:
        if question.topic == "sums":
            a, _, b, _, total = question.sentence.strip(".").lower().split()
            assert number[a] + number[b] == number[total]
            assert question.answer == total


def test_a_seed_repeats_its_sentences() -> None:
    one, other = random.Random(3), random.Random(3)
    assert [language.free_sentence(one) for _ in range(50)] == [language.free_sentence(other) for _ in range(50)]


def test_free_sentences_are_sentences_of_every_kind() -> None:
    rng = random.Random(0)
    drawn = [language.free_sentence(rng) for _ in range(400)]
    assert {kind for kind, _ in drawn} == {"digits", "appointment", "shopping", "question", "fact"}
    for _, text in drawn:
        assert text[0].isupper()
        assert text[-1] in ".?"
        assert "  " not in text


def test_digit_strings_have_three_to_six_digits() -> None:
    rng = random.Random(1)
    drawn = [text for kind, text in (language.free_sentence(rng) for _ in range(600)) if kind == "digits"]
    lengths = {len(text.split()) for text in drawn}
    assert lengths == {3, 4, 5, 6}
    digits = {word for text in drawn for word in text.strip(".").lower().split()}
    assert digits == set(language.NUMBERS[:10])


def test_nobody_meets_themselves() -> None:
    rng = random.Random(2)
    texts = [language.free_sentence(rng)[1] for _ in range(3000)]
    meetings = [text.split() for text in texts if " and " in text and " meet " in text]
    assert meetings
    assert all(words[0] != words[2] for words in meetings)
