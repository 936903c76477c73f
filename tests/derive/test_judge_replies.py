"""What is read as a judge's verdict, and that everything else is an error and no guess."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttbench.core.judging import SCALES, Scale
from tttbench.derive.judge.replies import UnreadableError, read_verdict

YES_NO, FIVE, TEN = SCALES["judge-binary"], SCALES["judge-1-5"], SCALES["judge-1-10"]


@pytest.mark.parametrize(
    ("reply", "scale", "verdict"),
    [
        ('{"verdict": "yes"}', YES_NO, 1),
        ('{"verdict": "No"}', YES_NO, 0),
        ('{"verdict": true}', YES_NO, 1),
        ('```json\n{"verdict": "no"}\n```', YES_NO, 0),
        ('<think>Yes? {"verdict": "no"}</think>\n{"verdict": "yes"}', YES_NO, 1),
        ('the template opened the tag</think>{"verdict": "no"}', YES_NO, 0),
        ("Yes.", YES_NO, 1),
        ("**no**", YES_NO, 0),
        ("The answer says Rome.\nVerdict: no", YES_NO, 0),
        ("Final verdict: Yes.", YES_NO, 1),
        ('{"grade": 4}', FIVE, 4),
        ('{"grade": "4"}', FIVE, 4),
        ("[[4]]", FIVE, 4),
        ("It is fine. Rating: [[4]], as said: [[4]]", FIVE, 4),
        ("Grade: 3", FIVE, 3),
        ("10", TEN, 10),
        ("[[10]]", TEN, 10),
    ],
)
def test_the_forms_that_are_read(reply: str, scale: Scale, verdict: int) -> None:
    assert read_verdict(reply, "verdict" if scale.is_binary else "grade", scale) == verdict


@pytest.mark.parametrize(
    ("reply", "scale", "why"),
    [
        ("", YES_NO, "it is empty"),
        ("<think>yes", YES_NO, "nothing behind the thinking"),
        ("<think>yes</think>", YES_NO, "nothing behind the thinking"),
        ("Yes and no", YES_NO, "none of the forms"),
        ("Yes, but it is not right", YES_NO, "none of the forms"),
        ("I can't grade that.", YES_NO, "none of the forms"),
        ("maybe", YES_NO, "must give yes or no"),
        ("1", YES_NO, "must give yes or no"),
        ('{"verdict": "yes"', YES_NO, "broken JSON"),
        ('{"grade": 4}', YES_NO, "no field 'verdict'"),
        ('{"verdict": ["yes"]}', YES_NO, "must give yes or no"),
        ('{"verdict": "yes"} {"verdict": "no"}', YES_NO, "broken JSON"),
        ('{"grade": 4.5}', FIVE, "whole number from 1 to 5"),
        ('{"grade": 6}', FIVE, "whole number from 1 to 5"),
        ('{"grade": true}', FIVE, "whole number from 1 to 5"),
        ("[[0]]", FIVE, "whole number from 1 to 5"),
        ("[[3]] or [[4]]", FIVE, "several verdicts"),
        ("4/5", FIVE, "whole number from 1 to 5"),
        ("4 of 5", FIVE, "none of the forms"),
        ("-4", FIVE, "whole number from 1 to 5"),
        ("{" * 100_000, FIVE, "broken JSON"),
    ],
)
def test_everything_else_is_an_error(reply: str, scale: Scale, why: str) -> None:
    with pytest.raises(UnreadableError, match=why) as raised:
        read_verdict(reply, "verdict" if scale.is_binary else "grade", scale)
    assert len(str(raised.value)) < 220


@given(st.text(), st.sampled_from([YES_NO, FIVE, TEN]))
def test_no_text_gives_anything_but_a_verdict_on_the_scale_or_that_error(reply: str, scale: Scale) -> None:
    with suppress(UnreadableError):
        assert scale.lowest <= read_verdict(reply, "verdict", scale) <= scale.highest
