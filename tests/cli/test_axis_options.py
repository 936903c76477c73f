"""Options that take several values."""

from __future__ import annotations

import argparse

import pytest

from tttbench.cli.axis_options import add_axes, chosen_axes
from tttbench.core.errors import UserError


def read(*words: str) -> dict[str, object]:
    parser = argparse.ArgumentParser()
    add_axes(parser)
    return dict(chosen_axes(parser.parse_args(words)))


@pytest.mark.parametrize(
    ("words", "chosen"),
    [
        ((), {}),
        (("--steps", "1,2, 4"), {"steps_per_block": [1, 2, 4]}),
        (("--steps", "1", "--steps", "4"), {"steps_per_block": [1, 4]}),
        (("--cfg", "0,0.1"), {"cfg": [0.0, 0.1]}),
        (("--cache", "none,exact"), {"cache": ["none", "exact"]}),
        (("--cache", "refresh", "--refresh-every", "2,8"), {"cache": ["refresh"], "refresh_every": [2, 8]}),
        (("--block-lengths", "8+16+26, 26"), {"block_lengths": ["8+16+26", "26"]}),
        (
            ("--strategy", "topk,par:refinements=2,share=0.5,pmi"),
            {"strategy": ["topk", "par:refinements=2,share=0.5", "pmi"]},
        ),
        (
            ("--batch-size", "4", "--prompt-codes", "25", "--span-codes", "26", "--block-length", "8"),
            {"prompt_codes": [25], "span_codes": [26], "block_length": [8], "batch_size": [4]},
        ),
    ],
)
def test_values_are_separated_by_commas_or_given_again(words: tuple[str, ...], chosen: dict[str, object]) -> None:
    assert read(*words) == chosen


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--steps", "1,x"), "argument --steps: must be a whole number of 1 or more (below 2^63), not 'x'"),
        (("--block-length", "0"), "argument --block-length: must be a whole number of 1 or more (below 2^63), not '0'"),
        (
            ("--block-lengths", "8+x"),
            "argument --block-lengths: must be a whole number of 1 or more (below 2^63), not 'x'",
        ),
        (("--cfg", "-1"), "argument --cfg: must be a number of 0 or more, not '-1'"),
        (("--cfg", "inf"), "argument --cfg: must be a number of 0 or more, not 'inf'"),
        (("--strategy", "threshold,tau=1"), "'tau=1' is no strategy; options follow a colon: threshold:tau=1"),
        (("--steps", ","), "argument --steps: needs at least one value"),
    ],
)
def test_values_that_cannot_be_meant_are_refused(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        read(*words)
    assert said in capsys.readouterr().err


def test_a_value_given_twice_is_refused() -> None:
    with pytest.raises(UserError, match="--steps: 2 stands there twice; remove one"):
        read("--steps", "2,4", "--steps", "2")


def test_a_length_and_a_schedule_do_not_go_together() -> None:
    with pytest.raises(UserError, match="--block-length and --block-lengths: one takes the place of the other"):
        read("--block-length", "9", "--block-lengths", "4+9")
