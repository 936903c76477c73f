"""``[[ablate]]`` of a suite: one base, one switch off a row; what is wrong is named with file, field and fix."""

from __future__ import annotations

from pathlib import Path

import pytest

from tttbench.config.choose import choose
from tttbench.config.suite import Suite, load_suite
from tttbench.core.errors import UserError
from tttbench.pipeline.ablations import check_ablations

SUITE = """
[[tasks]]
name = "mini_qa"

[[systems]]
name = "{system}"
label = "base"
decode = {{ cfg = 0.5, steps_per_block = 4 }}

[[ablate]]
base = "{base}"
off = {off}
"""


def suite(folder: Path, off: str, base: str = "base", system: str = "ttt:mini") -> Suite:
    path = folder / "own.toml"
    path.write_text(SUITE.format(off=off, base=base, system=system))
    return load_suite(str(path))


def test_each_switch_is_a_system_that_is_the_base_but_for_it(tmp_path: Path) -> None:
    made = suite(tmp_path, '["cfg", "steps", "prompt_audio"]')
    assert [(one.label, dict(one.settings)) for one in made.systems] == [
        ("base", {"cfg": 0.5, "steps_per_block": 4}),
        ("base without cfg", {"cfg": 0.0, "steps_per_block": 4}),
        ("base without steps", {"cfg": 0.5, "steps_per_block": 1}),
        ("base without prompt_audio", {"cfg": 0.5, "steps_per_block": 4, "prompt_audio": "causal"}),
    ]
    assert [(one.system, one.base, one.switch) for one in made.ablations] == [
        ("base without cfg", "base", "cfg"),
        ("base without steps", "base", "steps"),
        ("base without prompt_audio", "base", "prompt_audio"),
    ]
    check_ablations(made, "cpu")


@pytest.mark.parametrize(
    ("off", "base", "message"),
    [
        ('["cgf"]', "base", "own.toml: ablate[0].off[0]: 'cgf' can't be switched off. Did you mean 'cfg'?"),
        ('["cfg", "x"]', "base", "own.toml: ablate[0].off[1]: 'x' can't be switched off. Known: audio_sampling, "),
        ('["cfg"]', "bas", "own.toml: ablate[0].base: 'bas' is no system of the suite. Did you mean 'base'?"),
        (
            "[]",
            "base",
            "own.toml: ablate[0].off: must be a list of at least 1 value, not an empty list; name switches",
        ),
        ('["cfg", "cfg"]', "base", "own.toml: ablate[0].off[1]: 'cfg' is in [0] already"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, off: str, base: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        suite(tmp_path, off, base)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("off", "system"),
    [
        ('["audio_sampling"]', "ttt:mini"),
        ('["cfg"]', "ttt:mini-ar"),
        ('["steps"]', "ttt:mini-ar"),
        ('["prompt_audio"]', "ttt:mini-ar"),
        ('["steps"]', "ttt:mini@threshold"),
        ('["steps"]', "ttt:mini@speculate:of=threshold"),
    ],
)
def test_a_switch_without_effect_is_refused(tmp_path: Path, off: str, system: str) -> None:
    """AR models have no guidance, steps and bidirectional audio; some strategies choose their steps themselves."""
    made = suite(tmp_path, off, system=system)
    with pytest.raises(
        UserError, match=r"own\.toml: ablate\[0\]\.off\[0\]: .* is off in base already, or has no effect"
    ):
        check_ablations(made, "cpu")


def test_a_choice_of_systems_keeps_the_ablations_whose_both_sides_are_there(tmp_path: Path) -> None:
    made = suite(tmp_path, '["cfg", "steps"]')
    kept = choose(made, systems=["base", "base without steps"]).ablations
    assert [one.switch for one in kept] == ["steps"]
    assert choose(made, systems=["base without cfg", "base without steps"]).ablations == ()
