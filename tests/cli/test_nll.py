"""``tttbench nll``: its table and JSON, on the shipped models; what cannot be measured is named."""

from __future__ import annotations

import json

import pytest

from tttbench.cli import main as cli


def test_the_shipped_models_are_measured_and_the_last_line_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["nll", "--limit", "3", "--maskings", "4"]) == 0
    lines = capsys.readouterr().out.splitlines()
    found = json.loads(lines[-1])["results"]
    assert [(one["system"], one["objective"]) for one in found] == [
        ("ttt:mini", "hybrid"),
        ("ttt:mini-ar", "ar"),
        ("ttt:mini-nar", "nar"),
    ]
    assert [one["audio"]["exact"] for one in found] == [False, True, False]
    assert [one["text"]["exact"] for one in found] == [True, True, False]
    # All three saw the same answers: the same tokens, and far fewer bits than log2 of the vocabulary.
    assert len({(one["n"], one["text"]["n_tokens"], one["audio"]["n_tokens"]) for one in found}) == 1
    assert all(0 < one["audio"]["value"]["estimate"] < 9 for one in found)
    assert lines[1].split()[0] == "ttt:mini"
    assert "≤" in lines[1]
    assert "≤" not in lines[2]


def test_where_nothing_is_spoken_only_text_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["nll", "ttt:mini", "--task", "mini_asr", "--limit", "2"]) == 0
    (found,) = json.loads(capsys.readouterr().out.splitlines()[-1])["results"]
    assert found["audio"] is None
    assert found["text"]["n_tokens"] > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["whisper:tiny.en"], "whisper:tiny.en: tells no likelihoods. Give systems that do, e.g. ttt:mini"),
        (["ttt:minni"], "Did you mean 'ttt:mini'"),
        (["--maskings", "1"], "--maskings 1: a standard error needs at least 2"),
        (["--seed", "-1"], "--seed -1: must be 0 or more"),
        (["--task", "mini_qaa"], "mini_qa"),
    ],
)
def test_what_cannot_be_measured_is_named(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["nll", *arguments]) == 2
    assert message in capsys.readouterr().err
