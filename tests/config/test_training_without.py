"""``tttbench train --without``: strategies of the paper switched off, which the checkpoint says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tttbench.cli import main as cli
from tttbench.config.training import find, read, switched_off
from tttbench.core.errors import UserError
from tttbench.core.plugins import build_system
from tttbench.core.system import SystemOptions

from .small_config import SMALL, changed
from .test_training_mtp import heads_for


@pytest.mark.parametrize("switch", ["banom", "ppm", "sst"])
def test_the_ablations_configs_are_the_full_one_without_a_strategy(switch: str) -> None:
    full, without = read(find("ablation/ttt")), read(find(f"ablation/no_{switch}"))
    assert switched_off(full, [switch]).training == without.training


def test_the_checkpoint_says_what_was_switched_off(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["train", str(small), "--max-steps", "1", "--without", "sst,ppm"]) == 0
    assert "examples, without ppm, sst" in capsys.readouterr().out
    folder = tmp_path / "build" / "small-no_ppm-no_sst"
    kept = json.loads((folder / "training.json").read_text())
    assert (kept["config"], kept["without"]) == ("small", ["ppm", "sst"])
    assert {name: kept["training"]["objective"][name] for name in ("banom", "ppm", "sst")} == {
        "banom": 0.3,
        "ppm": 0,
        "sst": 0,
    }
    card = build_system(f"ttt:{folder}", SystemOptions()).card
    assert card.details["training"] == "small without ppm, sst"


def test_a_training_without_a_strategy_is_another_one(small: Path, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    assert cli.main(["train", str(small), "--out", out, "--max-steps", "1"]) == 0
    assert json.loads((tmp_path / "out" / "training.json").read_text())["without"] == []
    assert cli.main(["train", str(small), "--out", out, "--without", "sst"]) == 2
    assert json.loads((tmp_path / "out" / "training.json").read_text())["without"] == []


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["stt"], "--without stt: 'stt' is no part of the objective. Did you mean 'sst'"),
        (["x"], "'x' is no part of the objective. Known: banom, ppm, sst."),
        ([""], "'' is no part of the objective"),
        (["sst", "sst"], "--without sst,sst: 'sst' is given twice; remove one."),
    ],
)
def test_a_name_that_cannot_be_switched_off(small: Path, names: list[str], message: str) -> None:
    with pytest.raises(UserError) as error:
        switched_off(read(small), names)
    assert message in str(error.value)


@pytest.mark.parametrize("objective", ["ar", "nar"])
def test_baselines_have_none_of_them(small: Path, objective: str) -> None:
    small.write_text(SMALL.format(objective=objective, tokens="mini"))
    with pytest.raises(
        UserError, match=rf"banom, ppm, sst are of hybrid models, and .*small\.toml trains an '{objective}'"
    ):
        switched_off(read(small), ["banom"])


def test_the_objective_of_a_checkpoint_that_is_begun_with_counts(small: Path, tmp_path: Path) -> None:
    """What the config doesn't say is known once the checkpoint has been read."""
    plan = replace(read(small), without=("sst",))
    plan.refuse_without("hybrid")
    with pytest.raises(UserError, match="trains an 'ar' one"):
        plan.refuse_without("ar")


def test_what_is_off_already_cannot_be_switched_off(small: Path) -> None:
    changed(small, "[training]", "[objective]\nsst = 0\n[training]")
    with pytest.raises(UserError, match=r"objective\.sst of .*small\.toml is 0 already; remove 'sst'"):
        switched_off(read(small), ["ppm", "sst"])


def test_draft_heads_have_no_such_part(small: Path) -> None:
    with pytest.raises(UserError, match=r"heads\.toml trains draft heads"):
        switched_off(read(heads_for(small, "ar")), ["sst"])


def test_a_damaged_record_of_the_training_is_named(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert cli.main(["train", str(small), "--out", str(out), "--max-steps", "1"]) == 0
    (out / "training.json").write_text('{"config": "ttt", "without": "sst"}')
    with pytest.raises(UserError, match=r"training\.json: without: must be a list"):
        build_system(f"ttt:{out}", SystemOptions())
