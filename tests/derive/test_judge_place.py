"""Keys and addresses of judges: what no request can carry or no run may keep is refused, and never printed."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("openai", reason="needs the extra judge")

from tttbench.client.place import without_key
from tttbench.core.errors import UserError

from .judge_server import KEY, Script
from .judges import judge, settings


@pytest.mark.parametrize(
    "key", ["sk-secret\r", "sk-secret\n", "sk-secret ", "sk-sécret", "sk-sec ret", "\u201csk-secret\u201d"]
)
def test_a_key_that_no_request_can_carry_is_refused_before_anything_is_sent_and_not_printed(
    script: Script, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(UserError, match="OPENAI_API_KEY holds a line end, a space or a character") as caught:
        judge()
    assert "sk-s" not in str(caught.value)
    assert (script.keys, script.trials) == ([], [])
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_ORG_ID", key)
    with pytest.raises(UserError, match="OPENAI_ORG_ID holds a line end"):
        judge()


def test_a_key_is_left_out_of_messages_in_whatever_form(script: Script) -> None:
    key = "sk'ab\"c\\d/e"
    for said in (key, repr(key), json.dumps(key), repr(key.encode())):
        assert "c" not in without_key(said, key)


@pytest.mark.parametrize(
    "url",
    ["http://me:hunter2@HOST/v1", "http://HOST/v1?key=hunter2", "http://hunter2@HOST/v1", "http://HOST/v1#hunter2"],
)
def test_an_address_with_a_secret_is_refused_wherever_it_comes_from(
    script: Script, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", url.replace("HOST", script.url.split("/")[2]))
    with pytest.raises(UserError, match="OPENAI_BASE_URL: must be http://HOST:PORT/v1 without user") as caught:
        judge()
    with pytest.raises(UserError, match="answer:base_url: must be http://HOST:PORT/v1 without user") as option:
        settings(base_url=url)
    assert "hunter2" not in f"{caught.value} {option.value}"


@pytest.mark.parametrize("key", ["gsk_abc123", "hf_AbCd", "AIzaSyA1", "sk_live_1", "sk-proj-1", "xai-ABC"])
def test_a_key_in_the_place_of_a_variables_name_is_refused_and_not_printed(key: str) -> None:
    with pytest.raises(UserError, match="answer:key_env: must be the name of an environment variable") as caught:
        settings(key_env=key)
    assert key not in str(caught.value)


def test_a_key_that_could_be_a_variables_name_is_not_printed_either(script: Script) -> None:
    with pytest.raises(UserError, match="key_env: no environment variable of that name is set") as caught:
        judge(key_env="AKIA0123456789")
    assert "AKIA" not in str(caught.value)
