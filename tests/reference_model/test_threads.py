"""Torch's threads sleep while they wait, however the packages are used, unless the user said how they wait."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from reference_model.threads import CHOSEN_BY

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="GNU's OpenMP is asked what it was loaded with")


def loaded_with(*arguments: str, **environment: str) -> dict[str, str]:
    """The settings that OpenMP says it has in a fresh process, by name; of several copies of it, those of the first."""
    mine = {name: value for name, value in os.environ.items() if name not in (*CHOSEN_BY, "OMP_NUM_THREADS")}
    done = subprocess.run(
        [sys.executable, *arguments],
        env={**mine, **environment, "OMP_DISPLAY_ENV": "VERBOSE"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, str] = {}
    for name, value in re.findall(r"^\s*(?:\[\w+\] )?(\w+) = '([^']*)'", done.stderr, re.MULTILINE):
        found.setdefault(name, value)
    return found


@pytest.mark.parametrize("imported", ["reference_model.decoding", "tttbench.systems.whisper"])
def test_threads_sleep_whatever_is_imported_first(imported: str) -> None:
    assert loaded_with("-c", f"import {imported}, torch")["GOMP_SPINCOUNT"] == "0"


@pytest.mark.slow
def test_threads_sleep_under_a_command() -> None:
    # Exit status 1 says that something is missing here, which isn't the question.
    code = "import sys; from tttbench.cli.main import main; main(['doctor'])"
    assert loaded_with("-c", code)["GOMP_SPINCOUNT"] == "0"


def test_packages_are_named_without_torch() -> None:
    code = "import sys, reference_model, tttbench; assert 'torch' not in sys.modules"
    assert loaded_with("-c", code) == {}


@pytest.mark.parametrize(
    ("settings", "spins"),
    [({"OMP_WAIT_POLICY": "ACTIVE"}, "30000000000"), ({"GOMP_SPINCOUNT": "777"}, "777")],
)
def test_the_users_own_choice_wins(settings: dict[str, str], spins: str) -> None:
    assert loaded_with("-c", "import reference_model, torch", **settings)["GOMP_SPINCOUNT"] == spins


def test_the_number_of_threads_is_the_users() -> None:
    code = "import reference_model, torch; assert torch.get_num_threads() == 1"
    found = loaded_with("-c", code, OMP_NUM_THREADS="1")
    assert (found["OMP_NUM_THREADS"], found["GOMP_SPINCOUNT"]) == ("1", "0")


def test_the_number_of_threads_is_torchs_where_nothing_is_said() -> None:
    ours = "import reference_model, torch, os; assert torch.get_num_threads() == int(os.environ['EXPECTED'])"
    count = "import torch; print(torch.get_num_threads())"
    mine = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    expected = subprocess.run(
        [sys.executable, "-c", count], env=mine, capture_output=True, text=True, check=True
    ).stdout
    loaded_with("-c", ours, EXPECTED=expected.strip())


def test_nothing_is_changed_behind_torch() -> None:
    code = (
        "import os, torch\n"
        "from reference_model.threads import wait_asleep\n"
        "assert not wait_asleep() and 'OMP_WAIT_POLICY' not in os.environ"
    )
    assert loaded_with("-c", code)["GOMP_SPINCOUNT"] == "300000"
