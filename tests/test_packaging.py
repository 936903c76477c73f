"""What is installed is all of the project's own, under its right names, works from anywhere, and is small."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
INSTALLED = ("tttbench", "reference_model", "tasks", "reports")
MOST_BYTES = 40_000_000
"""Of a wheel: what a registry and a CI's cache take without a thought."""

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Built:
    """A source distribution, the wheel that was built from it, and the names in both and in the repository.

    ``in_wheel`` and ``in_source`` are names of files without what the build adds of its own (metadata).
    """

    wheel: Path
    in_wheel: frozenset[str]
    metadata: frozenset[str]
    in_source: frozenset[str]
    in_repository: frozenset[str]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Pack the repository's files, unpack them elsewhere, and build the wheel from that."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    files = [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    source, unpacked = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("unpacked")
    for name in files:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, source / name)
    pack = "import sys; from setuptools.build_meta import build_sdist; build_sdist(sys.argv[1])"
    _succeed([sys.executable, "-c", pack, str(unpacked)], source)
    (archive,) = unpacked.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(unpacked, filter="data")
    archive.unlink()
    (folder,) = unpacked.iterdir()
    in_source = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    stale = folder / "build" / "lib" / "tttbench" / "removed_since.py"
    stale.parent.mkdir(parents=True)
    stale.write_text("")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    target = tmp_path_factory.mktemp("wheel")
    _succeed([sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", str(target), str(folder)], target)
    (wheel,) = target.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed_wheel:
        names = frozenset(packed_wheel.namelist())
    added = {"PKG-INFO", "setup.cfg"}
    return Built(
        wheel=wheel,
        in_wheel=frozenset(name for name in names if ".dist-info/" not in name),
        metadata=frozenset(name.split(".dist-info/")[1] for name in names if ".dist-info/" in name),
        in_source=frozenset(name for name in in_source if name not in added and ".egg-info/" not in name),
        in_repository=frozenset(files),
    )


def _succeed(command: list[str], folder: Path) -> None:
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


@pytest.fixture(scope="module")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's files in a folder."""
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(built.wheel) as archive:
        archive.extractall(folder)
    return folder


def tttbench(installed: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command line in ``folder``; the first line of its output is where it was imported from."""
    code = "import sys, tttbench; from tttbench.cli.main import main; print(tttbench.__file__); sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )


def installed_name(source: str) -> str:
    return f"tttbench/shipped-data/{source}" if source.startswith(("tasks/", "reports/")) else source


def test_the_source_distribution_holds_all_of_the_repository(built: Built) -> None:
    assert built.in_source == built.in_repository


def test_the_wheel_holds_every_file_of_the_packages_but_the_ablation_and_the_second_mini_world(built: Built) -> None:
    sources = {name for name in built.in_repository if name.split("/")[0] in INSTALLED}
    weights = {name for name in sources if name.startswith("reference_model/weights/ablation-")}
    assert len({name.split("/")[2] for name in weights}) == 6
    second = {name for name in sources if name.startswith(("reference_model/weights/mini2-codec/", "tasks/mini2/"))}
    assert len(second) == 11  # codec, training set, two test sets, six tasks
    left_out = weights | second
    assert built.in_wheel == {installed_name(source) for source in sources - left_out}


def test_the_wheel_is_small(built: Built) -> None:
    assert built.wheel.stat().st_size <= MOST_BYTES


def test_the_licence_is_in_the_wheel(built: Built) -> None:
    assert "licenses/LICENSE" in built.metadata


def test_the_command_works_from_the_wheel_alone(installed: Path, tmp_path: Path) -> None:
    ended = tttbench(installed, tmp_path, "list", "suites")
    assert ended.returncode == 0, ended.stderr
    where, *suites = ended.stdout.splitlines()
    assert Path(where) == installed / "tttbench" / "__init__.py"
    assert {line.split()[0] for line in suites} == {path.stem for path in (ROOT / "tasks" / "suites").glob("*.toml")}


def test_from_a_wheel_the_ablation_says_how_to_get_its_weights(installed: Path, tmp_path: Path) -> None:
    ended = tttbench(installed, tmp_path, "run", "ablation", "--device", "cpu")
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith(
        "tttbench: ttt:ablation-ttt: its weights are in the repository, not in the installed package."
    )
    assert "Clone the repository" in line
    (train,) = re.findall(r"(tttbench train \S+ --out \S+), then", line)
    assert train == "tttbench train ablation/ttt --out build/ablation-ttt"
    # As it stands, for a step.
    done = tttbench(installed, tmp_path, *train.split()[1:], "--max-steps", "1", "--threads", "2")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "build" / "ablation-ttt" / "model.safetensors").is_file()
    listed = tttbench(installed, tmp_path, "list", "systems")
    assert "ttt:mini-nar" in listed.stdout
    assert "ablation" not in listed.stdout


def test_the_version_is_the_packages() -> None:
    import tttbench

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert tttbench.__version__ == project["version"]


def test_every_direct_requirement_is_pinned() -> None:
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = [
        *project["dependencies"],
        *(entry for extra in project["optional-dependencies"].values() for entry in extra),
    ]
    pinned: dict[str, str] = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name, _, version = line.partition("==")
            pinned[canonicalize_name(name)] = version
    for entry in map(Requirement, needed):
        # An extra may name others of our own.
        if entry.name != "tttbench":
            version = pinned.get(canonicalize_name(entry.name), "")
            assert version, f"constraints.txt doesn't pin {entry}"
            assert version in entry.specifier, f"{entry} and constraints.txt disagree"


def test_all_weights_together_are_small_and_in_half_precision() -> None:
    from safetensors import safe_open

    files = sorted((ROOT / "reference_model" / "weights").rglob("*.safetensors"))
    assert len(files) >= 10
    assert sum(path.stat().st_size for path in files) <= 64 * 2**20
    for path in files:
        with safe_open(path, "np") as weights:
            names = list(weights.keys())
            assert {weights.get_slice(name).get_dtype() for name in names} == {"F16"}, path
