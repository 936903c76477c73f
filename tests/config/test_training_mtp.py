"""``[mtp]`` of a training config: draft heads for a checkpoint that stays as it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reference_model import checkpoint
from tttbench.cli import main as cli
from tttbench.config import training as recipe
from tttbench.core.errors import UserError
from tttbench.training import run as training

from .small_config import SMALL, changed


def test_draft_heads_are_trained_for_the_second_worlds_ar_model() -> None:
    made, frozen = (recipe.read(recipe.find(f"second/{name}")) for name in ("ar_mtp", "ar"))
    assert made.mtp == recipe.MtpHeads(heads=4)
    assert isinstance(made.model, recipe.StartModel)
    assert made.model.from_ == "build/second/ar"
    assert (made.tokens, made.code_jitter) == (frozen.tokens, frozen.code_jitter)
    assert made.decode == {**frozen.decode, "strategy": "mtp"}


def heads_for(small: Path, folder: str) -> Path:
    """The config of draft heads for the model in ``folder``, on the data of ``small``."""
    text = small.read_text()
    model, decode = text[text.index("[model]") : text.index("[data]")], text[text.index("[decode]") :]
    text = text.replace(model, f'[model]\nfrom = "{folder}"\n[mtp]\nheads = 2\n')
    path = small.with_name("heads.toml")
    path.write_text(text.replace(decode, '[decode]\nstrategy = "mtp"\n'))
    return path


def test_draft_heads_make_a_checkpoint_that_drafts(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small.write_text(SMALL.format(objective="ar", tokens=tmp_path / "codes.safetensors"))
    assert cli.main(["train", str(small), "--out", str(tmp_path / "ar"), "--max-steps", "1"]) == 0
    assistant = json.loads((tmp_path / "ar" / "assistant.json").read_text())
    assistant["prompts"]["qa"] = "Answer me."
    (tmp_path / "ar" / "assistant.json").write_text(json.dumps(assistant))
    heads = heads_for(small, "ar")
    assert cli.main(["train", str(heads), "--out", str(tmp_path / "mtp")]) == 0
    assert "step 4/4" in capsys.readouterr().out
    assert len(checkpoint.load(tmp_path / "mtp").model.draft_heads) == 2
    assert (tmp_path / "mtp" / "model.safetensors").read_bytes() == (tmp_path / "ar" / "model.safetensors").read_bytes()
    made = json.loads((tmp_path / "mtp" / "assistant.json").read_text())
    assert made["decode"]["strategy"] == "mtp"
    assert made["prompts"]["qa"] == "Answer me."  # heads change nothing of how the model is asked


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('from = "ar"', 'from = "ar"\nobjective = "ar"', "mtp: trains heads for a model as it is"),
        ("[mtp]", "[objective]\nsst = 0.1\n[mtp]", "objective: has no effect on draft heads"),
        ("heads = 2", "heads = 0", r"mtp\.heads: must be a whole number from 1 to 32, not 0"),
    ],
)
def test_a_wrong_config_of_draft_heads_is_refused(small: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(UserError, match=rf"heads\.toml: {message}"):
        recipe.read(changed(heads_for(small, "ar"), old, new))


def test_draft_heads_of_a_model_that_fills_masks_are_refused(small: Path, tmp_path: Path) -> None:
    assert cli.main(["train", str(small), "--out", str(tmp_path / "hybrid"), "--max-steps", "1"]) == 0
    with pytest.raises(UserError, match=r"mtp: draft heads are for AR models, and .*hybrid is 'hybrid'"):
        training.main([str(heads_for(small, "hybrid")), "--out", str(tmp_path / "mtp")])
