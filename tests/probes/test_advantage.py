"""Two probes set against each other: ratios and bounds by hand, where the lead ends, and what can't be compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tttbench.cli.main import main
from tttbench.core.errors import UserError
from tttbench.probes.advantage import advantages, ends, read_probe

MACHINE = {"device": "cpu", "processor": "one", "gpu": "", "cores": 2}


def point(batch_size: int, span_codes: int, *rate: float | None, **more: object) -> dict[str, Any]:
    median, low, high = rate
    intervals = {"answers_per_s": {"median": median, "low": low, "high": high, "coverage": 0.97, "n": 6}}
    lengths = {"prompt_codes": 50, "span_codes": span_codes, "batch_size": batch_size}
    return {"point": {**lengths, **more}, "intervals": intervals, "busy": ""}


def probe(folder: Path, system: str, *points: dict[str, Any], **more: object) -> Path:
    folder.mkdir(exist_ok=True)
    document = {"system": system, "machine": MACHINE, "points": points, **more}
    (folder / "probe.json").write_text(json.dumps(document))
    return folder


@pytest.fixture
def ttt(tmp_path: Path) -> Path:
    points = point(1, 26, 6.0, 5.0, 7.0), point(2, 26, 8.0, 7.0, 9.0), point(4, 26, 9.0, 8.0, 10.0)
    return probe(tmp_path / "ttt", "ttt:mini", *points)


@pytest.fixture
def ar(tmp_path: Path) -> Path:
    points = point(1, 26, 3.0, 2.5, 4.0), point(2, 26, 8.0, 7.0, 9.0), point(4, 26, 18.0, 16.0, 20.0)
    return probe(tmp_path / "ar", "ttt:mini-ar", *points, point(8, 26, 30.0, 29.0, 31.0))


def test_ratios_with_the_least_and_the_most_that_the_intervals_allow(ttt: Path, ar: Path) -> None:
    one, two, four = advantages(read_probe(ttt), read_probe(ar))
    assert (one.batch_size, one.ratio, one.low, one.high, one.faster) == (1, 2.0, 5 / 4, 7 / 2.5, "first")
    assert (two.batch_size, two.ratio, two.faster) == (2, 1.0, "")
    assert (four.batch_size, four.ratio, four.high, four.faster) == (4, 0.5, 10 / 16, "second")
    assert ends((one, two, four), "a", "b") == [
        "Answers of 26 audio tokens: a is faster at batch 1; b is faster at batch 4; the intervals leave it open at "
        "batch 2."
    ]


def test_the_command_prints_a_table_and_writes_a_page(
    ttt: Path, ar: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    assert main(["advantage", str(ttt), str(ar / "probe.json"), "--out", str(page), "--json"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].split() == ["50", "26", "1", "6.00", "3.00", "2.00", "1.25", "2.80", "ttt:mini"]
    assert [one["ratio"] for one in json.loads(lines[-1])["points"]] == [2.0, 1.0, 0.5]
    text = page.read_text()
    assert "ttt:mini is faster at batch 1; ttt:mini-ar is faster at batch 4" in text
    assert text.count("<tr>") == 1 + 3
    assert "<svg" in text


def test_without_intervals_nothing_is_said_to_be_faster(tmp_path: Path) -> None:
    a = probe(tmp_path / "a", "a", point(1, 26, 6.0, None, None))
    b = probe(tmp_path / "b", "b", point(1, 26, 3.0, None, None))
    (row,) = advantages(read_probe(a), read_probe(b))
    assert (row.ratio, row.faster) == (2.0, "")


@pytest.mark.parametrize(
    ("points", "more", "message"),
    [
        ([], {}, r"probe\.json: has no point with answers"),
        ([{"point": {"batch_size": 1}}], {}, r"probe\.json: points\[0\]\.point: has no prompt_codes, span_codes"),
        ([point(1, 26, 1, 1, 1, cfg=0), point(1, 26, 1, 1, 1, cfg=1)], {}, r"points\[1\]\.point: differs from another"),
        ([point(1, 52, 1, 1, 1)], {}, "ttt:mini and x have no point in common"),
        (
            [point(1, 26, 1, 1, 1)],
            {"machine": {**MACHINE, "cores": 8}},
            "ttt:mini was probed on cpu, one, cores: 2, x on cpu",
        ),
        (
            [{**point(1, 26, 1, 1, 1), "intervals": {"answers_per_s": {"median": "x"}}}],
            {},
            r"answers_per_s\.median: must be a number",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(
    ttt: Path, tmp_path: Path, points: list[dict[str, Any]], more: dict[str, object], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        advantages(read_probe(ttt), read_probe(probe(tmp_path / "x", "x", *points, **more)))


def test_what_is_no_probe_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[]")
    with pytest.raises(UserError, match=r"a\.json: is no probe"):
        read_probe(tmp_path / "a.json")
    with pytest.raises(UserError, match=r"probe\.json.*Give the folder or file of a probe"):
        read_probe(tmp_path)
