"""Which system transcribes in which language, from what suites say to the scores of a task."""

from __future__ import annotations

import pytest

from tttbench.config.choose import choose
from tttbench.config.suite import load_suite
from tttbench.core.scores import parse_score
from tttbench.pipeline import transcribers
from tttbench.pipeline.asked import asked_tasks
from tttbench.pipeline.transcribers import automatic, resolved, transcriber_of
from tttbench.systems.whisper import weights


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Names of models that are on the machine: ``base``, ``tiny.en``, ``paraformer``; a test adds what it wants."""
    found: set[str] = set()
    monkeypatch.setattr(transcribers, "is_here", lambda: "paraformer" in found)
    monkeypatch.setattr(weights, "is_available_offline", lambda name: name in found)
    return found


@pytest.mark.parametrize(
    ("there", "device", "english", "chinese", "german"),
    [
        ({"tiny.en"}, "cpu", "tiny.en", "whisper:base", "base"),
        ({"tiny.en", "base"}, "cpu", "base", "whisper:base", "base"),
        ({"base", "paraformer"}, "cpu", "base", "paraformer:zh", "base"),
        ({"base"}, "cuda:1", "large-v3", "whisper:large-v3", "large-v3"),
        ({"paraformer"}, "cuda", "large-v3", "paraformer:zh", "large-v3"),
    ],
)
def test_auto_is_paraformer_for_chinese_where_it_is_here_and_else_whisper(
    here: set[str], there: set[str], device: str, english: str, chinese: str, german: str
) -> None:
    here |= there
    assert automatic("en", device) == f"whisper:{english}"
    assert automatic("zh", device) == automatic("cmn", device) == chinese
    assert automatic("de", device) == f"whisper:{german}"


def test_one_transcriber_is_for_all_languages_and_a_table_for_each(here: set[str]) -> None:
    here |= {"paraformer"}
    table = {"zh": "auto", "en": "mine", "other": "whisper:small"}
    assert [transcriber_of("mine", language, "cpu") for language in ("", "en", "zh")] == ["mine"] * 3
    found = [transcriber_of(table, language, "cpu") for language in ("", "und", "en-US", "zh-TW", "fr")]
    assert found == ["mine", "mine", "mine", "paraformer:zh", "whisper:small"]
    assert transcriber_of({"zh": "mine"}, "en", "cpu") == transcriber_of("", "en", "cpu") == ""


def test_a_score_may_ask_for_it_by_itself(here: set[str]) -> None:
    here |= {"paraformer"}
    scores = (parse_score("self_wer:transcriber=auto"), parse_score("self_wer=b:transcriber=mine"), parse_score("wer"))
    assert [one.options.get("transcriber") for one in resolved(scores, "zh", "cpu")] == ["paraformer:zh", "mine", None]


@pytest.mark.parametrize(
    ("suite", "english", "chinese"),
    [("paper", "whisper:large-v3", "paraformer:zh"), ("mini", "whisper:tiny.en", "paraformer:zh")],
)
def test_scores_of_a_task_name_the_one_of_its_language(here: set[str], suite: str, english: str, chinese: str) -> None:
    here |= {"paraformer"}
    given = choose(load_suite(suite), tasks=["trivia_qa", "reasoning_qa"])
    for asked, language, expected in zip(asked_tasks(given), ("en", "zh"), (english, chinese), strict=True):
        scores = asked.scores_in(language, given, "cpu")
        assert {one.options["transcriber"] for one in scores if "transcriber" in one.options} == {expected}
