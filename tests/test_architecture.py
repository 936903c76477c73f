"""The house keeps its shape: imports go down only, files stay small, names say something, nothing names a machine."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MOST_LINES = 400

LAYERS: tuple[tuple[str, ...], ...] = (
    ("tttbench.__main__",),
    ("tttbench.cli", "tttbench.api"),
    ("tttbench.pages", "tttbench.training"),
    ("tttbench.gate", "tttbench.miniworld"),
    ("tttbench.pipeline",),
    ("tttbench.config",),
    ("tttbench.systems", "tttbench.derive"),
    ("tttbench.published",),
    ("tttbench.store",),
    ("tttbench.probes", "tttbench.scorers"),
    ("tttbench.data", "tttbench.text"),
    ("tttbench.client",),
    ("tttbench.wire",),
    ("tttbench.stats",),
    ("tttbench.core", "tttbench"),
    ("reference_model.training",),
    ("reference_model",),
)
"""From top to bottom. A part imports itself and parts of lower layers. A new part of the suite takes its place here."""

DEPTHS = {part: depth for depth, parts in enumerate(LAYERS) for part in parts}

ONLY = {
    "tttbench.scorers": {"tttbench.core", "tttbench.text", "tttbench.stats"},
    "tttbench.text": {"tttbench.core"},
    "tttbench.stats": {"tttbench.core"},
    "tttbench.client": {"tttbench.core", "tttbench.wire"},
    "tttbench.wire": {"tttbench.core"},
    "reference_model.training": {"reference_model"},
    "reference_model": set(),
}
"""Parts that may import nothing else of ours: they can be used alone."""


@dataclass(frozen=True)
class Import:
    """``importer``, a module of ours in ``file``, imports ``imported``, another of ours."""

    file: Path
    line: int
    importer: str
    imported: str


def part_of(module: str) -> str:
    """Return the part with the longest name that holds ``module``; a part of its own if it is in none."""
    names = module.split(".")
    for end in range(len(names), 0, -1):
        prefix = ".".join(names[:end])
        if prefix in DEPTHS and (prefix != "tttbench" or end == len(names)):
            return prefix
    return ".".join(names[:2])


def module_of(file: Path) -> str:
    names = list(file.relative_to(ROOT).with_suffix("").parts)
    return ".".join(names[:-1] if names[-1] == "__init__" else names)


@cache
def imports() -> tuple[Import, ...]:
    """Every import of ours by ours, those inside functions and for types alone included."""
    return tuple(
        found
        for folder in ("tttbench", "reference_model")
        for file in sorted((ROOT / folder).rglob("*.py"))
        for found in _imports_of(file)
    )


def _imports_of(file: Path) -> Iterator[Import]:
    module = module_of(file)
    package = module.split(".") if file.name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            targets = [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            # `from package import module` imports a module, too.
            targets = [f"{base}.{name.name}" if f"{base}.{name.name}" in DEPTHS else base for name in node.names]
        else:
            continue
        for target in targets:
            if target.split(".")[0] in ("tttbench", "reference_model"):
                yield Import(file.relative_to(ROOT), node.lineno, module, target)


def tracked_files() -> list[Path]:
    """Every file that is, or is about to be, in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def test_there_are_imports_to_judge() -> None:
    assert len(imports()) > 300


def test_every_part_has_its_place() -> None:
    parts = {part_of(name) for found in imports() for name in (found.importer, found.imported)}
    assert parts <= set(DEPTHS), f"not in LAYERS of {Path(__file__).name}: {sorted(parts - set(DEPTHS))}"


def test_imports_go_down_only() -> None:
    upward = [
        f"{found.file}:{found.line}: {found.importer} imports {found.imported}"
        for found in imports()
        if part_of(found.importer) != part_of(found.imported)
        # ``tttbench.load`` is looked up in the API when it is asked for.
        and (found.importer, found.imported) != ("tttbench", "tttbench.api")
        and DEPTHS.get(part_of(found.importer), 0) >= DEPTHS.get(part_of(found.imported), len(LAYERS))
    ]
    assert not upward, "\n".join(upward)


@pytest.mark.parametrize("part", ONLY)
def test_parts_that_stand_alone_do(part: str) -> None:
    foreign = [
        f"{found.file}:{found.line}: imports {found.imported}"
        for found in imports()
        if part_of(found.importer) == part and part_of(found.imported) not in {part, *ONLY[part]}
    ]
    assert not foreign, "\n".join(foreign)


def test_only_four_files_lie_loose_at_the_top_of_the_suite() -> None:
    loose = {path.name for path in (ROOT / "tttbench").iterdir() if path.is_file()}
    assert loose == {"__init__.py", "__main__.py", "api.py", "py.typed"}


def test_no_name_of_the_api_is_that_of_a_room() -> None:
    import tttbench.api

    rooms = {path.name for path in (ROOT / "tttbench").iterdir() if path.is_dir()}
    assert not rooms & set(tttbench.api.__all__)


def test_nothing_of_the_shipped_folders_is_imported_by_name() -> None:
    named = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for folder in ("tttbench", "reference_model", "tests", "benchmarks")
        for file in sorted((ROOT / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else [])
        + ([one.name for one in node.names] if isinstance(node, ast.Import) else [])
        if name.split(".")[0] in ("tasks", "reports")
    ]
    assert not named, named
    code = "import tttbench.tttbench"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode != 0, "tttbench.tttbench can be imported"


def test_only_systems_and_training_know_an_adapter_of_a_system() -> None:
    """Everything else asks the registry."""
    adapters = re.compile(r"tttbench\.systems\.ttt\b")
    knowing = {part_of(found.importer) for found in imports() if adapters.match(found.imported)}
    assert knowing <= {"tttbench.systems", "tttbench.training"}


MAPPINGS = {"Mapping", "MutableMapping", "dict", "Dict", "defaultdict", "OrderedDict"}


def _is_open(annotation: ast.expr) -> bool:
    """Whether a type is ``object`` or ``Any``, or a union with one of them."""
    if isinstance(annotation, ast.BinOp):
        return _is_open(annotation.left) or _is_open(annotation.right)
    return ast.unparse(annotation).rpartition(".")[2] in ("object", "Any")


def _open_mappings(annotation: ast.expr) -> Iterator[ast.expr]:
    """The parts of a type that are mappings from strings to anything, also those that stand in quotes."""
    for node in ast.walk(annotation):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                yield from _open_mappings(ast.parse(node.value, mode="eval").body)
            except (SyntaxError, ValueError):
                continue
        if isinstance(node, ast.Subscript) and ast.unparse(node.value).rpartition(".")[2] in MAPPINGS:
            key, value = node.slice.elts if isinstance(node.slice, ast.Tuple) else (None, None)
            if key is not None and value is not None and ast.unparse(key) == "str" and _is_open(value):
                yield node


def _types_that_travel(tree: ast.Module) -> Iterator[ast.expr]:
    """Annotations of parameters, returns and attributes, bases of classes, and aliases; no locals of functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.arg) and node.annotation is not None:
            yield node.annotation
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns is not None:
            yield node.returns
        if isinstance(node, ast.ClassDef):
            yield from node.bases
        for inner in node.body if isinstance(node, ast.Module | ast.ClassDef) else ():
            if isinstance(inner, ast.AnnAssign):
                yield inner.annotation
            if isinstance(inner, ast.Assign | ast.AnnAssign) and inner.value is not None:
                yield inner.value
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if isinstance(node, ast.AnnAssign) and any(isinstance(target, ast.Attribute) for target in targets):
            yield node.annotation


def untyped_mappings(source: str) -> list[str]:
    """Mappings from strings to anything that leave a function, each as it is written and with its line."""
    found = {
        (part.lineno, part.col_offset, ast.unparse(part))
        for annotation in _types_that_travel(ast.parse(source))
        for part in _open_mappings(annotation)
    }
    return [f"{line}: {text}" for line, _, text in sorted(found)]


def test_no_mapping_to_anything_leaves_a_function() -> None:
    """What has a fixed shape is a dataclass, what is open a ``JsonObject``, so that a mistyped key is found."""
    found = [
        f"{file.relative_to(ROOT)}:{one}"
        for folder in ("tttbench", "reference_model")
        for file in sorted((ROOT / folder).rglob("*.py"))
        for one in untyped_mappings(file.read_text())
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("def f(a: Mapping[str, object]): ...", 1),
        ("def f() -> list[dict[str, Any]]: ...", 1),
        ("async def f(*, a: 'typing.Mapping[str, typing.Any] | None' = None): ...", 1),
        ("class A:\n    a: Annotated[Mapping[str, object | None], 1] = {}", 1),
        (
            "class A(dict[str, Any]):\n"
            "    def f(self, **more: dict[str, object]) -> None:\n"
            "        self.a: dict[str, Any] = {}",
            3,
        ),
        ("Alias = Callable[[dict[str, object]], None]\nOther: TypeAlias = 'Mapping[str, Any]'", 2),
        ("def f():\n    a: dict[str, object] = {}", 0),
        ("def f(a: Mapping[str, str], b: JsonObject, c: dict[str, list[object]], d: object): ...", 0),
    ],
)
def test_mappings_to_anything_are_found_wherever_they_travel(source: str, count: int) -> None:
    assert len(untyped_mappings(source)) == count, untyped_mappings(source)


def test_files_stay_small() -> None:
    sizes = {
        path: len(path.read_text().splitlines()) for path in tracked_files() if path.suffix in (".py", ".js", ".css")
    }
    long = [f"{path.relative_to(ROOT)}: {lines} lines" for path, lines in sizes.items() if lines > MOST_LINES]
    assert not long, "\n".join(long)


def test_file_names_say_what_is_inside() -> None:
    empty = {"utils", "util", "helpers", "helper", "common", "misc", "stuff"}
    assert not [path for path in tracked_files() if empty & set(path.relative_to(ROOT).with_suffix("").parts)]


def test_nothing_names_a_path_of_one_machine() -> None:
    pattern = re.compile(rb"(?<![\w.:~$}/-])/(?:work|tmp|root|farm|home|Users)/[A-Za-z0-9]")
    found = []
    for path in tracked_files():
        content = path.read_bytes()
        if b"\0" not in content[:8192]:
            found += [
                f"{path.relative_to(ROOT)}:{number}: {line[:120]!r}"
                for number, line in enumerate(content.splitlines(), 1)
                if pattern.search(line)
            ]
    assert not found, "\n".join(found)


def test_names_are_listed_without_torch() -> None:
    code = (
        "import sys\n"
        "from tttbench.core.plugins import build_task, scorers, system_names, tasks\n"
        "assert system_names() and scorers.names() and [build_task(name) for name in tasks.names()]\n"
        "heavy = {'torch', 'whisper', 'matplotlib', 'transformers'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
