"""Carries a training config out: its data, its network, what is shown of it, and what makes the result an assistant.

The training itself is the reference model's.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tttbench.config.training import SWITCHES, StartModel, TrainingPlan, find, read, switched_off
from tttbench.core.errors import StorageError, UserError
from tttbench.core.json_values import JsonValue
from tttbench.core.serialize import plain_fields
from tttbench.systems.ttt.folder import named_codec
from tttbench.systems.ttt.trained import Trained

if TYPE_CHECKING:
    from reference_model.checkpoint import Loaded
    from reference_model.layout import Example
    from reference_model.tokens import TtTTokenizer
    from reference_model.training.jitter import CodeJitter
    from reference_model.training.mixture import Mixture
    from reference_model.training.trainer import Vary
    from reference_model.transformer import TtTModel
    from tttbench.training.display import TrainingDisplay

_BAD = "bad_records.txt"


def main(arguments: Sequence[str]) -> int:
    """``tttbench train CONFIG``: train, or go on with a training, and leave a checkpoint folder that can be run."""
    parser = argparse.ArgumentParser(prog="tttbench train", description=main.__doc__)
    parser.add_argument("config", help="a .toml file, or the name of a shipped one: ttt, ar, nar, ablation/ttt …")
    parser.add_argument("--out", type=Path, help="checkpoint folder (default: build/CONFIG); goes on if one is there")
    parser.add_argument("--seed", type=int, help="of weights, order and noise, in place of the config's")
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="A,B",
        help=f"switch strategies of the paper off: {', '.join(SWITCHES)}",
    )
    parser.add_argument("--max-steps", type=int, help="stop after this step, with a checkpoint")
    parser.add_argument("--threads", type=int, help="threads of the training (default: torch's own)")
    parser.add_argument(
        "--codec", default="mini-codec", help="codec that the checkpoint speaks with: shipped, or a folder beside --out"
    )
    args = parser.parse_args(arguments)
    without = [name.strip() for value in args.without for name in value.split(",")]
    plan = switched_off(read(find(args.config)), without)
    for option, value in (("--max-steps", args.max_steps), ("--threads", args.threads)):
        if value is not None and value < 1:
            raise UserError(f"{option} {value}: expected at least 1")
    if args.seed is not None:
        if args.seed < 0:
            raise UserError(f"--seed {args.seed}: expected a number of at least 0")
        plan = replace(plan, training=replace(plan.training, seed=args.seed))
    name = plan.path.stem if os.path.isfile(args.config) else args.config
    folder = args.out or Path("build") / "-".join([name, *(f"no_{one}" for one in plan.without)])
    codec = named_codec(folder, args.codec)
    if not os.path.isdir(codec):
        raise UserError(f"--codec {args.codec}: no folder {codec}, and none is shipped so named")
    train(plan, folder, args.max_steps, args.threads, args.codec)
    return 0


@dataclass(frozen=True)
class _Prepared:
    """What the config asks for, in memory; ``source`` is the folder of a model that stays as it is (``[mtp]``)."""

    model: TtTModel
    tokenizer: TtTTokenizer
    examples: Sequence[Example]
    mixture: Mixture
    vary: Vary | None
    bad: tuple[str, ...]
    source: Path | None = None


def train(plan: TrainingPlan, folder: Path, max_steps: int | None, threads: int | None, codec: str) -> None:
    """Train by the config into ``folder``, or go on with the training that is there.

    Args:
        plan: what to train.
        folder: becomes a checkpoint that ``ttt:FOLDER`` answers with.
        max_steps: stop after this step; None: after the config's last.
        threads: of torch; None: torch's own choice.
        codec: name of the codec's folder beside ``folder``, or of a shipped codec.

    Raises:
        UserError: the config, the data or what is in ``folder`` does not fit.
        StorageError: ``folder`` could not be written.
    """
    import torch
    from safetensors import SafetensorError

    from reference_model.errors import ReferenceModelError
    from reference_model.training.processes import leave
    from tttbench.training.display import TrainingDisplay

    if threads:
        torch.set_num_threads(threads)
    try:
        torch.manual_seed(plan.training.seed)
        made = _prepare(plan)
        plan.refuse_without(made.model.config.objective)
        _check_folder(folder, plan, made)
        steps = plan.training.steps if max_steps is None else min(max_steps, plan.training.steps)
        with TrainingDisplay(folder, steps) as display:
            if display.is_first:
                _describe(folder, plan, codec, made)
                millions = made.model.n_parameters() / 1e6
                without = f", without {', '.join(plan.without)}" if plan.without else ""
                print(f"{millions:.2f} M parameters, {len(made.examples)} examples{without}", flush=True)
            _run(folder, plan, made, max_steps, display)
    except ReferenceModelError as error:
        raise UserError(str(error)) from error
    except (OSError, SafetensorError) as error:
        raise StorageError(
            f"{folder}: could not be written ({error}); make room and train again: it goes on"
        ) from error
    leave()
    if display.is_first:
        print(f"The checkpoint is in {folder}; try it: tttbench run --systems ttt:{folder}")


def _check_folder(folder: Path, plan: TrainingPlan, made: _Prepared) -> None:
    """Refuse a folder with another training before anything in it is changed."""
    from reference_model.training.draft_heads import check_heads_folder
    from reference_model.training.trainer import check_folder

    settings, data = plan.training, (made.vary, made.mixture)
    if plan.mtp is None or made.source is None:
        check_folder(folder, settings, made.model.config, made.examples, *data)
    else:
        check_heads_folder(folder, made.model, made.source, made.examples, settings, plan.mtp.heads, *data)


def _run(folder: Path, plan: TrainingPlan, made: _Prepared, until: int | None, display: TrainingDisplay) -> None:
    from reference_model.training.draft_heads import train_draft_heads
    from reference_model.training.trainer import train as train_network

    data, settings = made.examples, plan.training
    mixture, vary, report, tick = made.mixture, made.vary, display.show, display.tick
    if plan.mtp is None or made.source is None:
        train_network(
            made.model, made.tokenizer, data, settings, folder,
            mixture=mixture, vary=vary, until=until, report=report, tick=tick,
        )  # fmt: skip
    else:
        train_draft_heads(
            made.model, made.source, data, settings, folder, plan.mtp.heads,
            mixture=mixture, vary=vary, until=until, report=report, tick=tick,
        )  # fmt: skip


def _frozen(plan: TrainingPlan, start: StartModel) -> Loaded:
    """The AR model that ``[mtp]`` trains heads for.

    Raises:
        CheckpointError, ConfigError, TokenizerError: there is none, or it is damaged.
    """
    from reference_model import checkpoint

    found = checkpoint.load(start.from_)
    if found.model.config.objective != "ar":
        objective = found.model.config.objective
        raise UserError(f"{plan.path}: mtp: draft heads are for AR models, and {start.from_} is {objective!r}.")
    return found


def _prepare(plan: TrainingPlan) -> _Prepared:
    is_rendered = _is_rendered(plan)
    if is_rendered and plan.spoken_transcripts:
        raise UserError(f"{plan.path}: data.spoken_transcripts: doesn't go with {plan.tokens}; remove it.")
    if not is_rendered and plan.written_questions:
        raise UserError(f"{plan.path}: data.written_questions: only the second mini world has any; remove it.")
    if plan.mtp is not None and isinstance(plan.model, StartModel):
        found = _frozen(plan, plan.model)
        model, tokenizer, source = found.model, found.tokenizer, found.folder
    else:
        model, tokenizer = _network(plan, is_rendered)
        source = None
    if is_rendered:
        made = _rendered(plan, model, tokenizer)
    elif plan.tokens:
        made = _recorded(plan, model, tokenizer)
    else:
        made = _conversations(plan, model, tokenizer, _jitter(plan, model.config.code_id_start))
    return replace(made, source=source)


def _is_rendered(plan: TrainingPlan) -> bool:
    """Whether the data are the second mini world's."""
    from tttbench.miniworld.second.tokens import is_rendered

    return bool(plan.tokens) and is_rendered(_token_set(plan))


def _token_set(plan: TrainingPlan) -> Path:
    """The file of ``data.tokens``."""
    from tttbench.miniworld import tokens as first_tokens
    from tttbench.miniworld.second import tokens as second_tokens

    return {"mini": first_tokens.SHIPPED, "mini2": second_tokens.SHIPPED}.get(plan.tokens, Path(plan.tokens))


def _network(plan: TrainingPlan, is_rendered: bool) -> tuple[TtTModel, TtTTokenizer]:
    """The network that is trained."""
    from reference_model.config import TtTConfig
    from reference_model.tokens import TtTTokenizer
    from reference_model.training.extend import extend
    from reference_model.transformer import TtTModel
    from tttbench.miniworld import tokenizer as first_tokenizer
    from tttbench.miniworld import tokens as first_tokens
    from tttbench.miniworld.second import tokenizer as second_tokenizer
    from tttbench.miniworld.second import tokens as second_tokens

    if isinstance(plan.model, StartModel):
        if is_rendered:
            raise UserError(f"{plan.path}: model.from: doesn't go with {plan.tokens}; remove it.")
        return extend(
            plan.model.from_,
            n_audio_codes=plan.model.n_audio_codes,
            objective=plan.model.objective,
            prompt_audio=plan.model.prompt_audio,
            seed=plan.training.seed,
        )
    if is_rendered:
        tokenizer = second_tokenizer.build(second_tokens.N_CODES)
    elif plan.tokenizer == "mini":
        tokenizer = first_tokenizer.build(first_tokens.N_CODES)
    else:
        tokenizer = TtTTokenizer.from_file(Path(plan.tokenizer))
    ids = {**tokenizer.ids, "vocab_size": tokenizer.vocab_size}
    return TtTModel(TtTConfig.from_json(plan.model.given(), ids, where=f"{plan.path}: [model]")), tokenizer


def _recorded(plan: TrainingPlan, model: TtTModel, tokenizer: TtTTokenizer) -> _Prepared:
    """The first mini world, or a token set of its kind."""
    from reference_model.training.mixture import Mixture
    from tttbench.miniworld import tokens as mini_tokens

    tokens = mini_tokens.TokenSet.load(_token_set(plan))
    examples = mini_tokens.examples(tokens, tokenizer, model.config, spoken_transcripts=plan.spoken_transcripts)
    vary = _jitter(plan, model.config.code_id_start)
    return _Prepared(model, tokenizer, examples, Mixture.once(len(examples)), vary, ())


def _rendered(plan: TrainingPlan, model: TtTModel, tokenizer: TtTTokenizer) -> _Prepared:
    """The second mini world: one rendition of an answer is drawn each time an example is used."""
    from reference_model.training.mixture import Mixture
    from reference_model.training.renditions import DrawRendition, digest
    from tttbench.miniworld.second.build import SEED
    from tttbench.miniworld.second.corpus import written_questions
    from tttbench.miniworld.second.coverage import coverage
    from tttbench.miniworld.second.tokens import RenderedTokens, examples, written_examples

    made = examples(RenderedTokens.load(_token_set(plan)), tokenizer, model.config)
    made += written_examples(written_questions(plan.written_questions, SEED), tokenizer, model.config)
    if plan.mtp is None:
        n_drawn = plan.training.steps * plan.training.batch_size
        print(coverage(made, plan.training.objective, model.config).describe(n_drawn), flush=True)
    vary = DrawRendition(digest(made), _jitter(plan, model.config.code_id_start))
    return _Prepared(model, tokenizer, made, Mixture.once(len(made)), vary, ())


def _conversations(plan: TrainingPlan, model: TtTModel, tokenizer: TtTTokenizer, vary: CodeJitter | None) -> _Prepared:
    from reference_model.training.conversations import read_conversations
    from reference_model.training.mixture import Mixture

    read_files = [
        read_conversations(file.path, tokenizer, model.config, max_length=plan.max_length, skip_bad=plan.skip_bad)
        for file in plan.files
    ]
    mixture = Mixture(tuple(len(one.examples) for one in read_files), tuple(file.ratio for file in plan.files))
    examples = [example for one in read_files for example in one.examples]
    return _Prepared(
        model, tokenizer, examples, mixture, vary, tuple(str(bad) for one in read_files for bad in one.bad)
    )


def _jitter(plan: TrainingPlan, code_id_start: int) -> CodeJitter | None:
    from reference_model.speech.networks import CodecConfig
    from reference_model.training.jitter import CodeJitter

    return CodeJitter(CodecConfig().levels, code_id_start, plan.code_jitter) if plan.code_jitter else None


def _describe(folder: Path, plan: TrainingPlan, codec: str, made: _Prepared) -> None:
    """Say in the checkpoint how it is asked, decoded and voiced, and name the records that were skipped."""
    from tttbench.miniworld.tokenizer import ASR_PROMPT, CHAT_PROMPT
    from tttbench.systems.ttt.folder import read_assistant

    folder.mkdir(parents=True, exist_ok=True)
    content: dict[str, JsonValue] = {"codec": codec, "decode": dict(plan.decode)}
    if made.source is not None and (made.source / "assistant.json").exists():  # heads change nothing of how it is asked
        content["prompts"] = dict(read_assistant(made.source).prompts)
    elif plan.tokens:
        # Other data hold prompts of their own; those of TtT stand for them until the file says otherwise.
        content["prompts"] = {"asr": ASR_PROMPT, "qa": CHAT_PROMPT}
    (folder / "assistant.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    Trained(plan.name, plan.without, plain_fields(plan.training)).write(folder)
    if made.bad:
        (folder / _BAD).write_text("\n".join(made.bad) + "\n", encoding="utf-8")
        print(f"{len(made.bad)} records cannot be trained on and are skipped; {folder / _BAD} names them", flush=True)
