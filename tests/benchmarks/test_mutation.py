"""``benchmarks/mutation.py``: which faults it plants, how it draws them, and that it tells killed from survived."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.mutants import Mutant, mutants_of, mutated
from benchmarks.mutation import Judged, draw, survivors, table
from benchmarks.mutation_tests import LineMap, Outcome, copy_repository

ROOT = Path(__file__).resolve().parents[2]


def faults(source: str) -> set[tuple[str, str, str]]:
    return {(one.kind, one.before, one.after) for one in mutants_of("a.py", source)}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = a < b", {("comparison", "a < b", "a <= b")}),
        ("x = a is not b", {("comparison", "a is not b", "a is b")}),
        ("x = a < b < c", set()),
        ("x = a + b * c", {("arithmetic", "a + b * c", "(a) - (b * c)"), ("arithmetic", "b * c", "(b) / (c)")}),
        ("x = a and b", {("connective", "a and b", "((a) or (b))")}),
        ("x = not a", {("negation", "not a", "(a)")}),
        ("x = 3", {("constant", "3", "4")}),
        ("x = True", {("constant", "True", "False")}),
        ("x = 'text'", set()),
        ("x = a == 'ok'", {("comparison", "a == 'ok'", "a != 'ok'"), ("constant", "'ok'", "'ok?'")}),
        ("x = f'{a + b} {1}'", set()),
        ("x = f(a, b=c)", {("left-out argument", "f(a, b=c)", "f(a)")}),
        ("x = zip(a, b, strict=True)", set()),
        ("x = min(a)", {("function", "min", "max")}),
        ("x = a[b:]", {("slice", "b", "")}),
        ("x = [y for y in z if y]", {("condition", "y", "(not (y))")}),
        ("x = (1 if a else b)", {("condition", "a", "(not (a))"), ("constant", "1", "2")}),
        ("if a:\n    f(b)", {("condition", "a", "(not (a))"), ("deleted statement", "f(b)", "pass")}),
        ("while a:\n    break", {("condition", "a", "(not (a))"), ("loop control", "break", "continue")}),
        ("def f(a=1):\n    return a", {("constant", "1", "2"), ("returned value", "a", "None")}),
        ("def f():\n    raise E('why')", {("deleted statement", "raise E('why')", "pass")}),
        ("a.b = c", {("deleted statement", "a.b = c", "pass")}),
        ('"""A page."""\nimport a\nassert a\n__all__ = ["b"]', set()),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    x = 1", set()),
        ("x: Mapping[1, 2] = a", set()),
        ("@f(1)\ndef g() -> h(1):\n    pass", set()),
        ("é = 'ü'; x = (\n    a\n    + b)", {("arithmetic", "a\n    + b", "(a) - (b)")}),
    ],
)
def test_the_faults_of_a_statement(source: str, expected: set[tuple[str, str, str]]) -> None:
    assert faults(source) == expected


def test_every_mutant_of_the_strata_is_python_and_another_program() -> None:
    for path in (ROOT / "tttbench" / "text").rglob("*.py"):
        source = path.read_text()
        found = mutants_of(path.name, source)
        assert len({one.key for one in found}) == len(found)
        for one in found[::7]:
            fault = mutated(source, one)
            assert ast.dump(ast.parse(fault)) != ast.dump(ast.parse(source)), one


def test_a_mutant_is_put_where_it_was_found() -> None:
    source = "ä = 'ö'\nclass A:\n    def f(self, b=2):\n        return self.c < b\n"
    default, comparison, value = mutants_of("a.py", source)
    assert (default.scope, default.on_import, default.line) == ("A.f", True, 3)
    assert (value.scope, value.on_import, value.before) == ("A.f", False, "self.c < b")
    assert mutated(source, comparison) == source.replace("<", "<=")
    with pytest.raises(ValueError, match=r"a\.py:4: is not 'self\.c < b'"):
        mutated(source.replace("c <", "d <"), comparison)


def test_as_many_are_drawn_of_each_stratum_and_the_rest_of_the_large() -> None:
    def of(name: str, n: int) -> list[Mutant]:
        return mutants_of(name, "\n".join(f"x{i} = {i}" for i in range(n)))

    population = {"large": of("l", 50), "small": of("s", 3), "middle": of("m", 9)}
    drawn = draw(population, 24, seed=0)
    assert {name: len(mutants) for name, mutants in drawn.items()} == {"large": 12, "small": 3, "middle": 9}
    assert all(len(set(mutants)) == len(mutants) for mutants in drawn.values())
    assert draw(population, 24, seed=0) == drawn
    assert draw(population, 24, seed=1) != drawn


def test_the_nearest_tests_run_the_line_and_the_fastest_come_first() -> None:
    inner = Mutant("a.py", 5, 4, "constant", "1", "2", "f", 5, 6, on_import=False)
    tests = LineMap(
        seconds={
            "tests/a/x.py::slow": 9.0, "tests/a/x.py::fast": 0.1, "tests/a/y.py::shares": 0.2, "tests/b/z.py::t": 0.1,
        },
        lines={"a.py": {6: frozenset({"tests/a/x.py::slow", "tests/a/x.py::fast"}), 9: frozenset({"tests/b/z.py::t"})}},
        set_up={"a.py": {5: frozenset({"tests/a/y.py::shares", "tests/a/x.py::failed"})}},
        unusable=("tests/a/x.py::failed",),
    )  # fmt: skip
    assert tests.nearest(inner, 40) == ["tests/a/x.py::fast", "tests/a/x.py::slow", "tests/a/y.py::shares"]
    assert tests.nearest(inner, 9.1) == ["tests/a/x.py::fast", "tests/a/x.py::slow"]
    assert tests.nearest(replace(inner, first=9, last=9), 0.01) == ["tests/b/z.py::t"]
    assert tests.nearest(replace(inner, first=1, last=1), 40) == []
    # What is run on import is run for whichever test is first.
    at_top = replace(inner, first=1, last=1, on_import=True)
    assert {"tests/b/z.py::t", "tests/a/x.py::fast"} <= set(tests.nearest(at_top, 40))
    assert tests.nearest(replace(inner, path="b.py"), 40) == []


def test_a_mutant_that_hangs_counts_as_killed_and_one_without_a_test_as_survived() -> None:
    mutants = mutants_of("a.py", "x = 1\ny = 2\nz = 3\nw = 4\n")
    verdicts = ("killed", "timeout", "survived", "untested")
    judged = {
        one.key: Judged(one, "s", Outcome(verdict, "", 1, 1.0)) for one, verdict in zip(mutants, verdicts, strict=True)
    }
    heading, row, everything = table({"s": mutants}, {"s": mutants}, judged)
    assert row[:-1] == ("s", "4", "4", "1", "1", "1", "1")
    assert row[-1].startswith("50.0 [")
    assert everything[1:] == row[1:]
    assert len(heading) == len(row)
    assert [one[0] for one in survivors(judged, {})] == ["a.py:3", "a.py:4"]
    reasons = {mutants[2].key: "it changes nothing"}
    assert [one[3] for one in survivors(judged, reasons)] == ["it changes nothing", "no test runs it"]


SOURCE = """
def sign(x):
    if x < 0:
        return -1
    return 1


def unused(x):
    return x + 1


def endless(n):
    while n > 0:
        n = n - 1
"""
TESTS = """
from pack.code import endless, sign


def test_sign():
    assert sign(-2) == -1
    assert sign(2) == 1


def test_it_ends():
    endless(3)


def test_is_wrong():
    assert sign(5) == 5
"""
PROGRAM = """
import sys
from pathlib import Path
from benchmarks import mutation, mutation_tests
mutation.ROOT, mutation.PACKAGES, mutation.STRATA = Path(sys.argv[1]), ("pack",), {"all": ("pack/*.py",)}
mutation.CONTROL_EVERY = 3
plugins = ("pytest_cov.plugin", "xdist.plugin", "xdist.looponfail", "hypothesis", "_hypothesis_pytestplugin")
mutation_tests.LIBRARIES = ("pytest", "coverage", *plugins)
mutation_tests.EXTRA_S = 3.0
sys.exit(mutation.main(sys.argv[2:]))
"""


@pytest.mark.slow
def test_mutants_of_a_small_repository_are_judged_kept_and_judged_again(tmp_path: Path) -> None:
    root = tmp_path / "repository"
    (root / "tests" / "room").mkdir(parents=True)
    (root / "pack").mkdir()
    (root / "pack" / "__init__.py").touch()
    (root / "pack" / "code.py").write_text(SOURCE)
    test_file = root / "tests" / "room" / "test_code.py"
    test_file.write_text(TESTS)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)

    def run(*options: str) -> tuple[dict[str, str], str]:
        words = [str(root), "--work", str(tmp_path / "work"), "--json", "--mutants", "30", *options]
        ended = subprocess.run(
            [sys.executable, "-c", PROGRAM, *words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
        )
        assert ended.returncode == 0, ended.stderr
        document = json.loads(ended.stdout)
        return {one["key"]: one["verdict"] for one in document["mutants"]}, ended.stderr

    found, _ = run()
    mutants = {one.key: one for one in mutants_of("pack/code.py", SOURCE)}
    by_fault = {(mutants[key].scope, mutants[key].before, mutants[key].after): found[key] for key in found}
    assert by_fault["sign", "x < 0", "(not (x < 0))"] == "killed"
    assert by_fault["sign", "x < 0", "x <= 0"] == "survived"  # nothing asks for the sign of 0
    assert by_fault["unused", "x + 1", "None"] == "untested"
    assert by_fault["endless", "n - 1", "(n) + (1)"] == "timeout"
    assert (root / "pack" / "code.py").read_text() == SOURCE
    # Once more: all of it was kept.
    again, said = run()
    assert again == found
    assert "running all tests once" not in said
    # With a test of 0, that survivor is killed; what was killed isn't run again.
    test_file.write_text(TESTS + "\n\ndef test_zero():\n    assert sign(0) == 1\n")
    after, said = run("--survivors")
    changed = {(mutants[key].before, mutants[key].after) for key in after if after[key] != found[key]}
    assert changed == {("x < 0", "x <= 0"), ("0", "1")}
    assert sum(": " in line and "pack/code.py" in line for line in said.splitlines()) == sum(
        verdict in ("survived", "untested") for verdict in found.values()
    )


def test_a_fault_that_a_stopped_run_left_is_taken_out_of_its_copy(tmp_path: Path) -> None:
    root, copy = tmp_path / "root", tmp_path / "copy"
    root.mkdir()
    (root / "code.py").write_text(SOURCE)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    copy_repository(root, copy)
    (copy / "code.py").write_text(SOURCE.replace("<", ">"))
    copy_repository(root, copy)
    assert (copy / "code.py").read_text() == SOURCE
