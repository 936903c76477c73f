"""A run that was stopped goes on where it was, and does nothing twice."""

from __future__ import annotations

import errno
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import soundfile

from tttbench.probes.conditions import calibration
from tttbench.store.run_directory import RunStore

Tones = Callable[..., Any]
Start = Callable[..., "subprocess.Popen[str]"]


def answered(folder: Path) -> set[tuple[str, str]]:
    with sqlite3.connect(f"file:{folder / 'journal.sqlite'}?mode=ro", uri=True) as journal:
        return set(journal.execute("SELECT task, sample FROM answers"))


def wait_for(log: Path, lines: int) -> None:
    deadline = time.monotonic() + 60
    while not log.exists() or len(log.read_text().splitlines()) < lines:
        assert time.monotonic() < deadline, "the run doesn't come to its requests"
        time.sleep(0.02)


def test_after_kill_9_only_what_was_in_flight_is_repeated(start: Start, tmp_path: Path) -> None:
    log, folder = tmp_path / "log", tmp_path / "run"
    options = ("--systems", "tones:slow", "--batch-size", "1", "--out", folder)
    process = start(*options, TONES_LOG=str(log))
    wait_for(log, 4)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    kept = answered(folder)
    assert 3 <= len(kept) < 12
    given = {(f"tone_{line.split()[0]}", line.split()[1]) for line in log.read_text().splitlines()}
    assert len(given - kept) <= 1
    log.unlink()

    again = start(*options, "--resume", TONES_LOG=str(log))
    out, err = again.communicate()
    assert again.returncode == 0, err
    second = {(f"tone_{line.split()[0]}", line.split()[1]) for line in log.read_text().splitlines()}
    assert not second & kept
    assert len(answered(folder)) == 12
    assert "12 of 12 requests: 12 ok." in out


def test_ctrl_c_says_how_to_go_on(start: Start, tmp_path: Path) -> None:
    log, folder = tmp_path / "log", tmp_path / "run"
    process = start("--systems", "tones:slow", "--out", folder, TONES_LOG=str(log))
    wait_for(log, 2)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 130
    assert f"--out {folder} --resume" in err
    assert "Traceback" not in err
    with RunStore.open(folder) as store:
        assert store.manifest.status == "interrupted"


def test_a_finished_run_is_not_repeated(tones: Tones, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = tones("--out", tmp_path / "run", "--json").document
    monkeypatch.setenv("TONES_LOG", str(tmp_path / "log"))
    ended = tones("--out", tmp_path / "run", "--resume", "--json")
    assert ended.status == 0
    assert not (tmp_path / "log").exists()
    assert ended.document["results"] == before["results"]


def test_the_transcriber_goes_on_with_what_it_has_not_transcribed(tones: Tones, tmp_path: Path) -> None:
    options = ("--systems", "tones:mumbling", "--tasks", "tone_qa")
    before = tones("--out", tmp_path / "run", "--json", *options).document
    with sqlite3.connect(tmp_path / "run" / "journal.sqlite") as journal:
        # Six reference answers and one mumble; equal recordings are transcribed once. The mumble is measured, too.
        kept = (
            "SELECT recipes.recipe, count(*) FROM derived JOIN recipes ON digest = derived.recipe GROUP BY 1 ORDER BY 1"
        )
        assert [count for _, count in journal.execute(kept)] == [1, 7]
        journal.execute("UPDATE derived SET content = 'kept' WHERE content = 'mumble'")
        journal.execute("DELETE FROM derived WHERE content IN ('paris', 'cold')")
    ended = tones("--out", tmp_path / "run", "--json", *options, "--resume")
    assert "transcriber:tones:right: 2/2" in ended.err
    assert ended.document["results"] == before["results"]
    with sqlite3.connect(tmp_path / "run" / "journal.sqlite") as journal:
        assert journal.execute("SELECT count(*) FROM derived WHERE content = 'kept'").fetchone() == (1,)


def test_a_folder_with_a_run_is_refused_without_resume(tones: Tones, tmp_path: Path) -> None:
    tones("--out", tmp_path / "run")
    ended = tones("--out", tmp_path / "run")
    assert ended.status == 2
    assert "holds another run; continue it with --resume" in ended.err


def test_a_folder_with_other_files_is_refused(tones: Tones, tmp_path: Path, data: Path) -> None:
    ended = tones("--out", data)
    assert ended.status == 2
    assert "is not an empty folder" in ended.err


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--seed", "9"), "seed differs: the run has 7, this call gives 9"),
        (("--limit", "3"), "limit differs: the run has None, this call gives 3"),
        (("--systems", "tones:silent"), "systems differs"),
    ],
)
def test_resume_names_what_differs(tones: Tones, tmp_path: Path, options: tuple[str, ...], named: str) -> None:
    tones("--out", tmp_path / "run")
    ended = tones("--out", tmp_path / "run", "--resume", *options)
    assert ended.status == 2
    assert named in ended.err


def test_times_of_one_run_are_on_one_scale(tones: Tones, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tones("--out", tmp_path / "run", "--limit", "1")
    other = {"torch": "numpy", "numpy": "torch"}[calibration()]
    monkeypatch.setattr("tttbench.pipeline.environment.calibration", lambda: other)
    ended = tones("--out", tmp_path / "run", "--limit", "1", "--resume")
    assert ended.status == 2
    assert f"calibration (torch is installed, or not) differs: the run has '{calibration()}'" in ended.err


def test_resume_notices_changed_data(tones: Tones, tmp_path: Path, data: Path) -> None:
    tones("--out", tmp_path / "run")
    (data / "q0.wav").write_bytes((data / "q1.wav").read_bytes())
    ended = tones("--out", tmp_path / "run", "--resume")
    assert ended.status == 2
    assert "task tone_asr: listing_sha256 differs" in ended.err


def test_resume_notices_other_weights(tones: Tones, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tones("--out", tmp_path / "run", "--systems", "tones:fragile")
    monkeypatch.setenv("TONES_WEIGHTS", "1" * 64)
    ended = tones("--out", tmp_path / "run", "--systems", "tones:fragile", "--resume", "--retry-errors")
    assert ended.status == 2
    assert "weights_sha256 of system tones:fragile differs" in ended.err


def test_retry_errors_repeats_what_failed(tones: Tones, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tones("--out", tmp_path / "run", "--systems", "tones:fragile", "--tasks", "tone_qa")
    monkeypatch.setenv("TONES_LOG", str(tmp_path / "log"))
    tones(
        *("--out", tmp_path / "run", "--systems", "tones:fragile", "--tasks", "tone_qa"),
        *("--resume", "--retry-errors"),
    )
    assert (tmp_path / "log").read_text() == "qa q2\n"


def test_retry_errors_repeats_transcripts_that_failed(tones: Tones, tmp_path: Path) -> None:
    options = ("--out", tmp_path / "run", "--tasks", "tone_qa", "--json")
    before = tones(*options).document
    with sqlite3.connect(tmp_path / "run" / "journal.sqlite") as journal:
        journal.execute("UPDATE derived SET status = 'failed', error = 'busy', content = '' WHERE content = 'paris'")
    # What failed once would fail again, unless somebody says that it is worth another try.
    assert tones(*options, "--resume").document["counts"]["derivation_failed"] == 1
    assert tones(*options, "--resume", "--retry-errors").document["results"] == before["results"]


def test_only_the_repeat_that_is_missing_is_generated_again(
    tones: Tones, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ("--out", tmp_path / "run", "--tasks", "tone_qa", "--limit", "2", "--repeats", "2")
    assert tones(*options).status == 0
    with sqlite3.connect(tmp_path / "run" / "journal.sqlite") as journal:
        journal.execute("DELETE FROM answers WHERE sample = 'q1' AND repeat = 0")
    monkeypatch.setenv("TONES_LOG", str(tmp_path / "log"))
    assert "4 of 4 requests: 4 ok." in tones(*options, "--resume").out
    assert (tmp_path / "log").read_text() == "qa q1\n"


@pytest.mark.parametrize(("spoken", "rate_hz"), [("ecnarf fo latipac", 16_000), ("capital of france", 8_000)])
def test_a_recording_that_changed_is_not_given_to_the_rest_of_the_run(
    tones: Tones, tmp_path: Path, data: Path, world: Any, spoken: str, rate_hz: int
) -> None:
    options = ("--out", tmp_path / "run", "--tasks", "tone_asr", "--limit", "1")
    tones(*options)
    with sqlite3.connect(tmp_path / "run" / "journal.sqlite") as journal:
        journal.execute("DELETE FROM answers")
    # As many bytes under the same name, so the listing is the same.
    soundfile.write(data / "q0.wav", world.speak(spoken), rate_hz)
    ended = tones(*options, "--resume")
    assert (ended.status, "q0.wav: is not the recording that the run was started with" in ended.err) == (1, True)


def test_a_run_is_resumed_with_a_further_score(tones: Tones, tmp_path: Path) -> None:
    options = ("--out", tmp_path / "run", "--limit", "1", "--json")
    tones(*options)
    rows = tones(*options, "--resume", "--add", "wer:normalizer=raw").document["results"]
    found = [(row["task"], row["metric"]) for row in rows if row["metric"].startswith("wer")]
    assert found == [("tone_asr", "wer"), ("tone_asr", "wer_whisper-en"), ("tone_asr", "wer_raw")]


def test_a_score_that_is_no_longer_asked_for_is_left_out_and_named(
    tones: Tones, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = tmp_path / "run"
    tones("--out", run, "--tasks", "tone_asr", "--add", "wer:recipe=raw", "--add", "cer")
    assert "left out" not in caplog.text
    document = tones("--out", run, "--tasks", "tone_asr", "--add", "cer", "--resume", "--json").document
    assert [row["metric"] for row in document["results"]] == ["wer", "wer_whisper-en", "cer"]
    assert "left out are scores that this call doesn't ask for: wer_raw (--add adds them)" in caplog.text


def test_a_full_disk_stops_the_run_in_words_and_it_goes_on_afterwards(
    tones: Tones, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def full(_: int) -> None:
        calls.append(1)
        if len(calls) > 9:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("tttbench.data.atomic.os.fsync", full)
        ended = tones("--out", tmp_path / "run", "--json")
    assert ended.status == 1
    assert ended.document["status"] == "failed"
    assert f"{tmp_path / 'run'}" in ended.err
    assert "No space left on device" in ended.err
    assert "--resume" in ended.err
    assert not list((tmp_path / "run").rglob("*.partial"))

    again = tones("--out", tmp_path / "run", "--resume", "--json")
    assert again.status == 0
    assert again.document["results"][0]["n"] == 6
