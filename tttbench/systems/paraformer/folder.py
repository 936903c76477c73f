"""Where a Paraformer lies, and whether all of it is there: a model in ONNX with its metadata, and its tokens.

Looks into files and loads no model. sherpa-onnx ends the process, or reads past the end of a list, where what is
checked here doesn't hold.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tttbench.core.errors import AbsentError, UserError
from tttbench.data.cache import cache_folder
from tttbench.systems.paraformer.onnx_metadata import read_metadata

CHINESE = "zh"
"""The spec of the model that transcribes Chinese by default."""
ARCHIVE = "sherpa-onnx-paraformer-zh-2023-03-28"
"""What its archive is called, and unpacks to: FunASR's ``paraformer-zh`` (8,404 tokens) as exported for sherpa-onnx."""
_GET = f"unpack {ARCHIVE}.tar.bz2 (release asr-models of k2-fsa/sherpa-onnx) into {{into}}"

TOKENS = "tokens.txt"
_SIZES = {"model.onnx": 864_000_000, "model.int8.onnx": 223_000_000, TOKENS: 75_800}
"""Of ``ARCHIVE``, as the hub's csukuangfj/sherpa-onnx-paraformer-zh-2023-03-28 lists them."""
MODELS = ("model.onnx", "model.int8.onnx")
"""Of both the first is taken."""

FEATURES = 80
_END = "</s>"
_NUMBERS = ("vocab_size", "lfr_window_size", "lfr_window_shift")
_VECTORS = ("neg_mean", "inv_stddev")


@dataclass(frozen=True)
class ParaformerFiles:
    """A Paraformer on this disk.

    ``name`` is ``"zh"`` for the model that Chinese is transcribed by, unless a folder is given, else the folder's name.
    """

    name: str
    model: Path
    tokens: Path

    def sha256(self) -> str:
        """Of the model's file, and then of its tokens."""
        digest = hashlib.sha256()
        for path in (self.model, self.tokens):
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest()


def chinese_folder() -> Path:
    """Where the model that Chinese is transcribed by is looked for."""
    return cache_folder() / "paraformer" / ARCHIVE


def find_files(spec: str) -> ParaformerFiles:
    """Find what ``paraformer:spec`` names: ``""`` or ``"zh"``, a folder, or a model in its folder.

    Raises:
        AbsentError: naming what isn't there, its size and where to get it.
    """
    chosen: tuple[str, ...] = MODELS
    if spec in ("", CHINESE):
        name, folder = CHINESE, chinese_folder()
    else:
        given = Path(spec).expanduser()
        is_file = given.suffix == ".onnx"
        folder = given.parent if is_file else given
        name, chosen = folder.resolve().name, (given.name,) if is_file else MODELS
    if not folder.is_dir():
        raise AbsentError(f"paraformer:{spec}: there is no folder {folder}.", _how_to_get(spec, *chosen[:1], TOKENS))
    model = next((folder / one for one in chosen if (folder / one).is_file()), None)
    if model is None:
        raise AbsentError(f"paraformer:{spec}: {folder} lacks {' or '.join(chosen)}.", _how_to_get(spec, *chosen[:1]))
    if not (folder / TOKENS).is_file():
        raise AbsentError(f"paraformer:{spec}: {folder} lacks {TOKENS}.", _how_to_get(spec, TOKENS))
    return ParaformerFiles(name, model, folder / TOKENS)


def n_bytes_of(*names: str) -> int:
    """Return how large files of the Chinese model are, roughly; 0 for names that it doesn't have."""
    return sum(_SIZES.get(name, 0) for name in names)


def how_to_get() -> str:
    """Return where the Chinese model comes from and where it has to lie, as the end of a sentence."""
    return _GET.format(into=chinese_folder().parent)


def _how_to_get(spec: str, *names: str) -> str:
    sizes = ", ".join(f"{name} {size / 1e6:.1f} MB" for name in names if (size := n_bytes_of(name)))
    of_chinese = f"{how_to_get()} (of that: {sizes})" if sizes else how_to_get()
    if spec in ("", CHINESE):
        return f"Fix: {of_chinese}, or give your own folder: paraformer:FOLDER."
    return f"Fix: copy it there from the export, or take paraformer:{CHINESE}: {of_chinese}."


def check_files(files: ParaformerFiles) -> None:
    """Raise ``UserError`` naming the file and what is wrong with it, unless it is a Paraformer that can be run."""
    try:
        metadata = read_metadata(files.model)
    except (ValueError, OSError) as error:
        raise UserError(f"{files.model}: can't be read as ONNX: {error}. Copy or download it again.") from error
    vocabulary = _checked(files.model, metadata)
    tokens = _read_tokens(files.tokens)
    if lacking := [str(at) for at in range(vocabulary) if at not in tokens][:3]:
        raise UserError(
            f"{files.tokens}: lacks the token of number {', '.join(lacking)}; {files.model.name} has {vocabulary:,}. "
            "Take the tokens.txt of the same model."
        )
    if _END not in tokens.values():
        raise UserError(f"{files.tokens}: has no token {_END}. Take the tokens.txt of the same model.")


def _checked(path: Path, metadata: Mapping[str, str]) -> int:
    """The size of the vocabulary; ``UserError`` unless the metadata are those of a Paraformer."""
    fix = "Export the model for sherpa-onnx, which writes them, or take one that is."
    if lacking := [name for name in (*_NUMBERS, *_VECTORS) if name not in metadata]:
        raise UserError(f"{path}: is no Paraformer for sherpa-onnx: its metadata lack {', '.join(lacking)}. {fix}")
    numbers = {}
    for name in _NUMBERS:
        try:
            numbers[name] = int(metadata[name])
        except ValueError:
            numbers[name] = 0
        if numbers[name] < 1:
            raise UserError(f"{path}: metadata {name!r}: is {metadata[name]!r:.40}, not a number above 0. {fix}")
    width = FEATURES * numbers["lfr_window_size"]
    for name in _VECTORS:
        try:
            n = len([float(one) for one in metadata[name].split(",")])
        except ValueError as error:
            raise UserError(f"{path}: metadata {name!r}: {error}. {fix}") from error
        if n != width:
            raise UserError(
                f"{path}: metadata {name!r}: {n} numbers, expected {FEATURES} for each of lfr_window_size = {width}."
            )
    return numbers["vocab_size"]


def _read_tokens(path: Path) -> dict[int, str]:
    """Tokens by number: lines of a token and its number."""
    found = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: can't be read: {error}.") from error
    for at, line in enumerate(lines, 1):
        token, _, number = line.strip().rpartition(" ")
        if not token or not number.isdecimal():
            raise UserError(f"{path}, line {at}: {line!r:.40} isn't a token and its number.")
        found[int(number)] = token.strip()
    return found
