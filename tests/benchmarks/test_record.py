"""Saved parts survive later runs of other parts, each with its own date, command and machine."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from benchmarks.curve import Curve, Point
from benchmarks.machine import Machine, this_machine
from benchmarks.record import Part, Record, RecordError, load_record, save_record
from benchmarks.tables import markdown
from benchmarks.timing import Compared
from reference_model.roofline import Ceilings
from tttbench.stats.median import MedianInterval

ORDER = ("first", "second", "curve")
MACHINE = Machine("a processor", 2, 2, "AVX2", "Linux x86_64", 0.1, "abc1234", {"python": "3.11"})


def compared(name: str, ratio: float) -> Compared:
    ratios = MedianInterval(ratio, ratio - 1, ratio + 1, 0.97, 6)
    seconds = MedianInterval(2.0, 1.9, 2.1, 0.97, 6)
    return Compared(name, f"title of {name}", "none", "exact", seconds, seconds, ratios, 14.0)


def part(name: str, began: str, ratio: float = 5.0, load: float = 0.1) -> Part:
    machine = dataclasses.replace(MACHINE, load=load)
    return Part(name, began, 12.0, f"python benchmarks/decoding.py --only {name}", machine, compared(name, ratio))


CURVE = Part(
    "curve",
    "2026-01-03",
    3.0,
    "python benchmarks/decoding.py",
    dataclasses.replace(MACHINE, processor="another processor"),
    Curve(Ceilings(1e11, 1e10), (Point("text", 256, MedianInterval(0.1, 0.1, 0.1, 0.9, 5), 0.05, 50.0, 1.0, 1.0),)),
)


def test_what_was_saved_before_is_kept_and_what_is_measured_again_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "new" / "decoding.json"
    for one in (
        part("second", "2026-01-01", 7.0),
        CURVE,
        part("first", "2026-01-02"),
        part("second", "2026-01-04", 9.0),
    ):
        save_record(file, load_record(file, "half-b").with_part(one, ORDER))
    record = load_record(file, "half-b")
    assert [(one.name, one.began) for one in record.parts.values()] == [
        ("first", "2026-01-02"),
        ("second", "2026-01-04"),
        ("curve", "2026-01-03"),
    ]
    assert record.parts["curve"] == CURVE
    assert json.loads(file.read_text())["ratios"] == {"first": 5.0, "second": 9.0}
    assert list(tmp_path.rglob("*.partial")) == []


def test_the_page_tells_date_command_load_and_machine_of_every_part() -> None:
    record = Record("half-b", {})
    for one in (part("first", "2026-01-02", load=3.5), part("second", "2026-01-04"), CURVE):
        record = record.with_part(one, ORDER)
    page = markdown(record)
    assert "2026-01-02, 12 s, machine 1, load before 3.5, code `abc1234`: `python benchmarks/decoding.py --only" in page
    assert "2026-01-04, 12 s, machine 1, load before 0.1" in page
    assert "2026-01-03, 3 s, machine 2" in page
    assert "Machine 1: a processor" in page
    assert "Machine 2: another processor" in page
    assert "| first | none | 2 | exact | 2 | 5.00 | 4.00 .. 6.00 (97 %) | 6 | >= 14 |" in page


def test_a_record_of_another_shape_is_not_added_to(tmp_path: Path) -> None:
    file = tmp_path / "decoding.json"
    save_record(file, Record("tiny", {"first": part("first", "2026-01-02")}))
    with pytest.raises(RecordError, match=r"holds shape 'tiny', not 'half-b'; save to another folder"):
        load_record(file, "half-b")


@pytest.mark.parametrize("content", ["", "[]", '{"ratios": {}}', '{"shape": "tiny", "parts": {"first": {}}}'])
def test_a_file_that_is_no_record_is_named(tmp_path: Path, content: str) -> None:
    file = tmp_path / "decoding.json"
    file.write_text(content)
    with pytest.raises(RecordError, match=r"decoding\.json: not a record .* move it away"):
        load_record(file, "tiny")


def test_this_machine_is_described() -> None:
    found = this_machine()
    assert found.cores >= 1
    assert {"python", "torch"} <= set(found.versions)
