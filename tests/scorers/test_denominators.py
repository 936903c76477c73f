"""What publications leave out of the denominator: without a value, counted all the same."""

from __future__ import annotations

import math

import pytest

from tttbench.core.errors import UserError
from tttbench.core.exchange import Status
from tttbench.core.metric import Score
from tttbench.core.plugins import build_scorer
from tttbench.core.scorer import Scorer, ScoreSpec
from tttbench.scorers.aggregate import Cell, Scored, aggregate
from tttbench.scorers.presets import DROPS

from .views import Seen, sample

ANSWERS: tuple[tuple[str, str, Status], ...] = (
    ("one word two", "one word too", "ok"),
    ("very nice", "null", "ok"),
    ("never mind", "", "error"),
    ("...", "a word", "ok"),
)


def scorer(name: str, **options: str) -> Scorer:
    return build_scorer(ScoreSpec(name, name, options))


def scored(of: Scorer) -> list[Scored]:
    found = []
    for at, (reference, text, status) in enumerate(ANSWERS):
        one = sample(reference, sample_id=str(at))
        score = of.score(one, Seen(text, status=status))
        if score is not None:
            found.append(Scored(one, score))
    return found


def dropped(score: Score) -> str:
    return str(score.detail.get("dropped", ""))


@pytest.mark.parametrize(
    ("name", "recipe", "left_out", "value"),
    [
        ("wer", "kimi-en", ["", "the answer is null", "there is no answer", ""], 3 / 3),
        ("wer", "ultraeval-en", ["", "", "there is no answer", ""], 5 / 5),
        ("wer", "open-asr-2025-09", ["", "", "", "the reference has no word"], 5 / 7),
        ("wer_mean", "seed-tts", ["", "", "there is no answer"], (1 / 3 + 1) / 2),
        # Without white space "one word two" is one word.
        ("mer", "kimi-zh", ["", "the answer is null", "there is no answer", ""], 2 / 1),
    ],
)
def test_what_is_left_out_has_no_value_and_is_counted(
    name: str, recipe: str, left_out: list[str], value: float
) -> None:
    made = scorer(name, recipe=recipe, denominator="as-published")
    found = scored(made)
    assert [dropped(one.score) for one in found] == left_out
    assert all(math.isnan(one.score.numerator) == bool(dropped(one.score)) for one in found)
    result = aggregate(Cell("s", "t", name, made.info, made.recipe({})), found, seed=0, n_resamples=10)
    assert result.value == pytest.approx(value)
    assert result.n == len(found)
    assert result.error + result.unparsed == len([why for why in left_out if why]) + (
        "there is no answer" not in left_out
    )
    assert result.value_best <= result.value_worst


def test_by_default_every_answer_counts() -> None:
    made = scorer("wer", recipe="ultraeval-en")
    found = scored(made)
    assert not any(dropped(one.score) for one in found)
    assert sum(one.score.numerator for one in found) == 1 + 2 + 2 + 2
    assert made.recipe({}).denominator == "all@1"
    assert scorer("wer", recipe="kimi-en", denominator="all").recipe({}) == scorer("wer", recipe="kimi-en").recipe({})


def test_the_recipe_says_what_is_left_out() -> None:
    recipe = scorer("wer", recipe="kimi-en", denominator="as-published").recipe({})
    assert recipe.denominator == "as-published@1 (left out: errors, null answers)"
    assert recipe.digest != scorer("wer", recipe="kimi-en").recipe({}).digest


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"denominator": "as-publishd", "recipe": "kimi-en"}, "denominator=as-publishd: Did you mean 'as-published'"),
        ({"denominator": "as-published"}, "needs a recipe whose code leaves something out: open-asr-2025-09, "),
        ({"denominator": "as-published", "recipe": "whisper-en"}, "needs a recipe whose code leaves something out"),
    ],
)
def test_another_denominator_is_refused(options: dict[str, str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        scorer("wer", **options)


def test_presets_of_ours_leave_nothing_out() -> None:
    assert {name for name, drops in DROPS.items() if not drops} == {
        *("raw", "en", "basic", "whisper-en", "whisper-basic", "digits", "zh", "zh-hans", "mixed", "cn_tn", "wetext")
    }
