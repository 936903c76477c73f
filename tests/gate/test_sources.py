"""What stands behind a name: a run directory, a file, or a saved baseline, and what is said where there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tttbench.core.errors import UserError
from tttbench.gate.baseline_file import write_baseline
from tttbench.gate.snapshot import Snapshot
from tttbench.gate.sources import FOLDER, Source, find_source
from tttbench.store.manifest import Manifest, SuiteEntry
from tttbench.store.run_directory import RunStore

Make = Callable[..., Snapshot]


def test_a_run_directory_is_read_as_it_is(tmp_path: Path) -> None:
    RunStore.create(tmp_path / "run", Manifest(SuiteEntry("short"))).close()
    found = find_source(str(tmp_path / "run"), tmp_path)
    assert (found.snapshot.suite, found.folder, found.names, found.stale) == ("short", tmp_path / "run", {}, ())


def test_a_file_is_read_by_its_path_or_by_its_name_in_the_folder(make: Make, tmp_path: Path) -> None:
    write_baseline(tmp_path / "main.json", replace(make(), suite="in the folder", made_at="2000-01-01T00:00:00+00:00"))
    write_baseline(tmp_path / "own.json", make())
    by_name, by_path = find_source("main", tmp_path), find_source(str(tmp_path / "own.json"), tmp_path)
    assert (by_name.snapshot.suite, by_name.folder, by_path.folder) == ("in the folder", None, None)
    assert [one.endswith("days old") for one in by_name.stale] == [True]
    assert by_path == Source(replace(make(), source=str(tmp_path / "own.json")), None)


def test_a_path_comes_before_a_name(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_baseline(tmp_path / "main", replace(make(), suite="here"))
    write_baseline(tmp_path / FOLDER / "main.json", replace(make(), suite="there"))
    assert find_source("main", FOLDER).snapshot.suite == "here"


def test_what_is_said_of_names_that_are_nothing(make: Make, tmp_path: Path) -> None:
    folder = tmp_path / "baselines"
    told = f"man: neither a run directory nor a file, nor a baseline in {folder}."
    for hint in (f"{folder} holds no baselines.", "Did you mean 'main'?"):
        with pytest.raises(UserError) as raised:
            find_source("man", folder)
        assert str(raised.value) == f"{told} {hint}"
        write_baseline(folder / "main.json", make())
    with pytest.raises(UserError) as raised:
        find_source(str(folder), folder)
    assert str(raised.value) == f"{folder}: holds no run (no manifest.json), and {folder} no baseline of that name."
