from tttbench.pages.diff import word_diff
from tttbench.pages.view import DiffChunk


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
