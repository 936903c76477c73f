"""`tttbench run` from end to end in a world whose every answer is known."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tttbench.core.metric import TOPLINE
from tttbench.store.read_model import Run
from tttbench.store.run_directory import RunStore

from .conftest import ROOT, WORLD

Tones = Callable[..., Any]


def value(document: dict[str, Any], metric: str, system: str = "tones:right") -> float:
    (found,) = [row["value"] for row in document["results"] if (row["metric"], row["system"]) == (metric, system)]
    return float(found)


def test_a_perfect_system_gets_perfect_scores(tones: Tones, tmp_path: Path) -> None:
    ended = tones("--out", tmp_path / "run", "--json")
    assert ended.status == 0
    assert ended.document["status"] == "done"
    assert value(ended.document, "wer") == 0
    assert value(ended.document, "text_accuracy") == 1
    assert value(ended.document, "spoken_accuracy") == 1
    assert value(ended.document, "spoken_accuracy", TOPLINE) == 1


def test_what_is_spoken_wrong_shows_in_the_gap(tones: Tones, tmp_path: Path) -> None:
    document = tones("--out", tmp_path / "run", "--json", "--systems", "tones:mumbling").document
    assert value(document, "text_accuracy", "tones:mumbling") == 1
    assert value(document, "spoken_accuracy", "tones:mumbling") == 0
    assert value(document, "spoken_gap", "tones:mumbling") == 1


def test_an_answer_without_text_and_audio_is_empty(tones: Tones, tmp_path: Path) -> None:
    document = tones("--out", tmp_path / "run", "--json", "--systems", "tones:silent", "--tasks", "tone_qa").document
    assert document["results"][0]["empty"] == 6
    assert document["status"] == "done"


def test_probes_come_from_the_traces(tones: Tones, tmp_path: Path) -> None:
    probes = tones("--out", tmp_path / "run", "--json", "--batch-size", "1").document["probes"]
    found = {(row["task"], row["metric"]): row["p50"] for row in probes}
    assert found["tone_qa", "ttft"] == 0.01
    assert found["tone_qa", "nfe"] == 3
    assert found["tone_asr", "latency"] == 0.1
    assert found["", "peak_memory"] > 10


def test_the_report_is_written(tones: Tones, tmp_path: Path) -> None:
    document = tones("--out", tmp_path / "run", "--json").document
    assert "tones:right" in Path(document["report"]).read_text()


def test_one_exception_in_a_batch_costs_one_request(tones: Tones, tmp_path: Path) -> None:
    ended = tones("--out", tmp_path / "run", "--json", "--systems", "tones:fragile", "--tasks", "tone_qa")
    assert ended.status == 1
    assert ended.document["status"] == "done_with_errors"
    assert (ended.document["results"][0]["ok"], ended.document["results"][0]["error"]) == (5, 1)
    assert "q2: MemoryError: too long for me" in ended.err


def test_a_call_that_raises_costs_only_the_request_to_blame(tones: Tones, tmp_path: Path) -> None:
    document = tones("--out", tmp_path / "run", "--json", "--systems", "tones:crash", "--tasks", "tone_qa").document
    assert (document["results"][0]["ok"], document["results"][0]["error"]) == (5, 1)


def test_a_system_that_cannot_be_built_leaves_the_others_alone(tones: Tones, tmp_path: Path) -> None:
    ended = tones("--out", tmp_path / "run", "--json", "--systems", "tones:damaged,tones:right", "--tasks", "tone_asr")
    assert ended.status == 1
    rows = [row for row in ended.document["results"] if row["metric"] == "wer"]
    assert [(row["system"], row["error"]) for row in rows] == [
        ("tones:right", 0),
    ]
    reason = "weights/tones.safetensors: damaged; copy it again."
    assert ended.document["unanswered"] == [{"system": "tones:damaged", "task": "tone_asr", "n": 6, "reason": reason}]
    assert ended.document["counts"]["error"] == 6
    assert reason in ended.err
    assert f"tones:damaged has no score on tone_asr: all 6 requests ended as errors (most often {reason[:-1]})." in (
        ended.out
    )


def test_a_transcriber_that_cannot_be_built_fails_the_spoken_scores_alone(
    tones: Tones, tmp_path: Path, data: Path
) -> None:
    suite = tmp_path / "broken.toml"
    suite.write_text(
        'transcriber = "tones:damaged"\n[[systems]]\nname = "tones:right"\n'
        f'[[tasks]]\nname = "tone_qa"\ndata = "{data}"\n[[tasks]]\nname = "tone_asr"\ndata = "{data}"\n'
    )
    from tttbench.cli.main import main

    assert main(["run", str(suite), "--device", "cpu", "--out", str(tmp_path / "run")]) == 1
    rows = {row["metric"]: row for row in json.loads((tmp_path / "run" / "summary.json").read_text())["results"]}
    assert rows["text_accuracy"]["ok"] == 6
    assert rows["spoken_accuracy"]["derivation_failed"] == 6
    assert rows["spoken_accuracy"]["value"] is None


@pytest.mark.parametrize("fault", ["missing", "text", "empty", "nan"])
def test_bad_audio_is_an_error_of_its_request(tones: Tones, tmp_path: Path, data: Path, fault: str) -> None:
    audio = data / "q3.wav"
    audio.unlink()
    if fault == "text":
        audio.write_text("no audio")
    elif fault == "empty":
        soundfile.write(audio, np.zeros(0), 16_000)
    elif fault == "nan":
        soundfile.write(audio, np.full(100, np.nan), 16_000, subtype="FLOAT")
    ended = tones("--out", tmp_path / "run", "--json", "--tasks", "tone_asr")
    assert ended.status == 1
    assert (ended.document["results"][0]["ok"], ended.document["results"][0]["error"]) == (5, 1)
    assert str(audio) in ended.err


def test_the_same_seed_gives_the_same_answers_at_any_batch_size(tones: Tones, tmp_path: Path) -> None:
    def answers(name: str, *options: str) -> list[str]:
        tones("--out", tmp_path / name, "--systems", "tones:seeded", "--tasks", "tone_qa", *options)
        with RunStore.open(tmp_path / name) as store:
            return [answer.text for answer in store.answers()]

    alone, together = answers("alone", "--batch-size", "1"), answers("together", "--batch-size", "5")
    assert alone == together
    assert alone != answers("other", "--seed", "8")


def test_limit_takes_the_first_samples(tones: Tones, tmp_path: Path) -> None:
    tones("--out", tmp_path / "run", "--limit", "2", "--tasks", "tone_asr")
    with RunStore.open(tmp_path / "run") as store:
        assert [answer.key.sample for answer in store.answers()] == ["q0", "q1"]


def test_two_samples_with_one_id_are_refused_beforehand(tones: Tones, tmp_path: Path, data: Path) -> None:
    rows = json.loads((data / "questions.json").read_text())
    (data / "questions.json").write_text(json.dumps([*rows, rows[0]]))
    ended = tones("--out", tmp_path / "run")
    assert ended.status == 2
    assert "two samples have the id 'q0'" in ended.err
    assert not (tmp_path / "run").exists()


def test_the_journal_keeps_answers_traces_and_recordings(tones: Tones, tmp_path: Path, world: Any) -> None:
    tones("--out", tmp_path / "run", "--tasks", "tone_qa")
    with RunStore.open(tmp_path / "run") as store:
        answer = next(store.answers())
        recordings = (answer.audio, answer.sample.input_audio, answer.sample.answer_audio)
        spoken, given, reference = (store.audio(one.file) for one in recordings if one is not None)
        transcripts = store.derived_all("tones right")
    assert answer.response is not None
    assert answer.text == "paris"
    assert {one.content for one in transcripts.values()} == set(world.ANSWERS.values())
    assert answer.response.audio_codes == (0, 1, 2, 3, 4)
    assert answer.response.trace.nfe == 3
    assert {of: score.value for of, score in answer.scores.items()} == {
        "text_accuracy": 1.0,
        "spoken_accuracy": 1.0,
        "spoken_gap": 0.0,
    }
    assert [world.understand(samples) for samples, _ in (spoken, given, reference)] == [
        "paris",
        "capital of france",
        "paris",
    ]
    assert spoken[1] == 16_000
    assert answer.answer_s == pytest.approx(5 * 0.02)
    assert answer.sample.input_s == pytest.approx(17 * 0.02)


def test_the_manifest_says_what_was_run(tones: Tones, tmp_path: Path) -> None:
    tones("--out", tmp_path / "run")
    with RunStore.open(tmp_path / "run") as store:
        manifest = store.manifest
    assert manifest.suite.seed == 7
    card = manifest.systems["tones:right"].card
    assert card is not None
    assert card.weights_sha256 == "0" * 64
    assert len(manifest.tasks["tone_qa"].listing_sha256) == 64
    assert manifest.derivers["transcriber:tones:right"].recipe == "tones right"
    assert manifest.machine.device == "cpu"
    assert manifest.sessions[0].command[:3] == ("tttbench", "run", "tones")
    assert manifest.status == "done"


def test_rescore_makes_the_same_summary_from_the_journal_alone(
    tones: Tones, tmp_path: Path, data: Path, world: Any
) -> None:
    from tttbench.cli.main import main

    before = tones("--out", tmp_path / "run", "--json").document
    for recording in data.glob("*.wav"):
        recording.unlink()
    with RunStore.open(tmp_path / "run", write=True) as store:
        store.replace_scores("tones:right", "tone_qa", [])
    assert main(["rescore", str(tmp_path / "run")]) == 0
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert [row["value"] for row in summary["results"] + summary["topline"]] == [
        row["value"] for row in before["results"]
    ]
    with RunStore.open(tmp_path / "run") as store:
        assert len(store.scores("tones:right", "tone_qa")) == 6


def test_a_system_is_not_given_what_it_is_not_made_for(tones: Tones, tmp_path: Path) -> None:
    ended = tones("--out", tmp_path / "run", "--json", "--systems", "tones:scribe")
    assert ended.status == 0
    assert {(row["task"], row["n"]) for row in ended.document["results"]} == {("tone_asr", 6)}
    assert "tones:scribe on tone_qa: left out, it is made for asr tasks, not qa." in ended.err


def test_a_run_in_which_no_system_takes_any_task_is_a_wrong_call(tones: Tones, tmp_path: Path) -> None:
    ended = tones("--out", tmp_path / "run", "--systems", "tones:scribe", "--tasks", "tone_qa")
    assert ended.status == 2
    assert "tones:scribe is made for asr tasks, not qa (tone_qa)" in ended.err


def test_a_task_brings_the_one_it_doubles_as(tones: Tones, tmp_path: Path) -> None:
    document = tones("--out", tmp_path / "run", "--json", "--systems", "tones:scribe", "--tasks", "tone_both").document
    found = [(row["task"], row["metric"], row["value"]) for row in document["results"]]
    assert found == [("tone_asr", "wer", 0.0), ("tone_asr", "wer_whisper-en", 0.0)]


def test_a_mistyped_spec_is_found_before_anything_is_generated(tones: Tones, tmp_path: Path) -> None:
    ended = tones("--out", tmp_path / "run", "--systems", "tones:right,tones:silnt")
    assert ended.status == 2
    assert "Unknown tones 'silnt'. Did you mean 'silent'?" in ended.err
    assert not (tmp_path / "run").exists()


def test_decode_settings_of_the_suite_reach_the_system(tmp_path: Path, data: Path, world: Any) -> None:
    from tttbench.cli.main import main

    suite = tmp_path / "own.toml"
    suite.write_text(
        f'[[systems]]\nname = "tones:right"\ndecode = {{steps = 3}}\n[[tasks]]\nname = "tone_qa"\ndata = "{data}"\n'
    )
    assert main(["run", str(suite), "--device", "cpu", "--out", str(tmp_path / "run")]) == 2


@pytest.mark.parametrize("system", ["tones:right", "tones:mute", "tones:silent", "tones:fragile"])
def test_requests_are_counted_alike_on_the_terminal_in_json_and_in_the_report(
    tones: Tones, tmp_path: Path, system: str
) -> None:
    from tttbench.pages.load import load

    folder = tmp_path / "run"
    ended = tones("--out", folder, "--json", "--systems", system)
    counts = ended.document["counts"]
    assert sum(counts.values()) == 12
    told = ", ".join(f"{number} {status}" for status, number in counts.items() if number)
    assert f"12 of 12 requests: {told}." in ended.out
    assert load(folder).status_counts() == counts
    # The gap takes the worse status of both verdicts on a question; dictation has one verdict.
    rows = [row for row in ended.document["results"] if row["metric"] in ("spoken_gap", "wer")]
    assert {status: sum(row[status] for row in rows if row["system"] == system) for status in counts} == counts
    for row in ended.document["results"]:
        assert sum(row[status] for status in counts) == row["n"]


def test_an_answer_that_is_written_and_not_spoken_is_an_empty_request_that_is_right_in_writing(
    tones: Tones, tmp_path: Path
) -> None:
    from tttbench.pages.load import load

    options = ("--systems", "tones:mute", "--tasks", "tone_qa")
    document = tones("--out", tmp_path / "run", "--json", *options).document
    rows = {row["metric"]: row for row in document["results"] if row["system"] == "tones:mute"}
    assert (rows["text_accuracy"]["ok"], rows["text_accuracy"]["value"]) == (6, 1)
    assert (rows["spoken_accuracy"]["empty"], rows["spoken_accuracy"]["value"]) == (6, 0)
    assert document["counts"] == {"ok": 0, "empty": 6, "unparsed": 0, "derivation_failed": 0, "error": 0}
    assert {row.message for row in load(tmp_path / "run").rows} == {"nothing was spoken"}


def answers_of(folder: Path) -> list[tuple[object, ...]]:
    """Every answer of a run, and how it was scored; without times."""
    with Run.open(folder) as run:
        return [
            (one.key, one.status, one.text, one.response and one.response.audio_codes, dict(one.scores))
            for one in run.answers()
        ]


def test_threads_give_what_one_after_the_other_gives(tones: Tones, tmp_path: Path) -> None:
    assert tones("--out", tmp_path / "serial").status == 0
    assert tones("--out", tmp_path / "threads", "--executor", "threads").status == 0
    assert answers_of(tmp_path / "serial") == answers_of(tmp_path / "threads") != []


def test_scoring_again_with_a_further_score_gives_it_to_the_tasks_that_have_its_kind(
    tones: Tones, tmp_path: Path
) -> None:
    from tttbench.cli.main import main

    tones("--out", tmp_path / "run", "--limit", "1")
    # No task has a character error rate, so it goes to both; the word error rate is dictation's alone.
    assert main(["rescore", str(tmp_path / "run"), "--add", "wer:normalizer=raw", "--add", "cer"]) == 0
    results = json.loads((tmp_path / "run" / "summary.json").read_text())["results"]
    found = {task: [row["metric"] for row in results if row["task"] == task] for task in ("tone_asr", "tone_qa")}
    assert found == {
        "tone_asr": ["wer", "wer_whisper-en", "wer_raw", "cer"],
        "tone_qa": ["text_accuracy", "spoken_accuracy", "spoken_gap", "cer"],
    }


def test_repeats_are_answers_of_their_own_in_one_cluster(tones: Tones, tmp_path: Path) -> None:
    assert tones("--out", tmp_path / "run", "--repeats", "3", "--limit", "2").status == 0
    with Run.open(tmp_path / "run") as run:
        keys = [(one.key.system, one.key.task, one.key.sample, one.key.repeat) for one in run.answers()]
        assert run.summary is not None
        n = {result.n for result in run.summary.results}
        assert (run.summary.expected, run.summary.answered, run.summary.status) == (12, 12, "done")
    assert len(keys) == len(set(keys))
    assert {repeat for *_, repeat in keys} == {0, 1, 2}
    assert n == {6}


def test_a_whole_run_imports_nothing_of_ours_under_another_name(data: Path, tmp_path: Path) -> None:
    """In a process of its own: modules are ``tttbench.…`` or ``reference_model.…``, and plug-in files."""
    words = ["run", "tones", "--include", str(WORLD), "--data", f"tone_asr={data}", "--data", f"tone_qa={data}"]
    code = (
        "import sys\n"
        "from tttbench.cli.main import main\n"
        f"status = main({[*words, '--device', 'cpu', '--out', str(tmp_path / 'run')]!r})\n"
        "names = [name for name in sys.modules if name.split('.')[0] in ('tasks', 'reports', 'benchmarks', 'tests')]\n"
        "names += [name for name in sys.modules if name.startswith('tttbench.tttbench')]\n"
        "print(status, names)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.stdout.splitlines()[-1] == "0 []", ended.stderr
