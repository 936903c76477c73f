"""Which system transcribes in which language, from what suites say to the scores of a task."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tttbench.config.choose import choose
from tttbench.config.suite import TaskPlan, load_suite
from tttbench.core.sample import spoken_sample
from tttbench.core.scores import parse_score
from tttbench.pipeline import transcribers
from tttbench.pipeline.asked import asked_tasks
from tttbench.pipeline.dry_run import preview
from tttbench.pipeline.plan import make_plan
from tttbench.pipeline.transcribers import automatic, resolved, transcriber_of
from tttbench.systems.whisper import adapter, weights

from .test_plan import made, registered, suite_of


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
    found = [transcriber_of(table, language, "cpu") for language in ("en-US", "zh-TW", "fr")]
    assert found == ["mine", "paraformer:zh", "whisper:small"]
    assert transcriber_of({"zh": "mine"}, "en", "cpu") == transcriber_of("", "en", "cpu") == ""


@pytest.mark.parametrize("language", ["", "und", "mul"])
@pytest.mark.parametrize("there", [set(), {"tiny.en"}, {"tiny.en", "base", "paraformer"}])
def test_answers_in_a_language_that_is_not_known_are_never_taken_for_english(
    here: set[str], there: set[str], language: str
) -> None:
    here |= there
    assert automatic("", "cpu") == transcriber_of("auto", language, "cpu") == "whisper:base"
    assert transcriber_of("auto", language, "cuda") == "whisper:large-v3"
    assert transcriber_of({"en": "mine", "other": "whisper:small"}, language, "cpu") == "whisper:small"
    assert transcriber_of({"en": "mine"}, language, "cpu") == ""
    for name in ("mini", "mini-full", "ablation", "decoding"):
        given = load_suite(name).transcriber
        assert transcriber_of(given, language, "cpu") == "whisper:base"
        assert transcriber_of(given, "en-GB", "cpu") == "whisper:tiny.en"


def test_a_transcriber_that_is_not_here_is_named_with_how_to_get_it(
    here: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    here |= {"tiny.en"}
    monkeypatch.setattr(adapter, "is_available_offline", here.__contains__)
    given = choose(load_suite("mini"), tasks=["uro_multilingual"], judge="openai_chat:m")
    found = preview(given, "cpu")
    assert found.tasks[0].language == "und"
    (missing,) = {one.name: one for one in found.derivers}["transcriber:whisper:base"].missing
    assert "whisper-base" in missing.get
    assert not any("tiny.en" in one.name for one in found.derivers)


@pytest.mark.parametrize(
    ("languages", "chosen", "n_unknown"),
    [
        (("en", "en"), "whisper:tiny.en", 0),
        (("en-US", "en-GB"), "whisper:tiny.en", 0),
        (("en", "fr"), "whisper:base", 0),
        (("und", "und"), "whisper:base", 0),
        (("en", ""), "whisper:base", 1),
        (("", ""), "whisper:base", 2),
    ],
)
def test_a_task_of_several_languages_or_none_takes_the_multilingual_one(
    here: set[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    languages: tuple[str, str],
    chosen: str,
    n_unknown: int,
) -> None:
    here |= {"tiny.en"}
    samples = [spoken_sample(f"{at}", Path("a.wav"), "A", language=one) for at, one in enumerate(languages)]
    registered(monkeypatch, replace(made("t", *samples), scores=(parse_score("spoken_accuracy"),)))
    suite = replace(suite_of(TaskPlan("t")), transcriber=load_suite("mini").transcriber)
    (task,) = make_plan(suite, "cpu").tasks
    assert task.scores[0].options["transcriber"] == chosen
    said = [one.getMessage() for one in caplog.records if "name no language" in one.getMessage()]
    assert [one.partition(" of its")[0] for one in said] == ([f"task t: {n_unknown}"] if n_unknown else [])
    assert all(f"so {chosen} transcribes" in one for one in said)


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


def test_what_a_table_gives_for_chinese_holds_for_both_of_its_tags() -> None:
    table = {"zh": "paraformer:zh", "other": "whisper:small"}
    assert [transcriber_of(table, tag, "cpu") for tag in ("cmn-Hans", "zh-TW", "yue")] == [
        "paraformer:zh", "paraformer:zh", "whisper:small",
    ]  # fmt: skip
    assert transcriber_of({"cmn": "one", "other": "two"}, "zh", "cpu") == "one"
    assert transcriber_of({"cmn": "one", "zh": "three"}, "cmn", "cpu") == "one"
