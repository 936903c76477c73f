"""What stands beside the scores that a task asks for, by the language of its answers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tttbench.core.errors import UserError
from tttbench.core.scorer import ScoreSpec
from tttbench.core.scores import parse_score
from tttbench.pipeline.default_scores import (
    WHISPER_BASIC,
    WHISPER_ENGLISH,
    added,
    as_known,
    with_defaults,
    with_new_ways,
)

WER, CER = ScoreSpec("wer", "wer"), ScoreSpec("cer", "cer")


@pytest.mark.parametrize("language", ["", "en", "en-GB", "EN"])
def test_whisper_s_word_errors_stand_beside_english_ones(language: str) -> None:
    assert with_defaults((WER, CER), "", "", language) == (WER, WHISPER_ENGLISH, CER)
    assert (WHISPER_ENGLISH.id, WHISPER_ENGLISH.options) == ("wer_whisper-en", {"recipe": "whisper-en"})


def test_they_stand_there_once() -> None:
    assert with_defaults((WER, WHISPER_ENGLISH), "", "") == (WER, WHISPER_ENGLISH)
    named = ScoreSpec("wer", "strict", {"normalizer": "en"})
    assert with_defaults((WER, named), "", "") == (WER, WHISPER_ENGLISH, named)


@pytest.mark.parametrize("options", [{"recipe": "raw"}, {"normalizer": "whisper-en"}, {"recipe": "whisper-en"}])
def test_word_errors_of_another_kind_stand_alone(options: dict[str, str]) -> None:
    spec = ScoreSpec("wer", "own", options)
    assert with_defaults((spec,), "", "") == (spec,)


def test_other_languages_take_our_rules_for_those_with_whisper_s_beside_them() -> None:
    basic = {"normalizer": "basic"}
    raw, zh = ScoreSpec("wer", "raw", {"recipe": "raw"}), ScoreSpec("cer_zh", "cer_zh")
    assert with_defaults((WER, CER, raw, zh), "", "", "de") == (
        ScoreSpec("wer", "wer", basic),
        WHISPER_BASIC,
        ScoreSpec("cer", "cer", basic),
        raw,
        zh,
    )
    assert (WHISPER_BASIC.id, WHISPER_BASIC.options) == ("wer_whisper-basic", {"recipe": "whisper-basic"})
    named = ScoreSpec("wer", "wer", {"normalizer": "whisper-basic"})
    assert with_defaults((named,), "", "", "de") == (named,)


def test_another_score_of_that_id_is_refused() -> None:
    own = ScoreSpec("wer", "wer_whisper-en", {"recipe": "raw"})
    with pytest.raises(UserError, match="score 'wer_whisper-en' is given twice"):
        with_defaults((WER, own), "", "")


def test_scores_of_one_id_and_defaults_that_are_there_already() -> None:
    with pytest.raises(UserError) as raised:
        with_defaults((WER, ScoreSpec("wer", "wer", {"normalizer": "raw"})), "", "")
    assert str(raised.value) == "score 'wer' is given twice; give one of them another id: wer=ID:…"
    assert with_defaults((WER, WER), "", "") == (WER, WHISPER_ENGLISH)
    bare = ScoreSpec("self_wer", "self_wer")
    assert with_defaults((bare, bare), "ears", "") == (replace(bare, options={"transcriber": "ears"}),)
    own = ScoreSpec("spoken_accuracy", "spoken", {"transcriber": "own"})
    second = ScoreSpec("spoken_accuracy", "second", {"transcriber": "other"})
    text, gap = ScoreSpec("text_accuracy", "text"), ScoreSpec("spoken_gap", "gap", {"transcriber": "x"})
    agreement = ScoreSpec("oracle_agreement", "same", {"oracle": "x"})
    assert with_defaults((own, second, text), "ears", "")[-1] == ScoreSpec(
        "spoken_gap", "spoken_gap", {"transcriber": "own"}
    )
    assert with_defaults((own, text, gap, agreement), "ears", "slow") == (own, text, gap, agreement)
    assert with_defaults((own,), "ears", "") == (own,)
    assert with_defaults((text,), "ears", "") == (text,)


def test_added_scores_go_where_a_score_of_their_scorer_is_or_everywhere(caplog: pytest.LogCaptureFixture) -> None:
    raw, spoken = ScoreSpec("wer", "raw", {"recipe": "raw"}), ScoreSpec("self_wer", "self_wer")
    assert added((raw,), (WER,), {"wer", "cer"}, "t", "asr") == (raw,)
    assert added((raw,), (CER,), {"wer", "cer"}, "t", "asr") == ()
    assert added((raw,), (CER,), {"cer"}, "t", "asr") == (raw,)
    assert added((spoken,), (CER,), {"cer"}, "t", "qa") == (spoken,)
    assert added((spoken,), (spoken,), {"self_wer"}, "t", "asr") == (spoken,)
    assert not caplog.messages


@pytest.mark.parametrize("family", ["asr", "captioning"])
def test_scores_of_spoken_answers_are_not_added_where_answers_are_written(
    family: str, caplog: pytest.LogCaptureFixture
) -> None:
    spoken = ScoreSpec("self_wer", "self_wer")
    assert added((spoken,), (WER,), {"wer"}, "notes", family) == ()
    assert caplog.messages == ["self_wer on notes: left out, as answers to that task are written, not spoken."]


def test_scores_by_a_judge_take_the_run_s_unless_they_name_one() -> None:
    judge = {"judge": "openai_chat:m", "served_as": "n"}
    own = ScoreSpec("answer", "own", {"judge": "openai_chat:o"})
    answer, graded = ScoreSpec("answer", "answer"), ScoreSpec("answer", "graded", {"recipe": "uro-open"})
    spoken = ScoreSpec("spoken_answer", "spoken", {"recipe": "uro-open"})
    found = with_defaults((answer, own, WER), "", "", "", judge)
    assert found[:2] == (replace(answer, options=judge), own)
    # A gap stands between scores of one recipe.
    assert with_defaults((answer, spoken), "", "", "", judge)[-1].scorer == "spoken_answer"
    gap = with_defaults((answer, graded, spoken), "", "", "", judge)[-1]
    assert (gap.id, gap.options) == ("answer_gap_uro-open", {**judge, "recipe": "uro-open"})


@pytest.mark.parametrize(
    ("spoken", "has_gap"),
    [
        ({"judge": "openai_chat:a"}, True),
        ({"judge": "openai_chat:a", "recipe": "judge-binary", "concurrency": "16"}, True),
        ({"judge": "openai_chat:b"}, False),
        ({"judge": "openai_chat:a", "recipe": "judge-1-5"}, False),
        ({"judge": "openai_chat:a", "votes": "3"}, False),
    ],
)
def test_a_judged_gap_is_of_one_judge(spoken: dict[str, str], has_gap: bool) -> None:
    both = (ScoreSpec("answer", "w", {"judge": "openai_chat:a"}), ScoreSpec("spoken_answer", "s", spoken))
    found = {one.id: one.options for one in with_defaults(both, "whisper:base", "")}
    assert ("answer_gap" in found) == has_gap
    if has_gap:
        assert found["answer_gap"] == {**spoken, "transcriber": "whisper:base"}


def test_a_judge_that_is_asked_for_once_more_is_asked_in_the_new_way_by_all_of_its_scores() -> None:
    judge, other = {"judge": "openai_chat:m"}, {"judge": "openai_chat:other", "concurrency": "2"}
    old = {**judge, "base_url": "http://a/v1", "concurrency": "2"}
    had = (
        ScoreSpec("answer", "answer", {**old, "votes": "3"}),
        ScoreSpec("answer_gap", "answer_gap", {**old, "transcriber": "whisper:base"}),
        ScoreSpec("answer", "theirs", other),
        ScoreSpec("wer", "wer"),
    )
    now = with_new_ways(had, [ScoreSpec("answer", "x", {**judge, "retries": "9"}), ScoreSpec("wer", "wer")])
    assert [one.id for one in now] == ["answer", "answer_gap", "theirs", "wer"]
    assert [one.options for one in now] == [
        {**judge, "votes": "3", "retries": "9"},
        {**judge, "transcriber": "whisper:base", "retries": "9"},
        other,
        {},
    ]
    assert with_new_ways(had, [ScoreSpec("answer", "y", {"recipe": "judge-1-5"})]) == had


def test_a_score_keeps_the_id_that_was_made_of_all_its_options() -> None:
    had = [ScoreSpec("answer", "answer_openai_chat-m_16", {"judge": "openai_chat:m", "concurrency": "16"})]
    asked = parse_score("answer:judge=openai_chat:m,concurrency=4")
    assert asked.id == "answer_openai_chat-m"
    assert as_known([asked], had) == (replace(asked, id="answer_openai_chat-m_16"),)
    # Not one of other options, nor one whose id somebody gave.
    for spec in (parse_score("answer:judge=openai_chat:n"), parse_score("answer=own:judge=openai_chat:m")):
        assert as_known([spec], had) == (spec,)
    named = [ScoreSpec("answer", "own", {"judge": "openai_chat:m", "concurrency": "16"})]
    assert as_known([asked], named) == (asked,)
