"""The example of docs/add_a_task.md, as it stands there."""

import re
from pathlib import Path

import pytest

from tttbench.core.errors import UserError
from tttbench.core.registry import build_task, include

PAGE = Path(__file__).resolve().parents[2] / "docs" / "add_a_task.md"


def test_the_example_is_found_and_lists_its_samples(tmp_path):
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "my_tasks").mkdir()
    (tmp_path / "my_tasks" / "digits.py").write_text(example)
    include(tmp_path / "my_tasks")

    (tmp_path / "digits.tsv").write_text("audio\ttext\tspeaker\na.wav\tone two\tann\n")
    task = build_task("digits")
    (sample,) = task.samples(tmp_path)
    assert (sample.id, sample.audio, sample.reference, sample.cluster) == ("a", tmp_path / "a.wav", "one two", "ann")
    with pytest.raises(UserError, match="--data digits=DIR"):
        task.samples(None)
