"""Which questions and sentences are trained on, and which are kept for the tests: lists that follow from a seed.

No sentence of a test occurs in training, and no answer of a test does, but for answers of one or two words, of which
there are too few. Pure text; ``speech`` and ``renditions`` say who speaks it and how.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tttbench.miniworld.second import questions, statements
from tttbench.miniworld.second.questions import Question

_LEAST_UNSEEN_WORDS = 3
"""Answers of so many words are never shared between training and test."""


@dataclass(frozen=True)
class CorpusSize:
    """How much of everything.

    Attributes:
        questions, sentences: to train on.
        test_questions, test_sentences: kept for the tests.
    """

    questions: int = 15_000
    sentences: int = 10_000
    test_questions: int = 150
    test_sentences: int = 120


@dataclass(frozen=True)
class Statement:
    """A sentence to be written down, and its topic."""

    topic: str
    text: str


@dataclass(frozen=True)
class Corpus:
    """The four lists; see ``CorpusSize``."""

    questions: tuple[Question, ...]
    sentences: tuple[Statement, ...]
    test_questions: tuple[Question, ...]
    test_sentences: tuple[Statement, ...]


def make(size: CorpusSize, seed: int) -> Corpus:
    """Draw a corpus. The test's questions are of short, medium and long families alike, its sentences of all topics.

    The tests don't depend on how much there is to train on, and the first part of a larger training set is the smaller.
    """
    lengths = (questions.SHORT, questions.MEDIUM, questions.LONG)
    asked: dict[str, Question] = {}
    for rng in _generators("test", seed):
        if len(asked) == size.test_questions:
            break
        families = tuple(lengths[len(asked) % len(lengths)].values())
        question = families[len(asked) // len(lengths) % len(families)](rng)
        asked.setdefault(question.text, question)
    said: dict[str, Statement] = {}
    for rng in _generators("test sentences", seed):
        if len(said) == size.test_sentences:
            break
        topic = statements.TOPICS[len(said) % len(statements.TOPICS)]
        statement = Statement(topic, statements.draw(rng, topic))
        said.setdefault(statement.text, statement)
    kept_answers = {question.answer for question in asked.values() if not _is_common(question.answer)}
    kept = {*asked, *said, *kept_answers}
    found: dict[str, Question] = {}
    for rng in _generators("train", seed):
        if len(found) == size.questions:
            break
        question = questions.draw(rng)
        if question.text not in kept and question.answer not in kept:
            found.setdefault(question.text, question)
    sentences: dict[str, Statement] = {}
    for rng in _generators("sentences", seed):
        if len(sentences) == size.sentences:
            break
        topic = rng.choice(statements.TOPICS)
        statement = Statement(topic, statements.draw(rng, topic))
        if statement.text not in kept:
            sentences.setdefault(statement.text, statement)
    return Corpus(tuple(found.values()), tuple(sentences.values()), tuple(asked.values()), tuple(said.values()))


def _generators(name: str, seed: int) -> Iterator[random.Random]:
    """One for each draw: a family that draws other numbers than before changes its own questions alone."""
    for i in itertools.count():
        yield random.Random(f"{name} {seed} {i}")


def _is_common(answer: str) -> bool:
    return len(answer.split()) < _LEAST_UNSEEN_WORDS


def answer_lengths(asked: tuple[Question, ...]) -> Counter[int]:
    """How many answers have how many words."""
    return Counter(len(question.answer.split()) for question in asked)


def vocabulary(corpus: Corpus) -> tuple[str, ...]:
    """Every word of the corpus in lower case, sorted."""
    texts = [text for q in (*corpus.questions, *corpus.test_questions) for text in (q.text, q.answer)]
    texts += [sentence.text for sentence in (*corpus.sentences, *corpus.test_sentences)]
    return tuple(sorted({word.strip(".?").lower() for text in texts for word in text.split()}))
