"""Training recipes: wrong fields are named, every shipped recipe builds a small model, and `tttbench train` trains."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from tttbench.tasks import mini
from tttbench.tasks.mini import language, tokenizer
from tttbench.tasks.mini.tokens import N_CODES, SHIPPED, TokenSet

import reference_model
from reference_model.config import TtTConfig
from reference_model.objective import ObjectiveConfig
from reference_model.training.settings import learning_rate
from reference_model.transformer import TtTModel
from tttbench import cli, recipe
from tttbench.errors import UserError

SMALL = """
[model]
objective = "{objective}"
hidden_size = 16
intermediate_size = 16
num_hidden_layers = 1
num_attention_heads = 2
num_key_value_heads = 1
tie_word_embeddings = true

[data]
tokens = "{tokens}"

[training]
steps = 4
batch_size = 2
pool = 2

[decode]
steps_per_block = 4
"""
SHIPPED_RECIPES = sorted((Path(mini.__file__).parent / "recipes").rglob("*.toml"))


@pytest.fixture
def small(tmp_path):
    """The file of a recipe that trains in a second, on a token set of its own."""
    rng = np.random.default_rng(0)

    def codes(n):
        return rng.integers(0, N_CODES, n).astype(np.uint16)

    n_questions = len(language.questions())
    tokens = TokenSet(
        ("One two.", language.questions()[0].wordings[0]), (-1, 0), (codes(9), codes(12)),
        tuple(codes(8) for _ in range(n_questions)),
    )  # fmt: skip
    tokens.save(tmp_path / "codes.safetensors")
    path = tmp_path / "small.toml"
    path.write_text(SMALL.format(objective="hybrid", tokens=tmp_path / "codes.safetensors"))
    return path


def changed(path, old, new):
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))
    return path


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[training]", "[trainig]", "unknown section 'trainig'. Did you mean 'training'"),
        ("batch_size = 2", "batchsize = 2", r"unknown field of \[training\] 'batchsize'. Did you mean 'batch_size'"),
        ("hidden_size = 16", "hiden_size = 16", r"unknown field of \[model\] 'hiden_size'. Did you mean 'hidden_size'"),
        ("tokens =", "token =", r"unknown field of \[data\] 'token'. Did you mean 'tokens'"),
        ("[training]", "[objective]\nbanon = 0\n[training]", r"field of \[objective\] 'banon'. Did you mean 'banom'"),
        ("steps_per_block", "steps_per_blok", r"\[decode\]: decode setting 'steps_per_blok' is unknown. Did you mean"),
        ("steps = 4\n", "", r"\[training\] needs steps"),
        ("steps = 4\n", 'steps = "4"\n', r"field 'steps' of \[training\] is '4', expected a value of type int"),
        ("steps = 4\n", "steps = true\n", r"field 'steps' of \[training\] is True, expected a value of type int"),
        ("batch_size = 2", "batch_size = 0", "training: field 'batch_size' is 0, expected at least 1"),
        ("[training]", "[objective]\nsst = 1.5\n[training]", "objective: field 'sst' is 1.5, expected a share"),
        (
            "[data]",
            '[data]\ncode_jitter = "a"',
            r"field 'code_jitter' of \[data\] is 'a', expected a value of type float",
        ),
        ("[data]", "[data]\nspoken_transcripts = 1", r"field 'spoken_transcripts' of \[data\] is 1, expected .* bool"),
        ("[data]", "[[data]]", r"'data' must be a section, \[data\]"),
        ("[data]", "[data", "not readable as TOML"),
    ],
)
def test_a_wrong_recipe_names_file_and_field(small, old, new, message):
    with pytest.raises(UserError, match=rf"small\.toml.*{message}"):
        recipe.read(changed(small, old, new))


def test_no_tokens(small):
    changed(small, "[data]", "[data]\n#")
    small.write_text("\n".join(line for line in small.read_text().splitlines() if not line.startswith("tokens")))
    with pytest.raises(UserError, match=r'\[data\] needs tokens = "mini"'):
        recipe.read(small)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("hidden_size = 16", 'hidden_size = "16"', r"small\.toml: \[model\]: field 'hidden_size' is '16', expected"),
        (
            "num_attention_heads = 2",
            "num_attention_heads = 3",
            r"small\.toml: \[model\]: field 'hidden_size' is 16",
        ),
        ("hidden_size = 16\n", "", r"small\.toml: \[model\]: field 'hidden_size' is missing"),
        ("[data]\n", "[data]\ncode_jitter = -1.0\n", r"small\.toml: field 'code_jitter' of \[data\]: .* -1\.0"),
        ('"hybrid"', '"hibrid"', r"small\.toml: \[model\]: field 'objective' is 'hibrid'"),
    ],
)
def test_a_model_that_cannot_be_is_refused_before_anything_is_written(small, tmp_path, old, new, message):
    with pytest.raises(UserError, match=message):
        recipe.main([str(changed(small, old, new)), "--out", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()


def test_an_unknown_recipe_names_those_there_are():
    with pytest.raises(UserError, match=r"tt: no such recipe file. Did you mean 'ttt'"):
        recipe.find("tt")


def test_recipes_are_found_by_name_and_by_path(small):
    assert recipe.find("nar").name == "nar.toml"
    assert recipe.find(str(small)) == small


@pytest.mark.parametrize("path", SHIPPED_RECIPES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_shipped_recipe_builds_a_model_of_less_than_6_million_parameters(path):
    made = recipe.read(path)
    words = tokenizer.build(N_CODES)
    config = TtTConfig.from_json(made.model, {**words.ids, "vocab_size": words.vocab_size})
    model = TtTModel(config)
    assert model.n_parameters() < 6e6
    assert learning_rate(made.training, 0) < made.training.learning_rate
    assert made.tokens == "mini"


def test_the_three_baselines_differ_in_objective_and_decoding_alone():
    assert {path.stem for path in SHIPPED_RECIPES} >= {"ttt", "ar", "nar"}
    made = {name: recipe.read(recipe.find(name)) for name in ("ttt", "ar", "nar")}
    assert [made[name].model["objective"] for name in made] == ["hybrid", "ar", "nar"]
    shapes = [{k: v for k, v in one.model.items() if k != "objective"} for one in made.values()]
    assert shapes[0] == shapes[1] == shapes[2]
    assert len({(one.training.steps, one.training.objective.ctc, one.code_jitter) for one in made.values()}) == 1


def test_the_ablation_takes_one_thing_away_at_a_time_from_the_published_objective():
    names = ("ttt", "ar", "nar", "no_banom", "no_ppm", "no_sst")
    made = {name: recipe.read(recipe.find(f"ablation/{name}")) for name in names}
    shares = {name: (o.banom, o.ppm, o.sst) for name, o in ((n, one.training.objective) for n, one in made.items())}
    assert shares["ttt"] == (0.3, 0.3, 0.5)
    assert shares["no_banom"] == (0, 0.3, 0.5)
    assert shares["no_ppm"] == (0.3, 0, 0.5)
    assert shares["no_sst"] == (0.3, 0.3, 0)
    assert [made[name].model["objective"] for name in names] == ["hybrid", "ar", "nar", "hybrid", "hybrid", "hybrid"]
    same = {
        (
            str({k: v for k, v in one.model.items() if k != "objective"}),
            str(dataclasses.replace(one.training, objective=ObjectiveConfig())),
            (one.training.objective.ctc, one.training.objective.block_view, one.tokens, one.code_jitter),
        )
        for one in made.values()
    }
    assert len(same) == 1


def test_a_seed_takes_the_place_of_the_recipes(small, tmp_path):
    for seed in (1, 2):
        recipe.main([str(small), "--out", str(tmp_path / str(seed)), "--max-steps", "1", "--seed", str(seed)])
    one, other = ((tmp_path / str(seed) / "model.safetensors").read_bytes() for seed in (1, 2))
    assert one != other
    with pytest.raises(UserError, match="--seed -1: expected"):
        recipe.main([str(small), "--seed", "-1"])


@pytest.mark.parametrize("objective", ["hybrid", "ar", "nar"])
def test_training_leaves_a_checkpoint_that_says_how_it_is_asked(small, tmp_path, objective, capsys):
    changed(small, '"hybrid"', f'"{objective}"')
    out = tmp_path / "out"
    assert cli.main(["train", str(small), "--out", str(out), "--max-steps", "2"]) == 0
    assert "step 2/4: text" in capsys.readouterr().out
    assert reference_model.load(out).model.config.objective == objective
    assistant = json.loads((out / "assistant.json").read_text())
    assert assistant == {
        "codec": "mini-codec",
        "prompts": {"asr": tokenizer.ASR_PROMPT, "qa": tokenizer.CHAT_PROMPT},
        "decode": {"steps_per_block": 4},
    }


def test_training_goes_on_and_refuses_another_recipe_without_touching_the_folder(small, tmp_path):
    out = tmp_path / "out"
    recipe.main([str(small), "--out", str(out), "--max-steps", "2"])
    recipe.main([str(small), "--out", str(out)])
    rows = [json.loads(line) for line in (out / "losses.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [2, 4]
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    changed(small, '"hybrid"', '"nar"')
    changed(small, "steps_per_block = 4", "steps_per_block = 8")
    with pytest.raises(UserError, match="holds a training with other settings; give another folder"):
        recipe.main([str(small), "--out", str(out)])
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_a_missing_token_set_is_named(small, tmp_path):
    (tmp_path / "codes.safetensors").unlink()
    with pytest.raises(UserError, match=r"codes\.safetensors: no such file; `tttbench data build mini`"):
        recipe.main([str(small), "--out", str(tmp_path / "out")])


def test_the_ar_recipe_trains_on_the_shipped_token_set(tmp_path):
    assert SHIPPED.is_file()
    assert cli.main(["train", "ar", "--max-steps", "2", "--out", str(tmp_path)]) == 0
    loaded = reference_model.load(tmp_path)
    assert loaded.model.config.objective == "ar"
    assert json.loads((tmp_path / "assistant.json").read_text())["decode"]["strategy"] == "ar"
