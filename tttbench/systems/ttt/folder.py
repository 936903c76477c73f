"""Checkpoint folders: where they lie, and their ``assistant.json``, read and checked. Loads no weights.

``{"codec": "mini-codec", "prompts": {"asr": "…", "qa": "…"}, "decode": {"steps_per_block": 4}}``: the codec's folder
beside the checkpoint's (or an absolute path, or a shipped codec's name), the system prompts, and fields of
``DecodeConfig``. All but the codec may be left out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tttbench.core.errors import UserError, did_you_mean
from tttbench.core.records import RequestKind
from tttbench.systems.ttt.settings import refuse_unknown

SHIPPED = (
    "mini",
    "mini-ar",
    "mini-nar",
    "ablation-ttt",
    "ablation-ar",
    "ablation-nar",
    "ablation-no_banom",
    "ablation-no_ppm",
    "ablation-no_sst",
)
"""Checkpoints in ``reference_model/weights``."""

FILE = "assistant.json"

_TURNS = "Respond in an interleaved manner: generate 13 text tokens followed by 26 audio tokens, and repeat."

PUBLISHED_PROMPTS: Mapping[RequestKind, str] = {
    "asr": f"User will provide you with a speech recording. Write down what is said in it. {_TURNS}",
    "qa": f"User will provide you with a speech instruction. Follow it and answer. {_TURNS}",
}
"""System prompts of folders that give none of their own: they say what those of TtT (arXiv 2509.20072) say."""


@dataclass(frozen=True)
class Assistant:
    """What turns a checkpoint into an assistant.

    Attributes:
        codec: folder of the audio codec; None where none is named.
        prompts: system prompt for each kind of request.
        decode: ``DecodeConfig`` fields by name, unchecked.
        where: the file, for messages.
    """

    codec: Path | None
    prompts: Mapping[RequestKind, str]
    decode: Mapping[str, object] = field(default_factory=dict)
    where: str = FILE

    def codec_folder(self) -> Path:
        """Return the codec's folder; raises ``UserError`` if none is named, or if there is no such folder."""
        if self.codec is None:
            raise UserError(
                f"{self.where}: names no audio codec, and without one nothing can be heard or said. Put a codec's "
                'folder beside the checkpoint\'s and write {"codec": "NAME-OF-THAT-FOLDER"} into the file.'
            )
        if not self.codec.is_dir():
            raise UserError(f"{self.where}: field 'codec': no such folder: {self.codec}. Correct it, or put it there.")
        return self.codec


def checkpoint_folder(spec: str) -> Path:
    """Return the folder that ``ttt:spec`` names: a shipped checkpoint (an empty spec is ``mini``) or a path.

    Raises:
        UserError: no such checkpoint.
    """
    if spec in ("", *SHIPPED):
        return _shipped(spec or SHIPPED[0])
    folder = Path(spec).expanduser()
    if folder.is_dir():
        return folder
    if "/" in spec or "\\" in spec:
        raise UserError(f"ttt:{spec}: no such folder. Give the path of a checkpoint folder; hub ids are not fetched.")
    names = [f"ttt:{name}" for name in SHIPPED]
    raise UserError(f"Unknown system 'ttt:{spec}', and no such folder. {did_you_mean(f'ttt:{spec}', names)}")


def read_assistant(folder: Path) -> Assistant:
    """Read ``folder``'s ``assistant.json``; without one, the published prompts and no codec.

    Raises:
        UserError: naming file, field and mend.
    """
    path = folder / FILE
    if not path.exists():
        return Assistant(None, PUBLISHED_PROMPTS, where=str(path))
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise UserError(f"{path}: not readable as JSON ({error}). Write it again.") from error
    content = _object(raw, str(path))
    refuse_unknown(content, ("codec", "prompts", "decode"), f"{path}: field")
    prompts = _object(content.get("prompts", {}), f"{path}: field 'prompts'")
    refuse_unknown(prompts, tuple(PUBLISHED_PROMPTS), f"{path}: field 'prompts':")
    codec = content.get("codec")
    return Assistant(
        codec=None if codec is None else named_codec(folder, _text(codec, f"{path}: field 'codec'")),
        prompts={
            kind: _text(prompts.get(kind, published), f"{path}: field 'prompts.{kind}'")
            for kind, published in PUBLISHED_PROMPTS.items()
        },
        decode=_object(content.get("decode", {}), f"{path}: field 'decode'"),
        where=str(path),
    )


def named_codec(folder: Path, name: str) -> Path:
    """The folder, there or not, of the codec that a checkpoint in ``folder`` calls ``name``: beside it, or shipped."""
    beside, shipped = folder.resolve().parent / name, _shipped(name)
    return shipped if not beside.exists() and shipped.is_dir() and Path(name).name == name else beside


def _shipped(name: str) -> Path:
    import reference_model

    return Path(reference_model.__file__).parent / "weights" / name


def weights_sha256(folder: Path) -> str:
    """Hash of the weights: of ``model.safetensors``, or of its shards' hashes where there are several."""
    hashes = []
    for path in sorted(folder.glob("model*.safetensors")):
        with path.open("rb") as file:
            hashes.append(hashlib.file_digest(file, "sha256").hexdigest())
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def _object(value: object, where: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise UserError(f"{where}: must be a JSON object, not {value!r}.")
    return value


def _text(value: object, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise UserError(f"{where}: must be a text that isn't empty, not {value!r}.")
    return value
