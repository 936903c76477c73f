"""The unit of work: requests that are read when needed, and what becomes of a batch in which things go wrong."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tttbench.core.errors import InputError, StorageError, UserError
from tttbench.core.exchange import Message, Request, Response
from tttbench.core.sample import AudioRef, Turn
from tttbench.core.system import Capability, SystemCard
from tttbench.data.flac import pcm_md5
from tttbench.pipeline.executors.lane import Lane
from tttbench.pipeline.jobs import (
    BadAnswerError,
    GenerateItem,
    batches,
    generate_batch,
    message_of,
    read_request,
    request_seed,
    respond_all,
)
from tttbench.probes.conditions import Watch
from tttbench.store.rows import AnswerKey, Recording

RATE = 8_000
SAMPLES = np.linspace(-0.5, 0.5, 400, dtype=np.float32)


class Repeats:
    """A system that answers with the request's text, and does what some texts say."""

    card = SystemCard("repeats", Capability(), "")

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def generate(self, requests: Sequence[Request]) -> Sequence[Response | Exception]:
        texts = [request.text for request in requests]
        self.calls.append(texts)
        if "spoil" in texts:
            raise RuntimeError("out of memory")
        if "lose" in texts:
            return [Response(text) for text in texts if text != "lose"]
        if "double" in texts:
            return [Response(text) for text in [*texts, "double"]]
        return [ValueError("no") if text == "fail" else self._answer(text) for text in texts]

    def _answer(self, text: str) -> Response:
        if text == "nan":
            return Response(text, waveform=np.full(10, np.nan, np.float32), sample_rate=RATE)
        if text == "NUL":
            return Response("a\0b")
        return Response(text)


def item(text: str = "", **given: object) -> GenerateItem:
    key = AnswerKey("repeats", "task", text or "x")
    plain = GenerateItem(key, (Turn("user", text),), "qa", "say it again", "en", 12.5, 7)
    return replace(plain, **given)  # type: ignore[arg-type]  # fields by name


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    soundfile.write(tmp_path / "a.flac", SAMPLES, RATE, subtype="PCM_24")
    return tmp_path / "a.flac"


def test_a_seed_is_a_function_of_run_task_sample_and_repeat() -> None:
    # The first 63 bits of SHA-256, worked out here.
    assert request_seed(1, "t", "s") == int(hashlib.sha256(b"1\0t\0s").hexdigest()[:16], 16) // 2
    assert request_seed(1, "t", "s", 2) == int(hashlib.sha256(b"1\0t\0s\0" + b"2").hexdigest()[:16], 16) // 2
    given = [(1, "t", "s", 0), (2, "t", "s", 0), (1, "u", "s", 0), (1, "t", "r", 0), (1, "t", "s", 1)]
    seeds = {request_seed(run, task, sample, repeat) for run, task, sample, repeat in given}
    assert len(seeds) == 5
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert request_seed(1, "t", "s", 0) == request_seed(1, "t", "s")


def test_a_request_has_all_turns_and_the_clips_that_are_new(recording: Path) -> None:
    turns = (
        Turn("user", "first", AudioRef(recording)),
        Turn("assistant", "yes"),
        Turn("user", "", AudioRef(recording)),
    )
    kept = {2: Recording("a.flac", "", 0.05, RATE, pcm_md5(soundfile.read(recording, dtype="float32")[0]))}
    request, clips = read_request(item("x", turns=turns, kept=kept))
    assert [(one.role, one.text, one.sample_rate) for one in request.messages] == [
        ("user", "first", RATE),
        ("assistant", "yes", 0),
        ("user", "", RATE),
    ]
    for at in (0, 2):
        audio = request.messages[at].audio
        assert audio is not None
        np.testing.assert_allclose(audio, SAMPLES, atol=1e-6)
    assert request.messages[1].audio is None
    assert list(clips) == [0]
    assert clips[0].sample_rate == RATE
    without = replace(request, messages=())
    assert without == Request("x", (), "qa", "say it again", "en", 12.5, 7, "task")


def test_a_clip_that_changed_since_the_run_kept_it_is_refused_and_an_unknown_one_is_not(recording: Path) -> None:
    turns = (Turn("user", "", AudioRef(recording)),)
    same = Recording("a.flac", "", 0.05, RATE, pcm_md5(soundfile.read(recording, dtype="float32")[0]))
    for known in (same, replace(same, pcm_md5=""), replace(same, pcm_md5="", sample_rate=1)):
        assert read_request(item("x", turns=turns, kept={0: known}))[1] == {}
    for other in (replace(same, pcm_md5="0" * 32), replace(same, sample_rate=2 * RATE)):
        with pytest.raises(InputError, match="is not the recording that the run was started with") as error:
            read_request(item("x", turns=turns, kept={0: other}))
        assert str(recording) in str(error.value)


def test_one_request_that_cannot_be_read_costs_no_other(tmp_path: Path) -> None:
    system = Repeats()
    missing = item("gone", turns=(Turn("user", "", AudioRef(tmp_path / "gone.wav")),))
    one, gone, two = generate_batch(system, [item("one"), missing, item("two")], Watch("cpu"))
    assert system.calls == [["one", "two"]]
    assert [text_of(one.response), text_of(two.response)] == ["one", "two"]
    assert (one.error, one.batch_size, two.batch_size) == ("", 2, 2)
    assert one.conditions is not None
    assert one.conditions.calibration_s > 0
    assert gone.response is None
    assert gone.error.startswith(f"{tmp_path / 'gone.wav'}: no such audio file")
    assert (gone.batch_size, gone.conditions, gone.clips) == (0, None, {})
    assert [done.key.sample for done in (one, gone, two)] == ["one", "gone", "two"]


def test_nobody_is_asked_where_no_request_can_be_read(tmp_path: Path) -> None:
    system = Repeats()
    (gone,) = generate_batch(system, [item("gone", turns=(Turn("user", "", AudioRef(tmp_path / "gone.wav")),))], None)
    assert system.calls == []
    assert "no such audio file" in gone.error


def test_a_full_disk_is_nobodys_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(given: object) -> None:
        raise StorageError("no space left")

    monkeypatch.setattr("tttbench.pipeline.jobs.read_request", full)
    with pytest.raises(StorageError):
        generate_batch(Repeats(), [item("one")], None)


def ask(*texts: str) -> tuple[list[Response | Exception], list[list[str]]]:
    system = Repeats()
    requests = [Request(text, (Message("user", text),)) for text in texts]
    return respond_all(system, requests), system.calls


def text_of(answer: Response | Exception | None) -> str:
    assert isinstance(answer, Response)
    return answer.text


def test_the_seconds_of_a_call_are_shared_among_its_answers() -> None:
    times = iter([10.0, 16.0])
    requests = [Request(text, (Message("user", text),)) for text in ("one", "two", "fail")]
    one, two, failed = respond_all(Repeats(), requests, lambda: next(times))
    assert isinstance(failed, ValueError)
    # Six seconds, two answers that say nothing of their compute.
    assert [one.trace.compute_s, two.trace.compute_s] == [3.0, 3.0]  # type: ignore[union-attr]  # both are responses
    (alone,) = respond_all(Repeats(), requests[:1], lambda: 0.0)
    assert alone == Response("one")


def test_what_overlaps_with_other_calls_is_noted() -> None:
    (one,) = generate_batch(Repeats(), [item("one")], None, calls_at_once=4)
    assert one.batch_size == 4


def test_a_batch_that_fails_is_tried_one_by_one() -> None:
    (one, spoilt, two), calls = ask("one", "spoil", "two")
    assert (one, two) == (Response("one"), Response("two"))
    assert repr(spoilt) == repr(RuntimeError("out of memory"))
    assert calls == [["one", "spoil", "two"], ["one"], ["spoil"], ["two"]]


@pytest.mark.parametrize(("text", "n"), [("lose", 0), ("double", 2)])
def test_answers_that_are_too_few_or_too_many_belong_to_nobody(text: str, n: int) -> None:
    (one, wrong), calls = ask("one", text)
    assert one == Response("one")
    assert repr(wrong) == repr(RuntimeError(f"it returned {n} answers to 1 request"))
    assert len(calls) == 3


def test_an_exception_in_the_list_is_the_error_of_its_request_alone() -> None:
    (one, failed), calls = ask("one", "fail")
    assert text_of(one) == "one"
    assert repr(failed) == repr(ValueError("no"))
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("text", "says"), [("nan", "answer can't be kept: waveform"), ("NUL", "answer can't be kept: text")]
)
def test_an_answer_that_cannot_be_kept_is_an_error(text: str, says: str) -> None:
    (one, bad), _ = ask("one", text)
    assert text_of(one) == "one"
    assert isinstance(bad, BadAnswerError)
    assert says in str(bad)
    done = generate_batch(Repeats(), [item(text)], None)[0]
    assert done.error == f"system repeats, task task, sample {text!r}: {bad}"


@pytest.mark.parametrize(
    ("raised", "says"),
    [
        (SystemExit(3), "RuntimeError: it called sys.exit(3)"),
        (SystemExit(), "RuntimeError: it called sys.exit()"),
        (asyncio.CancelledError("gone"), "RuntimeError: CancelledError: gone"),
        (GeneratorExit(), "RuntimeError: GeneratorExit"),
        (BaseExceptionGroup("both", [SystemExit(1)]), "RuntimeError: BaseExceptionGroup: both (1 sub-exception)"),
        (KeyboardInterrupt(), "RuntimeError: KeyboardInterrupt"),
    ],
)
def test_whatever_a_system_raises_is_an_error_of_its_request(raised: BaseException, says: str) -> None:
    class Raises(Repeats):
        def generate(self, requests: Sequence[Request]) -> Sequence[Response | Exception]:
            raise raised

    # On the thread of a worker, where nobody's Ctrl-C comes in.
    lane = Lane()
    (done,) = lane.run(lambda: generate_batch(Raises(), [item("x")], None))
    lane.close()
    assert (done.response, done.error) == (None, says)


class MuteError(Exception):
    """An error that doesn't say what it is."""

    def __str__(self) -> str:
        raise ValueError("no words")


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (MuteError(), "MuteError: (its message can't be read)"),
        (ValueError("x" * 10_000), "ValueError: " + "x" * (4_000 - len("ValueError: ")) + " …"),
        (ValueError(), "ValueError"),
    ],
)
def test_an_error_s_message_may_be_anything(error: Exception, says: str) -> None:
    assert message_of(error) == says


def test_an_answer_without_sound_is_one() -> None:
    class Silent(Repeats):
        def _answer(self, text: str) -> Response:
            return Response(text, waveform=np.zeros(0, np.float32), sample_rate=RATE)

    (answer,) = respond_all(Silent(), [Request("a", (Message("user", "a"),))])
    assert isinstance(answer, Response)


def test_no_key_is_written_down() -> None:
    error = ConnectionError("http://h/v1?api_key=Hunter2 and token=Hunter2 by http://me:Hunter2@h")
    assert message_of(error) == "ConnectionError: http://h/v1?api_key=… and token=… by http://…@h"


def test_what_is_written_down_of_an_error() -> None:
    assert message_of(UserError("a.wav: gone")) == "a.wav: gone"
    assert message_of(KeyError("x")) == "KeyError: 'x'"


def test_batches_keep_the_order_and_the_rest() -> None:
    assert list(batches([1, 2, 3, 4, 5], 2)) == [[1, 2], [3, 4], [5]]
    assert list(batches([], 2)) == []


class Writes(Repeats):
    """A system that writes into its requests, as code does that normalizes audio in place."""

    def generate(self, requests: Sequence[Request]) -> Sequence[Response | Exception]:
        found = []
        for request in requests:
            assert request.audio is not None
            request.audio[:] = 0
            found.append(Response("x"))
        assert isinstance(requests, list)
        requests.clear()
        return found


def test_what_a_system_writes_into_its_requests_is_not_kept(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", SAMPLES, RATE)
    turn = Turn("user", "", AudioRef(tmp_path / "a.wav"))
    (done,) = generate_batch(Writes(), [item("a", turns=(turn,))], None)
    assert done.error == ""
    assert np.abs(done.clips[0].samples - SAMPLES).max() < 1e-4
