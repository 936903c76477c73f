"""What ``tttbench doctor`` says about attention: on this CPU, and where an operator for the device is installed."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from reference_model.attention import Chooser
from reference_model.attention.xformers import XformersOperator
from tttbench.cli.doctor import OPTIONAL, attention
from tttbench.core.extras import NEEDED


@dataclass(frozen=True)
class Absent(XformersOperator):
    """xformers' operator where the package is missing."""

    def why_not(self, device: torch.device) -> str:
        return "it is not installed"


class Broken(XformersOperator):
    """xformers' operator that claims to run everywhere, which it doesn't on a CPU."""

    def why_not(self, device: torch.device) -> str:
        return ""


def test_every_extra_is_looked_for() -> None:
    assert {extra for _, _, extra, _ in OPTIONAL} == {*NEEDED, "voices"}


def test_on_a_cpu_xformers_has_no_operator() -> None:
    assert attention(Chooser(), torch.device("cpu")).detail == (
        "sdpa; xformers is not used: it has no operator for the device 'cpu' (CUDA only)"
    )


def test_on_cuda_without_xformers_it_says_so_for_both_dtypes_and_names_what_trains() -> None:
    assert attention(Chooser(Absent()), torch.device("cuda")).detail == (
        "bfloat16: sdpa (xformers is not used: it is not installed); "
        "float32: sdpa (xformers is not used: it is not installed); training: flex"
    )


def test_an_operator_that_fails_its_comparison_is_found_with_its_reason() -> None:
    said: list[str] = []
    found = attention(Chooser(Broken(), warn=said.append), torch.device("cpu"))
    assert found.detail.startswith("bfloat16: sdpa (xformers is not used: it raised ")
    assert len(said) == 1
