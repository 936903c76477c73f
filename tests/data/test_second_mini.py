"""The second mini world's test sets are read from the tars that its builder writes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tttbench.core.errors import UserError
from tttbench.core.sample import Renditions, Sample
from tttbench.core.tables import Document
from tttbench.data.audio import read_audio
from tttbench.data.task_files import task_from
from tttbench.miniworld.second import testset
from tttbench.miniworld.second.corpus import Statement
from tttbench.miniworld.second.questions import Question


def tone(hz: float) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(16_000) / 16_000)).astype(np.float32)


QUESTION = Question("count", "Count from one to two.", "One two.", (1,))


@pytest.fixture
def qa(tmp_path: Path) -> Path:
    answers = [testset.SpokenAnswer(tone(200), ((1, 2, 3), (4, 5)))]
    testset.write(tmp_path / "qa.tar", [testset.Prompt(QUESTION, "rms", tone(400))], answers, "c" * 64, seed=0)
    return tmp_path / "qa.tar"


def samples(data: Path, source: str, **options: str) -> list[Sample]:
    table = {"title": "T", "family": source.removeprefix("mini2_"), "description": "D", "source": source}
    document = Document({**table, "scores": ["text_accuracy"], "options": options}, "t.toml")
    return list(task_from(document, Path("t.toml")).samples(data))


@pytest.mark.parametrize(
    ("condition", "called"),
    [("clean", "clean"), ("noise", "10 dB noise"), ("telephone", "telephone, 8 kHz μ-law")],
)
def test_a_question_has_its_renditions_and_each_condition_its_recording(qa: Path, condition: str, called: str) -> None:
    (sample,) = samples(qa, "mini2_qa", condition=condition)
    assert (sample.id, sample.references, sample.language, sample.cluster) == ("qa-000", ("One two.",), "en", "qa-000")
    assert sample.renditions == Renditions("c" * 64, ((1, 2, 3), (4, 5)))
    assert sample.metadata == {"question": QUESTION.text, "kind": "count", "voice": "rms", "condition": called}
    assert sample.audio is not None
    assert (sample.audio.path, sample.audio.member) == (qa, f"{condition}/qa-000.opus")
    assert sample.answer is not None
    assert sample.answer.audio is not None
    assert (sample.answer.text, sample.answer.audio.member) == ("One two.", "answer/qa-000.opus")
    for audio in (sample.audio, sample.answer.audio):
        assert read_audio(audio).duration_s == pytest.approx(1, abs=0.1)


def test_a_sentence(tmp_path: Path) -> None:
    said = Statement("weather", "It rains in May.")
    testset.write(tmp_path / "asr.tar", [testset.Prompt(said, "slt", tone(300))], [], "", seed=0)
    (sample,) = samples(tmp_path / "asr.tar", "mini2_asr")
    assert (sample.references, sample.renditions) == (("It rains in May.",), None)
    assert sample.metadata == {"topic": "weather", "voice": "slt", "condition": "clean"}


def test_another_condition_is_named(qa: Path) -> None:
    with pytest.raises(UserError, match=r"option 'condition' of a mini2 source: 'loud' is unknown. Known: clean"):
        samples(qa, "mini2_qa", condition="loud")


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("audio", {"clean": "a.opus"}, "'audio'.noise: missing"),
        ("audio", "a.opus", "field 'audio'"),
        ("renditions", [[1, -1.5]], "field 'renditions'"),
        ("renditions", "1 2", "field 'renditions'"),
        ("answer", "", "field 'answer'"),
    ],
)
def test_a_wrong_field_is_named_with_its_line(tmp_path: Path, field: str, value: object, says: str) -> None:
    row = {
        "id": "q",
        "audio": {"clean": "a", "noise": "b", "telephone": "c"},
        "voice": "v",
        "cluster": "q",
        "family": "count",
        "question": "Q",
        "answer": "A",
        "answer_audio": "d",
        "renditions": [[1]],
        "codec_sha256": "c",
    }
    (tmp_path / "samples.jsonl").write_text(json.dumps({**row, field: value}) + "\n")
    with pytest.raises(UserError) as raised:
        samples(tmp_path, "mini2_qa")
    assert "samples.jsonl, line 1" in str(raised.value)
    assert says in str(raised.value)


def test_renditions_are_part_of_what_a_listing_is(qa: Path) -> None:
    from tttbench.pipeline.plan import listing_sha256

    (sample,) = samples(qa, "mini2_qa")
    other = replace(sample, renditions=Renditions("c" * 64, ((1, 2, 3), (4, 6))))
    assert listing_sha256([sample]) != listing_sha256([other])
