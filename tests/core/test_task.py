"""The fingerprint of a task's data changes with everything that could change a score."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tttbench.core.records import Sample
from tttbench.core.task import fingerprint_samples


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    (tmp_path / "a.wav").write_bytes(b"one")
    return Sample("1", "qa", tmp_path / "a.wav", "Paris")


def test_equal_data_in_another_folder_have_the_same_fingerprint(sample: Sample, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "a.wav").write_bytes(b"one")
    copy = replace(sample, audio=tmp_path / "copy" / "a.wav")
    assert fingerprint_samples([sample]) == fingerprint_samples([copy])


@pytest.mark.parametrize("change", [{"id": "2"}, {"reference": "Rome"}, {"aliases": ("paris",)}, {"text": "?"}])
def test_a_changed_field_changes_it(sample: Sample, change: dict[str, object]) -> None:
    assert fingerprint_samples([sample]) != fingerprint_samples([replace(sample, **change)])  # type: ignore[arg-type]  # parametrised fields


def test_changed_audio_changes_it(sample: Sample) -> None:
    before = fingerprint_samples([sample])
    assert sample.audio is not None
    sample.audio.write_bytes(b"two")
    assert fingerprint_samples([sample]) != before


def test_a_missing_file_does_not_stop_it(sample: Sample, tmp_path: Path) -> None:
    assert len(fingerprint_samples([replace(sample, audio=tmp_path / "none.wav")])) == 64


def test_the_order_counts(sample: Sample) -> None:
    other = replace(sample, id="2")
    assert fingerprint_samples([sample, other]) != fingerprint_samples([other, sample])
