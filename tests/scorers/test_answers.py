"""Answers found in free text, written and spoken; and the gap between both."""

import math
from dataclasses import replace

import pytest

from tttbench.core.errors import UserError
from tttbench.core.exchange import Status
from tttbench.core.json_values import JsonValue
from tttbench.core.metric import Score
from tttbench.core.plugins import build_scorer
from tttbench.core.scorer import Scorer, ScoreSpec

from .views import AUDIO, Seen, sample


def scorer(name: str, **options: str) -> Scorer:
    transcriber = {} if name == "text_accuracy" else {"transcriber": "ears"}
    return build_scorer(ScoreSpec(name, name, {**transcriber, **options}))


WRITTEN, SPOKEN, GAP = (scorer(name) for name in ("text_accuracy", "spoken_accuracy", "spoken_gap"))


def score(of: Scorer, seen: Seen, *references: str) -> Score:
    found = of.score(sample(*references), seen)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("reference", "text"),
    [
        ("Paris", "The capital of France is Paris."),
        ("Leonardo da Vinci", "It was leonardo DA Vinci, I think"),
        ("the Great Barrier Reef", "A great barrier reef"),
        ("the Nile", "Nile"),
        ("Nile", "the Nile"),
        ("an apple", "It is the apple."),
        ("a dozen", "Dozen."),
        ("A", "The letter is a."),
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
        ("Paris", "Paris it is"),
        ("the Nile", "It is the Nile, of course"),
        ("1234", "12 34 is it"),
        ("plus 5", "plus five"),
    ],
)
def test_right(reference: str, text: str) -> None:
    assert score(WRITTEN, Seen(text), reference).value == 1.0


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
        ("New York", "New"),
        ("New York", "York"),
        ("new old", "new and old"),
        ("1234", "12 3 45"),
        ("1234", "12 and 34"),
        ("the", "Nile"),
        ("blue Nile", "Nile"),
        ("12", "It costs twelve dollars"),
        ("Paris", "It is not Paris."),
    ],
)
def test_wrong(reference: str, text: str) -> None:
    found = score(WRITTEN, Seen(text), reference)
    assert (found.value, found.status, found.detail["matched"]) == (0.0, "ok", None)


def test_an_alias_will_do_and_is_named() -> None:
    found = score(WRITTEN, Seen("in america"), "United States", "USA", "America")
    assert (found.value, found.detail["matched"]) == (1.0, "America")


def test_a_verdict_is_shown_with_all_that_made_it() -> None:
    found = score(WRITTEN, Seen("It is twelve, OK?"), "...", "Paris", "12", "twelve")
    detail: dict[str, JsonValue] = {
        "answer": "It is twelve, OK?",
        "normalized": "it is 12 ok",
        "expected": ["", "paris", "12", "12"],
        "matched": "12",
    }
    assert found == Score(1.0, 1.0, 1.0, "ok", detail)
    empty: dict[str, JsonValue] = {"answer": " ...", "normalized": "", "expected": ["12"], "matched": None}
    assert score(WRITTEN, Seen(" ..."), "12") == Score(0.0, 0.0, 1.0, "empty", empty)


@pytest.mark.parametrize("status", ["error", "unparsed"])
def test_what_went_wrong_is_wrong_whatever_was_written_or_spoken(status: Status) -> None:
    seen = Seen("Paris", "Paris", status=status)
    written: dict[str, JsonValue] = {
        "answer": "Paris",
        "normalized": "paris",
        "expected": ["paris"],
        "matched": None,
    }
    assert score(WRITTEN, seen, "Paris") == Score(0.0, 0.0, 1.0, status, written)
    nothing = {**written, "answer": "", "normalized": ""}
    assert score(SPOKEN, seen, "Paris") == Score(0.0, 0.0, 1.0, status, nothing)
    assert score(SPOKEN, Seen("Paris", status=status, spoken=True), "Paris").status == status
    assert score(GAP, seen, "Paris") == Score(0.0, 0.0, 1.0, status)


def test_spoken_accuracy_looks_at_the_transcript() -> None:
    seen = Seen("Paris", "London")
    assert score(WRITTEN, seen, "Paris").value == 1.0
    assert score(SPOKEN, seen, "Paris").value == 0.0


@pytest.mark.parametrize(
    ("seen", "status"),
    [
        (Seen("Paris", "Paris"), "ok"),
        (Seen("Paris"), "empty"),
        (Seen("Paris", " [BLANK_AUDIO] ..."), "empty"),
        (Seen("", status="error"), "error"),
        (Seen("??", "Paris", status="unparsed"), "unparsed"),
    ],
)
def test_spoken_status(seen: Seen, status: Status) -> None:
    found = score(SPOKEN, seen, "Paris")
    assert (found.status, found.value) == (status, float(status == "ok"))


def test_a_failed_transcript_leaves_the_spoken_score_without_a_value_and_the_written_as_it_is() -> None:
    seen = Seen("Paris", spoken=True)
    found = score(SPOKEN, seen, "Paris")
    assert (found.status, math.isnan(found.value), found.detail) == ("derivation_failed", True, {"error": "no power"})
    assert score(WRITTEN, seen, "Paris").status == "ok"
    gap = score(GAP, seen, "Paris")
    assert (gap.status, gap.detail) == ("derivation_failed", {"error": "no power"})


def test_without_a_word_in_the_reference_nothing_is_right() -> None:
    found = score(WRITTEN, Seen("anything"), "...")
    assert (found.status, found.value) == ("unparsed", 0.0)


@pytest.mark.parametrize(
    ("text", "transcript", "value"),
    [("Paris", "Paris", 0.0), ("Paris", "Rome", 1.0), ("Rome", "Paris", -1.0), ("Rome", "Rome", 0.0)],
)
def test_the_gap_is_written_minus_spoken_of_the_same_answer(text: str, transcript: str, value: float) -> None:
    assert score(GAP, Seen(text, transcript), "Paris") == Score(value, value, 1.0, "ok")


def test_the_gap_counts_under_the_worse_status() -> None:
    assert score(GAP, Seen("Paris", ""), "Paris").status == "empty"
    assert score(GAP, Seen("", status="error"), "Paris").status == "error"


def test_the_transcriber_is_needed_and_named_only_where_it_is_read() -> None:
    seen = Seen("a", "a")
    assert [(need.deriver, need.audio_sha256) for need in SPOKEN.needs(sample("a"), seen)] == [
        ("transcriber:ears", AUDIO.sha256)
    ]
    assert list(GAP.needs(sample("a"), seen)) == list(SPOKEN.needs(sample("a"), seen))
    assert not list(WRITTEN.needs(sample("a"), seen))
    assert not list(SPOKEN.needs(sample("a"), Seen("a")))
    recipes = {"transcriber:ears": "ears 1, greedy"}
    assert SPOKEN.recipe(recipes).transcriber == GAP.recipe(recipes).transcriber == "ears 1, greedy"
    assert WRITTEN.recipe(recipes).transcriber == ""


@pytest.mark.parametrize(("language", "asked"), [("", ""), ("en", "en"), ("zh", "zh")])
def test_a_transcriber_is_told_the_language_of_the_sample(language: str, asked: str) -> None:
    one = replace(sample("a"), language=language)
    assert [need.language for need in SPOKEN.needs(one, Seen("a", "a"))] == [asked]


def test_the_rules_of_before_can_be_asked_for() -> None:
    old = scorer("text_accuracy", matcher="answer_match@1")
    assert score(old, Seen("It is not Paris."), "Paris").value == 1.0
    assert score(scorer("spoken_accuracy", matcher="answer_match@1"), Seen("", "not Paris"), "Paris").value == 1.0
    gap = scorer("spoken_gap", matcher="answer_match@1")
    assert score(gap, Seen("not Paris", "London"), "Paris").value == 1.0
    recipe = old.recipe({})
    assert (recipe.scorer, recipe.matcher, recipe.options) == ("text_accuracy@1", "answer_match@1", "")
    assert recipe.normalizer.startswith("whisper-en@1 (whisper-normalizer ")
    now = WRITTEN.recipe({})
    assert (now.scorer, now.matcher, now.options) == ("text_accuracy@1", "answer_match@2", "")
    assert now.normalizer.startswith("en@1 (whisper-normalizer ")


def test_script_variants_are_equal_where_it_is_asked_for() -> None:
    simplified = scorer("text_accuracy", script="hans")
    assert score(WRITTEN, Seen("答案是臺灣"), "台湾").value == 0.0
    assert score(simplified, Seen("答案是臺灣"), "台湾").value == 1.0
    assert score(simplified, Seen("台湾"), "臺灣").detail["matched"] == "臺灣"
    assert simplified.recipe({}).options.startswith("script=hans (opencc-purepy ")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"matcher": "answer_match@3"},
            "text_accuracy: there is no matcher 'answer_match@3'. Did you mean",
        ),
        ({"script": "hant"}, "text_accuracy: script=hant: must be 'hans'"),
    ],
)
def test_options_that_there_are_not(options: dict[str, str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        scorer("text_accuracy", **options)
