"""Keys, tokens and passwords stay out of messages and out of what a run keeps."""

from __future__ import annotations

import random
import re
import string
from pathlib import Path

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
        ("mask_token=<m>, pad_token=<p>, --sort-key id, Content-Type: audio", None),
        ("decode: {'mask_token': '<m>', 'n_keys': 5, 'max_tokens': '9'}", None),
        ("answer: option api_key: runs keep options; x-ray: no, 'key': the option 'key'", None),
        # Mappings as Python and JSON write them, and headers of requests.
        (f"the run has {{'api_key': '{PLAIN}', 'votes': 3}}", "the run has {'api_key': '…', 'votes': 3}"),
        (f'{{"steps": 4, "apiKey" : "{PLAIN} \\" {PLAIN}"}}', '{"steps": 4, "apiKey" : "…"}'),
        (f'"{{\\"password\\": \\"{PLAIN}\\"}}"', '"{\\"password\\": \\"…\\"}"'),
        (f"{{'key_env': '{PLAIN}'}}", "{'key_env': '…'}"),
        (f"{{'headers': {{'Authorization': 'Bearer {PLAIN}'}}}}", "{'headers': {'Authorization': '…'}}"),
        (f"X-Api-Key: {PLAIN}, Accept: text/plain", "X-Api-Key: …, Accept: text/plain"),
        (f"authorization: Basic {PLAIN}", "authorization: Basic …"),
        (f"api-key: {PLAIN}", "api-key: …"),
    ],
)
def test_what_is_masked_and_what_is_not(text: str, shown: str | None) -> None:
    assert masked(text) == (text if shown is None else shown)
    assert str(UserError(text)) == masked(text)


def test_the_name_of_a_variable_stays_in_a_command_that_is_repeated() -> None:
    assert masked("openai_chat:m,key_env=MY_KEY", keep_variables=True) == "openai_chat:m,key_env=MY_KEY"
    assert masked(f"openai_chat:m,key_env={KEY}", keep_variables=True) == "openai_chat:m,key_env=…"


REAL = [
    "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",
    "hf_k3XqP9vLw2ZrT7bNyM5cJd8FhG4sAu6EoV",
    "sk-k3XqP9vLw2ZrT7bNyM5cJd8FhG4sAu6EoVQ1iRxWtC0zBpKm",
    "sk-proj-Ab3_dE5fG7-hI9jK1lM3nO5pQ7rS9tU1vW3xY5z_A7bC9dE1fG3hI5jK7",
    "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",
    "ghp_k3XqP9vLw2ZrT7bNyM5cJd8FhG4sAu6EoVQ1",
    "gho_k3XqP9vLw2ZrT7bNyM5cJd8FhG4sAu6EoVQ1",
]
"""What keys look like; made up."""

NAMES = [
    "ttt:/models/hf_checkpoint_12000",
    "runs/hf_eval_2026_11_30",
    "/data/hf_librispeech_asr",
    "hf-internal-testing/tiny-random-WhisperForConditionalGeneration",
    "hf_Qwen2Audio7BInstruct_lr3e4_bs16_step12000",
    "hf_Qwen2Audio7BInstruct",
    "sk-learn-baseline-2026",
    "sk_eval_of_spoken_questions_3",
    "xai-grok-2-vision-1212",
    "rk_4_solver_adaptive_steps_100",
    "pk_run_20261130T235959Z_rank0",
]


@pytest.mark.parametrize("key", REAL)
@pytest.mark.parametrize("text", ["{}", "ttt:{}", "no such model: '{}'.", "/data/{}/x", "wer:recipe={},votes=3"])
def test_keys_are_known_by_what_they_look_like(key: str, text: str) -> None:
    assert masked(text.format(key)) == text.format("…")


@pytest.mark.parametrize("name", NAMES)
def test_names_that_begin_like_keys_are_none(name: str) -> None:
    assert masked(name, keep_variables=True) == name
    assert str(UserError(f"{name}: no such folder.")) == f"{name}: no such folder."
    check_label(SystemPlan(name))


def test_keys_drawn_at_random_are_hidden_and_words_in_camel_case_are_not() -> None:
    draw, letters = random.Random(3), string.ascii_letters
    shown = 0
    for alphabet, length in ((letters, 34), (letters + string.digits, 34), ("0123456789abcdef", 32)):
        keys = ["hf_" + "".join(draw.choices(alphabet, k=length)) for _ in range(500)]
        shown += sum(masked(key) == key for key in keys)
    assert shown <= 15  # 1 %
    words = [part for name in NAMES for part in re.findall("[A-Za-z]{4,}", name)]
    for _ in range(500):
        name = "hf_" + "".join(one.capitalize() for one in draw.choices(words, k=6)) + str(draw.randrange(100_000))
        assert masked(name) == name


def test_what_is_there_is_a_path_and_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for key in REAL:
        folder = tmp_path / "a b" / key
        folder.mkdir(parents=True)
        (tmp_path / key).mkdir()
        shown = [
            str(folder),
            f"ttt:{folder}",
            f"{key}/",
            f"--data=asr_folder={key}",
            f"ttt:{tmp_path}/{key}@par:steps=4",
        ]
        for word in shown:
            assert masked(word, keep_variables=True) == word
        assert str(UserError(f"{tmp_path}/{key}: is empty.")) == f"{tmp_path}/{key}: is empty."
        check_label(SystemPlan(f"ttt:{tmp_path}/{key}"))
        # A secret is one by its name all the same.
        assert masked(f"--api-key {key} api_key={key}") == "--api-key … api_key=…"


@pytest.mark.parametrize(
    "name",
    [
        *(
            "key",
            "token",
            "api_key",
            "apiKey",
            "apikey",
            "hf-token",
            "client_secret",
            "PASSWORD",
            "auth",
            "Authorization",
        ),
        *("OPENAI_API_KEY", "ACME_TOKEN", "accessToken", "bearer_token", "X-Api-Key", "openai_key", "private key"),
    ],
)
def test_names_that_speak_of_a_secret(name: str) -> None:
    assert speaks_of_a_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        *("key_env", "max_tokens", "monkey", "tokens", "keyboard", "author", "votes", "", "…"),
        *("mask_token", "pad_token", "PAD_TOKEN", "maskToken", "n_keys", "sort_key", "audio_token", "user_token"),
    ],
)
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


def test_two_cards_that_differ_in_a_special_token_are_not_the_same() -> None:
    one, other = (checked_card(SystemCard("x", settings={"mask_token": text})) for text in ("<m>", "<mask>"))
    assert one.settings == {"mask_token": "<m>"}
    assert one.digest != other.digest


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
