"""What is known of ``ttt:SPEC`` before it is built: is it there, do its settings fit, which of them have an effect?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tttbench.core.errors import UserError
from tttbench.core.extras import require
from tttbench.core.json_values import JsonObject
from tttbench.core.system import SystemOptions
from tttbench.core.tables import Document
from tttbench.systems.ttt.folder import checkpoint_folder, read_assistant
from tttbench.systems.ttt.settings import decode_settings, dtype_of, in_force, prompt_audio_of
from tttbench.systems.ttt.speech import load_codec

if TYPE_CHECKING:
    pass


def check(spec: str, options: SystemOptions) -> None:
    """Find unknown checkpoints, settings and strategies, and strategies that the checkpoint wasn't trained for."""
    folder = checkpoint_folder(spec)
    require("model", f"ttt:{spec}")
    if not (options.strategy or options.settings):
        return
    settings = decode_settings(given_settings(spec, options))

    import torch

    from reference_model.config import TtTConfig
    from reference_model.decoding.engine import strategy_for
    from reference_model.draft_heads import read_draft_heads
    from reference_model.errors import DecodeError, ReferenceModelError
    from reference_model.transformer import TtTModel

    try:
        with torch.device("meta"):
            model = TtTModel(TtTConfig.from_file(folder / "config.json"), initialise=False)
        model.draft_heads = read_draft_heads(folder, model.config.hidden_size)
        strategy_for(model, settings)
    except DecodeError as error:
        raise UserError(f"ttt:{spec}: {error}") from error
    except ReferenceModelError:
        # A damaged checkpoint shows when it is loaded, and fails its own requests alone.
        return


def ready(spec: str, options: SystemOptions) -> None:
    """Find out that the codec can be loaded, and that there are weights, before anything is generated."""
    from reference_model.errors import ReferenceModelError

    folder = checkpoint_folder(spec)
    codec_folder = read_assistant(folder).codec_folder()
    try:
        load_codec(codec_folder, options.device)
    except ReferenceModelError as error:
        raise UserError(str(error)) from error
    if not any(folder.glob("*.safetensors")):
        raise UserError(f"{folder}: holds no weights (*.safetensors). Put them there.")


def given_settings(spec: str, options: SystemOptions) -> list[Document]:
    """The decode settings of a suite or a call, with where they come from."""
    strategy = {"strategy": options.strategy} if options.strategy else {}
    return [
        Document(options.settings, f"ttt:{spec}", at="decode"),
        Document(strategy, f"ttt:{spec}@{options.strategy}"),
    ]


def effective(spec: str, options: SystemOptions) -> JsonObject:
    """The decode settings in force, without those that have no effect on this checkpoint with this strategy.

    Raises:
        UserError: there is no such checkpoint, or a setting is wrong.
    """
    from reference_model.config import TtTConfig
    from reference_model.decoding import make_strategy
    from reference_model.decoding.strategy import canonical, takes_steps
    from reference_model.errors import ReferenceModelError

    folder = checkpoint_folder(spec)
    layers = [read_assistant(folder).decode, *given_settings(spec, options)]
    settings = decode_settings(layers)
    try:
        config = TtTConfig.from_file(folder / "config.json")
    except ReferenceModelError as error:
        raise UserError(str(error)) from error
    name = (
        ("ar" if config.objective == "ar" else "topk")
        if settings.strategy == "auto"
        else canonical(str(settings.strategy))
    )
    found = {**in_force(settings), "strategy": name, "dtype": dtype_of(layers)}
    none: tuple[str, ...] = ()
    if not takes_steps(make_strategy(name)):
        none += ("steps_per_block",)
    if config.objective == "ar":
        none += ("block_length", "block_lengths", "steps_per_block", "cfg")
    else:
        found["prompt_audio"] = prompt_audio_of(layers) or config.prompt_audio
    return {key: value for key, value in found.items() if key not in none}
