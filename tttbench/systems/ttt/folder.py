"""Checkpoint folders: where they lie, and their ``assistant.json``, read and checked. Loads no weights.

``{"codec": "mini-codec", "prompts": {"asr": "…", "qa": "…"}, "decode": {"steps_per_block": 4}}``: the codec's folder
beside the checkpoint's (or an absolute path, or a shipped codec's name), the system prompts, and fields of
``DecodeConfig``. All but the codec may be left out.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from tttbench.core.errors import AbsentError, UserError, did_you_mean
from tttbench.core.json_values import JsonObject
from tttbench.core.missing import Missing
from tttbench.core.system import SystemOptions
from tttbench.core.tables import Check, Document, read_table
from tttbench.data.documents import read_json

Family = Literal["asr", "qa"]
"""Families of tasks that TtT has a prompt for."""

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
"""Checkpoints in ``reference_model/weights`` of the repository; those of the ablation are in no wheel."""

FILE = "assistant.json"

_TURNS = "Respond in an interleaved manner: generate 13 text tokens followed by 26 audio tokens, and repeat."

PARAPHRASED_PROMPTS: Mapping[str, str] = {
    "asr": f"User will provide you with a speech recording. Write down what is said in it. {_TURNS}",
    "qa": f"User will provide you with a speech instruction. Follow it and answer. {_TURNS}",
}
"""System prompts of folders that give none of their own: paraphrases of TtT's (arXiv 2509.20072), in other words.

A released checkpoint was trained with prompts in its own words; put those into its ``assistant.json``.
"""


@dataclass(frozen=True)
class Assistant:
    """What turns a checkpoint into an assistant.

    Attributes:
        codec: folder of the audio codec; None where none is named.
        prompts: system prompt for each family of tasks.
        decode: fields of ``DecodeConfig`` by name, unchecked.
        where: the file, for messages.
    """

    codec: Path | None
    prompts: Mapping[str, str]
    decode: Document
    where: str

    @property
    def whose_prompts(self) -> str:
        """In words, which prompts the weights may never have seen."""
        ours = [family for family, prompt in sorted(PARAPHRASED_PROMPTS.items()) if self.prompts.get(family) == prompt]
        if not ours:
            return "its own"
        return f"ours, paraphrases of the published ones: {', '.join(ours)}; put the trained words into {FILE}"

    def codec_folder(self) -> Path:
        """Return the codec's folder; raises ``UserError`` if none is named, or if there is no such folder."""
        if self.codec is None:
            raise UserError(
                f"{self.where}: names no audio codec, and without one there is no audio in or out. Put a codec's "
                'folder beside the checkpoint\'s and write {"codec": "NAME-OF-THAT-FOLDER"} into the file.'
            )
        if not os.path.isdir(self.codec):
            raise UserError(f"{self.where}: field 'codec': no such folder: {self.codec}. Correct it, or put it there.")
        return self.codec


def checkpoint_folder(spec: str) -> Path:
    """Return the folder that ``ttt:spec`` names: a shipped checkpoint (an empty spec is ``mini``) or a path.

    Raises:
        UserError: no such checkpoint, or a shipped one that this installation lacks.
    """
    if spec in ("", *SHIPPED):
        return _installed(spec or SHIPPED[0])
    folder = Path(spec).expanduser()
    if os.path.isdir(folder):
        return folder
    if "/" in spec or "\\" in spec:
        raise AbsentError(f"ttt:{spec}: no such folder.", _get_it(spec))
    names = [f"ttt:{name}" for name in SHIPPED]
    raise AbsentError(f"Unknown system 'ttt:{spec}', and no such folder.", did_you_mean(f"ttt:{spec}", names))


def _get_it(spec: str) -> str:
    """How to come by a checkpoint that isn't here; what looks like a hub id is fetched beforehand, with a codec."""
    owner, _, name = spec.partition("/")
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", spec):
        return "Give the path of a checkpoint folder."
    return (
        f"If {owner}/{name} is a hub id: nothing is fetched while a suite runs, so fetch it first (hf download {spec} "
        f'--local-dir {name}), put a codec\'s folder beside it, name that in {name}/{FILE} ({{"codec": …}}), and give '
        f"ttt:{name}."
    )


_Filled = Annotated[str, Check(filled=True)]


@dataclass(frozen=True)
class _AssistantFile:
    """The form of ``assistant.json``; see ``Assistant``."""

    codec: _Filled | None = None
    prompts: Mapping[Family, _Filled] = field(default_factory=dict)
    decode: JsonObject = field(default_factory=dict)


def read_assistant(folder: Path) -> Assistant:
    """Read ``folder``'s ``assistant.json``; without one, the published prompts and no codec.

    Raises:
        UserError: naming file, field and fix.
    """
    path = folder / FILE
    if not os.path.exists(path):
        return Assistant(None, PARAPHRASED_PROMPTS, Document({}, str(path), "JSON", "decode"), str(path))
    given = read_table(_AssistantFile, read_json(path))
    return Assistant(
        codec=None if given.codec is None else named_codec(folder, given.codec),
        prompts={**PARAPHRASED_PROMPTS, **dict[str, str](given.prompts.items())},
        decode=Document(given.decode, str(path), "JSON", "decode"),
        where=str(path),
    )


def named_codec(folder: Path, name: str) -> Path:
    """The folder, there or not, of the codec that a checkpoint in ``folder`` calls ``name``: beside it, or shipped."""
    beside, shipped = folder.resolve().parent / name, _shipped(name)
    return shipped if not os.path.exists(beside) and os.path.isdir(shipped) and Path(name).name == name else beside


def lacks(spec: str, options: SystemOptions) -> Sequence[Missing]:
    """The codec, and the weights, that the folder doesn't hold."""
    folder = checkpoint_folder(spec)
    found = []
    try:
        read_assistant(folder).codec_folder()
    except UserError as error:
        found.append(Missing(str(error)))
    if not any(folder.glob("*.safetensors")):
        found.append(Missing(f"{folder}: holds no weights (*.safetensors)", "put them there"))
    return found


def installed_names() -> tuple[str, ...]:
    """Those of ``SHIPPED`` that are here."""
    return tuple(name for name in SHIPPED if _shipped(name).is_dir())


def _installed(name: str) -> Path:
    folder = _shipped(name)
    if os.path.isdir(folder):
        return folder
    family, _, variant = name.partition("-")
    if family == "ablation":
        raise AbsentError(
            f"ttt:{name}: its weights are in the repository, not in the installed package. Clone the repository and "
            f"install from there (pip install -e '.[offline]'), or train it, some 20 minutes on two cores: "
            f"tttbench train ablation/{variant} --out build/{name}, then --systems ttt:build/{name}"
        )
    raise AbsentError(
        f"ttt:{name}: {folder} is missing. Install the package again, or train it: tttbench train {variant or 'ttt'}"
    )


def _shipped(name: str) -> Path:
    import reference_model

    return Path(reference_model.__file__).parent / "weights" / name


def identity(folder: Path, codec_folder: Path) -> dict[str, str]:
    """What else can change an answer or its cost: hashes of configurations, tokenizer and draft heads.

    Raises:
        UserError: naming the file that is missing or damaged.
    """
    from reference_model.checkpoint import tokenizer_file
    from reference_model.config import SHARED_TOKENIZER
    from reference_model.draft_heads import FILE as DRAFT_HEADS

    heads = folder / DRAFT_HEADS
    # Cards of folders without draft heads go on being equal.
    drafting = {"draft_heads_sha256": hashlib.sha256(heads.read_bytes()).hexdigest()} if heads.is_file() else {}
    return {
        **drafting,
        "config_sha256": json_sha256(folder / "config.json", without=SHARED_TOKENIZER),
        "tokenizer_sha256": hashlib.sha256(tokenizer_file(folder).read_bytes()).hexdigest(),
        "codec_config_sha256": json_sha256(codec_folder / "config.json"),
    }


def json_sha256(path: Path, without: str = "") -> str:
    """Hash of what a JSON file holds, however it is laid out."""
    values = read_json(path).values
    held = {key: value for key, value in values.items() if key != without} if isinstance(values, Mapping) else values
    return hashlib.sha256(json.dumps(held, sort_keys=True).encode()).hexdigest()


def weights_sha256(folder: Path) -> str:
    """Hash of the weights: of ``model.safetensors``, or of its shards' hashes where there are several."""
    hashes = []
    for path in sorted(folder.glob("model*.safetensors")):
        with path.open("rb") as file:
            hashes.append(hashlib.file_digest(file, "sha256").hexdigest())
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("\n".join(hashes).encode()).hexdigest()
