"""Training recipes: a TOML file, checked field by field, and the training it describes.

Knows which token sets there are; the training itself is the reference model's.
"""

from __future__ import annotations

import argparse
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tttbench.errors import StorageError, UserError, did_you_mean

if TYPE_CHECKING:
    from reference_model.training.jitter import CodeJitter
    from reference_model.training.settings import TrainingConfig
    from reference_model.training.trainer import Progress

_SECTIONS = ("model", "data", "objective", "training", "decode")
_MODEL_FIELDS = (
    "objective", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads",
    "tie_word_embeddings", "rope_theta", "max_position_embeddings", "rms_norm_eps", "initializer_range", "prompt_audio",
)  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """A parsed recipe.

    Attributes:
        path: the file.
        model: fields of ``TtTConfig`` except the ids, which come from the tokenizer.
        tokens: ``"mini"`` for the shipped token set, or a file's path, as seen from the current folder.
        spoken_transcripts: whether a transcript is followed by the input's own codes, as in the released data.
        code_jitter: how far the prompt's codes move, in levels of the codec (``CodeJitter.deviation``).
        training: the trainer's settings, the objective's among them.
        decode: ``DecodeConfig`` fields that the checkpoint asks to be decoded with.
    """

    path: Path
    model: Mapping[str, object]
    tokens: str
    spoken_transcripts: bool
    code_jitter: float
    training: TrainingConfig
    decode: Mapping[str, object]


def find(name: str) -> Path:
    """The file of a recipe: a path, or the name of a mini recipe (``ttt``, ``ablation/no_sst`` …).

    Raises:
        UserError: there is no such file; names the recipes there are.
    """
    if Path(name).is_file():
        return Path(name)
    shipped = shipped_recipes()
    if name in shipped:
        return shipped[name]
    raise UserError(f"{name}: no such recipe file. {did_you_mean(name, sorted(shipped))}")


def shipped_recipes() -> dict[str, Path]:
    """The mini world's recipes by name; those of the ablation are called ``ablation/…``."""
    from tttbench.tasks import mini

    folder = Path(mini.__file__).parent / "recipes"
    return {path.relative_to(folder).with_suffix("").as_posix(): path for path in sorted(folder.rglob("*.toml"))}


def read(path: Path) -> Recipe:
    """Read a recipe.

    Raises:
        UserError: naming file and field.
    """
    from reference_model.errors import ConfigError
    from reference_model.objective import ObjectiveConfig
    from reference_model.training.settings import TrainingConfig
    from tttbench.systems.ttt_settings import decode_settings

    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UserError(f"{path}: not readable as TOML ({error})") from error
    _known(raw, _SECTIONS, path, "section")
    model = _section(raw, "model", path)
    _known(model, _MODEL_FIELDS, path, "field of [model]")
    data = _values(raw, "data", {"tokens": "str", "spoken_transcripts": "bool", "code_jitter": "float"}, path)
    if "tokens" not in data:
        raise UserError(f'{path}: [data] needs tokens = "mini" or the path of a token set')
    objective = _values(raw, "objective", {f.name: str(f.type) for f in fields(ObjectiveConfig)}, path)
    training = _values(
        raw, "training", {f.name: str(f.type) for f in fields(TrainingConfig) if f.name != "objective"}, path
    )
    if "steps" not in training:
        raise UserError(f"{path}: [training] needs steps, the number of optimizer steps")
    try:
        settings = TrainingConfig(objective=ObjectiveConfig(**objective), **training)  # type: ignore[arg-type]  # names and kinds are checked above
    except ConfigError as error:
        raise UserError(f"{path}: {error}") from error
    decode = _section(raw, "decode", path)
    decode_settings({f"{path}: [decode]": decode})
    return Recipe(
        path,
        model,
        str(data["tokens"]),
        bool(data.get("spoken_transcripts", False)),
        float(str(data.get("code_jitter", 0.0))),
        settings,
        decode,
    )


def _section(raw: Mapping[str, object], name: str, path: Path) -> dict[str, object]:
    section = raw.get(name, {})
    if not isinstance(section, dict):
        raise UserError(f"{path}: {name!r} must be a section, [{name}]")
    return section


_KINDS: Mapping[str, tuple[type, ...]] = {"int": (int,), "float": (int, float), "bool": (bool,), "str": (str,)}


def _values(raw: Mapping[str, object], name: str, kinds: Mapping[str, str], path: Path) -> dict[str, object]:
    """A section of plain fields: names and kinds checked."""
    section = _section(raw, name, path)
    _known(section, tuple(kinds), path, f"field of [{name}]")
    for field, value in section.items():
        kind = kinds[field]
        if not isinstance(value, _KINDS[kind]) or (isinstance(value, bool) and kind != "bool"):
            raise UserError(f"{path}: field {field!r} of [{name}] is {value!r}, expected a value of type {kind}")
    return section


def _known(given: Mapping[str, object], known: Sequence[str], path: Path, what: str) -> None:
    for name in given:
        if name not in known:
            raise UserError(f"{path}: unknown {what} {name!r}. {did_you_mean(name, known)}")


def main(arguments: Sequence[str]) -> int:
    """``tttbench train RECIPE``: train, or go on with a training, and leave a checkpoint folder that can be run."""
    parser = argparse.ArgumentParser(prog="tttbench train", description=main.__doc__)
    parser.add_argument("recipe", help="a .toml file, or the name of a mini recipe: ttt, ar, nar, ablation/ttt …")
    parser.add_argument("--out", type=Path, help="checkpoint folder (default: build/RECIPE); goes on if one is there")
    parser.add_argument("--seed", type=int, help="of weights, order and noise, in place of the recipe's")
    parser.add_argument("--max-steps", type=int, help="stop after this step, with a checkpoint")
    parser.add_argument("--threads", type=int, help="threads of the training (default: torch's own)")
    parser.add_argument("--codec", default="mini-codec", help="codec that the checkpoint speaks with")
    args = parser.parse_args(arguments)
    recipe = read(find(args.recipe))
    if args.seed is not None:
        if args.seed < 0:
            raise UserError(f"--seed {args.seed}: expected a number of at least 0")
        recipe = replace(recipe, training=replace(recipe.training, seed=args.seed))
    name = recipe.path.stem if Path(args.recipe).is_file() else args.recipe
    train(recipe, args.out or Path("build") / name, args.max_steps, args.threads, args.codec)
    return 0


def train(recipe: Recipe, folder: Path, max_steps: int | None, threads: int | None, codec: str) -> None:
    """Train by the recipe into ``folder``, or go on with the training that is there.

    Args:
        recipe: what to train.
        folder: becomes a checkpoint that ``ttt:FOLDER`` answers with.
        max_steps: stop after this step; None: after the recipe's last.
        threads: of torch; None: torch's own choice.
        codec: name of the codec's folder beside ``folder``.

    Raises:
        UserError: the recipe, the token set or what is in ``folder`` does not fit.
        StorageError: ``folder`` could not be written.
    """
    import torch
    from safetensors import SafetensorError

    from reference_model.config import TtTConfig
    from reference_model.errors import ReferenceModelError
    from reference_model.training import trainer
    from reference_model.transformer import TtTModel
    from tttbench.tasks.mini import tokenizer as mini_tokenizer
    from tttbench.tasks.mini import tokens as mini_tokens

    if threads:
        torch.set_num_threads(threads)
    path = mini_tokens.SHIPPED if recipe.tokens == "mini" else Path(recipe.tokens)
    tokens = mini_tokens.TokenSet.load(path)
    tokenizer = mini_tokenizer.build(mini_tokens.N_CODES)
    try:
        ids = {**tokenizer.ids, "vocab_size": tokenizer.vocab_size}
        config = TtTConfig.from_json(recipe.model, ids, where=f"{recipe.path}: [model]")
        examples = mini_tokens.examples(tokens, tokenizer, config, spoken_transcripts=recipe.spoken_transcripts)
        vary = _jitter(recipe, config.code_id_start)
        trainer.check_folder(folder, recipe.training, config, examples, vary)
        torch.manual_seed(recipe.training.seed)
        model = TtTModel(config)
        _describe(folder, codec, recipe.decode)
        print(f"{model.n_parameters() / 1e6:.2f} M parameters, {len(examples)} examples", flush=True)
        trainer.train(model, tokenizer, examples, recipe.training, folder, vary=vary, until=max_steps, report=_show)
    except ReferenceModelError as error:
        raise UserError(str(error)) from error
    except (OSError, SafetensorError) as error:
        raise StorageError(
            f"{folder}: could not be written ({error}); make room and train again: it goes on"
        ) from error
    print(f"The checkpoint is in {folder}; try it: tttbench run --systems ttt:{folder}")


def _jitter(recipe: Recipe, code_id_start: int) -> CodeJitter | None:
    from reference_model.errors import ConfigError
    from reference_model.speech.networks import CodecConfig
    from reference_model.training.jitter import CodeJitter

    try:
        return CodeJitter(CodecConfig().levels, code_id_start, recipe.code_jitter) if recipe.code_jitter else None
    except ConfigError as error:
        raise ConfigError(f"{recipe.path}: field 'code_jitter' of [data]: {error}") from error


def _show(progress: Progress) -> None:
    print(
        f"step {progress.step}/{progress.steps}: text {progress.text_loss:.3f} audio {progress.audio_loss:.3f} "
        + (f"ctc {progress.ctc_loss:.3f} " if progress.ctc_loss else "")
        + f"{progress.examples_per_s:.0f} examples/s, {progress.eta_s / 60:.0f} min left",
        flush=True,
    )


def _describe(folder: Path, codec: str, decode: Mapping[str, object]) -> None:
    """Say in the checkpoint how it is asked, decoded and voiced."""
    from tttbench.tasks.mini.tokenizer import ASR_PROMPT, CHAT_PROMPT

    folder.mkdir(parents=True, exist_ok=True)
    content = {"codec": codec, "prompts": {"asr": ASR_PROMPT, "qa": CHAT_PROMPT}, "decode": dict(decode)}
    (folder / "assistant.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
