"""Which questions and sentences are trained on, and which are kept for the tests: lists that follow from a seed.

No sentence of a test occurs in training, and no answer of a test does, but for answers of one or two words, of which
there are too few. Pure text; ``speech`` and ``renditions`` say who speaks it and how.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Iterator, Mapping
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
    asked, said = _tests(size, seed)
    kept = _kept(asked, said)
    sentences: dict[str, Statement] = {}
    for rng in _generators("sentences", seed):
        if len(sentences) == size.sentences:
            break
        topic = rng.choice(statements.TOPICS)
        statement = Statement(topic, statements.draw(rng, topic))
        if statement.text not in kept:
            sentences.setdefault(statement.text, statement)
    trained = _untested("train", size.questions, seed, kept)
    return Corpus(trained, tuple(sentences.values()), tuple(asked.values()), tuple(said.values()))


def written_questions(n: int, seed: int) -> tuple[Question, ...]:
    """Questions that are asked in writing beside the spoken ones of training; none is a test's, nor is its answer."""
    return _untested("written", n, seed, _kept(*_tests(CorpusSize(), seed)))


def _tests(size: CorpusSize, seed: int) -> tuple[dict[str, Question], dict[str, Statement]]:
    """The tests' questions and sentences, by their text."""
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
    return asked, said


def _kept(asked: Mapping[str, Question], said: Mapping[str, Statement]) -> set[str]:
    """What no training may hold: the tests' texts, and their answers but for common ones."""
    return {*asked, *said, *(question.answer for question in asked.values() if not _is_common(question.answer))}


def _untested(name: str, n: int, seed: int, kept: set[str]) -> tuple[Question, ...]:
    found: dict[str, Question] = {}
    for rng in _generators(name, seed):
        if len(found) == n:
            break
        question = questions.draw(rng)
        if question.text not in kept and question.answer not in kept:
            found.setdefault(question.text, question)
    return tuple(found.values())


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
