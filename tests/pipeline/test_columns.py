"""Which scores reference audio is given."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from tttbench.core.scores import parse_score
from tttbench.pipeline.scores import Columns


def test_a_gap_is_not_asked_of_reference_audio_as_no_topline_holds_it() -> None:
    judge = "judge=openai_chat:m,transcriber=whisper:base"
    specs = [parse_score(f"{one}={one}:{judge}") for one in ("spoken_answer", "answer_gap")]
    manifest: Any = SimpleNamespace(tasks={"t": SimpleNamespace(scores=specs)})
    assert [one.id for one in Columns(manifest).of_reference("t")] == ["spoken_answer"]
