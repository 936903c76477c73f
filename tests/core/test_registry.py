"""Names are found wherever they are registered, and mistyped ones get help."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import pytest

from tttbench.core.errors import UserError, did_you_mean
from tttbench.core.exchange import Message, Request, Response
from tttbench.core.plugins import (
    build_scorer,
    build_system,
    build_task,
    check_decoding,
    check_system,
    systems,
    tasks,
)
from tttbench.core.registry import Registry, include, included_problems
from tttbench.core.scorer import ScoreSpec
from tttbench.core.system import SystemOptions
from tttbench.core.tables import Document


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


def test_threads_wait_until_every_name_is_there() -> None:
    def slowly() -> Iterator[tuple[str, int]]:
        for name in ("a", "b", "c"):
            time.sleep(0.02)
            yield name, 1

    registry = Registry("thing", "tttbench.no_such_group", more=slowly)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: registry.names(), range(4))) == [["a", "b", "c"]] * 4


def installed(folder: Path, module: str, content: str, group: str) -> None:
    """Put a package with one entry point into ``folder``, which is on the path."""
    (folder / f"{module}.py").write_text(content)
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{group}]\nown = {module}\n")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("import no_such_module_at_all\n", "ModuleNotFoundError: No module named 'no_such_module_at_all'"),
        ("1 / 0\n", "ZeroDivisionError: division by zero"),
        ("import sys\nsys.exit(0)\n", "SystemExit: 0"),
        ("raise BaseException('odd')\n", "BaseException: odd"),
        (
            "from tttbench.records import Sample\n",
            "it was written for tttbench 0.1 (imports tttbench.records); docs/change_a_plugin.md says how to change it",
        ),
    ],
)
def test_a_plug_in_that_breaks_is_a_warning_that_names_it(
    content: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    installed(tmp_path, "frail", content, "tttbench.frail_things")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "frail", raising=False)
    registry: Registry[int] = Registry("thing", "tttbench.frail_things")
    registry.add("sound", 1)
    assert registry.get("sound") == 1
    assert f"plug-in frail could not be loaded: {why}" in caplog.text
    with pytest.raises(UserError, match=r"Unknown thing 'a'.*frail could not be loaded"):
        registry.get("a")


def test_an_installed_package_adds_to_a_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = "import test_registry_target\ntest_registry_target.registry.add('own', 7)\n"
    installed(tmp_path, "third_party", content, "tttbench.test_things")
    monkeypatch.syspath_prepend(tmp_path)
    registry: Registry[int] = Registry("thing", "tttbench.test_things")
    target = ModuleType("test_registry_target")
    monkeypatch.setattr(target, "registry", registry, raising=False)
    monkeypatch.setitem(sys.modules, "test_registry_target", target)
    assert registry.get("own") == 7


def test_files_of_an_included_folder_add_a_task_a_system_and_a_scorer(tmp_path: Path) -> None:
    (tmp_path / "included_task.toml").write_text(
        'title = "Own"\nfamily = "asr"\ndescription = ""\nsource = "asr_folder"\nscores = ["wer", "wer:recipe=raw"]\n'
    )
    (tmp_path / "own.py").write_text(
        "from tttbench.api import MetricInfo, register_system, scorer\n"
        "@register_system('included_system')\n"
        "def build(spec, options):\n"
        "    return lambda request: request.text.upper()\n"
        "@scorer('included_scorer', MetricInfo('Exclamation marks'))\n"
        "def exclamations(sample, view):\n"
        "    return view.text.count('!')\n"
    )
    include(tmp_path)
    include(tmp_path)
    assert [spec.id for spec in build_task("included_task").scores] == ["wer", "wer_raw"]
    system = build_system("included_system", SystemOptions())
    (answer,) = system.generate([Request("a", (Message("user", "hello"),))])
    assert isinstance(answer, Response)
    assert answer.text == "HELLO"
    assert build_scorer(ScoreSpec("included_scorer", "x")).recipe({}).scorer == "included_scorer@1"
    assert "included_task" in tasks


def test_python_files_of_a_folder_are_loaded_before_the_tasks_that_name_what_they_register(tmp_path: Path) -> None:
    (tmp_path / "a_task.toml").write_text(
        'title = "Own"\nfamily = "asr"\ndescription = ""\nsource = "asr_folder"\nscores = ["asking:rate=9,of=words"]\n'
    )
    (tmp_path / "own.py").write_text(
        "from tttbench.api import register_scorer\n"
        "@register_scorer('asking', options=['of', 'rate'], operational=['rate'])\n"
        "def build(options):\n"
        "    raise AssertionError('built')\n"
    )
    include(tmp_path)
    (spec,) = build_task("a_task").scores
    assert (spec.id, spec.options) == ("asking_words", {"rate": "9", "of": "words"})


def test_an_included_file_that_breaks_is_a_warning_and_costs_nobody_else_anything(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "a_broken.py").write_text("import sys\nsys.exit(0)\n")
    (tmp_path / "b_task.toml").write_text('source = "asr_folder"\n')
    (tmp_path / "c_fine.py").write_text(
        "from tttbench.api import register_system\n"
        "@register_system('beside_the_broken')\n"
        "def build(spec, options):\n"
        "    return lambda request: ''\n"
    )
    include(tmp_path)
    assert "a_broken.py could not be loaded: SystemExit: 0" in caplog.text
    assert build_system("beside_the_broken", SystemOptions()).card.name == "beside_the_broken"
    with pytest.raises(UserError, match=r"b_task\.toml: title: missing"):
        build_task("b_task")
    included_problems.clear()


def test_a_factory_that_returns_something_else_is_named(tmp_path: Path) -> None:
    (tmp_path / "odd.py").write_text(
        "from tttbench.api import register_system\n"
        "@register_system('odd_system')\n"
        "def build(spec, options):\n"
        "    return 5\n"
    )
    include(tmp_path)
    with pytest.raises(UserError, match="system 'odd_system': its factory returned a int, expected a System"):
        build_system("odd_system", SystemOptions())


def test_an_unknown_system_gets_the_nearest_name() -> None:
    with pytest.raises(UserError, match=r"Unknown system 'wisper:tiny\.en'. Did you mean 'whisper:tiny\.en'"):
        check_system("wisper:tiny.en", SystemOptions())


def test_a_system_gets_what_follows_the_colon_and_its_options() -> None:
    with pytest.raises(UserError, match="whisper: has no decoding strategies, so 'topk' cannot be used"):
        build_system("whisper:tiny.en", SystemOptions(strategy="topk"))


def test_decode_settings_are_checked_by_the_kind_of_system() -> None:
    check_decoding("ttt", [Document({"steps_per_block": 4}, "suite.toml"), Document({"cache": "block"}, "--cache")])
    with pytest.raises(UserError, match=r"suite\.toml: decode\.stepsperblock: unknown key\. Did you mean"):
        check_decoding("ttt", [Document({"stepsperblock": 4}, "suite.toml", at="decode")])
    with pytest.raises(UserError, match=r"--cache: cache: .*'none', 'exact', 'refresh' or 'block'"):
        check_decoding("ttt", [Document({"cache": "exakt"}, "--cache")])
    with pytest.raises(UserError, match="Unknown system 'tttt'"):
        check_decoding("tttt", [])


def test_a_kind_without_decode_settings_leaves_the_check_to_itself() -> None:
    assert systems.get("whisper").decoding is None
    check_decoding("whisper", [Document({"cache": "exakt"}, "--cache")])


def test_a_kind_of_system_lists_its_strategies() -> None:
    decoding = systems.get("ttt").decoding
    assert decoding is not None
    listed = dict(decoding.strategies())
    assert {"ar", "topk", "threshold:tau=0.9", "par:refinements=1,share=0.25"} <= listed.keys()
    assert all(listed.values())


def test_what_is_built_in_keeps_its_name(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    registry: Registry[int] = Registry("thing", "tttbench.no_such_group", more=lambda: iter([("ours", 1)]))
    module = ModuleType("things_for_a_test")
    vars(module)["registry"] = registry  # what a plug-in imports
    sys.modules[module.__name__] = module
    (tmp_path / "own.py").write_text(
        "from things_for_a_test import registry\nregistry.add('ours', 2)\nregistry.add('mine', 3)\n"
    )
    include(tmp_path)
    assert (registry.get("ours"), registry.get("mine")) == (1, 3)
    why = "thing 'ours' is built in; give yours another name"
    assert caplog.messages == [f"{tmp_path / 'own.py'}: {why}"]
    assert included_problems.pop(str(tmp_path / "own.py")) == why
    del sys.modules[module.__name__]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'title = "x', r"task 'odd_{n}': {path} could not be loaded: not valid TOML: .*\. Correct it\.$"),
        (
            b'title = "\xff"',
            r"task 'odd_{n}': {path} could not be loaded: line 1: is not UTF-8\. Save the file as UTF-8\.$",
        ),
        (b'family = "asr"\nscores = ["wer"]', r"{path}: source: missing; add it\."),
    ],
    ids=["no TOML", "no UTF-8", "no source"],
)
def test_a_task_whose_file_is_broken_is_not_called_unknown(
    tmp_path: Path, request: pytest.FixtureRequest, content: bytes, says: str
) -> None:
    name = f"odd_{abs(hash(content)) % 10**6}"
    path = tmp_path / f"{name}.toml"
    path.write_bytes(content)
    include(tmp_path)
    request.addfinalizer(lambda: included_problems.pop(str(path), None))
    with pytest.raises(UserError, match=says.replace("odd_{n}", name).replace("{path}", re.escape(str(path)))):
        build_task(name)
