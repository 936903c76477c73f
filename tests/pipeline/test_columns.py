"""Which scores reference audio is given."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tttbench.core.scorer import ScoreSpec
from tttbench.core.scores import parse_score
from tttbench.pipeline.scores import Columns


def test_a_gap_is_not_asked_of_reference_audio_as_no_topline_holds_it() -> None:
    judge = "judge=openai_chat:m,transcriber=whisper:base"
    specs = [parse_score(f"{one}={one}:{judge}") for one in ("spoken_answer", "answer_gap")]
    assert [one.id for one in columns_of(*specs).of_reference("t")] == ["spoken_answer", "transcriber_wer"]


@pytest.mark.parametrize(
    ("language", "metric", "normalizer"),
    [("en-US", "transcriber_wer", "en@"), ("zh", "transcriber_cer", "zh@"), ("de", "transcriber_wer", "basic@")],
)
def test_each_transcriber_s_own_errors_are_asked_of_reference_audio(
    language: str, metric: str, normalizer: str
) -> None:
    scores = ("spoken_accuracy:transcriber=whisper:base", "spoken_accuracy=b:transcriber=paraformer:zh", "wer")
    columns = columns_of(*map(parse_score, scores), language=language)
    own = columns.of_transcribers("t")
    assert [one.id for one in own] == [metric, f"{metric}_paraformer-zh"]
    recipes = {"transcriber:whisper:base": "whisper base@1", "transcriber:paraformer:zh": "paraformer zh@2"}
    made = [one.scorer.recipe(recipes) for one in own]
    assert [one.transcriber for one in made] == ["whisper base@1", "paraformer zh@2"]
    assert all(one.normalizer.startswith(normalizer) for one in made)
    assert columns_of(parse_score("wer")).of_transcribers("t") == ()


def columns_of(*specs: ScoreSpec, language: str = "en") -> Columns:
    manifest: Any = SimpleNamespace(tasks={"t": SimpleNamespace(scores=specs, language=language)})
    return Columns(manifest)
