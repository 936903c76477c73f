"""The lists of the second world: disjoint, repeatable, of the lengths that exercise several spans."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest

from tttbench.miniworld.second import corpus, questions, statements
from tttbench.miniworld.second.corpus import Corpus, CorpusSize, Statement
from tttbench.miniworld.second.questions import Question

SIZE = CorpusSize(questions=1500, sentences=600, test_questions=90, test_sentences=60)


@pytest.fixture(scope="module")
def world() -> Corpus:
    return corpus.make(SIZE, seed=3)


def n_words(question: Question) -> int:
    return len(question.answer.split())


def test_there_is_as_much_as_asked_for(world: Corpus) -> None:
    lists: tuple[Sequence[Question | Statement], ...] = (
        world.questions,
        world.sentences,
        world.test_questions,
        world.test_sentences,
    )
    assert [len(one) for one in lists] == [1500, 600, 90, 60]
    for texts in ([one.text for one in part] for part in lists):
        assert len(set(texts)) == len(texts)


def test_no_sentence_of_the_tests_is_trained_on(world: Corpus) -> None:
    trained = {one.text for one in world.questions} | {one.text for one in world.sentences}
    trained |= {one.answer for one in world.questions}
    tested = {one.text for one in world.test_questions} | {one.text for one in world.test_sentences}
    assert not trained & tested


def test_no_answer_of_the_tests_is_trained_on_but_those_of_two_words(world: Corpus) -> None:
    trained = {one.answer for one in world.questions}
    shared = [one for one in world.test_questions if one.answer in trained]
    assert all(n_words(one) <= 2 for one in shared)
    assert len(shared) < 10


def test_a_seed_repeats_its_corpus(world: Corpus) -> None:
    assert corpus.make(SIZE, seed=3) == world
    assert corpus.make(SIZE, seed=4).test_questions != world.test_questions


def test_a_larger_corpus_begins_with_the_smaller_and_has_the_same_tests(world: Corpus) -> None:
    smaller = corpus.make(replace(SIZE, questions=200, sentences=100), seed=3)
    assert smaller.questions == world.questions[:200]
    assert smaller.sentences == world.sentences[:100]
    assert smaller.test_questions == world.test_questions


def test_written_questions_are_not_the_tests_nor_those_of_the_spoken_ones() -> None:
    written = corpus.written_questions(400, seed=3)
    asked = corpus.make(CorpusSize(questions=400, sentences=0), seed=3)
    assert len({one.text for one in written}) == 400
    assert corpus.written_questions(100, seed=3) == written[:100]
    tested = {one.text for one in asked.test_questions}
    answers = {one.answer for one in asked.test_questions if n_words(one) >= 3}
    assert not any(one.text in tested or one.answer in answers for one in written)
    assert len({one.text for one in written} & {one.text for one in asked.questions}) < 20  # short ones alone


def test_a_third_of_the_answers_is_long(world: Corpus) -> None:
    assert sum(n_words(one) >= 26 for one in world.questions) / 1500 == pytest.approx(1 / 3, abs=0.04)
    assert sum(n_words(one) >= 26 for one in world.test_questions) == 30


def test_answers_have_1_to_31_words_and_most_are_different(world: Corpus) -> None:
    lengths = corpus.answer_lengths(world.questions)
    assert (min(lengths), max(lengths)) == (1, 31)
    assert len({one.answer for one in world.questions}) > 0.85 * 1500


def test_the_test_asks_every_family_and_says_every_topic(world: Corpus) -> None:
    families = {*questions.SHORT, *questions.MEDIUM, *questions.LONG}
    assert {one.family for one in world.test_questions} == families
    assert Counter(one.topic for one in world.test_sentences) == dict.fromkeys(statements.TOPICS, 12)


def test_a_question_has_one_answer(world: Corpus) -> None:
    every = sorted((one.text, one.answer) for one in (*world.questions, *world.test_questions))
    for _, same in itertools.groupby(every, key=lambda pair: pair[0]):
        assert len({answer for _, answer in same}) == 1


def test_about_200_words(world: Corpus) -> None:
    found = corpus.vocabulary(world)
    assert 170 <= len(found) <= 300
    assert all(word.isalpha() and word.islower() for word in found)


def test_an_unknown_topic_is_refused() -> None:
    import random

    with pytest.raises(ValueError, match="unknown topic 'weather'"):
        statements.draw(random.Random(0), "weather")
