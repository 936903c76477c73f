"""What is installed is all of the project's own, under its right names, and works from anywhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
INSTALLED = ("tttbench", "reference_model", "tasks", "reports")

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Wheel:
    """A wheel, the names of the files in it, and those of the repository's files that belong in it."""

    path: Path
    names: frozenset[str]
    sources: frozenset[str]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Wheel:
    """Build the wheel from the repository's files alone, in a folder of its own."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    files = [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in files:
        if name.split("/")[0] in INSTALLED or "/" not in name:
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, source / name)
    stale = source / "build" / "lib" / "tttbench" / "removed_since.py"
    stale.parent.mkdir(parents=True)
    stale.write_text("")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    command = [sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", str(built), str(source)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    (path,) = built.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        names = frozenset(archive.namelist())
    return Wheel(path, names, frozenset(name for name in files if name.split("/")[0] in INSTALLED))


def installed_name(source: str) -> str:
    return f"tttbench/shipped-data/{source}" if source.startswith(("tasks/", "reports/")) else source


def test_the_wheel_holds_every_file_of_the_packages_and_no_other(wheel: Wheel) -> None:
    own = {name for name in wheel.names if ".dist-info/" not in name}
    assert own == {installed_name(source) for source in wheel.sources}


def test_the_licence_is_in_the_wheel(wheel: Wheel) -> None:
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in wheel.names)


def test_the_command_works_from_the_wheel_alone(wheel: Wheel, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel.path) as archive:
        archive.extractall(tmp_path / "installed")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "installed")}
    code = "import sys, tttbench; from tttbench.cli.main import main; print(tttbench.__file__); sys.exit(main())"
    ended = subprocess.run(
        [sys.executable, "-c", code, "list", "suites"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    where, *suites = ended.stdout.splitlines()
    assert Path(where) == tmp_path / "installed" / "tttbench" / "__init__.py"
    assert {line.split()[0] for line in suites} == {path.stem for path in (ROOT / "tasks" / "suites").glob("*.toml")}


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
    pinned = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name, _, version = line.partition("==")
            pinned[canonicalize_name(name)] = version
    for entry in map(Requirement, needed):
        assert pinned.get(canonicalize_name(entry.name)) in entry.specifier, f"{entry} and constraints.txt disagree"


def test_all_weights_together_are_small_and_in_half_precision() -> None:
    from safetensors import safe_open

    files = sorted((ROOT / "reference_model" / "weights").rglob("*.safetensors"))
    assert len(files) >= 10
    assert sum(path.stat().st_size for path in files) <= 64 * 2**20
    for path in files:
        with safe_open(path, "np") as weights:
            names = list(weights.keys())
            assert {weights.get_slice(name).get_dtype() for name in names} == {"F16"}, path
