from tttbench.core.plugins import normalizers
from tttbench.core.recipe import Recipe
from tttbench.pages.diff import word_diff
from tttbench.pages.view import DiffChunk
from tttbench.scorers.normal_form import normal_form


def test_each_edit_is_named() -> None:
    assert word_diff("turn the red light on", "turn a light on now") == (
        DiffChunk("equal", "turn", "turn"),
        DiffChunk("substitute", "the", "a"),
        DiffChunk("delete", "red", ""),
        DiffChunk("equal", "light on", "light on"),
        DiffChunk("insert", "", "now"),
    )


def test_case_and_punctuation_make_no_difference_but_are_shown() -> None:
    assert word_diff("It is Paris.", "it is , PARIS !") == (DiffChunk("equal", "It is Paris.", "it is, PARIS!"),)


def test_chinese_is_compared_by_character() -> None:
    assert word_diff("今天好", "今天坏") == (DiffChunk("equal", "今 天", "今 天"), DiffChunk("substitute", "好", "坏"))


def test_nothing_said_is_all_missing() -> None:
    assert word_diff("one two", "…") == (DiffChunk("delete", "one two", ""),)


def test_nothing_expected_is_all_added() -> None:
    assert word_diff("", "one two") == (DiffChunk("insert", "", "one two"),)


def test_two_empty_texts_have_no_difference() -> None:
    assert word_diff("", "") == ()


def test_numbers_are_compared_as_they_were_scored() -> None:
    form = normalizers.get("en").normalize
    assert word_diff("Seven.", "7", form) == (DiffChunk("equal", "7", "7"),)
    assert word_diff("It is three point one", "it is 31", form) == (
        DiffChunk("equal", "it is", "it is"),
        DiffChunk("substitute", "3.1", "31"),
    )
    assert word_diff("It costs $5", "it costs five percent", form) == (
        DiffChunk("equal", "it costs", "it costs"),
        DiffChunk("substitute", "$5", "5%"),
    )


def test_the_form_is_that_of_the_first_recipe_that_has_one() -> None:
    recipes = [Recipe("mine@1"), Recipe("wer@1", "raw@1"), Recipe("text_accuracy@1", "en@1", "answer_match@2")]
    raw = normal_form(recipes)
    assert raw is not None
    assert word_diff("Seven", "seven", raw) == (DiffChunk("substitute", "Seven", "seven"),)
    answers = normal_form(recipes[2:])
    assert answers is not None
    assert word_diff("答案是十二", "答案是12", answers) == (DiffChunk("equal", "答 案 是 12", "答 案 是 12"),)
    assert normal_form([Recipe("mine@1"), Recipe("other@1", "absent@3")]) is None
