"""Whole runs with systems behind a server: they go on past what fails, say what they cost, and keep no key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("openai", reason="needs the extra judge")

from tttbench.cli.main import main
from tttbench.store.run_directory import RunStore

from ..derive.judge_server import KEY, serving
from ..systems.voice_server import CODES, Voice, VoiceHandler
from .conftest import WORLD, Ended

SYSTEM = "openai_chat:scripted"
FIRST = ("--tasks", "tone_qa", "--systems", SYSTEM, "--json")


@pytest.fixture
def voice(monkeypatch: pytest.MonkeyPatch) -> Iterator[Voice]:
    with serving(Voice(words=("par", "i", "s")), VoiceHandler) as found:
        monkeypatch.setenv("OPENAI_BASE_URL", found.url)
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        yield found


def test_a_run_goes_on_past_a_request_that_fails_and_keeps_no_key(
    voice: Voice, tones: Callable[..., Ended], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    voice.faults, voice.times = {"error event", "400"}, {"error event": 1, "400": 1}
    run = tmp_path / "run"
    ended = tones(*FIRST, "--out", run)
    assert ended.status == 1  # two of six ended as errors
    assert ended.document["status"] == "done_with_errors"
    assert (ended.document["counts"]["ok"], ended.document["counts"]["error"]) == (4, 2)
    (asked,) = ended.document["asked"]
    assert (asked["system"], asked["n"]) == (SYSTEM, 4)
    assert (asked["cost"]["requests"], asked["cost"]["tokens_in"], asked["cost"]["tokens_out"]) == (4, 120, 80)
    line = f"System {SYSTEM}: 4 answers, 4 requests, 120 tokens in, 80 tokens out."
    assert line in ended.out
    assert line in (run / "report.html").read_text()
    with RunStore.open(run) as store:
        answers = list(store.answers(SYSTEM))
        errors = [one.error for one in answers if one.error]
        assert all("scripted 400" in one or "ended the stream with an error" in one for one in errors), errors
        assert all("Bearer …" in one for one in errors)
        fine = next(one for one in answers if one.response is not None)
        assert fine.response is not None
        assert (fine.text, len(fine.response.trace.chunks), fine.response.cost["tokens_in"]) == ("paris", 3, 30)
    assert voice.keys[0] == f"Bearer {KEY}"
    kept = [file for file in run.rglob("*") if file.is_file()]
    assert len(kept) > 4
    assert not [file for file in kept if KEY.encode() in file.read_bytes()]
    assert KEY not in f"{ended.out}{ended.err}{caplog.text}"


def test_what_failed_is_asked_again_and_that_alone(voice: Voice, tones: Callable[..., Ended], tmp_path: Path) -> None:
    voice.faults, voice.times = {"closes early"}, {"closes early": 1}
    run = tmp_path / "run"
    assert tones(*FIRST, "--out", run).status == 1
    voice.bodies.clear()
    ended = tones(*FIRST, "--out", run, "--resume", "--retry-errors")
    assert (ended.status, ended.document["counts"]["ok"], len(voice.bodies)) == (0, 6, 1)


def test_settings_of_a_suite_reach_the_server_and_codes_come_back(
    voice: Voice, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL")
    monkeypatch.setenv("OPENAI_API_KEY", "none-of-it")
    monkeypatch.setenv("MY_KEY", KEY)
    suite = tmp_path / "suite.toml"
    suite.write_text(
        'title = "Behind a server"\nwarmup = 0\nresamples = 200\n'
        '[[tasks]]\nname = "tone_qa"\nscores = ["text_accuracy"]\n'
        f'[[systems]]\nname = "{SYSTEM}"\nlabel = "served"\n'
        f'[systems.decode]\nbase_url = "{voice.url}"\nkey_env = "MY_KEY"\ntttbench = true\ntemperature = 0.5\n'
        "extra_body = { top_k = 5 }\n"
    )
    run = tmp_path / "run"
    given = ["run", suite, "--include", WORLD, "--data", f"tone_qa={data}", "--out", run, "--limit", "2"]
    assert main([*map(str, given), "--device", "cpu", "--executor", "threads"]) == 0
    body = voice.bodies[-1]
    assert (body["temperature"], body["top_k"], body["tttbench"]["family"]) == (0.5, 5, "qa")
    assert {key for key in voice.keys if key} == {f"Bearer {KEY}"}
    with RunStore.open(run) as store:
        answers = list(store.answers("served"))
        assert [one.response.audio_codes for one in answers if one.response is not None] == [CODES, CODES]
        assert '"MY_KEY"' in (run / "manifest.json").read_text()
    assert not [file for file in run.rglob("*") if file.is_file() and KEY.encode() in file.read_bytes()]


def test_a_dry_run_asks_nobody(voice: Voice, tones: Callable[..., Ended]) -> None:
    ended = tones(*FIRST[:-1], "--dry-run")
    assert "not checked" in ended.out, ended.out + ended.err
    assert not voice.bodies
    assert not voice.trials
    assert not voice.keys
