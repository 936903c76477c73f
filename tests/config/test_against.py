"""``--against``: the systems of a suite of two models are those of two checkpoints, by the suite's own labels."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import reference_model
from tttbench.cli.main import main
from tttbench.config.against import set_against, strategies_against, the_one_system
from tttbench.config.choose import choose
from tttbench.config.suite import load_suite
from tttbench.core.errors import UserError

from .small_config import SMALL
from .test_training_mtp import heads_for

WEIGHTS = Path(reference_model.__file__).parent / "weights"


def test_the_suite_decoding_has_all_its_ways_on_the_first_and_ar_on_the_second() -> None:
    suite = load_suite("decoding")
    made = set_against(suite, "ttt:a", "ttt:b", ["ar"])
    assert [one.label for one in made.systems] == [one.label for one in suite.systems]
    assert [one.name for one in made.systems] == ["ttt:a"] * (len(suite.systems) - 1) + ["ttt:b"]
    assert made.systems[-1].strategy == "ar"
    assert [one.settings for one in made.systems] == [one.settings for one in suite.systems]
    assert made.title.endswith(": ttt:a against ttt:b")
    assert made.oracle == "first_hitting"


def test_an_ar_model_with_draft_heads_is_decoded_with_and_without_them() -> None:
    made = set_against(load_suite("decoding"), "ttt:a", "ttt:b", ["ar", "mtp"])
    assert [(one.label, one.strategy) for one in made.systems[-2:]] == [("AR model", "ar"), ("AR model mtp", "mtp")]


ABLATED = """
oracle = "ttt:mini"
[[tasks]]
name = "mini_qa"
[[systems]]
name = "ttt:mini"
get = "train it"
[[systems]]
name = "ttt:mini-ar"
[[ablate]]
base = "ttt:mini"
off = ["cfg"]
[[ablate]]
base = "ttt:mini-ar"
off = ["cache"]
"""


def test_what_is_switched_off_is_called_after_the_model_that_it_is_off_in(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(ABLATED)
    made = set_against(load_suite(str(tmp_path / "own.toml")), "ttt:a", "ttt:b", ["ar", "mtp"])
    assert [(one.label, one.name) for one in made.systems] == [
        ("ttt:a", "ttt:a"),
        ("ttt:b@ar", "ttt:b"),
        ("ttt:b@mtp", "ttt:b"),
        ("ttt:a without cfg", "ttt:a"),
        ("ttt:b@ar without cache", "ttt:b"),
        ("ttt:b@mtp without cache", "ttt:b"),
    ]
    assert [(one.system, one.base) for one in choose(made).ablations] == [
        ("ttt:a without cfg", "ttt:a"),
        ("ttt:b@ar without cache", "ttt:b@ar"),
        ("ttt:b@mtp without cache", "ttt:b@mtp"),
    ]
    assert made.oracle == "ttt:a"
    assert {one.get for one in made.systems} == {""}


def test_a_suite_of_another_number_of_models_is_refused() -> None:
    with pytest.raises(UserError, match=r"--against ttt:b: suite 'ablation' has systems of 6 models \("):
        set_against(load_suite("ablation"), "ttt:a", "ttt:b", ["ar"])


@pytest.mark.parametrize(
    ("labels", "against", "message"),
    [
        ([], "ttt:b", "--against ttt:b: takes one system beside it, but --systems is missing; give one."),
        (["ttt:a", "ttt:c"], "ttt:b", "but --systems names 2; give one"),
        (["ttt:a@topk"], "ttt:b", "--systems ttt:a@topk: the ways of decoding are the suite's; leave @topk out."),
        (["ttt:a"], "ttt:b@mtp", "--against ttt:b@mtp: the ways of decoding are the suite's; leave @mtp out."),
        (["ttt:a"], "ttt:a", "--against ttt:a: is what --systems names; give another one."),
    ],
)
def test_what_is_not_two_systems_is_refused(labels: list[str], against: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        the_one_system(labels, against)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("system", "against", "message"),
    [
        ("ttt:mini-ar", "ttt:mini", "--systems ttt:mini-ar: is an AR model, and .*; swap the two"),
        ("ttt:mini", "ttt:mini-nar", "--against ttt:mini-nar: was trained as 'nar'; give an AR model"),
        ("whisper:tiny.en", "ttt:mini-ar", "both must be checkpoints of the reference model"),
        ("ttt:mini", "echo", "--systems ttt:mini --against echo: both must be checkpoints"),
        ("ttt:mini", "ttt:build/none", "ttt:build/none: no such folder"),
    ],
)
def test_what_is_no_pair_is_refused(system: str, against: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        strategies_against(system, against)


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    """A folder with ``mini``, ``mini-ar`` and their codec; each copy has a tokenizer of its own."""
    for name in ("mini", "mini-ar", "mini-codec"):
        shutil.copytree(WEIGHTS / name, tmp_path / name)
    for name in ("mini", "mini-ar"):
        shutil.copy(WEIGHTS / "tokenizer.json", tmp_path / name)
        config = json.loads((tmp_path / name / "config.json").read_text())
        config = {key: value for key, value in config.items() if "tokenizer" not in key}
        (tmp_path / name / "config.json").write_text(json.dumps(config))
    return tmp_path


def test_copies_are_a_pair(copies: Path) -> None:
    assert strategies_against(f"ttt:{copies / 'mini'}", f"ttt:{copies / 'mini-ar'}") == ("ar",)
    (copies / "mini-ar" / "mtp.safetensors").write_bytes(b"")
    assert strategies_against(f"ttt:{copies / 'mini'}", f"ttt:{copies / 'mini-ar'}") == ("ar", "mtp")


def test_other_tokenizers_are_no_pair(copies: Path) -> None:
    path = copies / "mini-ar" / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    path.write_text(json.dumps(tokenizer, indent=3))
    strategies_against(f"ttt:{copies / 'mini'}", f"ttt:{copies / 'mini-ar'}")
    path.write_text(json.dumps({**tokenizer, "truncation": {"max_length": 9}}))
    with pytest.raises(UserError, match=r"their tokenizers differ \(.*mini/tokenizer\.json and .*mini-ar/"):
        strategies_against(f"ttt:{copies / 'mini'}", f"ttt:{copies / 'mini-ar'}")


def test_other_codecs_are_no_pair(copies: Path) -> None:
    from safetensors.torch import load_file, save_file

    shutil.copytree(copies / "mini-codec", copies / "other-codec")
    weights = load_file(copies / "other-codec" / "model.safetensors")
    name = next(name for name, tensor in weights.items() if tensor.is_floating_point())
    weights[name] = weights[name] + 1
    save_file(weights, copies / "other-codec" / "model.safetensors")
    assistant = json.loads((copies / "mini-ar" / "assistant.json").read_text())
    (copies / "mini-ar" / "assistant.json").write_text(json.dumps({**assistant, "codec": "other-codec"}))
    with pytest.raises(UserError, match=r"their codecs differ \(.*mini-codec and .*other-codec\)"):
        strategies_against(f"ttt:{copies / 'mini'}", f"ttt:{copies / 'mini-ar'}")


SUITE = """
limit = 1
verify = 1
[[tasks]]
name = "mini_qa"
scores = ["text_accuracy"]
[[systems]]
name = "ttt:mini"
label = "topk"
grid = { steps_per_block = [1, 2], block_length = [9] }
[[systems]]
name = "ttt:mini-ar"
label = "AR model"
"""


def test_two_trained_checkpoints_are_compared(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few steps of TtT, of an AR model, and of draft heads for it; all three decode, and ``mtp`` as ``ar`` does."""
    monkeypatch.chdir(tmp_path)
    decode = "max_text_tokens = 6\nmax_audio_tokens = 9\n"
    for objective in ("hybrid", "ar"):
        small.write_text(SMALL.format(objective=objective, tokens=tmp_path / "codes.safetensors") + decode)
        assert main(["train", str(small), "--out", objective, "--max-steps", "1"]) == 0
    heads = heads_for(small, "ar")
    heads.write_text(heads.read_text() + decode)
    assert main(["train", str(heads), "--out", "mtp", "--max-steps", "1"]) == 0
    Path("own.toml").write_text(SUITE)
    capsys.readouterr()
    chosen = ["--systems", "ttt:hybrid", "--against", "ttt:mtp", "--device", "cpu", "--out", "run", "--json"]
    assert main(["run", "own.toml", *chosen]) == 0
    document = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    labels = ["topk S=1 B=9", "topk S=2 B=9", "AR model", "AR model mtp"]
    assert [row["system"] for row in document["results"] if row["metric"] == "text_accuracy"] == labels
    assert [document["lossless"][label][0]["declared"] for label in labels] == [
        "cache exact as none",
        "cache exact as none",
        "cache exact as none",
        "strategy mtp as ar, cache exact as none",
    ]
