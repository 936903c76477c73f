"""Nothing ends with status 0 that has done nothing: empty choices are refused, and no plug-in can leave for us."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tttbench.cli.main import main
from tttbench.config.suite import parse_suite
from tttbench.core import plugins
from tttbench.core.errors import UserError, unusable_path
from tttbench.core.tables import Document


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["run", "--systems", ""], "--systems '': names nothing; leave the option out, or give it a name."),
        (["run", "--systems", " , "], "--systems ' , ': names nothing"),
        (["run", "--systems", "echo", "--systems", ","], "--systems ',': names nothing"),
        (["run", "--tasks", ""], "--tasks '': names nothing"),
        (["run", "--add", ""], "--add ''"),
        (["run", "--data", ""], "--data : must be TASK=PATH"),
        (["run", "--executor", ""], "--executor : there is no such executor"),
        (["run", ""], "Unknown suite ''"),
        (["nll", ""], "SYSTEM '': names nothing"),
        (["probe", ""], "Unknown system ''"),
        (["gate", "a", "b", "--allow", ""], "--allow '': names nothing"),
    ],
)
def test_an_empty_choice_is_refused(words: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert says in capsys.readouterr().err


LONG = "x" * 5_000


@pytest.mark.parametrize(
    "words",
    [
        ["run", LONG],
        ["run", "--systems", LONG],
        ["run", "--systems", f"ttt:{LONG}"],
        ["run", "--systems", f"recorded:{LONG}"],
        ["run", "--systems", "echo", "--tasks", LONG],
        ["run", "--systems", "echo", "--tasks", "asr_folder", "--data", f"asr_folder={LONG}"],
        ["run", "--systems", "echo", "--tasks", "mini_qa", "--include", LONG],
        ["run", "--systems", "echo", "--tasks", "mini_qa", "--out", LONG],
        ["report", LONG],
        ["rescore", LONG],
        ["gate", LONG, LONG],
        ["baseline", "show", LONG],
        ["tables", LONG],
        ["probe", f"ttt:{LONG}"],
        ["doctor", LONG],
        ["train", LONG],
        ["train", "ttt", "--codec", LONG],
        ["data", "build", LONG],
        ["data", "build", "mini2", "--out", LONG],
        ["list", "tasks", "--include", LONG],
    ],
    ids=lambda words: " ".join(words).replace(LONG, "LONG"),
)
def test_a_path_that_is_too_long_is_no_defect(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert LONG[:50] in capsys.readouterr().err


def test_a_path_that_cannot_be_used_is_named() -> None:
    says = "a/b: cannot be used (Permission denied). Check the path and its permissions."
    assert unusable_path(PermissionError(13, "Permission denied", "a/b")) == says
    assert unusable_path(OSError(28, "No space left on device", "a/b")) == ""
    assert unusable_path(OSError("broken")) == ""


@pytest.mark.parametrize(
    "words",
    [
        ["run", "--limit", "0"],
        ["run", "--repeats", "0"],
        ["run", "--batch-size", "0"],
        ["run", "--timeout-s", "0"],
        ["run", "--timeout-s", "nan"],
        ["run", "--timeout-s", "inf"],
        ["run", "--timeout-s", "-1"],
        ["run", "--timeout-s", "soon"],
        ["run", "--out", ""],
        ["run", "--include", ""],
        ["rescore", ""],
        ["report", ""],
        ["report", "--index", ""],
        ["tables", "--out", ""],
        ["tables", "--published", ""],
        ["baseline", "save", ""],
        ["gate", "--rules", ""],
    ],
)
def test_so_is_an_empty_path_and_a_number_of_nothing(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(words)
    assert left.value.code == 2
    assert f"argument {words[-2] if words[-2].startswith('--') else ''}" in capsys.readouterr().err


SUITE = {"systems": [{"name": "echo"}], "tasks": [{"name": "mini_asr"}]}


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"systems": []}, "systems: must be a list of at least 1 table, not an empty list; add at least one"),
        ({"tasks": []}, "tasks: must be a list of at least 1 table, not an empty list; add at least one"),
        ({"limit": 0}, "limit: must be a whole number of 1 or more, not 0"),
        ({"repeats": 0}, "repeats: must be a whole number of 1 or more, not 0"),
        ({"timeout_s": 0}, "timeout_s: must be a number above 0, not 0"),
        ({"timeout_s": float("inf")}, "timeout_s: must be a finite number, not inf"),
        ({"tasks": [{"name": "mini_asr", "limit": 0}]}, "tasks[0].limit: must be a whole number of 1 or more, not 0"),
        ({"tasks": [{"name": "mini_asr", "scores": []}]}, "tasks[0].scores: must be a list of at least 1 value"),
        ({"tasks": [{"name": " "}]}, "tasks[0].name: must be a string that isn't empty, not ' '"),
        ({"systems": [{"name": ""}]}, "systems[0].name: must be a string that isn't empty, not ''"),
        ({"systems": [{"name": "echo", "grid": {"x": []}}]}, "systems[0].grid.x: must be a list of at least 1 value"),
    ],
)
def test_so_is_a_suite_in_which_something_is_empty(changed: dict[str, object], says: str) -> None:
    with pytest.raises(UserError) as raised:
        parse_suite("s", Document({**SUITE, **changed}, "s.toml"), Path())
    assert str(raised.value).startswith(f"s.toml: {says}")


LEAVES = "import sys\nfrom tttbench.api import register_system, register_task\n"
PLUGINS: dict[str, tuple[str, int, str]] = {
    "on import": ("sys.exit(0)", 2, "Unknown system 'leaver'"),
    "in its check": (
        "def check(spec, options): sys.exit(0)\n"
        "register_system('leaver', check=check)(lambda spec, options: lambda request: 'x')",
        2,
        "system 'leaver': its check raised SystemExit: 0",
    ),
    "when it is built": (
        "register_system('leaver')(lambda spec, options: sys.exit(0))",
        1,
        "system 'leaver': building it raised SystemExit: 0",
    ),
    "when it responds": (
        "register_system('leaver')(lambda spec, options: lambda request: sys.exit(0))",
        1,
        "it called sys.exit(0)",
    ),
    "when it is described": (
        "class Leaver:\n"
        "    n = 0\n"
        "    def generate(self, requests): return []\n"
        "    @property\n"
        "    def card(self):\n"
        "        from tttbench.api import SystemCard\n"
        "        Leaver.n += 1\n"
        "        return SystemCard('leaver') if Leaver.n < 3 else sys.exit(0)\n"
        "register_system('leaver')(lambda spec, options: Leaver())",
        1,
        "system 'leaver': its card raised SystemExit: 0",
    ),
}


@pytest.mark.parametrize("when", PLUGINS)
def test_a_plug_in_that_leaves_ends_nothing_but_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    plugins.systems.names()
    monkeypatch.setattr(plugins.systems, "_entries", dict(plugins.systems._entries))
    code, status, says = PLUGINS[when]
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / f"leaver_{abs(hash(when))}.py").write_text(LEAVES + code)
    words = ["run", "mini", "--include", str(tmp_path / "plugins"), "--systems", "leaver", "--tasks", "mini_asr"]
    words += ["--limit", "1", "--device", "cpu", "--transcriber", "", "--out", str(tmp_path / "run")]
    assert main(words) == status
    told = capsys.readouterr()
    assert says in told.err + told.out
    assert "defect" not in told.err


@pytest.mark.parametrize("leave", [lambda folder: exit(0), lambda folder: 5 / 0, lambda folder: 5, lambda folder: [5]])
def test_a_task_whose_list_breaks_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], leave: Callable[[object], object]
) -> None:
    from dataclasses import replace

    plugins.tasks.names()
    monkeypatch.setattr(plugins.tasks, "_entries", dict(plugins.tasks._entries))
    task = replace(plugins.build_task("mini_asr"), name="broken", samples=leave)  # type: ignore[arg-type]
    plugins.register_task("broken")(lambda: task)
    for words in (["run", "--tasks", "broken", "--systems", "echo"], ["nll", "--task", "broken"]):
        assert main([*words, "--device", "cpu"]) == 2
        told = capsys.readouterr().err
        assert "task 'broken': " in told
        assert "defect" not in told
