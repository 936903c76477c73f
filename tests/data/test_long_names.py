"""Names of 100,000 characters in a task's file: the message names the key, and is still one that can be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tttbench.core.errors import UserError
from tttbench.core.plugins import build_scorer
from tttbench.core.tables import Document
from tttbench.data.task_files import task_from

LONG = "x" * 100_000

TASK = {"title": "T", "family": "asr", "description": "D", "source": "asr_folder", "scores": ["wer"]}


def use(document: Document, data: Path) -> None:
    """List the samples of a task, and build its scorers."""
    task = task_from(document, Path("t.toml"))
    task.samples(data)
    for spec in task.scores:
        build_scorer(spec)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"source": LONG}, "t.toml: source: Unknown source 'xx"),
        ({"options": {LONG: "1"}}, "t.toml: options: asr_folder has no 'xx"),
        ({"options": {"list": LONG}}, "the task's list 'xx"),
        ({"options": {"audio": LONG}}, "Call it one of: xx"),
        ({"options": {"speaker": LONG}}, "l.tsv, line 2: has no field 'xx"),
        ({"source": "qa_folder", "options": {"ask": LONG}}, "option 'ask' of qa_folder"),
        ({"source": "qa_folder", "options": {"aliases": LONG, "answer": "text"}}, "l.tsv, line 2: has no field 'xx"),
        ({"source": "llama_questions", "options": {"part": LONG}}, "option 'part' of llama_questions"),
        ({"source": "mini_qa", "options": {"condition": LONG}}, "option 'condition' of a mini source"),
        ({"scores": [LONG]}, "Unknown scorer 'xx"),
        ({"scores": [f"wer:{LONG}"]}, "t.toml: scores"),
        ({"scores": [f"wer:a=1,{LONG}=1,{LONG}=2"]}, "t.toml: scores"),
        ({"scores": [f"={LONG}"]}, "t.toml: scores"),
        ({"scores": [f"wer={LONG}%"]}, "may hold letters"),
        ({"scores": [f"wer={LONG}", f"wer={LONG}"]}, "two scores have the id 'xx"),
        ({"scores": [f"wer:{LONG}=1"]}, "wer has no option 'xx"),
        ({"scores": [f"wer:recipe={LONG}"]}, "there is no recipe 'xx"),
        ({"scores": [f"wer:normalizer={LONG}"]}, "Unknown normalizer 'xx"),
        ({"scores": [f"text_accuracy:matcher={LONG}"]}, "there is no matcher 'xx"),
        ({"scores": [f"text_accuracy:script={LONG}"]}, "text_accuracy: script=xx"),
        ({"scores": [f"clips_with_words:of={LONG}"]}, "clips_with_words:of=xx"),
    ],
    ids=range(21),
)
def test_a_name_that_is_too_long_is_shortened_in_its_message(
    tmp_path: Path, given: dict[str, object], says: str
) -> None:
    (tmp_path / "l.tsv").write_text("audio\ttext\na.wav\tone\n")
    with pytest.raises(UserError) as error:
        use(Document({**TASK, **given}, "t.toml"), tmp_path)
    assert says in str(error.value)
    assert len(str(error.value)) < 1_000
