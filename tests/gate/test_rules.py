"""Thresholds from TOML: what is read, what holds for what, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tttbench.core.errors import UserError
from tttbench.gate.rules import QualityChange, QualityRule, Rules, SpeedChange, SpeedRule, read_rules, unused_rules


def write(folder: Path, text: str) -> Path:
    path = folder / "gate.toml"
    path.write_text(text)
    return path


def test_an_empty_file_leaves_the_defaults(tmp_path: Path) -> None:
    rules = read_rules(write(tmp_path, ""))
    assert rules == Rules(quality={"": QualityChange()}, figures={"": SpeedChange()})
    assert rules.of_metric("t", "wer", is_primary=True) == QualityRule(True, 0.01, False)
    assert rules.of_figure("t", "rtf") == SpeedRule(True, 1.1)


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
    assert rules.of_metric("mini_qa", "text_accuracy", is_primary=True) == QualityRule(True, 0.02, False)
    assert rules.of_metric("mini_asr_noisy", "wer", is_primary=False) == QualityRule(True, 0.03, False)
    assert rules.of_metric("mini_asr", "wer", is_primary=False) == QualityRule(True, 0.04, True)


def test_primary_metrics_gate_unless_told_otherwise(tmp_path: Path) -> None:
    assert Rules().of_metric("t", "wer", is_primary=True).gates is True
    assert Rules().of_metric("t", "cer", is_primary=False).gates is False
    rules = read_rules(write(tmp_path, "[quality]\ngates = false"))
    assert rules.of_metric("t", "wer", is_primary=True).gates is False


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
        ("alpha = ", "not valid TOML: Invalid value (at end of document). Correct it."),
        ("alfa = 0.1", "alfa: unknown key. Did you mean 'alpha'?"),
        ("alpha = 2", "alpha: must be a number above 0 and below 1, not 2."),
        ("alpha = true", "alpha: must be a number above 0 and below 1, not true."),
        ("resamples = 10", "resamples: must be a whole number from 100 to 1000000000, not 10."),
        ("quality = 1", "quality: must be a table, not 1."),
        ("[valid]\nmax_error = 0", "valid.max_error: unknown key. Did you mean 'max_errors'?"),
        ("[valid]\nmax_errors = 1.5", "valid.max_errors: must be a share from 0 to 1, not 1.5."),
        ("[speed]\nmode = 'fast'", "speed.mode: must be 'auto', 'required' or 'off', not 'fast'."),
        ("[speed]\nfactor = 0.9", "speed.factor: must be a number of 1 or more, not 0.9."),
        ("[speed.rtf]\nfactor = inf", "speed.rtf.factor: must be a finite number, not inf."),
        ("[quality]\nworse_by_more_than = inf", "quality.worse_by_more_than: must be a finite number, not inf."),
        ("[quality.wer]\nworse_by = 1", "quality.wer.worse_by: unknown key. Did you mean 'worse_by_more_than'?"),
        ("[quality.wer]\ngates = 1", "quality.wer.gates: must be true or false, not 1."),
        ("[quality.a.b]\ngate = true", "quality.a.b.gate: unknown key. Did you mean 'gates'?"),
        ("[quality.a.b.c]\ngates = true", "quality.a.b.c: is too deep; sections are METRIC or TASK.METRIC."),
    ],
)
def test_what_is_wrong_is_named_with_the_file(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError) as raised:
        read_rules(write(tmp_path, text))
    assert str(raised.value) == f"{tmp_path / 'gate.toml'}: {message}"


def test_the_old_name_of_a_field_is_read_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rules = read_rules(write(tmp_path, "[valid]\nmax_judge_failed = 0.5"))
    assert rules.max_derivation_failed == 0.5
    told = f"{tmp_path / 'gate.toml'}: valid.max_judge_failed is called 'max_derivation_failed' now"
    assert caplog.messages == [f"{told}; the old name is read until 0.3."]
    caplog.clear()
    assert read_rules(write(tmp_path, "[speed]\nmax_pace_difference = 0.5")).max_calibration_difference == 0.5
    assert "speed.max_pace_difference is called 'max_calibration_difference' now" in caplog.text
    with pytest.raises(UserError, match=r"valid\.max_judge_failed: is the old name of 'max_derivation_failed', which"):
        read_rules(write(tmp_path, "[valid]\nmax_judge_failed = 0.5\nmax_derivation_failed = 0.5"))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        read_rules(tmp_path / "none.toml")


def test_the_defaults() -> None:
    assert vars(Rules()) == {
        "alpha": 0.02,
        "power": 0.95,
        "resamples": 10_000,
        "seed": 1,
        "max_errors": 0.0,
        "max_derivation_failed": 0.01,
        "speed": "auto",
        "max_calibration_difference": 0.1,
        "max_others_cores": 0.2,
        "quality": {},
        "figures": {},
    }
    gating = [
        one for one in ("ttft", "ttfa_wave", "latency", "rtf", "rtf_input", "nfe") if Rules().of_figure("t", one).gates
    ]
    assert gating == ["ttft", "ttfa_wave", "rtf", "rtf_input"]


def test_every_field_of_a_file(tmp_path: Path) -> None:
    rules = read_rules(
        write(
            tmp_path,
            """
            alpha = 0.1
            power = 0.8
            resamples = 100
            seed = 0
            [valid]
            max_errors = 1
            max_derivation_failed = 0
            [speed]
            mode = "off"
            max_calibration_difference = 0
            max_others_cores = 3
            gates = false
            factor = 1
            [speed.rtf]
            gates = true
            [speed.t.rtf]
            factor = 2
            [quality]
            gates = true
            worse_by_more_than = 0
            must_be_ok = true
            [quality.wer]
            gates = false
            [quality.t.wer]
            must_be_ok = false
            worse_by_more_than = 0.5
            [quality.u]
            gates = false
            [quality.u.cer]
            gates = true
            """,
        )
    )
    assert rules == Rules(
        alpha=0.1,
        power=0.8,
        resamples=100,
        seed=0,
        max_errors=1.0,
        max_derivation_failed=0.0,
        speed="off",
        max_calibration_difference=0.0,
        max_others_cores=3.0,
        quality={
            "": QualityChange(gates=True, worse_by_more_than=0.0, must_be_ok=True),
            "wer": QualityChange(gates=False),
            "t.wer": QualityChange(worse_by_more_than=0.5, must_be_ok=False),
            "u": QualityChange(gates=False),
            "u.cer": QualityChange(gates=True),
        },
        figures={
            "": SpeedChange(gates=False, factor=1.0),
            "rtf": SpeedChange(gates=True),
            "t.rtf": SpeedChange(factor=2.0),
        },
    )
    assert rules.of_metric("t", "wer", is_primary=True) == QualityRule(False, 0.5, False)
    assert rules.of_metric("v", "wer", is_primary=True) == QualityRule(False, 0.0, True)
    assert rules.of_metric("u", "cer", is_primary=False) == QualityRule(True, 0.0, True)
    assert rules.of_figure("t", "rtf") == SpeedRule(True, 2.0)
    assert rules.of_figure("v", "rtf") == SpeedRule(True, 1.0)
    assert rules.of_figure("v", "ttft") == SpeedRule(False, 1.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("alpha = 0", "alpha: must be a number above 0 and below 1, not 0."),
        ("alpha = 1", "alpha: must be a number above 0 and below 1, not 1."),
        ("power = 0", "power: must be a number above 0 and below 1, not 0."),
        ("power = 1", "power: must be a number above 0 and below 1, not 1."),
        ("resamples = 99", "resamples: must be a whole number from 100 to 1000000000, not 99."),
        ("resamples = 1000000001", "resamples: must be a whole number from 100 to 1000000000, not 1000000001."),
        ("seed = -1", "seed: must be a whole number of 0 or more, not -1."),
        (
            "[valid]\nmax_derivation_failed = -0.1",
            "valid.max_derivation_failed: must be a share from 0 to 1, not -0.1.",
        ),
        ("[speed]\nmax_others_cores = -1", "speed.max_others_cores: must be a number of 0 or more, not -1."),
        ("[speed.t.rtf]\nfactor = 0.99", "speed.t.rtf.factor: must be a number of 1 or more, not 0.99."),
        ("[quality.'a.b']\ngate = true", "quality.'a.b'.gate: unknown key. Did you mean 'gates'?"),
        ("[quality.a.'b c'.d]\n", "quality.a.'b c'.d: is too deep; sections are METRIC or TASK.METRIC."),
        ("[quality]\nworse_by_more_than = -1", "quality.worse_by_more_than: must be a number of 0 or more, not -1."),
    ],
)
def test_the_edges_of_what_is_possible(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError) as raised:
        read_rules(write(tmp_path, text))
    assert str(raised.value) == f"{tmp_path / 'gate.toml'}: {message}"


def test_sections_that_name_nothing() -> None:
    change = SpeedChange()
    rules = Rules(
        quality={"": QualityChange(), "wer": QualityChange(), "t.wer": QualityChange(), "u.wer": QualityChange()},
        figures={"": change, "rtf": change, "t.rtf": change, "ttft": change, "wer": change},
    )
    assert unused_rules(rules, [("t", "wer")], [("u", "ttft"), ("t", "rtf")]) == ["[quality.u.wer]", "[speed.wer]"]
    assert unused_rules(Rules(), [], []) == []
