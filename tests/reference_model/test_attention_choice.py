"""Which backend ``"auto"`` takes where, the comparison with sdpa that decides it, and what is said when it fails."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import pytest
import torch
from torch import Tensor

from reference_model.attention import PROCESS, Chooser, Heads
from reference_model.attention.check import TOLERANCE, compare
from reference_model.attention.runs import Runs
from reference_model.attention.xformers import XformersOperator
from reference_model.decoding import DecodeConfig, Engine, Prompt, generate
from reference_model.errors import BackendError
from reference_model.limits import limits
from reference_model.transformer import TtTModel

from .cases import MODELS, prompt_for, same
from .loops import Loops
from .shapes import random_model, tiny_config

CPU, CUDA = torch.device("cpu"), torch.device("cuda", 0)


def heads(dtype: torch.dtype = torch.float32, device: torch.device = CPU) -> Heads:
    return Heads(4, 2, 16, dtype, device)


class Raises(Loops):
    """An operator whose kernel is missing."""

    def attend(self, rows: Tensor, keys: Tensor, values: Tensor, prepared: Any) -> Tensor:
        raise NotImplementedError(f"No operator found for {rows.dtype}\nand a page of reasons")


class Wrong(Loops):
    """An operator that sees one key too few in one row of its ``kind`` of call."""

    def __init__(self, causal: bool) -> None:
        super().__init__()
        self._causal = causal

    def prepare(self, runs: Runs, causal: bool, total_keys: int, device: torch.device) -> Any:
        seen = super().prepare(runs, causal, total_keys, device)
        if causal == self._causal:
            first, end = seen[-1]
            seen[-1] = (first, end - 1)
        return seen


class Rounds(Loops):
    """An operator that is off by ``share`` of every number."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self._share = share

    def attend(self, rows: Tensor, keys: Tensor, values: Tensor, prepared: Any) -> Tensor:
        return super().attend(rows, keys, values, prepared) * (1 + self._share)


class Missing(Loops):
    """An operator that is not there."""

    def why_not(self, device: torch.device) -> str:
        return "it is not installed"


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_an_operator_that_computes_what_sdpa_does_agrees(dtype: torch.dtype) -> None:
    verdict = compare(Loops(), heads(dtype))
    assert verdict.why_not == ""
    assert verdict.error is not None
    assert verdict.error < TOLERANCE[dtype]


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("causal", [True, False])
def test_one_key_too_few_in_one_row_is_found(dtype: torch.dtype, causal: bool) -> None:
    verdict = compare(Wrong(causal), heads(dtype))
    assert verdict.error is not None
    assert verdict.error > TOLERANCE[dtype]
    assert verdict.why_not.startswith(f"its results differ from sdpa's by {verdict.error:.1e}, more than ")


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_the_tolerance_is_that_of_the_dtype(dtype: torch.dtype) -> None:
    tolerance = TOLERANCE[dtype]
    within, beyond = compare(Rounds(0.9 * tolerance), heads(dtype)), compare(Rounds(1.1 * tolerance), heads(dtype))
    assert within.error == pytest.approx(0.9 * tolerance, rel=0.01)
    assert within.why_not == ""
    assert beyond.error == pytest.approx(1.1 * tolerance, rel=0.01)
    assert beyond.why_not != ""


def test_results_that_are_no_numbers_are_found() -> None:
    assert "nan" in compare(Rounds(float("nan")), heads()).why_not


def test_a_kernel_that_is_missing_is_named_in_one_line() -> None:
    verdict = compare(Raises(), heads())
    assert verdict.why_not == "it raised NotImplementedError: No operator found for torch.float32"
    assert verdict.error is None


def test_the_comparison_draws_from_a_generator_of_its_own() -> None:
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    compare(Loops(), heads())
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize(
    ("operator", "name", "card"),
    [
        (Loops(), "xformers", "xformers (agrees with sdpa)"),
        (
            Raises(),
            "sdpa",
            "sdpa (xformers is not used: it raised NotImplementedError: No operator found for torch.float32)",
        ),
    ],
)
def test_auto_takes_xformers_where_it_runs_and_agrees(operator: Loops, name: str, card: str) -> None:
    chooser = Chooser(operator, warn=lambda message: None)
    assert chooser.name("auto", heads()) == name
    assert chooser.describe("auto", heads()) == card
    assert (chooser.pool_operator("auto", heads()) is operator) == (name == "xformers")


def test_auto_is_flex_for_training_on_cuda_and_sdpa_for_training_elsewhere() -> None:
    """Nothing is compared: no CUDA device is needed to decide it."""
    chooser = Chooser(Loops())
    assert chooser.name("auto", heads(device=CUDA), gradient=True) == "flex"
    assert chooser.describe("auto", heads(device=CUDA), gradient=True) == "flex"
    assert chooser.name("auto", heads(), gradient=True) == "sdpa"


def test_without_xformers_auto_is_sdpa_on_cuda_and_the_card_says_why_without_a_warning() -> None:
    said: list[str] = []
    chooser = Chooser(Missing(), warn=said.append)
    assert chooser.name("auto", heads(device=CUDA)) == "sdpa"
    assert chooser.describe("auto", heads(device=CUDA)) == "sdpa (xformers is not used: it is not installed)"
    assert said == []


def test_on_a_cpu_auto_is_plain_sdpa() -> None:
    said: list[str] = []
    chooser = Chooser(warn=said.append)
    assert chooser.describe("auto", heads()) == "sdpa"
    assert chooser.pool_operator("auto", heads()) is None
    assert said == []
    assert TtTModel(tiny_config()).attention_name() == "sdpa"


def test_xformers_own_operator_runs_on_cuda_alone() -> None:
    assert XformersOperator().why_not(CPU) == "it has no operator for the device 'cpu' (CUDA only)"


@pytest.mark.usefixtures("needs_xformers")
def test_xformers_own_operator_is_for_cuda_where_it_is_installed() -> None:
    assert XformersOperator().why_not(CUDA) == ""


@pytest.mark.parametrize("attention", ["sdpa", "flex", "xformers"])
def test_a_backend_asked_for_by_name_is_taken_and_never_compared(attention: str) -> None:
    chooser = Chooser(Raises(), warn=pytest.fail)
    assert chooser.name(attention, heads()) == attention
    assert chooser.describe(attention, heads()) == attention


def test_a_kind_of_heads_is_compared_once() -> None:
    operator = Loops()
    chooser = Chooser(operator)
    chooser.name("auto", heads())
    once = len(operator.n_rows)
    assert once > 0
    chooser.name("auto", heads())
    chooser.pool_operator("auto", heads())
    assert len(operator.n_rows) == once
    chooser.name("auto", heads(torch.bfloat16))
    assert len(operator.n_rows) == 2 * once


def test_the_fall_back_is_told_in_one_warning_whatever_fails_after_it() -> None:
    said: list[str] = []
    chooser = Chooser(Raises(), warn=said.append)
    for dtype in TOLERANCE:
        assert chooser.name("auto", heads(dtype)) == "sdpa"
        assert chooser.pool_operator("auto", heads(dtype)) is None
    assert said == [
        "attention='auto' takes sdpa in place of xformers for float64: "
        "it raised NotImplementedError: No operator found for torch.float64."
    ]


def test_the_warning_is_pythons_unless_told_otherwise() -> None:
    with pytest.warns(RuntimeWarning, match="'auto' takes sdpa in place of xformers"):
        Chooser(Raises()).name("auto", heads())


def with_operator(model: TtTModel, operator: Loops, attention: str = "auto") -> TtTModel:
    other = copy.copy(model)
    other.attention, other.chooser = attention, Chooser(operator)
    return other.requires_grad_(False)


def test_a_whole_sequence_goes_through_the_operator_and_is_what_sdpa_makes() -> None:
    operator = Loops()
    model = random_model(tiny_config(), dtype=torch.float64)
    other = with_operator(model, operator)
    assert other.attention_name() == "xformers (agrees with sdpa)"
    compared = len(operator.n_rows)
    ids = torch.tensor([[1, 2, 22, 23, 24, 3, 4], [25, 26, 5, 6, 7, 22, 23]])
    limit = limits(ids, model.config.audio_token_id_start)
    torch.testing.assert_close(other.hidden(ids, limit), model.hidden(ids, limit), atol=1e-12, rtol=1e-12)
    assert len(operator.n_rows) == compared + 2 * model.config.num_hidden_layers


def test_a_model_that_trains_does_not_take_an_operator_without_a_backward() -> None:
    model = random_model(tiny_config())
    model.chooser = Chooser(Loops())
    ids = torch.tensor([[1, 2, 22, 23]])
    limit = limits(ids, model.config.audio_token_id_start)
    assert model.attention_name() == "sdpa"
    model.hidden(ids, limit).sum().backward()
    with torch.no_grad():
        assert model.attention_name().startswith("xformers")
    with torch.no_grad():
        assert model.train().attention_name() == "sdpa"
    model.attention = "xformers"
    with pytest.raises(BackendError, match=r"no backward.*attention='flex'"):
        model.hidden(ids, limit)


def test_under_autocast_the_dtype_of_the_products_is_compared() -> None:
    model = random_model(tiny_config()).requires_grad_(False)
    said: list[str] = []
    model.chooser = Chooser(Raises(), warn=said.append)
    with torch.autocast("cpu", torch.bfloat16):
        model.attention_name()
    assert "torch.bfloat16" in said[0]


@pytest.mark.parametrize("operator", [Loops(), Raises()])
def test_decoding_on_auto_gives_sdpas_answers_whether_the_operator_agrees_or_not(operator: Loops) -> None:
    model = MODELS["hybrid", 60, 1]
    chosen = DecodeConfig(block_length=5, max_text_tokens=6, max_audio_tokens=16)
    prompts = [Prompt(prompt_for(model, case), seed=case) for case in range(4)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        engine = Engine(with_operator(model, operator), chosen, max_batch=4)
        compared = len(operator.n_rows)
        handles = [engine.submit(prompt) for prompt in prompts]
        while engine.step():
            pass
    for handle, expected in zip(handles, generate(model, prompts, chosen), strict=True):
        same(engine.answers[handle], expected)
    assert (len(operator.n_rows) > compared) == (not isinstance(operator, Raises))


def test_models_share_the_chooser_of_the_process() -> None:
    assert TtTModel(tiny_config()).chooser is None
    assert isinstance(PROCESS, Chooser)
