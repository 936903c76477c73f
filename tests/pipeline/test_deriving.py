"""Calls of a deriver: what becomes of a batch in which things go wrong, and of one whose results come one by one."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from tttbench.core.declared import recipe_of
from tttbench.core.derivation import DerivationInput, Derived, Need
from tttbench.core.judging import JudgeSettings
from tttbench.core.plugins import derivers, register_deriver
from tttbench.core.system import SystemOptions
from tttbench.data.flac import encode_flac
from tttbench.pipeline.deriving import derive_batch, deriver_spec
from tttbench.pipeline.executors.lane import HungError, Lane
from tttbench.pipeline.executors.serial import SerialWorker
from tttbench.pipeline.executors.threads import ThreadsWorker
from tttbench.pipeline.jobs import DeriveItem

RATE = 8_000
SAMPLES = np.linspace(-0.5, 0.5, 400, dtype=np.float32)


class Ears:
    """A deriver that says how many samples it was given, and fails on what is named so."""

    name, recipe, batch_size = "ears", "ears@1", 4

    def __init__(self) -> None:
        self.calls: list[list[DerivationInput]] = []

    def derive(self, inputs: Sequence[DerivationInput]) -> Sequence[Derived | Exception]:
        self.calls.append(list(inputs))
        texts = [one.need.fields.get("text", "") for one in inputs]
        if "spoil" in texts:
            raise RuntimeError("out of memory")
        if "lose" in texts:
            return []
        return [
            ValueError("no") if text == "fail" else Derived("ok", str(0 if one.audio is None else len(one.audio)))
            for text, one in zip(texts, inputs, strict=True)
        ]


def need(text: str, audio_sha256: str = "") -> DeriveItem:
    return DeriveItem(Need("ears", audio_sha256, {"text": text}))


def test_a_derivation_that_fails_is_failed_alone() -> None:
    ears = Ears()
    (done,) = derive_batch(ears, [need("one"), need("fail"), need("spoil"), need("two")])
    assert [(one.derived.status, one.derived.content, one.derived.error) for one in done] == [
        ("ok", "0", ""),
        ("failed", "", "ValueError: no"),
        ("failed", "", "RuntimeError: out of memory"),
        ("ok", "0", ""),
    ]
    assert [one.need.fields["text"] for one in done] == ["one", "fail", "spoil", "two"]
    assert [len(call) for call in ears.calls] == [4, 1, 1, 1, 1]


def test_a_deriver_that_loses_an_input_failed_on_it() -> None:
    ((done,),) = derive_batch(Ears(), [need("lose")])
    assert (done.derived.status, done.derived.error) == ("failed", "RuntimeError: it returned 0 answers to 1 request")


def test_a_recording_is_read_for_its_derivation_and_a_broken_one_costs_no_other(tmp_path: Path) -> None:
    (tmp_path / "good.flac").write_bytes(encode_flac(SAMPLES, RATE))
    (tmp_path / "bad.flac").write_bytes(b"no recording")
    ears = Ears()
    items = [
        replace(need("bad", "1" * 64), recording=tmp_path / "bad.flac"),
        replace(need("good", "2" * 64), recording=tmp_path / "good.flac"),
    ]
    (bad,), (good,) = derive_batch(ears, items)
    assert bad.derived.status == "failed"
    assert "bad.flac" in bad.derived.error
    assert good.derived == Derived("ok", "400")
    ((given,),) = ears.calls
    assert given.sample_rate == RATE
    # The seed is a function of what goes in: the first 32 bits of SHA-256 of its own hash.
    assert given.seed == int(hashlib.sha256(given.need.input_sha256.encode()).hexdigest()[:8], 16)


class OneByOne:
    """A deriver that yields what a script says, whatever it is given; it can't be asked for a whole batch."""

    name, recipe, batch_size = "each", "each@1", 4

    def __init__(self, *scripts: Sequence[object]) -> None:
        self.calls: list[list[str]] = []
        self._scripts = iter(scripts)

    def derive(self, inputs: Sequence[DerivationInput]) -> Sequence[Derived | Exception]:
        raise AssertionError("asked for a whole batch")

    def derive_each(self, inputs: Sequence[DerivationInput]) -> Iterator[tuple[int, Derived | Exception]]:
        self.calls.append([one.need.fields["text"] for one in inputs])
        for one in next(self._scripts, [(at, Derived("ok", "again")) for at in range(len(inputs))]):
            if isinstance(one, BaseException):
                raise one
            yield cast(Any, one)


def made(deriver: OneByOne, *texts: str) -> list[tuple[str, str]]:
    """Each input with its content, or with its error, in the order of arrival, none with another."""
    parts = list(derive_batch(deriver, [need(text) for text in texts]))
    assert all(len(part) == 1 for part in parts)
    return [(one.need.fields["text"], one.derived.content or one.derived.error) for part in parts for one in part]


def test_derivations_are_handed_on_as_they_arrive() -> None:
    deriver = OneByOne([(2, Derived("ok", "C")), (0, ValueError("no")), (1, Derived("failed", error="off"))])
    assert made(deriver, "a", "b", "c") == [("c", "C"), ("a", "ValueError: no"), ("b", "off")]
    assert deriver.calls == [["a", "b", "c"]]


@pytest.mark.parametrize(
    "fault",
    [
        [],
        [RuntimeError("out of memory")],
        [SystemExit(3)],
        [(1, Derived("ok", "twice"))],
        [(3, Derived("ok", "there is no such"))],
        [(True, Derived("ok", "no place"))],
        [Derived("ok", "no pair")],
    ],
)
def test_what_a_deriver_leaves_out_is_tried_again_alone(fault: list[object]) -> None:
    deriver = OneByOne([(1, Derived("ok", "B")), *fault])
    assert made(deriver, "a", "b", "c") == [("b", "B"), ("a", "again"), ("c", "again")]
    assert deriver.calls == [["a", "b", "c"], ["a"], ["c"]]


def test_what_fails_alone_has_failed() -> None:
    deriver = OneByOne([], [RuntimeError("gone")], [])
    assert made(deriver, "a", "b") == [
        ("a", "RuntimeError: gone"),
        ("b", "RuntimeError: it ended without 1 of 1 derivations"),
    ]
    # Nor is anything kept that isn't a derivation.
    ((_, error),) = made(OneByOne([(0, "a text")]), "a")
    assert error.startswith("the derivation can't be kept: ")


class Holding(OneByOne):
    """It yields what isn't called ``hang`` and then waits for ever; ``released`` lets it go."""

    def __init__(self) -> None:
        super().__init__()
        self.released = threading.Event()

    def derive_each(self, inputs: Sequence[DerivationInput]) -> Iterator[tuple[int, Derived | Exception]]:
        self.calls.append([one.need.fields["text"] for one in inputs])
        for at, one in enumerate(inputs):
            if one.need.fields["text"] != "hang":
                yield at, Derived("ok", "x")
        self.released.wait()


def test_what_arrived_before_a_hang_is_kept_and_the_rest_alone_has_failed() -> None:
    deriver = Holding()
    done = SerialWorker(deriver, "cpu", Lane(), 0.05).derive([need(one) for one in ("a", "hang", "b")])
    assert [one.need.fields["text"] for _ in range(2) for one in next(done)] == ["a", "b"]
    with pytest.raises(HungError, match=r"no answer within 0\.15 s \(timeout_s\) to 3 requests") as raised:
        next(done)
    assert [one.need.fields["text"] for one in raised.value.done] == ["hang"]
    deriver.released.set()


def test_threads_give_up_on_what_hangs_alone() -> None:
    deriver = Holding()
    parts = ThreadsWorker(deriver, None, 0.05).derive([need(one) for one in ("a", "hang", "b")])
    assert [(one.need.fields["text"], one.derived.status) for part in parts for one in part] == [
        ("a", "ok"),
        ("b", "ok"),
        ("hang", "failed"),
    ]
    assert deriver.calls == [["a", "hang", "b"]]
    deriver.released.set()


def longest(**options: str) -> float:
    judge = JudgeSettings.of("answer", {"judge": "openai_chat:m", **options})
    return deriver_spec(judge.deriver, SystemOptions(), 300.0).timeout_s


def test_a_judge_may_take_as_long_as_its_own_settings_allow() -> None:
    # One vote: four attempts of 60 s to connect and 60 s to be answered, three pauses of 120 s.
    assert longest() == 4 * 120 + 3 * 120
    assert longest(votes="5", timeout_s="100", retries="6") == 5 * (7 * 200 + 6 * 120)
    assert longest(retries="0", per_minute="0.2") == 120 + 300
    # The run's own limit holds where it is longer, and for derivers without such settings.
    assert longest(retries="0", timeout_s="20") == 300
    assert deriver_spec("transcriber:whisper:tiny.en", SystemOptions(), 7.0).timeout_s == 7
    assert deriver_spec("nobody:knows", SystemOptions(), 7.0).timeout_s == 7


def test_a_recipe_is_that_of_the_one_that_was_built_or_what_its_kind_tells_or_the_name() -> None:
    judge = "judge:openai_chat:m?prompt=judge-binary"
    assert recipe_of(judge, {judge: "as built"}) == "as built"
    assert recipe_of(judge, {}).startswith("openai_chat:m; prompt judge-binary@1 sha256:")
    assert recipe_of("transcriber:whisper:base", {}) == "whisper:base"
    for name in ("judge:nobody", "nobody:knows", "ears"):
        assert recipe_of(name, {}) == name


def test_a_plug_in_says_how_long_its_deriver_may_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(derivers, "_entries", {**derivers._entries})
    derivers.names()

    @register_deriver("patient", longest_s=lambda spec, options: float(spec))
    def build(spec: str, options: SystemOptions) -> OneByOne:
        raise AssertionError("built")

    assert deriver_spec("patient:1234", SystemOptions(), 300.0).timeout_s == 1234
