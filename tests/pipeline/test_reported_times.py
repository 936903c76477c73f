"""What public bug reports told of other suites' latencies, through the command line: cut, empty and mixed answers.

Inputs of the same kinds as the shared ones, and those themselves, with the systems that they were made for.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tttbench import load
from tttbench.cli.main import main

SYSTEMS = """
import json
import time

import numpy as np

from tttbench.api import Capability, InputError, Response, SystemCard, Trace, register_system


class Made:
    def __init__(self, name, answer, speaks=False):
        produces = {"text", "audio"} if speaks else {"text"}
        self.card = SystemCard(name, Capability(produces=frozenset(produces), concurrency=4))
        self._answer = answer

    def generate(self, requests):
        return [self._answer(request, at) for at, request in enumerate(requests)]


def number(request):
    return int("".join(filter(str.isdigit, request.id)))


@register_system("scripted", summary="answers from a file")
def scripted(spec, options):
    answers = json.loads(open(spec).read())

    def answer(request, at):
        found = answers[request.id]
        trace = Trace(stages_s={"decode": 0.1}, text_times_s=(0.1,), end_s=0.1, nfe=1)
        return Response(found["text"], finish_reason=found.get("finish", "stop"), trace=trace)

    return Made(f"scripted:{spec}", answer)


@register_system("mix", summary="errors, empty answers, answers")
def mix(spec, options):
    def answer(request, at):
        k = number(request)
        if k % 2:
            return InputError("refused. Try later.")
        if k % 4 == 0:
            return Response("", trace=Trace(end_s=0.001))
        return Response("hello there", trace=Trace(end_s=1.0, text_times_s=(0.5, 1.0)))

    return Made("mix", answer)


@register_system("once", summary="speaks one of its answers")
def once(spec, options):
    def answer(request, at):
        if number(request):
            return Response("hello there", trace=Trace(end_s=1.0))
        return Response("hello there", None, np.full(8_000, 0.1, np.float32), 16_000, trace=Trace(end_s=1.0))

    return Made("once", answer, speaks=True)


@register_system("whole", summary="takes a second a call, and says so for each of its requests")
def whole(spec, options):
    def answer(request, at):
        return Response("hello there", trace=Trace(stages_s={"decode": 1.0}, end_s=1.0))

    return Made("whole", answer)
"""


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """A folder of systems, and a list of forty clips of a second."""
    (tmp_path / "systems").mkdir()
    (tmp_path / "systems" / "made.py").write_text(SYSTEMS)
    soundfile.write(tmp_path / "q.wav", np.full(16_000, 0.01), 16_000)
    rows = [{"id": f"s{at}", "audio": "q.wav", "text": "hello there"} for at in range(40)]
    (tmp_path / "list.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


class Ran:
    """A run that ended: its document, what was printed, its page."""

    def __init__(self, out: Path, printed: str) -> None:
        self.out, self.printed = out, printed
        self.document: dict[str, Any] = json.loads(printed.strip().splitlines()[-1])
        self.page = (out / "report.html").read_text()

    @property
    def probes(self) -> dict[str, dict[str, Any]]:
        return {one["metric"]: one for one in self.document["probes"] if one["task"]}


def ran(world: Path, listing: Path, capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> Ran:
    out = world / "run"
    capsys.readouterr()
    options = ["--include", str(world / "systems"), "--tasks", "asr_folder", "--data", f"asr_folder={listing}"]
    assert main(["run", *options, *words, "--device", "cpu", "--out", str(out), "--json"]) == status
    return Ran(out, capsys.readouterr().out)


def check_cut(found: Ran, n: int) -> None:
    assert found.document["cut"] == n
    assert (found.document["results"][0]["ok"], found.document["results"][0]["cut"]) == (n, n)
    assert found.probes == {}
    (timed,) = found.document["timed"]
    assert (timed["n"], timed["cut"]) == (0, n)
    assert f"A length limit cut {n} of the answers." in found.printed
    assert f'<b data-count="cut">{n}</b> cut by a limit' in found.page
    assert f"{n} of {n} answers were cut by a length limit." in found.page
    assert f"none of its answers is complete ({n} cut by a length limit)" in found.page
    assert json.loads((found.out / "summary.json").read_text())["cut"] == n
    assert load(found.out).samples.cut.tolist() == [True] * n
    assert len(load(found.out).latency[lambda rows: rows.task != ""]) == 0


def test_answers_that_a_limit_cut_are_counted_and_shown(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (world / "a.json").write_text(json.dumps({f"s{at}": {"text": "hello", "finish": "length"} for at in range(40)}))
    check_cut(ran(world, world / "list.jsonl", capsys, "--systems", f"scripted:{world / 'a.json'}"), 40)


def test_the_reported_answers_that_a_limit_cut(
    world: Path, shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = shared_data / "reported" / "16-cut-answers"
    check_cut(ran(world, case / "list.jsonl", capsys, "--systems", f"scripted:{case / 'answers.json'}"), 4)


def check_mixed(found: Ran) -> None:
    assert found.document["counts"] == {"ok": 10, "empty": 10, "unparsed": 0, "derivation_failed": 0, "error": 20}
    latency, ttft = found.probes["latency"], found.probes["ttft"]
    assert (latency["p50"], latency["n"]) == (1.0, 10)
    assert (ttft["p50"], ttft["n"]) == (0.5, 10)
    (timed,) = found.document["timed"]
    assert (timed["n"], timed["error"], timed["empty"], timed["cut"]) == (10, 20, 10, 0)
    assert "20 errors, 10 empty" in found.printed
    assert "without 20 errors, 10 empty" in found.page


def test_empty_answers_are_in_no_latency(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check_mixed(ran(world, world / "list.jsonl", capsys, "--systems", "mix", status=1))


def test_the_reported_empty_answers(world: Path, shared_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = shared_data / "reported" / "30-empty-answers-in-latency"
    check_mixed(ran(world, case / "list.jsonl", capsys, "--systems", "mix", status=1))


def test_one_spoken_answer_of_forty_changes_no_other_s_denominator(
    world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = ran(world, world / "list.jsonl", capsys, "--systems", "once").probes
    # A second for half a second of speech, and for a second of input.
    assert (found["rtf"]["p50"], found["rtf"]["n"]) == (2.0, 1)
    assert (found["rtf_input"]["p50"], found["rtf_input"]["n"]) == (1.0, 39)
    assert found["latency"]["n"] == 40


@pytest.mark.parametrize(
    ("words", "together"),
    [((), 1), (("--batch-size", "8"), 8), (("--executor", "threads"), 4), (("--batch-size", "7"), 7)],
)
def test_latency_is_of_one_request_at_a_time_or_left_out_with_the_reason(
    world: Path, words: Sequence[str], together: int, capsys: pytest.CaptureFixture[str]
) -> None:
    found = ran(world, world / "list.jsonl", capsys, "--systems", "whole,once", *words)
    timed = {one["system"]: one for one in found.document["timed"]}
    assert {one["together"] for one in timed.values()} == {together}
    latencies = {"ttft", "ttfa_codes", "ttfa_wave", "latency", "prefill", "stalls", "stall_s"}
    factors = {one["metric"]: one["p50"] for one in found.document["probes"] if one["system"] == "whole"}
    if together == 1:
        assert (factors["latency"], factors["rtf_input"], factors["rtf_input_decode"]) == (1.0, 1.0, 1.0)
        assert timed["whole"]["why_no_latency"] == ""
        return
    assert not latencies & {one["metric"] for one in found.document["probes"]}
    why = f"generated {together} at a time, so each one's times hold the others'"
    assert all(one["why_no_latency"].startswith(why) for one in timed.values())
    assert f"No latency of whole on asr_folder, once on asr_folder: {why}" in found.printed
    if "threads" in words:
        # What overlaps isn't in one call, so nobody knows the part of each in what was computed.
        assert "rtf_input" not in factors
        return
    # A second of compute for the clips of a call, a second each; the stage says the same.
    assert factors["rtf_input"] == pytest.approx(1 / together, rel=0.05)
    assert factors["rtf_input_decode"] == pytest.approx(factors["rtf_input"])
    assert f"Compute alone, no latency: generated {together} at a time" in found.page
