"""Answers found in free text, written and heard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttbench.core.records import Sample, Status
from tttbench.core.scorer import Answer
from tttbench.scorers.qa import SPOKEN_ACCURACY, TEXT_ACCURACY
from tttbench.text.answer_match import answer_tokens, holds


def question(reference: str, *aliases: str) -> Sample:
    return Sample(id="q", kind="qa", audio=None, reference=reference, aliases=aliases)


@pytest.mark.parametrize(
    ("reference", "text"),
    [
        ("Paris", "The capital of France is Paris."),
        ("Leonardo da Vinci", "It was leonardo DA Vinci, I think"),
        ("the Great Barrier Reef", "A great barrier reef"),
        ("12", "Seven plus five is twelve."),
        ("twelve", "7 + 5 = 12"),
        ("4", "2+2=4"),
        ("5", "seven plus five"),
        ("123", "one two three"),
        ("123", "1 2 3"),
        ("1 2 3", "It is 123!"),
        ("1 2 3", "1, 2, 3."),
        ("1,2,3", "one, two, three"),
        ("zero four seven one", "0471"),
        ("0471", "04-71"),
        ("4 7 1 9", "47, 19."),
        ("1,000", "a thousand"),
        ("$12", "twelve dollars"),
        ("12", "It costs twelve dollars"),
        ("50%", "fifty percent"),
        ("3", "at three o'clock"),
        ("minus three", "-3 degrees"),
        ("3.5", "three point five"),
        ("3.50", "3.5"),
        ("1", "there is just one"),
        ("1.5", "one point five"),
        ("1.50", "1.5"),
        ("-1", "minus one"),
        ("1984", "nineteen eighty four"),
        ("colour", "the color"),
        ("Shakespeare", "Shakespeare's play"),
        ("Saint Petersburg", "St. Petersburg"),
    ],
)
def test_right(reference: str, text: str) -> None:
    assert TEXT_ACCURACY.score(question(reference), Answer(text)).value == 1.0


@pytest.mark.parametrize(
    ("reference", "text"),
    [
        ("1", "12"),
        ("1", "1 2"),
        ("12", "It is 123"),
        ("12", "112"),
        ("4 7 1", "four seven one nine"),
        ("0471", "471"),
        ("3", "minus three"),
        ("5", "fifth"),
        ("Paris", "Parisian"),
        ("New York", "York is new"),
        ("3", "3.5"),
        ("cat", "concatenate"),
        ("Amazon", "the Nile"),
    ],
)
def test_wrong(reference: str, text: str) -> None:
    score = TEXT_ACCURACY.score(question(reference), Answer(text))
    assert (score.value, score.status, score.detail["matched"]) == (0.0, "ok", None)


def test_an_alias_will_do_and_is_named() -> None:
    score = TEXT_ACCURACY.score(question("United States", "USA", "America"), Answer("in america"))
    assert (score.value, score.detail["matched"]) == (1.0, "America")


def test_negation_is_not_understood() -> None:
    assert TEXT_ACCURACY.score(question("Paris"), Answer("It is not Paris.")).value == 1.0


def test_spoken_accuracy_judges_what_was_heard() -> None:
    answer = Answer("Paris", heard="London", judge="whisper tiny.en")
    assert TEXT_ACCURACY.score(question("Paris"), answer).value == 1.0
    assert SPOKEN_ACCURACY.score(question("Paris"), answer).value == 0.0


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (Answer("Paris", heard="Paris"), "ok"),
        (Answer("Paris", heard=None), "empty"),
        (Answer("Paris", heard=" [BLANK_AUDIO] ..."), "empty"),
        (Answer("Paris", heard=None, status="judge_failed"), "judge_failed"),
        (Answer("", heard=None, status="error"), "error"),
        (Answer("??", heard="Paris", status="unparsed"), "unparsed"),
    ],
)
def test_spoken_status(answer: Answer, status: Status) -> None:
    score = SPOKEN_ACCURACY.score(question("Paris"), answer)
    assert (score.status, score.value) == (status, float(status == "ok"))


def test_text_is_judged_though_the_judge_of_speech_failed() -> None:
    score = TEXT_ACCURACY.score(question("Paris"), Answer("Paris", status="judge_failed"))
    assert (score.status, score.value) == ("ok", 1.0)


def test_without_a_word_in_the_reference_nothing_is_right() -> None:
    score = TEXT_ACCURACY.score(question("..."), Answer("anything"))
    assert (score.status, score.value) == ("unparsed", 0.0)


def test_recipe_names_the_judge_only_where_it_judged() -> None:
    answer = Answer("a", heard="a", judge="whisper tiny.en greedy")
    assert SPOKEN_ACCURACY.score(question("a"), answer).recipe.endswith("; judge: whisper tiny.en greedy")
    assert "judge" not in TEXT_ACCURACY.score(question("a"), answer).recipe


def test_tokens_hand_worked() -> None:
    assert answer_tokens("It costs $2.50 and one two!") == ("it", "costs", "$", "2.5", "and", "12")


@given(st.lists(st.sampled_from("0123456789"), min_size=2, max_size=9))
def test_digits_are_equal_spelled_joined_and_in_words(digits: list[str]) -> None:
    names = "zero one two three four five six seven eight nine".split()  # noqa: SIM905 - reads better than ten strings
    expected = ("".join(digits),)
    assert answer_tokens(" ".join(digits)) == expected
    assert answer_tokens("".join(digits)) == expected
    assert answer_tokens(" ".join(names[int(d)] for d in digits)) == expected


@given(st.text(max_size=30))
def test_every_text_with_a_token_holds_itself(text: str) -> None:
    tokens = answer_tokens(text)
    assert holds(tokens, tokens) == bool(tokens)
