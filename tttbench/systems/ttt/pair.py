"""Two checkpoints that are to be compared: one that fills masks and an AR model, of one codec and one tokenizer."""

from __future__ import annotations

from pathlib import Path

from tttbench.core.errors import UserError
from tttbench.core.extras import require
from tttbench.systems.ttt.folder import checkpoint_folder, json_sha256, read_assistant
from tttbench.systems.ttt.speech import load_codec


def strategies_against(system: str, against: str) -> tuple[str, ...]:
    """Return the strategies that the AR model of the pair can be decoded by: ``ar``, and with draft heads ``mtp``.

    Args:
        system: the checkpoint that fills masks: a shipped one's name, or a folder.
        against: the AR model's.

    Raises:
        UserError: either is no such checkpoint, or their codecs or tokenizers differ.
    """
    from reference_model.draft_heads import FILE

    require("model", "--against")
    mine, other = checkpoint_folder(system), checkpoint_folder(against)
    if _objective(mine) == "ar":
        raise UserError(f"--systems ttt:{system}: is an AR model, and the suite's ways fill masks; swap the two.")
    if (objective := _objective(other)) != "ar":
        raise UserError(f"--against ttt:{against}: was trained as {objective!r}; give an AR model (tttbench train ar).")
    _check_same_codec(system, mine, against, other)
    _check_same_tokenizer(system, mine, against, other)
    return ("ar", "mtp") if (other / FILE).is_file() else ("ar",)


def _objective(folder: Path) -> str:
    from reference_model.config import TtTConfig
    from reference_model.errors import ReferenceModelError

    try:
        return TtTConfig.from_file(folder / "config.json").objective
    except ReferenceModelError as error:
        raise UserError(str(error)) from error


def _check_same_codec(system: str, mine: Path, against: str, other: Path) -> None:
    from reference_model.errors import ReferenceModelError

    folders = [read_assistant(folder).codec_folder() for folder in (mine, other)]
    try:
        prints = [load_codec(folder).fingerprint for folder in folders]
    except ReferenceModelError as error:
        raise UserError(str(error)) from error
    if prints[0] != prints[1]:
        raise UserError(
            f"--systems ttt:{system} and --against ttt:{against}: their codecs differ ({folders[0]} and {folders[1]}), "
            "so their audio tokens are of different length and quality; compare checkpoints trained with one codec."
        )


def _check_same_tokenizer(system: str, mine: Path, against: str, other: Path) -> None:
    from reference_model.checkpoint import tokenizer_file
    from reference_model.errors import ReferenceModelError

    try:
        files = [tokenizer_file(folder) for folder in (mine, other)]
    except ReferenceModelError as error:
        raise UserError(str(error)) from error
    if json_sha256(files[0]) != json_sha256(files[1]):
        raise UserError(
            f"--systems ttt:{system} and --against ttt:{against}: their tokenizers differ ({files[0]} and {files[1]}), "
            "so a pass of one writes other text than one of the other; compare checkpoints with one tokenizer."
        )
