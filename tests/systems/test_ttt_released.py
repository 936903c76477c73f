"""What a released checkpoint asks for: a dtype, prompts of its own, a folder fetched beforehand, a check of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tttbench.cli.main import main
from tttbench.core.errors import UserError
from tttbench.core.plugins import build_system, check_decoding, check_system
from tttbench.core.system import SystemOptions
from tttbench.core.tables import Document

from .ttt_checkpoints import Folders


@pytest.fixture
def folder(folders: Folders, tmp_path: Path) -> Path:
    """A checkpoint of its own, its codec beside it."""
    shutil.copytree(folders["hybrid"], tmp_path / "mine")
    shutil.copytree(folders["hybrid"].parent / "codec", tmp_path / "codec")
    return tmp_path / "mine"


def decode(folder: Path, **values: object) -> None:
    path = folder / "assistant.json"
    note = json.loads(path.read_text())
    path.write_text(json.dumps({**note, "decode": {**note["decode"], **values}}))


def test_a_checkpoint_is_computed_in_the_dtype_that_a_suite_or_its_file_asks_for(folder: Path) -> None:
    name = f"ttt:{folder}"
    plain = build_system(name, SystemOptions()).card
    assert (plain.details["dtype"], "dtype" in plain.settings) == ("float32", False)
    asked = build_system(name, SystemOptions(settings={"dtype": "bfloat16"})).card
    assert (asked.details["dtype"], asked.settings["dtype"]) == ("bfloat16", "bfloat16")
    assert asked.digest != plain.digest
    decode(folder, dtype="bfloat16")
    assert build_system(name, SystemOptions()).card.digest == asked.digest
    assert build_system(name, SystemOptions(settings={"dtype": "float32"})).card.digest == plain.digest


def test_a_dtype_that_there_is_not_is_refused_before_weights_are_loaded() -> None:
    said = r"mine: dtype: must be 'float32', 'bfloat16', 'float16' or 'float64', not 'bf16'\."
    with pytest.raises(UserError, match=said):
        check_decoding("ttt", [Document({"dtype": "bf16"}, "mine")])
    with pytest.raises(UserError, match=r"decode\.dtype: must be "):
        check_system("ttt:mini", SystemOptions(settings={"dtype": 16}))


def test_a_hub_id_gets_the_way_to_a_folder() -> None:
    with pytest.raises(UserError) as raised:
        check_system("ttt:owner/ttt-3b", SystemOptions())
    assert str(raised.value) == (
        "ttt:owner/ttt-3b: no such folder. If owner/ttt-3b is a hub id: nothing is fetched while a suite runs, so "
        "fetch it first (hf download owner/ttt-3b --local-dir ttt-3b), put a codec's folder beside it, name that in "
        'ttt-3b/assistant.json ({"codec": …}), and give ttt:ttt-3b.'
    )
    for path in ("./no/where", "/no/where", "a/b/c"):
        with pytest.raises(UserError, match=r"no such folder\. Give the path of a checkpoint folder\.$"):
            check_system(f"ttt:{path}", SystemOptions())


def test_doctor_looks_at_a_checkpoint(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", str(folder)]) == 0
    told = capsys.readouterr().out
    assert "weights     finite, sha256 " in told
    assert "its own" in told
    note = json.loads((folder / "assistant.json").read_text())
    (folder / "assistant.json").write_text(json.dumps({**note, "prompts": {}}))
    assert main(["doctor", str(folder)]) == 0
    assert "ours, paraphrases of the published ones: asr, qa; put the trained words into assistant.json" in (
        capsys.readouterr().out
    )


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("assistant.json", "assistant.json: names no audio codec"),
        ("model.safetensors", "holds no weights (*.safetensors). Put them there."),
        ("tokenizer.json", "tokenizer.json"),
        ("config.json", "config.json"),
    ],
)
def test_doctor_names_what_a_checkpoint_lacks(
    folder: Path, capsys: pytest.CaptureFixture[str], file: str, says: str
) -> None:
    (folder / file).unlink()
    assert main(["doctor", str(folder)]) == 1
    told = capsys.readouterr().out
    assert told.startswith("MISSING  ttt:")
    assert says in told
    assert main(["doctor", str(folder / "nowhere")]) == 2
    assert "nowhere: no such folder. Give the folder of a checkpoint, or nothing." in capsys.readouterr().err
