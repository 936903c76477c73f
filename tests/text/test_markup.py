"""What of an answer is its words."""

from __future__ import annotations

import pytest

from tttbench.text.markup import words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<think>London?</think>Rome", "Rome"),
        ("<think>London?<think>Oslo?</think> hm</think>Rome", "Rome"),
        ("<think>London?</think>Rome<think>or Oslo</think>!", "Rome !"),
        ("<THINK>London?</Think> Rome", "Rome"),
        ("<think>London", ""),
        ("Rome <think>London", "Rome"),
        ("London?</think>Rome", "Rome"),
        ("<think/>", ""),
        ("<reasoning effort='high'>London</reasoning>Rome", "Rome"),
        ("<seed:think>London</seed:think>Rome", "Rome"),
        ("[THINK]London[/THINK]Rome", "Rome"),
        ("\u25c1think\u25b7London\u25c1/think\u25b7Rome", "Rome"),
        ("<|begin_of_thought|>London<|end_of_thought|>Rome", "Rome"),
        (
            "<|channel|>analysis<|message|>London<|end|><|start|>assistant<|channel|>final<|message|>Rome<|return|>",
            "Rome",
        ),
        ("<seed:thinking>London</seed:thinking>Rome", "Rome"),
        ("<chain-of-thought>London</chain-of-thought>Rome", "Rome"),
        ("<inner_monologue>London</inner_monologue>Rome", "Rome"),
        ("<analysis>London", ""),
        ("< think >London</ think >Rome", "Rome"),
        ("\uff1cthink\uff1eLondon\uff1c/think\uff1eRome", "Rome"),
        ("&lt;think&gt;London&lt;/think&gt;Rome", "Rome"),
        ("<think>London</thinking>Rome", "Rome"),
        ("[reasoning]London[/reasoning]Rome", "Rome"),
        ("[thinking] Rome", "[thinking] Rome"),
        ("London[/reasoning]Rome", "Rome"),
        ("<|think|>London<|/think|>Rome", "Rome"),
        ("<|think_start|>London<|think_end|>Rome", "Rome"),
        ("<|START_THINKING|>London<|END_THINKING|><|START_RESPONSE|>Rome<|END_RESPONSE|>", "Rome"),
        ("<|channel>thought\nLondon<channel|>Rome", "Rome"),
        ("<unused94>thought\nLondon<unused95>Rome", "Rome"),
        ("<details type='reasoning' done='true'><summary>Thought</summary>London</details>Rome", "Rome"),
        ("<details type='reasoning'>London", ""),
        ("<details>Rome</details>", "Rome"),
        ("analysisPerhaps London?assistantfinalRome", "Rome"),
        ("<answer>Rome</answer>", "Rome"),
        ("<b>Rome</b><br>is", "Rome is"),
        ("<Rome>", "<Rome>"),
        ("<the city of Rome>", "<the city of Rome>"),
        ("<a href='x'>Rome</a>", "Rome"),
        ("Rome<|im_end|>", "Rome"),
        ("[Rome](https://example.org/a)", "Rome"),
        ('![Rome](a.png "London")', "Rome"),
        ("~~London~~ Rome", "Rome"),
        ("[noise] Rome", "Rome"),
        ("[BLANK_AUDIO]", ""),
        ("(upbeat music) Rome", "Rome"),
        ("(Rome)", "(Rome)"),
        ("a list [1, 2]", "a list [1, 2]"),
        ("$42$", "42"),
        ("from $5 to $6", "from $5 to $6"),
        ("$5-$6", "$5-$6"),
        ("it costs $5, that is 6$", "it costs $5, that is 6$"),
        ("\\boxed{\\text{Rome}}", "Rome"),
        ("\\frac{1}{2}", "1/2"),
        ("50\\%", "50%"),
        ("6 \\times 7", "6 \u00d7 7"),
        ("5 < 6 and 7 > 6", "5 < 6 and 7 > 6"),
    ],
)
def test_words_of(text: str, words: str) -> None:
    assert " ".join(words_of(text).split()) == words
