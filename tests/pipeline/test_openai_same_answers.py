"""A system behind a server made of ``tttbench.wire`` answers as it does in this process, codes included."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("openai", reason="needs the extra judge")

from tttbench.core.exchange import Request, Response, Waveform
from tttbench.core.plugins import build_system, build_task
from tttbench.core.system import System, SystemOptions
from tttbench.data.audio import resample
from tttbench.pipeline.jobs import GenerateItem, read_request
from tttbench.store.rows import AnswerKey
from tttbench.wire import sse
from tttbench.wire.chat_request import read_chat_request
from tttbench.wire.chat_stream import Delta, StreamHead
from tttbench.wire.extension import Ask, Extension
from tttbench.wire.sound import RAW_HZ, pcm16_of
from tttbench.wire.usage import Usage

from ..derive.judge_server import MODEL, serving
from ..systems.voice_server import Voice, VoiceHandler


@dataclass
class Served(Voice):
    """A server of a system."""

    system: System | None = None


class ServedHandler(VoiceHandler):
    """Hands requests on to the system, and its answers back."""

    script: Served

    def reply(self, body: Mapping[str, Any]) -> None:
        assert self.script.system is not None
        chat = read_chat_request(body)
        ask = chat.ask or Ask()
        messages = [one.message() for one in chat.messages if one.role != "system"]
        instruction = "\n".join(one.text for one in chat.messages if one.role == "system")
        request = Request(
            ask.id, tuple(messages), ask.family, instruction, ask.language, ask.max_seconds or 30.0, chat.seed or 0
        )
        (found,) = self.script.system.generate([request])
        assert isinstance(found, Response)
        head = StreamHead("c1", MODEL, int(time.time()))
        deltas = [Delta(found.text)]
        if chat.speaks and found.waveform is not None:
            samples = resample(found.waveform, found.sample_rate, RAW_HZ)
            deltas += [Delta(audio=pcm16_of(part)) for part in np.array_split(samples, 3)]
        deltas.append(Delta(finish_reason=found.finish_reason, extension=Extension.of(found) if chat.ask else None))
        deltas.append(Delta(usage=Usage(1, 2)))
        self.stream([sse.encoded(head.chunk(one)) for one in deltas])


@pytest.fixture
def served(world: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    with serving(Served(system=build_system("tones:seeded", SystemOptions())), ServedHandler) as found:
        monkeypatch.setenv("OPENAI_BASE_URL", found.url)
        yield found


def requests(data: Path) -> list[Request]:
    found = []
    for task in ("tone_qa", "tone_asr"):
        for at, sample in enumerate(build_task(task).samples(data)):
            key = AnswerKey("x", task, sample.id, 0)
            item = GenerateItem(key, sample.turns, task.removeprefix("tone_"), "Answer.", "en", 20.0, 2**62 - at)
            found.append(read_request(item)[0])
    return found


def test_answers_are_those_of_this_process(served: Served, data: Path) -> None:
    behind = build_system(f"openai_chat:{MODEL}", SystemOptions(settings={"tttbench": True}))
    assert served.system is not None
    asked = requests(data)
    assert len(asked) == 12
    here, there = served.system.generate(asked), behind.generate(asked)
    spoken = 0
    for one, other in zip(here, there, strict=True):
        assert isinstance(one, Response)
        assert isinstance(other, Response), other
        assert (other.text, other.audio_codes, other.finish_reason) == (one.text, one.audio_codes, one.finish_reason)
        assert (other.trace.nfe, other.trace.stages_s) == (one.trace.nfe, one.trace.stages_s)
        if one.waveform is not None:
            assert other.waveform is not None
            expected: Waveform = resample(one.waveform, one.sample_rate, RAW_HZ)
            assert np.abs(other.waveform - expected).max() <= 0.5 / 32768
            spoken += 1
    assert spoken == 6
    assert len({one.text for one in here if isinstance(one, Response)}) > 6  # the seed chooses among answers
