"""Training configs: a TOML file, checked field by field. Knows no data and no network; ``training`` carries it out."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Literal

from reference_model.config import MOST_DRAFT_HEADS, Objective, PromptAudio
from reference_model.training.objective import ObjectiveConfig
from reference_model.training.settings import TrainingConfig
from tttbench.core.errors import UserError, did_you_mean
from tttbench.core.json_values import JsonObject
from tttbench.core.plugins import check_decoding
from tttbench.core.shipped import shipped
from tttbench.core.tables import Check, Count, Document, Name, read_table
from tttbench.data.documents import read_toml

SHIPPED_TOKENS = ("mini", "mini2")
"""Token sets that travel with the package, by name."""

log = logging.getLogger("tttbench")


@dataclass(frozen=True)
class NewModel:
    """``[model]`` of fresh weights: fields of ``TtTConfig`` except the ids, which come from the tokenizer.

    What is None is left to ``TtTConfig``, which checks the rest as well.
    """

    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    objective: Objective | None = None
    prompt_audio: PromptAudio | None = None
    tie_word_embeddings: bool | None = None
    rope_theta: float | None = None
    max_position_embeddings: int | None = None
    rms_norm_eps: float | None = None
    initializer_range: float | None = None

    def given(self) -> Mapping[str, bool | int | float | str]:
        """The fields that are not None, by name."""
        found = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True)
class StartModel:
    """``[model]`` that begins with a checkpoint: the folder or hub id ``from_``, and what is changed of it."""

    from_: Name
    n_audio_codes: Count = 16384
    objective: Objective | None = None
    prompt_audio: PromptAudio | None = None


@dataclass(frozen=True)
class MtpHeads:
    """``[mtp]``: draft heads are trained for the AR model that ``[model] from`` names, which stays as it is."""

    heads: Annotated[int, Check(least=1, most=MOST_DRAFT_HEADS)]


@dataclass(frozen=True)
class DataFile:
    """A file of conversations, and how often its records are seen in an epoch."""

    path: Path
    ratio: Annotated[float, Check(above=0)] = 1.0


@dataclass(frozen=True)
class _Data:
    """``[data]``; see ``TrainingPlan``. None: not given."""

    tokens: Name | None = None
    files: tuple[DataFile, ...] = ()
    spoken_transcripts: bool | None = None
    code_jitter: Annotated[float, Check(least=0)] | None = None
    written_questions: Count | None = None
    tokenizer: Name | None = None
    max_length: Count | None = None
    bad_records: Literal["refuse", "skip"] | None = None

    def __post_init__(self) -> None:
        if (self.tokens is not None) == bool(self.files):
            raise ValueError(
                'needs tokens = "mini", "mini2" or the path of a token set, or else [[data.files]] with paths'
            )
        of_tokens = ("spoken_transcripts", "code_jitter", "written_questions")
        for name in of_tokens if self.files else ("tokenizer", "max_length", "bad_records"):
            if getattr(self, name) is not None:
                other = "tokens" if self.files else "[[data.files]]"
                raise ValueError(f"{name} goes with {other}, here it has no effect; remove it")


@dataclass(frozen=True)
class _File:
    """The whole file."""

    data: _Data
    training: TrainingConfig
    model: JsonObject = field(default_factory=dict)
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)
    mtp: MtpHeads | None = None
    decode: JsonObject = field(default_factory=dict)


@dataclass(frozen=True)
class TrainingPlan:
    """A parsed training config, whose paths have been placed (``_placed``).

    Attributes:
        path: the file.
        model: the network to be made, or the checkpoint to begin with.
        tokens: ``"mini"`` or ``"mini2"`` for a shipped token set, or a file's path; ``""`` where ``files`` are given.
        files: conversations to train on.
        tokenizer: ``"mini"``, or the path of the ``tokenizer.json`` for ``files``, where no checkpoint is begun with.
        max_length: the longest conversation, in tokens.
        skip_bad: whether records that cannot be trained on are left out and reported, or refused.
        spoken_transcripts: whether a transcript is followed by the input's own codes, as in the released data.
        code_jitter: how far the prompt's codes move, in levels of the codec (``CodeJitter.deviation``).
        written_questions: of the second mini world, how many are asked and answered in writing beside the spoken ones.
        training: settings of the training, the objective's among them.
        decode: fields of ``DecodeConfig``, for the checkpoint's ``assistant.json``.
        mtp: the draft heads that are trained in place of the network; None: the network is.
        without: the paper's strategies that a call switched off (``SWITCHES``), in that order.
    """

    path: Path
    model: NewModel | StartModel
    tokens: str
    files: tuple[DataFile, ...]
    tokenizer: str
    max_length: int
    skip_bad: bool
    spoken_transcripts: bool
    code_jitter: float
    written_questions: int
    training: TrainingConfig
    decode: JsonObject
    mtp: MtpHeads | None = None
    without: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The config's: that of a shipped one (``"ablation/ttt"``), else the file's, without ``.toml``."""
        folder = _shipped_folder().resolve()
        path = self.path.resolve()
        return path.relative_to(folder).with_suffix("").as_posix() if path.is_relative_to(folder) else path.stem

    def refuse_without(self, objective: Objective) -> None:
        """Raise ``UserError`` where a model of that objective has none of what ``without`` switches off."""
        if self.without and objective != "hybrid":
            raise UserError(
                f"--without {','.join(self.without)}: {', '.join(SWITCHES)} are of hybrid models, and {self.path} "
                f"trains an {objective!r} one; leave the option out, or give the config of a hybrid model, e.g. ttt."
            )


SWITCHES = ("banom", "ppm", "sst")
"""The paper's strategies of training that ``--without`` switches off; fields of ``ObjectiveConfig``."""


def switched_off(plan: TrainingPlan, names: Sequence[str]) -> TrainingPlan:
    """The same training with the shares of ``names`` at 0.

    Raises:
        UserError: a name that is unknown, given twice, or off already, or a training that has no such part.
    """
    option = f"--without {','.join(names)}"
    for at, name in enumerate(names):
        if name not in SWITCHES:
            raise UserError(f"{option}: {name!r} is no part of the objective. {did_you_mean(name, SWITCHES)}")
        if name in names[:at]:
            raise UserError(f"{option}: {name!r} is given twice; remove one.")
    if names and plan.mtp is not None:
        raise UserError(f"{option}: {plan.path} trains draft heads ([mtp]), which have no such part; leave it out.")
    found = replace(plan, without=tuple(name for name in SWITCHES if name in names))
    if isinstance(plan.model, NewModel) or plan.model.objective is not None:
        found.refuse_without(plan.model.objective or "hybrid")
    shares = plan.training.objective
    for name in names:
        if not getattr(shares, name):
            raise UserError(f"{option}: objective.{name} of {plan.path} is 0 already; remove {name!r}.")
    banom, ppm, sst = (0.0 if name in names else getattr(shares, name) for name in SWITCHES)
    objective = replace(shares, banom=banom, ppm=ppm, sst=sst)
    return replace(found, training=replace(plan.training, objective=objective))


def find(name: str) -> Path:
    """The file of a training config: a path, or the name of one of the mini world (``ttt``, ``ablation/no_sst`` …).

    Raises:
        UserError: there is no such file; names those there are.
    """
    if os.path.isfile(name):
        return Path(name)
    shipped = shipped_training_configs()
    if name in shipped:
        return shipped[name]
    raise UserError(f"{name}: no such training config. {did_you_mean(name, sorted(shipped))}")


def shipped_training_configs() -> dict[str, Path]:
    """The mini world's training configs by name; those of the ablation are called ``ablation/…``."""
    folder = _shipped_folder()
    return {path.relative_to(folder).with_suffix("").as_posix(): path for path in sorted(folder.rglob("*.toml"))}


def _shipped_folder() -> Path:
    return shipped("tasks") / "mini" / "configs"


def read(path: Path) -> TrainingPlan:
    """Read a training config.

    Raises:
        UserError: naming file and field.
    """
    document = read_toml(path)
    given = read_table(_File, document)
    model = Document(given.model, document.source, at="model")
    if given.training.objective != ObjectiveConfig():
        raise document.error("training.objective", "unknown key. Write it as the section [objective].")
    if given.data.files and given.objective.ctc:
        raise document.error("objective.ctc", "needs to know what is spoken, which files don't say; remove it.")
    if given.mtp is not None:
        if "from" not in given.model or len(given.model) > 1:
            raise document.error("mtp", "trains heads for a model as it is. Let [model] hold from = FOLDER alone.")
        if given.objective != ObjectiveConfig():
            raise document.error("objective", "has no effect on draft heads ([mtp]); remove it.")
    check_decoding("ttt", [Document(given.decode, document.source, at="decode")])
    data = given.data
    return TrainingPlan(
        path=path,
        model=_start(read_table(StartModel, model), path) if "from" in given.model else read_table(NewModel, model),
        tokens=_placed_name(data.tokens or "", path, SHIPPED_TOKENS),
        files=tuple(replace(one, path=_placed(one.path, path)) for one in data.files),
        tokenizer=_placed_name(data.tokenizer or "mini", path, ("mini",)),
        max_length=data.max_length or 2048,
        skip_bad=data.bad_records == "skip",
        spoken_transcripts=data.spoken_transcripts or False,
        code_jitter=data.code_jitter or 0.0,
        written_questions=data.written_questions or 0,
        training=replace(given.training, objective=given.objective),
        decode=given.decode,
        mtp=given.mtp,
    )


def _start(model: StartModel, config: Path) -> StartModel:
    """A folder that counts from the config's; what is none there is one from the current folder, or a hub id."""
    folder = config.parent / model.from_
    return replace(model, from_=str(folder)) if os.path.isdir(folder) else model


def _placed_name(name: str, config: Path, shipped_names: Sequence[str]) -> str:
    return name if name in ("", *shipped_names) else str(_placed(Path(name), config))


def _placed(path: Path, config: Path) -> Path:
    """Where a path of a config leads: it counts from the config's folder, in shipped ones from the current folder."""
    if config.resolve().is_relative_to(_shipped_folder().resolve()):
        return path
    placed = config.parent / path
    if not os.path.exists(placed) and os.path.exists(path):
        log.warning("%s: paths count from its folder now; %s is read from the current folder until 0.3.", config, path)
        return path
    return placed
