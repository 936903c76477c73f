"""``tttbench probe`` on a small random checkpoint, and on a system that only responds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reference_model.roofline import Ceilings
from tttbench.cli.main import main
from tttbench.miniworld.tokenizer import build

from ..systems.ttt_checkpoints import LEVELS, write_checkpoint, write_codec

ECHO = """
from tttbench.api import Capability, Response, SystemCard, Trace, register_system


class Echo:
    card = SystemCard("echo", Capability(families=frozenset({"asr"})))

    def generate(self, requests):
        if SPEC == "tired":
            return [RuntimeError("tired") for _ in requests]
        if SPEC == "stopped":
            raise KeyboardInterrupt
        return [Response("x", trace=Trace(end_s=1.0)) for _ in requests]


@register_system("NAME")
def build(spec, options):
    return Echo()
"""


@pytest.fixture(scope="module")
def hybrid(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A system: a random checkpoint."""
    root = tmp_path_factory.mktemp("weights")
    write_codec(root / "codec")
    return f"ttt:{write_checkpoint(root / 'hybrid', build(LEVELS[0] * LEVELS[1]))}"


@pytest.fixture(autouse=True)
def _ceilings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds of products and copies are spared."""
    monkeypatch.setattr("reference_model.roofline.measure_ceilings", lambda *_: Ceilings(1e9, 1e9))


def echo(folder: Path, spec: str) -> list[str]:
    """The words that include and name a system that answers at once, fails or is interrupted."""
    name = f"echo_{spec}"
    (folder / f"{name}.py").write_text(ECHO.replace("NAME", name).replace("SPEC", repr(spec)))
    return [name, "--include", str(folder), "--synthetic", "0.2"]


def probed(capsys: pytest.CaptureFixture[str], out: Path, *words: str, status: int = 0) -> dict[str, Any]:
    """Run the command; the JSON of its last line."""
    assert main(["probe", *words, "--device", "cpu", "--out", str(out), "--repeats", "1", "--warmup", "0"]) == status
    document: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return document


def test_a_sweep_measures_every_combination(hybrid: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--span-codes", "5,11", "--steps", "1,3", "--prompt-codes", "4"]
    document = probed(capsys, tmp_path / "out", hybrid, *options)
    points = [(one["point"]["span_codes"], one["point"]["steps_per_block"]) for one in document["points"]]
    assert points == [(5, 1), (5, 3), (11, 1), (11, 3)]
    assert (document["status"], document["task"]) == ("done", "synthetic codes")
    for one in document["points"]:
        figures = {probe["metric"]: probe["p50"] for probe in one["probes"]}
        assert figures["nfe_per_code"] == pytest.approx(figures["nfe"] / one["point"]["span_codes"])
        assert {"prefill", "ttft", "ttfa_codes", "ttfa_wave", "latency", "codes_per_s"} <= figures.keys()
        assert {"answers_per_s", "peak_memory", "percent_of_limit"} <= figures.keys()


def test_picture_and_document_are_kept(hybrid: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = probed(capsys, tmp_path / "out", hybrid, "--span-codes", "5", "--cache", "none,exact")
    assert json.loads((tmp_path / "out" / "probe.json").read_text()) == document
    assert "<svg" in (tmp_path / "out" / "probe.svg").read_text()


def test_every_strategy_and_cache_mode_can_be_swept_over(
    hybrid: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    strategies = "topk,threshold:tau=0.5,pmi,par,mapi,first_hitting"
    options = ["--strategy", strategies, "--cache", "none,exact,block", "--cfg", "0.1", "--span-codes", "5"]
    document = probed(capsys, tmp_path / "out", hybrid, *options)
    assert len(document["points"]) == 18
    assert [one["strategy"] for one in document["points"]][:6] == strategies.split(",")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["--cache", "exact,exakt"],
            "--cache: cache: must be 'none', 'exact', 'refresh' or 'block', not 'exakt'. Did you mean",
        ),
        (["--strategy", "topk,treshold"], "--strategy: strategy: strategy 'treshold' is unknown; known: ar, "),
    ],
)
def test_the_system_says_which_values_it_takes_before_it_is_loaded(
    words: list[str], said: str, hybrid: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = Path(hybrid.partition(":")[2]) / "model.safetensors"
    hidden = weights.rename(weights.with_suffix(".away"))
    try:
        assert main(["probe", hybrid, "--device", "cpu", "--out", str(tmp_path / "out"), *words]) == 2
    finally:
        hidden.rename(weights)
    assert said in capsys.readouterr().err


def test_settings_and_batches_can_be_compared_on_noise(
    hybrid: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--synthetic", "0.3", "--requests", "3", "--batch-size", "1,2", "--steps", "1"]
    document = probed(capsys, tmp_path / "out", hybrid, *options)
    assert (document["task"], document["requests"]) == ("synthetic", 3)
    assert [one["point"] for one in document["points"]] == [
        {"steps_per_block": 1, "batch_size": 1},
        {"steps_per_block": 1, "batch_size": 2},
    ]
    alone, together = ({probe["metric"]: probe["n"] for probe in one["probes"]} for one in document["points"])
    assert (alone["latency"], "latency" in together) == (3, False)
    assert {"answers_per_s", "peak_memory"} <= together.keys()
    assert [one["together"] for one in document["points"]] == [1, 2]


def test_a_single_point_has_its_figures_at_the_top(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = probed(capsys, tmp_path / "out", *echo(tmp_path, "well"))
    assert (document["batch_size"], document["repeats"], document["requests"]) == (1, 1, 4)
    assert document["probes"] == document["points"][0]["probes"]
    assert document["ceilings"] is None
    assert "percent_of_limit" not in {probe["metric"] for probe in document["probes"]}


def test_what_ended_a_probe_and_what_to_do_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        *echo(tmp_path, "short"),
        "--device",
        "cpu",
        "--out",
        str(tmp_path / "out"),
        "--budget",
        "0",
        "--warmup",
        "0",
    ]
    assert main(["probe", *words]) == 0
    *said, last = capsys.readouterr().out.splitlines()
    document = json.loads(last)
    assert (document["points"][0]["ended"], document["points"][0]["repeats"]) == ("budget", 3)
    assert "3 repeats, ended by budget (0 s, warm-up included)." in said
    assert "Fewer than 6 repeats have no 95 % interval." in said
    advised, _, more = document["advice"].partition("; ")
    assert {f"{advised};", f"    {more}"} <= set(said)
    assert document["advice"].startswith("The time was over before the median was known within 5.0 %: --budget ")
    assert main(["probe", *words[:-4], "--repeats", "6", "--warmup", "0", "--out", str(tmp_path / "more")]) == 0
    said = capsys.readouterr().out.splitlines()
    # Every answer takes a second for 0.2 s of noise.
    (factor,) = [line.split() for line in said if line.startswith("rtf_input ")]
    assert factor == ["rtf_input", "ratio", factor[2], "5.00", "to", "5.00", "5.00", "-", "24"]
    assert factor[2].lstrip("~") == "5.00"


def test_failed_requests_end_with_1_and_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = probed(capsys, tmp_path / "out", *echo(tmp_path, "tired"), status=1)
    assert document["status"] == "done_with_errors"
    assert document["errors"][0] == "noise-0: RuntimeError: tired"


def test_an_interrupt_ends_with_130_and_leaves_the_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe", *echo(tmp_path, "stopped"), "--device", "cpu", "--out", str(tmp_path / "out")]) == 130
    assert json.loads((tmp_path / "out" / "probe.json").read_text())["status"] == "interrupted"


def test_a_probe_is_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    probed(capsys, tmp_path / "out", *echo(tmp_path, "twice"))
    assert main(["probe", "echo_twice", "--out", str(tmp_path / "out")]) == 2
    assert "holds a probe already. Give another folder" in capsys.readouterr().err


def test_without_a_folder_one_of_runs_is_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["probe", *echo(tmp_path, "homeless"), "--repeats", "1", "--device", "cpu"]) == 0
    (folder,) = (tmp_path / "runs").iterdir()
    assert folder.name.startswith("probe-")
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["out"] == str(folder.relative_to(tmp_path))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--prompt-codes", "5", "--task", "mini_qa"], "--prompt-codes: goes with requests made for it"),
        (["--span-codes", "5", "--synthetic", "1"], "Leave out --synthetic."),
        (["--task", "mini_qa", "--synthetic", "1"], "--synthetic: noise takes the place of a task's samples"),
        (["--synthetic", "1", "--batch-size", "4", "--requests", "2"], "--requests 2: too few for --batch-size 4"),
        (["--strategy", "ar"], "--strategy ar: ttt:"),
        (
            ["--prompt-codes", "350", "--span-codes", "100"],
            "--prompt-codes 350 --span-codes 100: a prompt of 350 codes",
        ),
    ],
)
def test_a_wrong_call_ends_with_2_and_the_fix(
    words: list[str], said: str, hybrid: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["probe", hybrid, *words, "--device", "cpu", "--out", str(tmp_path / "out")]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_strategy_is_named_once(hybrid: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe", f"{hybrid}@topk", "--strategy", "pmi", "--device", "cpu"]) == 2
    assert "Leave out @topk, or the option." in capsys.readouterr().err
