"""Training recipes: a TOML file, checked field by field. Knows no data and no network; ``training`` carries it out."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from tttbench.core.errors import UserError, did_you_mean
from tttbench.core.shipped import shipped

if TYPE_CHECKING:
    from reference_model.training.settings import TrainingConfig

_SECTIONS = ("model", "data", "objective", "training", "decode")
_MODEL_FIELDS = (
    "objective", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads",
    "tie_word_embeddings", "rope_theta", "max_position_embeddings", "rms_norm_eps", "initializer_range", "prompt_audio",
)  # fmt: skip
_START_FIELDS = ("from", "n_audio_codes", "objective", "prompt_audio")
_DATA_KINDS = {
    "tokens": "str",
    "spoken_transcripts": "bool",
    "code_jitter": "float",
    "tokenizer": "str",
    "max_length": "int",
    "bad_records": "str",
}
_BAD = ("refuse", "skip")


@dataclass(frozen=True)
class DataFile:
    """A file of conversations, as seen from the current folder, and how often its records are seen in an epoch."""

    path: Path
    ratio: float


@dataclass(frozen=True)
class Recipe:
    """A parsed recipe.

    Attributes:
        path: the file.
        model: fields of ``TtTConfig`` except the ids, which come from the tokenizer; or ``from``, a checkpoint to
            begin with, and what is changed of it.
        tokens: ``"mini"`` for the shipped token set, or a file's path, as seen from the current folder; ``""`` where
            ``files`` are given.
        files: conversations to train on.
        tokenizer: ``"mini"``, or the path of the ``tokenizer.json`` for ``files``, where no checkpoint is begun with.
        max_length: the longest conversation, in tokens.
        skip_bad: whether records that cannot be trained on are left out and reported, or refused.
        spoken_transcripts: whether a transcript is followed by the input's own codes, as in the released data.
        code_jitter: how far the prompt's codes move, in levels of the codec (``CodeJitter.deviation``).
        training: the trainer's settings, the objective's among them.
        decode: ``DecodeConfig`` fields that the checkpoint asks to be decoded with.
    """

    path: Path
    model: Mapping[str, object]
    tokens: str
    files: tuple[DataFile, ...]
    tokenizer: str
    max_length: int
    skip_bad: bool
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
    folder = shipped("tasks") / "mini" / "recipes"
    return {path.relative_to(folder).with_suffix("").as_posix(): path for path in sorted(folder.rglob("*.toml"))}


def read(path: Path) -> Recipe:
    """Read a recipe.

    Raises:
        UserError: naming file and field.
    """
    from reference_model.errors import ConfigError
    from reference_model.objective import ObjectiveConfig
    from reference_model.training.settings import TrainingConfig
    from tttbench.systems.ttt.settings import decode_settings

    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UserError(f"{path}: not readable as TOML ({error})") from error
    _known(raw, _SECTIONS, path, "section")
    model = _section(raw, "model", path)
    if "from" in model:
        _known(model, _START_FIELDS, path, "field of [model] beside 'from'")
        _values(raw, "model", dict.fromkeys(_START_FIELDS, "str") | {"n_audio_codes": "int"}, path)
    else:
        _known(model, _MODEL_FIELDS, path, "field of [model]")
    section = dict(_section(raw, "data", path))
    files = _files(section.pop("files", []), path)
    data = _values({"data": section}, "data", _DATA_KINDS, path)
    if ("tokens" in data) == bool(files):
        raise UserError(
            f'{path}: [data] needs tokens = "mini" or the path of a token set, or else [[data.files]] with paths'
        )
    _refuse_without_effect(data, bool(files), path)
    if int(str(data.get("max_length", 1))) < 1:
        raise UserError(f"{path}: field 'max_length' of [data] is {data['max_length']!r}, expected at least 1")
    if data.get("bad_records", "refuse") not in _BAD:
        raise UserError(f"{path}: field 'bad_records' of [data] is {data['bad_records']!r}, expected one of {_BAD}")
    objective = _values(raw, "objective", {f.name: str(f.type) for f in fields(ObjectiveConfig)}, path)
    training = _values(
        raw, "training", {f.name: str(f.type) for f in fields(TrainingConfig) if f.name != "objective"}, path
    )
    if "steps" not in training:
        raise UserError(f"{path}: [training] needs steps, the number of optimizer steps")
    try:
        if files and objective.get("ctc"):
            raise UserError(
                f"{path}: field 'ctc' of [objective] needs to know what is said, which files don't; remove it"
            )
        settings = TrainingConfig(objective=ObjectiveConfig(**objective), **training)  # type: ignore[arg-type]  # names and kinds are checked above
    except ConfigError as error:
        raise UserError(f"{path}: {error}") from error
    decode = _section(raw, "decode", path)
    decode_settings({f"{path}: [decode]": decode})
    return Recipe(
        path,
        model,
        str(data.get("tokens", "")),
        files,
        str(data.get("tokenizer", "mini")),
        int(str(data.get("max_length", 2048))),
        data.get("bad_records") == "skip",
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


def _refuse_without_effect(data: Mapping[str, object], has_files: bool, path: Path) -> None:
    """Refuse fields that the kind of data doesn't know, which would change nothing."""
    for name in ("spoken_transcripts", "code_jitter") if has_files else ("tokenizer", "max_length", "bad_records"):
        if name in data:
            other = "tokens" if has_files else "[[data.files]]"
            raise UserError(f"{path}: field {name!r} of [data] goes with {other}, here it has no effect; remove it")


def _files(entries: object, path: Path) -> tuple[DataFile, ...]:
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise UserError(f"{path}: 'files' of [data] must be written as [[data.files]], with path and ratio")
    files = []
    for entry in entries:
        found = _values({"data.files": entry}, "data.files", {"path": "str", "ratio": "float"}, path)
        if "path" not in found:
            raise UserError(f"{path}: [[data.files]] needs a path")
        ratio = float(str(found.get("ratio", 1.0)))
        if not 0 < ratio < float("inf"):
            raise UserError(f"{path}: field 'ratio' of [data.files] is {ratio}, expected a number above 0")
        files.append(DataFile(Path(str(found["path"])), ratio))
    return tuple(files)


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
