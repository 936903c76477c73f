"""A suite with an oracle: the others' codes are compared with its codes, and extra scores are taken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tttbench.cli import main as cli
from tttbench.store.run_directory import RunStore

SUITE = """
transcriber = "ttt:mini"
oracle = "slow"
limit = 8
batch_size = 1

[[tasks]]
name = "mini_qa"
scores = ["text_accuracy", "self_wer"]

[[systems]]
name = "ttt:mini"
label = "slow"
strategy = "first_hitting"

[[systems]]
name = "ttt:mini"
label = "fast"
decode = { steps_per_block = 1, block_length = 27 }

[[systems]]
name = "ttt:mini-nar"
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("oracle")
    (folder / "suite.toml").write_text(SUITE)
    assert cli.main(["run", str(folder / "suite.toml"), "--out", str(folder / "run")]) == 0
    return folder / "run"


def test_all_but_the_oracle_have_an_agreement(run: Path) -> None:
    results = json.loads((run / "summary.json").read_text())["results"]
    found = {(row["system"], row["metric"]): row for row in results}
    assert {system for system, metric in found if metric == "oracle_agreement"} == {"fast", "ttt:mini-nar"}
    assert {metric for system, metric in found if system == "slow"} == {"text_accuracy", "self_wer"}
    assert found["fast", "oracle_agreement"]["recipe"]["options"] == "oracle=slow"
    assert 0 <= found["ttt:mini-nar", "oracle_agreement"]["value"] < found["fast", "oracle_agreement"]["value"] <= 1


def test_it_is_the_share_of_equal_codes(run: Path) -> None:
    with RunStore.open(run) as store:
        slow, fast = (list(store.answers(label)) for label in ("slow", "fast"))
        scores = store.scores("fast", "mini_qa")
    equal = total = 0
    for one, other in zip(slow, fast, strict=True):
        assert one.response is not None
        assert other.response is not None
        a, b = one.response.audio_codes or (), other.response.audio_codes or ()
        equal += sum(x == y for x, y in zip(a, b, strict=False))
        total += max(len(a), len(b))
    kept = [found["oracle_agreement"] for found in scores.values()]
    assert (sum(one.numerator for one in kept), sum(one.denominator for one in kept)) == (equal, total)


def test_the_report_and_scoring_again_have_it_too(run: Path) -> None:
    before = json.loads((run / "summary.json").read_text())["results"]
    assert "Audio tokens of the oracle" in (run / "report.html").read_text()
    assert cli.main(["rescore", str(run)]) == 0
    assert json.loads((run / "summary.json").read_text())["results"] == before


def test_the_frontier_has_a_place_for_each_and_is_shown(run: Path) -> None:
    places = json.loads((run / "summary.json").read_text())["frontier"]
    assert [place["system"] for place in places] == ["slow", "fast", "ttt:mini-nar"]
    assert all(place["seconds_low"] <= place["seconds"] <= place["seconds_high"] for place in places)
    assert any(not place["dominated_by"] for place in places)
    page = (run / "report.html").read_text()
    assert 'id="frontier"' in page
    assert "What speed costs" in page


def test_the_real_time_factor_is_drawn_by_the_length_of_the_answer(run: Path) -> None:
    page = (run / "report.html").read_text()
    assert "Real-time factor by the length of the answer" in page
