"""Options chosen in free text, and what isn't read as one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttbench.core.errors import UserError
from tttbench.core.metric import Score
from tttbench.core.plugins import build_scorer
from tttbench.core.scorer import ScoreSpec
from tttbench.scorers.multiple_choice import chosen_option, options_of

from .views import Seen, sample

LETTERS = ("A", "B", "C", "D")
YES_NO = ("yes", "no")


@pytest.mark.parametrize(
    ("answer", "chosen"),
    [
        ("B", "B"),
        (" b. ", "B"),
        ("(C)", "C"),
        ("**D**", "D"),
        ("Option A.", "A"),
        ("B) because water boils", "B"),
        ("C. A magnet", "C"),
        ("d: the sun", "D"),
        ("The answer is B.", "B"),
        ("The correct answer is: **C**.", "C"),
        ("The answer is (d).", "D"),
        ("the answer is a.", "A"),
        ("The answer is a", "A"),
        ("I would choose option B, since A melts.", "B"),
        ("I'd say C.", "C"),
        ("The best option is B: plants.", "B"),
        ("The answer to the question is 'A'", "A"),
        ("Option C is the correct answer, not option D.", "C"),
        ("Of these, B is right.", "B"),
        (r"So the answer is \boxed{\text{D}}", "D"),
        ("答案是B。", "B"),
        ("答案\uff1aC", "C"),
        ("It must be a magnet, so (B)", "B"),
        ("Well, let us see.\nB. a magnet", "B"),
        ("Consider option A. It melts. Thus the answer is D.", "D"),
        # Nothing is guessed.
        ("", None),
        ("A magnet attracts iron.", None),
        ("The answer is a river.", None),
        ("the answer is Delhi", None),
        ("I don't know.", None),
        ("The answer is A or the answer is B.", None),
        ("It is either (A) or (B).", None),
        ("E", None),
        ("The answer is not B", None),
        ("D'Artagnan", None),
        ("Vitamin C helps.", None),
    ],
)
def test_letters(answer: str, chosen: str | None) -> None:
    assert chosen_option(answer, LETTERS) == chosen


@pytest.mark.parametrize(
    ("answer", "chosen"),
    [
        ("Yes", "yes"),
        ("No.", "no"),
        ("Yes, you return to the start.", "yes"),
        ("So the answer is no", "no"),
        ("Therefore, the answer is: **Yes**.", "yes"),
        ("There is no way to tell.", None),
        ("Nobody knows.", None),
        ("The answer is nothing.", None),
        ("The answer is yes. No, the answer is no.", None),
    ],
)
def test_yes_and_no(answer: str, chosen: str | None) -> None:
    assert chosen_option(answer, YES_NO) == chosen


@given(st.text(max_size=200))
def test_any_text_gives_an_option_or_none(answer: str) -> None:
    assert chosen_option(answer, LETTERS) in {*LETTERS, None}
    assert chosen_option(answer, YES_NO) in {*YES_NO, None}


@given(st.sampled_from(LETTERS), st.sampled_from(("{}", "({})", "The answer is {}.", "Option {}.", "**{}**: it is")))
def test_every_letter_is_read_in_every_form(letter: str, form: str) -> None:
    assert chosen_option(form.format(letter), LETTERS) == letter


def scored(text: str, reference: str = "B", unparsed: str = "wrong", status: str = "ok", options: str = "") -> Score:
    scorer = build_scorer(ScoreSpec("multiple_choice", "m", {"unparsed": unparsed}))
    asked = replace(sample(reference), metadata={"options": options} if options else {})
    seen = Seen(text, status="error") if status == "error" else Seen(text)
    found = scorer.score(asked, seen)
    assert found is not None
    return found


def test_what_cannot_be_read_is_wrong_or_worth_a_random_option() -> None:
    found = [(one.value, one.status) for one in (scored("B"), scored("C"), scored("hm"), scored(""))]
    assert found == [(1, "ok"), (0, "ok"), (0, "unparsed"), (0, "empty")]
    chance = [(one.value, one.status) for one in (scored("B", unparsed="chance"), scored("hm", unparsed="chance"))]
    assert chance == [(1, "ok"), (0.25, "unparsed")]
    assert scored("hm", "yes", "chance", options="yes|no").value == 0.5
    assert scored("B", unparsed="chance", status="error") == Score(0, 0, 1, "error")
    assert scored("the answer is b.", "(B)").detail["chosen"] == "B"


def test_a_sample_without_a_right_option_is_not_scored() -> None:
    scorer = build_scorer(ScoreSpec("multiple_choice", "m"))
    assert scorer.score(sample("Paris"), Seen("B")) is None
    assert scorer.score(sample(), Seen("B")) is None
    assert options_of(sample("B")) == LETTERS
    with pytest.raises(UserError, match="must be 'wrong' or 'chance'"):
        build_scorer(ScoreSpec("multiple_choice", "m", {"unparsed": "guess"}))
