"""The settings of a judge: read from a score's options, written as a deriver's name, read back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttbench.core.declared import operational_options
from tttbench.core.errors import UserError
from tttbench.core.judging import OPTIONS, SCALES, JudgeSettings, deriver_title
from tttbench.core.plugins import build_scorer, scorers
from tttbench.core.scores import parse_score
from tttbench.derive.judge.prompts import FOLDER, load_prompt

JUDGE = "openai_chat:org/Model-7B:free"


def of(**options: str) -> JudgeSettings:
    return JudgeSettings.of("answer", {"judge": JUDGE, **options})


def test_defaults_and_the_name() -> None:
    plain = of()
    assert (plain.model, plain.prompt, plain.votes, plain.temperature) == ("org/Model-7B:free", "judge-binary", 1, 0)
    assert plain.deriver == f"judge:{JUDGE}?prompt=judge-binary"
    voted = of(votes="3", recipe="judge-1-5", base_url="http://127.0.0.1:1/v1")
    assert voted.temperature == 0.5
    assert voted.deriver == (f"judge:{JUDGE}?prompt=judge-1-5&votes=3&temperature=0.5&base_url=http://127.0.0.1:1/v1")


def test_people_are_shown_what_a_judge_is_asked_for_and_not_how_it_is_reached() -> None:
    assert (
        deriver_title(of(base_url="http://127.0.0.1:1/v1", concurrency="9").deriver) == f"judge {JUDGE} (judge-binary)"
    )
    voted = of(votes="3", recipe="judge-1-5", top_p="0.95")
    assert deriver_title(voted.deriver) == f"judge {JUDGE} (judge-1-5, 3 votes, temperature 0.5, top_p 0.95)"
    assert deriver_title("transcriber:whisper:tiny.en") == "transcriber:whisper:tiny.en"


@given(
    st.sampled_from(sorted(SCALES)),
    st.integers(0, 20).map(lambda half: 2 * half + 1),
    st.floats(0.01, 2),
    st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=20),
    st.floats(0, 1e6),
)
def test_a_name_is_read_back_as_it_was(prompt: str, votes: int, temperature: float, served: str, price: float) -> None:
    made = of(recipe=prompt, votes=str(votes), temperature=str(temperature), served_as=served, price_in=str(price))
    assert JudgeSettings.of_deriver(made.deriver.removeprefix("judge:")) == made


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"judge": ""}, "answer: needs a judge, as in answer:judge=openai_chat:MODEL"),
        ({"judge": "openai_chat:"}, "The model's name is missing"),
        ({"judge": "gpt-4o"}, "must be openai_chat:MODEL"),
        ({"recipe": "judge-1-6"}, "there is no such prompt. Did you mean"),
        ({"votes": "2"}, "must be odd with judge-binary"),
        ({"votes": "0"}, "a whole number from 1 to 99"),
        ({"votes": "3.0"}, "a whole number from 1 to 99"),
        ({"votes": "9" * 5000}, "a whole number from 1 to 99"),
        ({"votes": "3", "temperature": "0"}, "would be one reply 3 times over"),
        ({"temperature": "nan"}, "a number from 0 to 2"),
        ({"temperature": "hot"}, "a number from 0 to 2"),
        ({"timeout_s": "inf"}, "a number from 0.1"),
        ({"base_url": "127.0.0.1:80"}, "must be http://HOST:PORT/v1"),
        ({"base_url": "http://me:secret@host/v1"}, "must be http://HOST:PORT/v1 without user"),
        ({"base_url": "http://[broken/v1"}, "must be http://HOST:PORT/v1"),
        ({"key_env": "sk-1234"}, "must be the name of an environment variable"),
    ],
)
def test_what_is_wrong_is_named(options: dict[str, str], why: str) -> None:
    with pytest.raises(UserError, match=why.replace("(", r"\(")) as raised:
        of(**options)
    assert "secret" not in str(raised.value)
    assert "1234" not in str(raised.value)


@pytest.mark.parametrize("name", SCALES)
def test_every_prompt_is_there_and_says_what_its_reply_must_be(name: str) -> None:
    prompt = load_prompt(name)
    assert prompt.version >= 1
    assert f'{{"{prompt.key}": ' in prompt.system
    assert len(prompt.sha256) == 64
    properties = prompt.schema["properties"]
    assert isinstance(properties, dict)
    assert set(properties) == {prompt.key}


OTHERS = {
    "base_url": "http://127.0.0.1:1/v1",
    "key_env": "MY_KEY",
    "recipe": "judge-1-5",
    "served_as": "other",
    "timeout_s": "7",
}
"""Values of options that aren't numbers of one to nine, none of them the default."""

JUDGED = [name for name in scorers.names() if "judge" in scorers.get(name).options]


def test_scorers_by_a_judge_are_known() -> None:
    assert {"answer", "spoken_answer", "answer_gap", "clair_a", "conversation", "spoken_conversation"} <= set(JUDGED)


@pytest.mark.parametrize("scorer", JUDGED)
@pytest.mark.parametrize("name", [one for one in OPTIONS if one != "judge"])
def test_what_changes_no_recipe_is_operational_and_in_no_id(scorer: str, name: str) -> None:
    if name not in scorers.get(scorer).options:
        return
    given = {"judge": JUDGE, "votes": "3", name: OTHERS.get(name, "1" if name in ("temperature", "votes") else "0.5")}
    if name in ("retries", "concurrency", "max_tokens"):
        given[name] = "9"
    if name == "recipe" and "conversation" in scorer:
        given[name] = "judge-speaker-1-5"
    before = parse_score(f"{scorer}:judge={JUDGE},votes=3")
    after = parse_score(f"{scorer}:{','.join(f'{key}={value}' for key, value in given.items())}")
    ears = {"transcriber": "ears"} if "transcriber" in scorers.get(scorer).options else {}
    one, other = (build_scorer(replace(spec, options={**spec.options, **ears})).recipe({}) for spec in (before, after))
    is_operational = name in operational_options(scorer)
    assert JudgeSettings.of("answer", before.options) != JudgeSettings.of("answer", after.options)
    assert (one == other) == is_operational
    assert (before.id == after.id) == is_operational


def test_no_prompt_is_without_a_scale() -> None:
    assert {path.stem for path in FOLDER.glob("*.toml")} == set(SCALES)
