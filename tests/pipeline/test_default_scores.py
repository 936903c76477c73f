"""What stands beside the scores that a task asks for, by the language of its answers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tttbench.core.errors import UserError
from tttbench.core.scorer import ScoreSpec
from tttbench.core.scores import parse_score
from tttbench.pipeline.default_scores import (
    WHISPER_BASIC,
    WHISPER_BASIC_BY_CHARACTER,
    WHISPER_ENGLISH,
    added,
    as_known,
    by_language,
    known_ways,
    ways_of,
    with_defaults,
    with_ways,
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


@pytest.mark.parametrize("language", ["ja", "th-TH", "lo", "my", "km", "bo", "zh", "yue-HK"])
def test_where_no_spaces_are_written_words_are_counted_by_character_under_another_id(language: str) -> None:
    raw = ScoreSpec("wer", "wer_raw", {"recipe": "raw"})
    mine = ScoreSpec("wer", "mine", {"recipe": "whisper-basic"})
    found = with_defaults(by_language((WER, CER, raw, mine), language), "", "", language)
    by_character = {"units": "characters"}
    assert found == (
        ScoreSpec("wer", "wer_characters", {**by_character, "normalizer": "basic"}),
        WHISPER_BASIC_BY_CHARACTER,
        ScoreSpec("cer", "cer", {"normalizer": "basic"}),
        ScoreSpec("wer", "wer_raw_characters", {"recipe": "raw", **by_character}),
        ScoreSpec("wer", "mine", {"recipe": "whisper-basic", **by_character}),
    )
    assert WHISPER_BASIC_BY_CHARACTER.id == "wer_whisper-basic_characters"


def test_units_are_those_of_white_space_elsewhere_and_where_they_are_asked_for() -> None:
    own = (WER, ScoreSpec("wer_mean", "wer_mean"), ScoreSpec("self_wer", "self_wer"))
    for language in ("", "en", "de", "ko", "vi", "und"):
        assert by_language(own, language) == own
    asked = (ScoreSpec("wer", "wer_words", {"units": "words"}),)
    assert by_language(asked, "ja") == asked
    # Its normalizer puts spaces between characters.
    published = (ScoreSpec("wer", "wer_seed-tts-zh", {"recipe": "seed-tts-zh"}), ScoreSpec("cer_zh", "cer_zh"))
    assert by_language(published, "zh") == published


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


def test_a_judge_that_is_asked_for_once_more_is_asked_in_the_new_way_and_else_as_before() -> None:
    judge, other = {"judge": "openai_chat:m"}, {"judge": "openai_chat:other", "concurrency": "2"}
    old = {**judge, "base_url": "http://a/v1", "key_env": "MY_KEY", "concurrency": "2"}
    had = (
        ScoreSpec("answer", "answer", {**old, "votes": "3"}),
        ScoreSpec("conversation", "conversation", old),
        ScoreSpec("answer_gap", "answer_gap", {**old, "transcriber": "whisper:base"}),
        ScoreSpec("answer", "theirs", other),
        ScoreSpec("wer", "wer"),
    )
    given = ways_of([ScoreSpec("answer", "x", {**judge, "retries": "9", "concurrency": "4"}), WER], "--add")
    now = {**old, "retries": "9", "concurrency": "4"}
    assert [(one.id, one.options) for one in with_ways(had, given)] == [
        ("answer", {**now, "votes": "3"}),
        ("conversation", now),
        ("answer_gap", {**now, "transcriber": "whisper:base"}),
        ("theirs", other),
        ("wer", {}),
    ]
    assert with_ways(had, ways_of([ScoreSpec("answer", "y", {"recipe": "judge-1-5"})], "--add")) == had
    # A new score by a judge that is known is asked for where that judge is.
    (new,) = with_ways([ScoreSpec("answer", "n", {**judge, "votes": "5"})], given, known_ways(had))
    assert new.options == {**now, "votes": "5"}


def test_two_scores_by_one_judge_give_what_either_says_and_must_not_contradict_each_other() -> None:
    judge = {"judge": "openai_chat:m"}
    one = ScoreSpec("answer", "a", {**judge, "base_url": "http://a/v1", "votes": "3"})
    other = ScoreSpec("spoken_conversation", "c", {**judge, "concurrency": "2"})
    assert ways_of([one, other, one], "--add") == {
        "openai_chat:m": {"base_url": "http://a/v1", "concurrency": "2"},
    }
    another = ScoreSpec("answer", "b", {**judge, "base_url": "http://b/v1"})
    with pytest.raises(UserError) as raised:
        ways_of([one, another], "--add, --judge")
    assert str(raised.value) == (
        "--add, --judge: openai_chat:m: option base_url is given as http://a/v1 and as http://b/v1; give one of them, "
        "as a judge is asked in one way."
    )


@pytest.mark.parametrize("scorer", ["answer", "conversation", "spoken_conversation", "clair_a"])
def test_a_score_that_says_nothing_of_how_a_judge_is_asked_takes_nothing_from_others(scorer: str) -> None:
    had = (ScoreSpec("answer", "a", {"judge": "openai_chat:m", "base_url": "http://a/v1"}),)
    assert with_ways(had, ways_of([ScoreSpec(scorer, "x", {"judge": "openai_chat:m"})], "--add")) == had


def test_options_of_a_scorer_that_declares_none_of_them_operational_stay_its_own() -> None:
    # The transcriber of a score is part of what it is, whatever it is called.
    odd = ScoreSpec("self_wer", "odd", {"judge": "openai_chat:m", "base_url": "http://b/v1"})
    had = (ScoreSpec("answer", "a", {"judge": "openai_chat:m", "base_url": "http://a/v1"}),)
    assert ways_of([odd], "--add") == {}
    assert with_ways((*had, odd), {"openai_chat:m": {"base_url": "http://c/v1"}})[1] == odd


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


EARS = {"transcriber": "whisper:base"}
SPOKEN_16 = ScoreSpec(
    "spoken_answer", "spoken_answer_openai_chat-m_16", {"judge": "openai_chat:m", "concurrency": "16"}
)


def test_a_spoken_score_keeps_it_beside_the_transcriber_that_was_filled_in() -> None:
    had = [replace(SPOKEN_16, options={**SPOKEN_16.options, **EARS})]
    asked = parse_score("spoken_answer:judge=openai_chat:m,concurrency=4")
    assert asked.id == "spoken_answer_openai_chat-m"
    kept = replace(asked, id=SPOKEN_16.id)
    assert as_known([asked], had) == (kept,)
    # So when it is resumed, where the transcriber is filled in before.
    filled = replace(asked, options={**asked.options, **EARS})
    assert as_known([filled], had) == (replace(filled, id=SPOKEN_16.id),)
    # And when the transcriber was named, or is now.
    named = parse_score("spoken_answer:judge=openai_chat:m,transcriber=whisper:base")
    assert as_known([named], had) == (replace(named, id=SPOKEN_16.id),)
    of_all = [replace(had[0], id="spoken_answer_openai_chat-m_16_whisper-base")]
    assert as_known([named], of_all) == (replace(named, id=of_all[0].id),)
    # By another transcriber it is another score.
    other = parse_score("spoken_answer:judge=openai_chat:m,transcriber=whisper:tiny")
    assert as_known([other, asked], of_all) == (other, asked)


def test_a_former_id_is_known_after_the_judge_was_asked_in_another_way() -> None:
    had = (replace(SPOKEN_16, options={**SPOKEN_16.options, **EARS}),)
    again = parse_score("spoken_answer:judge=openai_chat:m,retries=9,concurrency=4")
    now = with_ways(had, ways_of([again], "--add"))
    assert now[0].options == {"judge": "openai_chat:m", **EARS, "concurrency": "4", "retries": "9"}
    assert as_known([again], now) == (replace(again, id=SPOKEN_16.id),)
