"""Thresholds from TOML: what is read, what holds for what, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tttbench.core.errors import UserError
from tttbench.gate.rules import QualityRule, Rules, SpeedRule, read_rules


def write(folder: Path, text: str) -> Path:
    path = folder / "gate.toml"
    path.write_text(text)
    return path


def test_an_empty_file_leaves_the_defaults(tmp_path: Path) -> None:
    assert read_rules(write(tmp_path, "")) == Rules()


def test_the_most_particular_section_holds(tmp_path: Path) -> None:
    rules = read_rules(
        write(
            tmp_path,
            """
            alpha = 0.1
            [quality]
            worse_by_more_than = 0.02
            [quality.wer]
            gates = true
            worse_by_more_than = 0.03
            [quality.mini_asr.wer]
            worse_by_more_than = 0.04
            must_be_ok = true
            """,
        )
    )
    assert rules.alpha == 0.1
    assert rules.of_metric("mini_qa", "text_accuracy", is_headline=True) == QualityRule(True, 0.02, False)
    assert rules.of_metric("mini_asr_noisy", "wer", is_headline=False) == QualityRule(True, 0.03, False)
    assert rules.of_metric("mini_asr", "wer", is_headline=False) == QualityRule(True, 0.04, True)


def test_headline_metrics_gate_unless_told_otherwise(tmp_path: Path) -> None:
    assert Rules().of_metric("t", "wer", is_headline=True).gates is True
    assert Rules().of_metric("t", "cer", is_headline=False).gates is False
    rules = read_rules(write(tmp_path, "[quality]\ngates = false"))
    assert rules.of_metric("t", "wer", is_headline=True).gates is False


def test_speed(tmp_path: Path) -> None:
    rules = read_rules(
        write(
            tmp_path,
            """
            [speed]
            mode = "required"
            factor = 1.3
            max_others_cores = 0.5
            [speed.latency]
            gates = true
            [speed.mini_qa.rtf]
            factor = 2
            """,
        )
    )
    assert (rules.speed, rules.max_others_cores) == ("required", 0.5)
    assert rules.of_figure("mini_qa", "latency") == SpeedRule(True, 1.3)
    assert rules.of_figure("mini_qa", "rtf") == SpeedRule(True, 2)
    assert rules.of_figure("mini_qa", "nfe_per_code") == SpeedRule(False, 1.3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("alpha = ", "not readable as TOML"),
        ("alfa = 0.1", "unknown field 'alfa'. Did you mean 'alpha'"),
        ("alpha = 2", "field 'alpha' is 2, expected a number between 0 and 1"),
        ("alpha = true", "field 'alpha' is True"),
        ("resamples = 10", "field 'resamples' is 10, expected a whole number of 100 or more"),
        ("quality = 1", "'quality' must be a section"),
        ("[valid]\nmax_error = 0", "unknown field 'max_error'. Did you mean 'max_errors'"),
        ("[valid]\nmax_errors = 1.5", "field 'max_errors' of [valid] is 1.5"),
        ("[speed]\nmode = 'fast'", "field 'mode' of [speed] is 'fast', expected one of auto, required, off"),
        ("[speed]\nfactor = 0.9", "field 'factor' is 0.9, expected a factor of 1 or more"),
        ("[quality.wer]\nworse = 1", "section 'wer': unknown field 'worse'"),
        ("[quality.wer]\ngates = 1", "section 'wer': field 'gates' is 1, expected true or false"),
        ("[quality.a.b.c]\ngates = true", "too deep"),
    ],
)
def test_what_is_wrong_is_named_with_the_file(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError) as raised:
        read_rules(write(tmp_path, text))
    assert message in str(raised.value)
    assert "gate.toml" in str(raised.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not readable"):
        read_rules(tmp_path / "none.toml")
