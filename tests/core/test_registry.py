"""Names are found wherever they are registered, and mistyped ones get help."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from tttbench.core.errors import UserError, did_you_mean
from tttbench.core.registry import Registry, build_system, check_system, include, tasks
from tttbench.core.system import SystemOptions


def test_near_names_are_suggested() -> None:
    assert did_you_mean("mini_asz", ["mini_asr", "other"]) == "Did you mean 'mini_asr'?"


def test_without_near_names_all_are_listed() -> None:
    assert did_you_mean("zzz", ["b", "a"]) == "Known: a, b."


def test_a_name_registered_twice_is_refused() -> None:
    registry: Registry[int] = Registry("thing", "tttbench.no_such_group")
    registry.add("a", 1)
    with pytest.raises(UserError, match="thing 'a' is registered twice"):
        registry.add("a", 2)


def test_an_unknown_name_is_refused() -> None:
    registry: Registry[int] = Registry("thing", "tttbench.no_such_group")
    registry.add("alpha", 1)
    with pytest.raises(UserError, match=r"Unknown thing 'alhpa'\. Did you mean 'alpha'"):
        registry.get("alhpa")


def test_a_module_that_cannot_be_imported_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "frail_package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "broken.py").write_text("import no_such_module_at_all\n")
    monkeypatch.syspath_prepend(tmp_path)
    registry: Registry[int] = Registry("thing", "tttbench.no_such_group", package="frail_package")
    with pytest.raises(UserError, match=r"frail_package\.broken could not be imported: No module named"):
        registry.get("a")


def test_an_installed_package_adds_to_a_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "third_party.py").write_text(
        "import test_registry_target\ntest_registry_target.registry.add('own', 7)\n"
    )
    info = tmp_path / "third_party-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: third-party\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[tttbench.test_things]\nown = third_party\n")
    monkeypatch.syspath_prepend(tmp_path)
    registry: Registry[int] = Registry("thing", "tttbench.test_things")
    target = ModuleType("test_registry_target")
    monkeypatch.setattr(target, "registry", registry, raising=False)
    monkeypatch.setitem(sys.modules, "test_registry_target", target)
    assert registry.get("own") == 7


def test_a_file_of_an_included_folder_adds_a_task(tmp_path: Path) -> None:
    (tmp_path / "own_task.py").write_text(
        "from tttbench.core.task import Task\n"
        "from tttbench.core.registry import register_task\n"
        "@register_task('included_task')\n"
        "def make():\n"
        "    return Task(name='included_task', title='', kind='asr', description='', metrics=('wer',),\n"
        "                samples=lambda folder: [])\n"
    )
    include(tmp_path)
    include(tmp_path)
    assert tasks.get("included_task")().metrics == ("wer",)


def test_an_included_file_that_fails_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("1 / 0\n")
    with pytest.raises(UserError, match=r"broken\.py: cannot be imported: ZeroDivisionError"):
        include(tmp_path)


def test_an_unknown_system_gets_the_nearest_name() -> None:
    with pytest.raises(UserError, match=r"Unknown system 'wisper:tiny\.en'. Did you mean 'whisper:tiny\.en'"):
        check_system("wisper:tiny.en", SystemOptions())


def test_a_system_gets_what_follows_the_colon_and_its_options() -> None:
    with pytest.raises(UserError, match="whisper: has no decoding strategies, so 'topk' cannot be used"):
        build_system("whisper:tiny.en", SystemOptions(strategy="topk"))
