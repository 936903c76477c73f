"""Keys, tokens and passwords stay out of messages and out of what a run keeps."""

from __future__ import annotations

import pytest

from tttbench.cli.main import build_parser
from tttbench.config.suite import SystemPlan
from tttbench.core.checked import checked_card
from tttbench.core.errors import UserError
from tttbench.core.json_values import JsonObject
from tttbench.core.judging import judge_options
from tttbench.core.plugins import build_scorer
from tttbench.core.scorer import ScoreSpec
from tttbench.core.scores import parse_score, scores_from
from tttbench.core.secrets import masked, speaks_of_a_secret, without_secrets
from tttbench.core.system import SystemCard
from tttbench.pipeline.plan import check_label

KEY = "sk-proj-0123456789abcdef"
PLAIN = "Hunter2"
"""A secret that looks like any other word."""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"api_key={PLAIN}, votes=3", "api_key=…, votes=3"),
        (f"judge openai_chat:m?key_env={PLAIN}", "judge openai_chat:m?key_env=…"),
        (f"HF_TOKEN = '{PLAIN}' was given", "HF_TOKEN = '…' was given"),
        (f"--api-key {PLAIN} --json", "--api-key … --json"),
        (f"http://me:{PLAIN}@host/v1?token={PLAIN}", "http://…@host/v1?token=…"),
        (f"'{KEY}' is no model", "'…' is no model"),
        (f"Authorization: Bearer {PLAIN}{PLAIN}", "Authorization: Bearer …"),
        # No secrets: counts, other words, what a shell fills in.
        ("max_tokens=77, tokens_in=3, monkey=5", "max_tokens=77, tokens_in=3, monkey=5"),
        ("export API_KEY=$(tr -d ' ' < FILE)", "export API_KEY=$(tr -d ' ' < FILE)"),
        ("set OPENAI_API_KEY to a key of OpenAI's; key_env: must be a name", None),
        ("whisper:tiny.en, zh-Hans, sk-SK, hf_hub", None),
    ],
)
def test_what_is_masked_and_what_is_not(text: str, shown: str | None) -> None:
    assert masked(text) == (text if shown is None else shown)
    assert str(UserError(text)) == masked(text)


def test_the_name_of_a_variable_stays_in_a_command_that_is_repeated() -> None:
    assert masked("openai_chat:m,key_env=MY_KEY", keep_variables=True) == "openai_chat:m,key_env=MY_KEY"
    assert masked(f"openai_chat:m,key_env={KEY}", keep_variables=True) == "openai_chat:m,key_env=…"


@pytest.mark.parametrize("name", ["key", "api_key", "apiKey", "hf-token", "client_secret", "PASSWORD", "auth"])
def test_names_that_speak_of_a_secret(name: str) -> None:
    assert speaks_of_a_secret(name)


@pytest.mark.parametrize("name", ["key_env", "max_tokens", "monkey", "tokens", "keyboard", "author", "votes", ""])
def test_names_that_do_not(name: str) -> None:
    assert not speaks_of_a_secret(name)


@pytest.mark.parametrize(
    "text",
    [
        f"answer:judge=openai_chat:m,key_env {PLAIN}",
        f"answer:judge=openai_chat:m,{PLAIN}",
        f"answer:{PLAIN}",
        f"answer:key_env={PLAIN},votes",
        f"answer:key_env={PLAIN},key_env={PLAIN}",
        f"answer:api_key={PLAIN}",
        f"answer:judge=openai_chat:m,base_url=http://me:{PLAIN}@h/v1,x",
        f"answer=a b:password={PLAIN}",
        KEY,
        f"answer:judge={KEY}",
        f"answer:judge=openai_chat:m,votes={KEY}",
        f"answer:judge=openai_chat:m,{KEY}=3",
        f"answer:judge=openai_chat:m,key_env={PLAIN}",
        f"wer:recipe={KEY}",
    ],
)
def test_a_score_that_is_invalid_repeats_no_secret(text: str) -> None:
    with pytest.raises(UserError) as raised:
        build_scorer(parse_score(text, "--add"))
    assert PLAIN not in str(raised.value)
    assert KEY not in str(raised.value)


@pytest.mark.parametrize(
    "text",
    [
        f"openai_chat:m,key_env {PLAIN}",
        f"openai_chat:m,{PLAIN}",
        f"openai_chat:m,api_key={PLAIN}",
        f"openai_chat:m,key_env={PLAIN}",
        f"openai_chat:m,key_env={PLAIN},votes",
        KEY,
    ],
)
def test_nor_does_a_judge_that_is_invalid(text: str) -> None:
    with pytest.raises(UserError) as raised:
        judge_options(text, "--judge")
    assert PLAIN not in str(raised.value)
    assert KEY not in str(raised.value)


def test_no_key_is_an_option_of_a_score() -> None:
    for given in ({"scorer": "answer", "api_key": PLAIN}, f"answer:api_key={PLAIN}"):
        with pytest.raises(UserError, match=r"s\[0\]: answer: option api_key: runs keep options, so no key can be one"):
            scores_from([given], "s")


def test_no_score_s_id_is_made_of_the_name_of_a_key() -> None:
    assert parse_score("answer:judge=openai_chat:m,key_env=MY_KEY").id == "answer_openai_chat-m"


def test_what_a_run_keeps_of_settings_and_cards_holds_no_secret() -> None:
    settings: JsonObject = {
        "api_key": PLAIN,
        "key_env": "MY_KEY",
        "nested": [{"password": PLAIN, "steps": 4}],
        "token": 5,
    }
    kept = without_secrets(settings)
    assert kept == {"api_key": "…", "key_env": "MY_KEY", "nested": [{"password": "…", "steps": 4}], "token": 5}
    plain: JsonObject = {"steps": 4, "nested": {"a": ["b"]}}
    assert without_secrets(plain) is plain
    card = checked_card(SystemCard("x", settings={"api_key": PLAIN}, identity={"token": PLAIN}, details={"pwd": PLAIN}))
    assert PLAIN not in repr(card)


def test_a_label_with_a_key_in_it_is_refused() -> None:
    with pytest.raises(UserError, match="its label, which tables and runs show, holds a key") as raised:
        check_label(SystemPlan("x", called=f"x@par:api_key={PLAIN}"))
    assert PLAIN not in str(raised.value)
    check_label(SystemPlan("x", called="x@par:key_env=MY_KEY,steps=4"))


def test_a_word_of_the_command_line_that_is_not_taken_is_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        build_parser().parse_args(["run", "--api-key", KEY])
    assert KEY not in capsys.readouterr().err


def test_a_specs_own_id_is_no_place_for_a_key() -> None:
    with pytest.raises(UserError) as raised:
        parse_score(f"answer={KEY} x:votes=3")
    assert KEY not in str(raised.value)
    assert ScoreSpec("answer", "a").options == {}
