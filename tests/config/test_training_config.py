"""Training configs: wrong fields are named, every shipped one builds a small model, and `tttbench train` trains."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest

import reference_model
from reference_model.config import TtTConfig
from reference_model.training.objective import ObjectiveConfig
from reference_model.training.settings import learning_rate
from reference_model.transformer import TtTModel
from tttbench.cli import main as cli
from tttbench.config import training as recipe
from tttbench.core.errors import UserError
from tttbench.core.shipped import shipped
from tttbench.miniworld import tokenizer
from tttbench.miniworld.tokens import N_CODES, SHIPPED
from tttbench.training import run as training

from .small_config import changed

SHIPPED_RECIPES = sorted((shipped("tasks") / "mini" / "configs").rglob("*.toml"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[training]", "[trainig]", "trainig: unknown key. Did you mean 'training'"),
        ("batch_size = 2", "batchsize = 2", r"training\.batchsize: unknown key. Did you mean 'batch_size'"),
        ("hidden_size = 16", "hiden_size = 16", r"model\.hiden_size: unknown key. Did you mean 'hidden_size'"),
        ("tokens =", "token =", r"data\.token: unknown key. Did you mean 'tokens'"),
        ("[training]", "[objective]\nbanon = 0\n[training]", r"objective\.banon: unknown key. Did you mean 'banom'"),
        ("steps_per_block", "steps_per_blok", r"decode\.steps_per_blok: unknown key. Did you mean"),
        ("steps = 4\n", "", r"training\.steps: missing; add it"),
        ("steps = 4\n", 'steps = "4"\n', r"training\.steps: must be a whole number, not '4'"),
        ("steps = 4\n", "steps = true\n", r"training\.steps: must be a whole number, not true"),
        ("batch_size = 2", "batch_size = 0", "training: field 'batch_size' is 0, expected at least 1"),
        ("[training]", "[objective]\nsst = 1.5\n[training]", "objective: field 'sst' is 1.5, expected a share"),
        (
            "[data]",
            '[data]\ncode_jitter = "a"',
            r"data\.code_jitter: must be a number of 0 or more, not 'a'",
        ),
        ("[data]", "[data]\nspoken_transcripts = 1", r"data\.spoken_transcripts: must be true or false, not 1"),
        ("[data]", "[[data]]", r"data: must be a table, not a list"),
        ("[data]", "[data", "not valid TOML"),
        ("[decode]", "[training.objective]\nsst = 0.1\n[decode]", r"training\.objective: unknown key. Write it as"),
        ("steps_per_block = 4", "cfg = nan", r"decode\.cfg: must be a finite number, not nan"),
        ("steps_per_block = 4", "strategy = 'topq'", r"decode\.strategy: .*Did you mean 'topk'"),
    ],
)
def test_a_wrong_recipe_names_file_and_field(small: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(UserError, match=rf"small\.toml.*{message}"):
        recipe.read(changed(small, old, new))


def test_no_tokens(small: Path) -> None:
    changed(small, "[data]", "[data]\n#")
    small.write_text("\n".join(line for line in small.read_text().splitlines() if not line.startswith("tokens")))
    with pytest.raises(UserError, match=r'data: needs tokens = "mini"'):
        recipe.read(small)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "hidden_size = 16",
            'hidden_size = "16"',
            r"model\.hidden_size: must be a whole number, not '16'",
        ),
        (
            "num_attention_heads = 2",
            "num_attention_heads = 3",
            r"small\.toml: \[model\]: field 'hidden_size' is 16",
        ),
        ("hidden_size = 16\n", "", r"small\.toml: model\.hidden_size: missing; add it"),
        (
            "[data]\n",
            "[data]\ncode_jitter = -1.0\n",
            r"code_jitter: must be a number of 0 or more, not -1\.0",
        ),
        (
            "[data]\n",
            "[data]\nwritten_questions = 5\n",
            r"data\.written_questions: only the second mini world has any; remove it",
        ),
        (
            '"hybrid"',
            '"hibrid"',
            r"model\.objective: must be .*, not 'hibrid'. Did you mean 'hybrid'",
        ),
    ],
)
def test_a_model_that_cannot_be_is_refused_before_anything_is_written(
    small: Path, tmp_path: Path, old: str, new: str, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        training.main([str(changed(small, old, new)), "--out", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()


def test_an_unknown_recipe_names_those_there_are() -> None:
    with pytest.raises(UserError, match=r"tt: no such training config. Did you mean 'ttt'"):
        recipe.find("tt")


def test_recipes_are_found_by_name_and_by_path(small: Path) -> None:
    assert recipe.find("nar").name == "nar.toml"
    assert recipe.find(str(small)) == small


MINI_RECIPES = [path for path in SHIPPED_RECIPES if path.parent.name != "paper" and path.stem != "ar_mtp"]


@pytest.mark.parametrize("path", MINI_RECIPES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_shipped_recipe_builds_a_model_of_less_than_6_million_parameters(path: Path) -> None:
    made = recipe.read(path)
    assert isinstance(made.model, recipe.NewModel)
    words = tokenizer.build(N_CODES)
    config = TtTConfig.from_json(made.model.given(), {**words.ids, "vocab_size": words.vocab_size})
    model = TtTModel(config)
    assert model.n_parameters() < 6e6
    assert learning_rate(made.training, 0) < made.training.learning_rate
    assert made.tokens == ("mini2" if path.parent.name == "second" else "mini")


def test_the_three_baselines_differ_in_objective_and_decoding_alone() -> None:
    assert {path.stem for path in SHIPPED_RECIPES} >= {"ttt", "ar", "nar"}
    made = {name: recipe.read(recipe.find(name)) for name in ("ttt", "ar", "nar")}
    assert [made[name].model.objective for name in made] == ["hybrid", "ar", "nar"]
    shapes = [dataclasses.replace(one.model, objective=None) for one in made.values()]
    assert shapes[0] == shapes[1] == shapes[2]
    assert len({(one.training.steps, one.training.objective.ctc, one.code_jitter) for one in made.values()}) == 1


def test_the_ablation_takes_one_thing_away_at_a_time() -> None:
    names = ("ttt", "ar", "nar", "no_banom", "no_ppm", "no_sst")
    made = {name: recipe.read(recipe.find(f"ablation/{name}")) for name in names}
    shares = {name: (o.banom, o.ppm, o.sst) for name, o in ((n, one.training.objective) for n, one in made.items())}
    assert shares["ttt"] == (0.3, 0.3, 0.5)
    assert shares["no_banom"] == (0, 0.3, 0.5)
    assert shares["no_ppm"] == (0.3, 0, 0.5)
    assert shares["no_sst"] == (0.3, 0.3, 0)
    assert [made[name].model.objective for name in names] == ["hybrid", "ar", "nar", "hybrid", "hybrid", "hybrid"]
    same = {
        (
            str(dataclasses.replace(one.model, objective=None)),
            str(dataclasses.replace(one.training, objective=ObjectiveConfig())),
            (one.training.objective.ctc, one.training.objective.block_view, one.tokens, one.code_jitter),
        )
        for one in made.values()
    }
    assert len(same) == 1


def test_the_papers_recipe_has_the_published_settings() -> None:
    made = recipe.read(recipe.find("paper/ttt_3b"))
    t = made.training
    assert (t.learning_rate, t.beta2, t.weight_decay, t.warm_up, t.pack) == (2e-5, 0.95, 0.01, 0.01, 2048)
    assert t.objective == ObjectiveConfig(banom=0.3, ppm=0.3, sst=0.5, sst_least=5)
    assert isinstance(made.model, recipe.StartModel)
    assert made.model.from_ == "Qwen/Qwen2.5-3B"
    assert made.max_length == 2048
    assert made.skip_bad


FILES = """
[model]
objective = "hybrid"
hidden_size = 16
intermediate_size = 16
num_hidden_layers = 1
num_attention_heads = 2
num_key_value_heads = 1

[data]
bad_records = "{bad}"

[[data.files]]
path = "{one}"
ratio = 2.0

[[data.files]]
path = "{other}"

[training]
steps = 2
batch_size = 3
pack = 64
"""


@pytest.fixture
def conversations(tmp_path: Path) -> Path:
    """A recipe over two files of conversations, one of which holds a bad record."""
    record = {"text": "yes<|begin_of_audio|><|audio_3|><|end_of_audio_new|>"}
    one, other = tmp_path / "one.json", tmp_path / "other.jsonl"
    one.write_text(json.dumps([record, record]))
    other.write_text(json.dumps(record) + "\n" + json.dumps({"text": ""}) + "\n")
    path = tmp_path / "files.toml"
    path.write_text(FILES.format(bad="skip", one=one, other=other))
    return path


def test_conversations_are_trained_on_and_bad_ones_named(
    conversations: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert cli.main(["train", str(conversations), "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "1 records cannot be trained on and are skipped" in printed
    assert "tokens/s" in printed
    assert "other.jsonl, line 2: there is nothing to train on" in (out / "bad_records.txt").read_text()
    assert "prompts" not in json.loads((out / "assistant.json").read_text())
    assert (out / "losses.svg").read_text().startswith("<?xml")


def test_bad_conversations_are_refused_where_the_recipe_says_so(conversations: Path, tmp_path: Path) -> None:
    changed(conversations, "skip", "refuse")
    with pytest.raises(UserError, match=r"1 of 2 records cannot be trained on"):
        training.main([str(conversations), "--out", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "ratio = 2.0",
            "ratio = 0.0",
            r"files\.toml: data\.files\[0\]\.ratio: must be a number above 0, not 0\.0",
        ),
        ("ratio = 2.0", "rate = 2.0", r"data\.files\[0\]\.rate: unknown key. Did you mean 'ratio'"),
        ('"skip"', '"drop"', r"data\.bad_records: must be 'refuse' or 'skip', not 'drop'"),
        ('bad_records = "skip"', 'tokens = "mini"', r"data: needs tokens = .* or else \[\[data.files\]\]"),
        ("ratio = 2.0", "ratio = -1.0", r"data\.files\[0\]\.ratio: must be a number above 0, not -1\.0"),
        ('bad_records = "skip"', "max_length = 0", r"data\.max_length: must be a whole number of 1 or more, not 0"),
        (
            'bad_records = "skip"',
            "code_jitter = 0.1",
            "data: code_jitter goes with tokens, here it has no effect",
        ),
        (
            'bad_records = "skip"',
            "written_questions = 5",
            "data: written_questions goes with tokens, here it has no effect",
        ),
        (
            "[training]",
            "[objective]\nctc = 1.0\n[training]",
            r"objective\.ctc: needs to know what is spoken",
        ),
        (
            "steps = 2",
            "steps = 2\nbeta2 = 1.0",
            "files.toml: training: field 'beta2' is 1.0, expected at least 0, below 1",
        ),
        ("steps = 2", "steps = 2\nweight_decay = -1", r"field 'weight_decay' is -1\.0, expected 0 or more"),
        ("ratio = 2.0", "ratio = 0.01", r"field 'ratio' is 0.01, which sees none of a file's \d+ examples; raise it"),
        ("steps = 2", "steps = 2\nlearning_rate = inf", r"training\.learning_rate: must be a finite number, not inf"),
        ("pack = 64", "pack = 3", "an example of 5 tokens does not fit into rows of 3; raise pack"),
        (
            'objective = "hybrid"',
            'from = "nowhere/at-all/x"',
            r"model\.hidden_size: unknown key. Known: from, n_",
        ),
    ],
)
def test_a_wrong_field_of_files_is_named(conversations: Path, tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        training.main([str(changed(conversations, old, new)), "--out", str(tmp_path / "out")])


def test_a_name_of_5000_characters_is_no_folder(conversations: Path) -> None:
    start = re.sub(r"(?s)\[model\].*?(?=\n\[)", f'[model]\nfrom = "{"x" * 5_000}"\n', conversations.read_text())
    conversations.write_text(start)
    assert recipe.read(conversations).model == recipe.StartModel(from_="x" * 5_000)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--threads", "-1"], "--threads -1: expected at least 1"),
        (["--max-steps", "0"], "--max-steps 0: expected at least 1"),
        (["--codec", "nope"], "--codec nope: no folder .*nope, and none is shipped so named"),
    ],
)
def test_a_wrong_option_is_named_before_anything_is_written(
    small: Path, tmp_path: Path, options: list[str], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        training.main([str(small), "--out", str(tmp_path / "out"), *options])
    assert not (tmp_path / "out").exists()


def test_a_batch_that_cannot_be_shared_out_leaves_no_folder(small: Path, tmp_path: Path) -> None:
    changed(small, "steps = 4", "steps = 4\naccumulate = 3")
    with pytest.raises(UserError, match=r"field 'batch_size' is .* expected a multiple of"):
        training.main([str(small), "--out", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()


def test_a_seed_takes_the_place_of_the_recipes(small: Path, tmp_path: Path) -> None:
    for seed in (1, 2):
        training.main([str(small), "--out", str(tmp_path / str(seed)), "--max-steps", "1", "--seed", str(seed)])
    one, other = ((tmp_path / str(seed) / "model.safetensors").read_bytes() for seed in (1, 2))
    assert one != other
    with pytest.raises(UserError, match="--seed -1: expected"):
        training.main([str(small), "--seed", "-1"])


@pytest.mark.parametrize("objective", ["hybrid", "ar", "nar"])
def test_training_leaves_a_checkpoint_that_says_how_it_is_asked(
    small: Path, tmp_path: Path, objective: str, capsys: pytest.CaptureFixture[str]
) -> None:
    changed(small, '"hybrid"', f'"{objective}"')
    out = tmp_path / "out"
    assert cli.main(["train", str(small), "--out", str(out), "--max-steps", "2"]) == 0
    assert "step 2/2: text" in capsys.readouterr().out
    assert reference_model.load(out).model.config.objective == objective
    assistant = json.loads((out / "assistant.json").read_text())
    assert assistant == {
        "codec": "mini-codec",
        "prompts": {"asr": tokenizer.ASR_PROMPT, "qa": tokenizer.CHAT_PROMPT},
        "decode": {"steps_per_block": 4},
    }


def test_training_goes_on_and_refuses_another_recipe_without_touching_the_folder(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    training.main([str(small), "--out", str(out), "--max-steps", "2"])
    training.main([str(small), "--out", str(out)])
    rows = [json.loads(line) for line in (out / "losses.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [2, 4]
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    changed(small, '"hybrid"', '"nar"')
    changed(small, "steps_per_block = 4", "steps_per_block = 8")
    with pytest.raises(
        UserError, match=r"other settings \(model.objective: there 'hybrid', here 'nar'\); give another"
    ):
        training.main([str(small), "--out", str(out)])
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_a_missing_token_set_is_named(small: Path, tmp_path: Path) -> None:
    (tmp_path / "codes.safetensors").unlink()
    with pytest.raises(UserError, match=r"codes\.safetensors: no such file; `tttbench data build mini`"):
        training.main([str(small), "--out", str(tmp_path / "out")])


def test_the_ar_recipe_trains_on_the_shipped_token_set(tmp_path: Path) -> None:
    assert SHIPPED.is_file()
    assert cli.main(["train", "ar", "--max-steps", "2", "--out", str(tmp_path)]) == 0
    loaded = reference_model.load(tmp_path)
    assert loaded.model.config.objective == "ar"
    assert json.loads((tmp_path / "assistant.json").read_text())["decode"]["strategy"] == "ar"
