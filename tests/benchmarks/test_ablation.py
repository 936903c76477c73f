"""The ablation's results: read back as written, compared sample by sample, and refused where they don't fit."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import pytest

from benchmarks import ablation
from benchmarks.ablation_results import (
    METRICS,
    Measured,
    ModelResult,
    collect,
    difference,
    load_results,
    save_result,
    summary,
)
from benchmarks.suite_run import write_run
from tttbench.config.training import shipped_training_configs
from tttbench.pipeline.scores import Columns
from tttbench.pipeline.summarize import summarize
from tttbench.store.run_directory import RunStore


def result(variant: str, seed: int, wrong: list[int], samples: tuple[str, ...] = ("a", "b", "c", "d")) -> ModelResult:
    measured = Measured(
        sum(wrong) / 10,
        0.0,
        1.0,
        len(wrong),
        0,
        samples,
        tuple(f"c{i}" for i in range(len(samples))),
        tuple(map(float, wrong)),
        (2.0, 3.0, 1.0, 4.0),
    )
    metrics = {f"{task}/{metric}": measured for task, metric in METRICS}
    return ModelResult(variant, seed, "r", 8000, "w", {"wer": "recipe 1"}, {"cores": 2}, metrics)


def test_results_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    made = [result("ttt", 0, [1, 0, 0, 1]), result("no_sst", 0, [2, 1, 0, 1])]
    for one in made:
        save_result(tmp_path / f"{one.variant}-{one.seed}.json", one)
    assert sorted(load_results(tmp_path), key=lambda one: one.variant) == sorted(made, key=lambda one: one.variant)


def test_a_damaged_result_is_named(tmp_path: Path) -> None:
    (tmp_path / "ttt-0.json").write_text("{}")
    with pytest.raises(SystemExit, match=r"ttt-0\.json: not a result of the ablation"):
        load_results(tmp_path)


def test_the_difference_is_that_of_the_sums_over_seeds() -> None:
    ours = [result("no_sst", seed, wrong) for seed, wrong in enumerate(([2, 1, 0, 1], [2, 3, 0, 1]))]
    base = [result("ttt", seed, wrong) for seed, wrong in enumerate(([1, 0, 0, 1], [1, 0, 0, 1]))]
    estimate, low, high = difference(ours, base, "mini_asr/wer")
    assert estimate == pytest.approx(10 / 20 - 4 / 20)
    assert low <= estimate <= high


def test_other_samples_are_refused() -> None:
    other = result("no_sst", 0, [1, 1, 1, 1], samples=("a", "b", "c", "e"))
    with pytest.raises(SystemExit, match="no_sst-0: other samples in mini_asr/wer than ttt's"):
        difference([other], [result("ttt", 0, [1, 1, 1, 1])], "mini_asr/wer")


def test_the_table_has_a_row_a_variant_and_the_base_first() -> None:
    table = summary([result("ar", 0, [1, 0, 0, 0]), result("ttt", 0, [0, 0, 0, 0]), result("ttt", 1, [0, 2, 0, 0])])
    rows = [line.split("|")[1:4] for line in table.splitlines()[2:]]
    assert [(row[0].strip(), row[1].strip()) for row in rows] == [("ttt", "2"), ("ar", "1")]
    assert rows[0][2].strip() == "10.0 (0.0 to 20.0)"
    assert rows[1][2].strip().startswith("10.0, +0.0 [")


def current(variant: str, seed: int) -> ModelResult:
    digest = hashlib.sha256(shipped_training_configs()[f"ablation/{variant}"].read_bytes()).hexdigest()
    return dataclasses.replace(result(variant, seed, [1, 0, 0, 0]), config_sha256=digest)


def test_what_is_measured_is_not_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []
    monkeypatch.setattr(ablation, "call", lambda arguments, log: called.append(arguments[0]))
    for variant in ablation.VARIANTS:
        save_result(tmp_path / f"{variant}-0.json", current(variant, 0))
    assert ablation.main(["--seeds", "0", "--results", str(tmp_path), "--work", str(tmp_path)]) == 0
    assert called == []


@pytest.mark.parametrize("change", [{"config_sha256": "another"}, {"steps": 50}])
def test_a_result_of_another_config_or_length_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    save_result(tmp_path / "ttt-0.json", dataclasses.replace(current("ttt", 0), **change))
    with pytest.raises(SystemExit, match=r"ttt-0\.json: is of another training config or of"):
        ablation.main(["--variants", "ttt", "--seeds", "0", "--results", str(tmp_path), "--work", str(tmp_path)])


def finished(folder: Path) -> tuple[Path, Path]:
    """A model's folder and its run of 40 samples on two tasks."""
    model, run = folder / "model", folder / "run"
    model.mkdir()
    (model / "losses.jsonl").write_text('{"step": 10}\n{"step": 20}\n')
    (model / "model.safetensors").write_bytes(b"weights")
    write_run(run, 40, 0)
    with RunStore.open(run, write=True) as store:
        store.write_summary(summarize(store, Columns(store.manifest)))
    return model, run


def test_a_finished_run_is_read_sample_by_sample(tmp_path: Path) -> None:
    found = collect("ttt", 1, *finished(tmp_path))
    assert (found.seed, found.steps, found.weights_sha256) == (1, 20, hashlib.sha256(b"weights").hexdigest())
    # The gap between both accuracies explains them and is no metric of its own.
    names = {"questions/spoken_accuracy", "questions/text_accuracy", "dictation/wer", "dictation/cer"}
    assert found.metrics.keys() == {*names, "dictation/wer_whisper-en"}
    assert found.recipes["spoken_accuracy"].endswith("transcriber: synthetic transcriber, version 1")
    for name, one in found.metrics.items():
        family = "qa" if name.startswith("questions") else "asr"
        assert one.samples == tuple(f"{family}-{at:05d}" for at in range(20))
        assert all(cluster.startswith("speaker-") for cluster in one.clusters)
        assert one.value == pytest.approx(sum(one.numerators) / sum(one.denominators))


def test_a_run_that_did_not_end_is_refused(tmp_path: Path) -> None:
    model, run = finished(tmp_path)
    (run / "summary.json").unlink()
    with pytest.raises(SystemExit, match="run: the run is unfinished; remove it and start again"):
        collect("ttt", 1, model, run)
