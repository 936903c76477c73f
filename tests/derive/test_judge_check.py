"""What a check says of judges that are known: a perfect one, one that goes by words, one that always agrees."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Mapping

import pytest
from scipy.stats import binomtest

from tttbench.cli.main import main
from tttbench.core.derivation import Derived
from tttbench.core.judging import JudgeSettings
from tttbench.derive.judge.checking import KINDS, Item, JudgeCheck, check_items, checked, is_as_expected
from tttbench.text.alias_match import contains_alias

from .judge_server import MODEL, Script, serving


def by_alias(item: Item) -> bool:
    return any(contains_alias(item.answer, one) for one in item.references)


def check(verdicts: Callable[[Item], object], recipe: str = "judge-binary", votes: int = 1) -> JudgeCheck:
    """The check of a judge who says that of each item: one verdict, several, or None where it fails."""
    settings = JudgeSettings.of("check", {"judge": "openai_chat:m", "recipe": recipe, "votes": str(votes)})
    made: dict[str, Derived] = {}
    for item in check_items():
        said = verdicts(item)
        said = said if isinstance(said, list) or said is None else [int(str(said))] * votes
        content = json.dumps({"verdicts": said, "model": "m"})
        made[item.id] = Derived("failed", error="mute") if said is None else Derived("ok", content, cost={"usd": 0.5})
    return checked(settings, made)


def is_right(item: Item) -> int:
    return int(KINDS[item.kind] == "yes")


def test_the_set_has_eight_answers_of_every_kind_and_no_id_twice() -> None:
    assert Counter(item.kind for item in check_items()) == dict.fromkeys(KINDS, 8)
    assert len({item.id for item in check_items()}) == 64
    # Words alone can't tell these apart.
    assert all(by_alias(item) for item in check_items() if item.kind in ("negated", "undecided"))
    assert not any(by_alias(item) for item in check_items() if item.kind in ("wrong", "partial"))


def test_a_perfect_judge_is_usable() -> None:
    found = check(is_right)
    assert (found.usable, found.reasons, found.errors) == (True, (), ())
    assert [(one.n, one.hits, one.failed) for one in found.kinds] == [(8, 8, 0)] * 8
    assert found.right.ci_low == pytest.approx(binomtest(32, 32).proportion_ci(method="wilson").low)
    assert math.isnan(found.self_agreement)
    assert found.cost == {"usd": 32.0}


def test_one_that_goes_by_words_is_not() -> None:
    found = check(lambda item: int(by_alias(item)))
    shares = {one.title: one.hits for one in found.kinds}
    assert (shares["verbose"], shares["wrong"], shares["negated"], shares["undecided"]) == (
        7,
        8,
        0,
        0,
    )  # "zero" isn't "0"
    assert (found.with_alias.hits, found.with_alias.n, found.usable) == (64, 64, False)
    assert "of all other answers it grades 16 of 32 as it should" in found.reasons[-1]


@pytest.mark.parametrize("always", [0, 1])
def test_nor_is_one_that_always_says_the_same(always: int) -> None:
    found = check(lambda item: always)
    assert (found.right.hits, found.other.hits, found.usable) == (32 * always, 32 * (1 - always), False)


def test_verdicts_that_failed_are_counted_and_make_it_unusable_where_they_are_many() -> None:
    some = {item.id for item in check_items()[:3]}
    found = check(lambda item: None if item.id in some else is_right(item))
    assert (found.kinds[0].n, found.kinds[0].failed, found.right.n, found.usable) == (5, 3, 29, True)
    assert found.errors == ("mute",)
    many = {item.id for item in check_items()[:4]}
    found = check(lambda item: None if item.id in many else is_right(item))
    assert "4 of 64 items got no verdict, more than 5%" in found.reasons[0]
    assert check(lambda item: None).usable is False


def test_agreement_with_itself_is_over_pairs_of_votes() -> None:
    found = check(lambda item: [is_right(item)] * 2 + [1], votes=3)
    # All three agree on the 32 that are right; on the others one pair of three does.
    assert found.self_agreement == pytest.approx((32 + 32 / 3) / 64)
    assert found.self_agreement_low < found.self_agreement < found.self_agreement_high
    assert (found.right.hits, found.other.hits) == (32, 32)
    # Equal votes on all 64 don't prove that it never differs.
    steady = check(is_right, votes=3)
    assert (steady.self_agreement, steady.self_agreement_high) == (1, 1)
    assert 0.9 < steady.self_agreement_low < 0.96


@pytest.mark.parametrize(
    ("recipe", "grades"),
    [("judge-1-5", {"yes": 4, "no": 2, "not yes": 3}), ("judge-1-10", {"yes": 7, "no": 4, "not yes": 6})],
)
def test_grades_have_to_be_in_their_third(recipe: str, grades: Mapping[str, int]) -> None:
    assert check(lambda item: grades[KINDS[item.kind]], recipe).usable
    one_off = check(lambda item: grades[KINDS[item.kind]] - (KINDS[item.kind] == "yes"), recipe)
    assert (one_off.right.hits, one_off.other.hits) == (0, 32)
    scale = JudgeSettings("m", recipe).scale
    assert not is_as_expected("no", grades["no"] + 1, scale)
    assert not is_as_expected("not yes", grades["yes"], scale)


def test_the_command_says_whether_a_judge_is_usable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("openai", reason="needs the extra judge")
    right = {item.answer: "yes" for item in check_items() if is_right(item)}
    with serving(Script(right)) as script:
        monkeypatch.setenv("OPENAI_BASE_URL", script.url)
        assert main(["judge", "check", f"openai_chat:{MODEL}", "--set", "concurrency=8", "--json"]) == 0
        out = capsys.readouterr().out
        document = json.loads(out.splitlines()[-1])
        assert (document["usable"], document["votes"], len(script.bodies)) == (True, 3, 64)
        assert f"openai_chat:{MODEL} with judge-binary is usable. How far" in out
        assert "Agreement with itself over 3 votes: 100.0% of pairs" in out
        assert "Cost: 65 requests, 6,500 tokens in, 975 tokens out." in out
        script.verdicts = {}
        assert main(["judge", "check", f"openai_chat:{MODEL}", "--set", "votes=1"]) == 1
        out = capsys.readouterr().out
        assert "is NOT shown to be usable: of answers that are right it grades 0 of 32 as it should" in out
        assert "Agreement with itself" not in out
        for words, why in (
            (["openai_chat:"], "must be openai_chat:MODEL"),
            ([f"openai_chat:{MODEL}", "--set", "votes"], "--set votes: must be OPTION=VALUE"),
            ([f"openai_chat:{MODEL}", "--set", "vote=1"], "Did you mean 'votes'"),
            ([f"openai_chat:{MODEL}", "--recipe", "judge"], "there is no such prompt"),
            ([f"openai_chat:{MODEL}", "--recipe", "uro-speaker"], "uro-speaker: grades conversations, and the check's"),
            ([f"openai_chat:{MODEL}", "--recipe", "uro-style"], "uro-style: needs the style that was asked for"),
        ):
            assert main(["judge", "check", *words]) == 2
            assert why in capsys.readouterr().err
