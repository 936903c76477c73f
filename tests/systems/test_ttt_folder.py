"""Checkpoint folders are found by name or path, and what is wrong in ``assistant.json`` is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import reference_model
from tttbench.config.training import shipped_training_configs
from tttbench.core.errors import UserError
from tttbench.core.plugins import check_system, system_names
from tttbench.core.system import SystemOptions
from tttbench.systems.ttt import folder as checkpoints
from tttbench.systems.ttt.folder import PARAPHRASED_PROMPTS, checkpoint_folder, read_assistant, weights_sha256


def write(folder: Path, note: object) -> Path:
    (folder / "assistant.json").write_text(json.dumps(note))
    return folder


def test_shipped_names_lie_beside_the_reference_model() -> None:
    assert checkpoint_folder("mini-ar").parts[-3:] == ("reference_model", "weights", "mini-ar")


def test_no_name_is_mini() -> None:
    assert checkpoint_folder("") == checkpoint_folder("mini")


def test_shipped_names_are_listed() -> None:
    assert {"ttt:mini", "ttt:mini-ar", "ttt:mini-nar"} <= set(system_names())


def test_the_ablations_weights_are_not_in_a_wheel_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "_shipped", lambda name: tmp_path / name)
    (tmp_path / "mini").mkdir()
    assert checkpoints.installed_names() == ("mini",)
    told = (
        r"ttt:ablation-no_sst: its weights are in the repository.*Clone the repository and install from there "
        r".*or train it, .*: tttbench train ablation/no_sst --out build/ablation-no_sst, "
        r"then --systems ttt:build/ablation-no_sst$"
    )
    with pytest.raises(UserError, match=told):
        checkpoint_folder("ablation-no_sst")
    with pytest.raises(UserError, match=r"mini-ar is missing\. Install the package again, or.*tttbench train ar$"):
        checkpoint_folder("mini-ar")


@pytest.mark.parametrize("name", checkpoints.SHIPPED)
def test_what_a_message_would_train_is_a_recipe(name: str) -> None:
    family, _, variant = name.partition("-")
    assert (f"ablation/{variant}" if family == "ablation" else variant or "ttt") in shipped_training_configs()


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(UserError, match=r"Unknown system 'ttt:mini-nra'.*Did you mean 'ttt:mini-nar'"):
        check_system("ttt:mini-nra", SystemOptions())


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nowhere: no such folder"):
        check_system(f"ttt:{tmp_path}/nowhere", SystemOptions())


def test_the_codec_lies_beside_the_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "sound").mkdir()
    assert read_assistant(write(tmp_path / "model", {"codec": "sound"})).codec_folder() == tmp_path / "sound"


def test_the_codec_may_lie_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "far" / "sound").mkdir(parents=True)
    note = {"codec": str(tmp_path / "far" / "sound")}
    assert read_assistant(write(tmp_path, note)).codec_folder() == tmp_path / "far" / "sound"


def test_prompts_that_are_not_given_are_the_published_ones(tmp_path: Path) -> None:
    prompts = read_assistant(write(tmp_path, {"codec": "c", "prompts": {"asr": "Write."}})).prompts
    assert prompts == {"asr": "Write.", "qa": PARAPHRASED_PROMPTS["qa"]}


def test_a_folder_without_the_file_has_the_published_prompts_and_no_codec(tmp_path: Path) -> None:
    assistant = read_assistant(tmp_path)
    assert assistant.prompts == PARAPHRASED_PROMPTS
    with pytest.raises(UserError, match="names no audio codec"):
        assistant.codec_folder()


@pytest.mark.parametrize(
    ("note", "message"),
    [
        ([], "must be an object, not an empty list."),
        ({"codecs": "c"}, "codecs: unknown key. Did you mean 'codec' or 'decode'?"),
        ({"codec": 3}, "codec: must be a string that isn't empty, not 3."),
        ({"prompts": {"qu": "x"}}, "prompts.qu: unknown key. Known: asr, qa."),
        ({"prompts": {"qa": ""}}, "prompts.qa: must be a string that isn't empty, not ''."),
        ({"prompts": "x"}, "prompts: must be an object, not 'x'."),
        ({"decode": 1}, "decode: must be an object, not 1."),
    ],
)
def test_what_is_wrong_in_the_file_is_named(tmp_path: Path, note: object, message: str) -> None:
    with pytest.raises(UserError) as caught:
        read_assistant(write(tmp_path, note))
    assert str(caught.value) == f"{tmp_path / 'assistant.json'}: {message}"


def test_broken_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "assistant.json").write_text("{")
    with pytest.raises(UserError, match=r"assistant.json: not valid JSON: .*column 2"):
        read_assistant(tmp_path)


def test_a_codec_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"field 'codec': no such folder: .*/gone"):
        read_assistant(write(tmp_path, {"codec": "gone"})).codec_folder()


def test_a_codec_is_looked_for_beside_the_checkpoint_and_then_among_the_shipped(tmp_path: Path) -> None:
    checkpoint = tmp_path / "model"
    checkpoint.mkdir()
    write(checkpoint, {"codec": "mini-codec"})
    assert read_assistant(checkpoint).codec_folder() == Path(reference_model.__file__).parent / "weights" / "mini-codec"
    (tmp_path / "mini-codec").mkdir()
    assert read_assistant(checkpoint).codec_folder() == tmp_path / "mini-codec"


def test_one_file_of_weights_is_hashed_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"abc")
    # The example of FIPS 180-2.
    assert weights_sha256(tmp_path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_every_shard_is_in_the_hash(tmp_path: Path) -> None:
    (tmp_path / "model-00001-of-00002.safetensors").write_bytes(b"abc")
    (tmp_path / "model-00002-of-00002.safetensors").write_bytes(b"abc")
    before = weights_sha256(tmp_path)
    (tmp_path / "model-00002-of-00002.safetensors").write_bytes(b"abd")
    assert weights_sha256(tmp_path) != before
