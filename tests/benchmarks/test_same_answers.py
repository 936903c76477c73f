"""``benchmarks/same_answers.py`` on small run directories: equal runs are equal, and each change is named."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from benchmarks.same_answers import FILE, SECTIONS, main
from benchmarks.same_answers_hashes import load_sections
from benchmarks.same_answers_run import ComparisonError, read_run
from tttbench.core.derivation import Derived
from tttbench.core.exchange import Response, Trace
from tttbench.core.metric import TOPLINE, MetricInfo, Result, Score
from tttbench.core.recipe import Recipe
from tttbench.core.sample import Sample, Turn
from tttbench.core.scorer import ScoreSpec
from tttbench.store.manifest import DeriverEntry, Manifest, SuiteEntry, Summary, SystemEntry, TaskEntry
from tttbench.store.rows import AnswerKey, NewAnswer
from tttbench.store.run_directory import RunStore

RECIPE = "whisper tiny"
RATE_HZ = 16_000
SAMPLES = {"b-first": ("Paris.", (7, 8)), "a-second": ("Six one.", (9,))}
"""Their order isn't that of their names."""


def make_run(
    folder: Path,
    *,
    codes: Mapping[str, tuple[int, ...]] | None = None,
    edits: float = 1.0,
    transcript: str = "paris",
    steps: tuple[int, ...] = (2, 1),
    value: float = 0.25,
    answered: tuple[str, ...] = tuple(SAMPLES),
) -> Path:
    """Two samples of one task and one system; the first is spoken and has a reference recording."""
    manifest = Manifest(
        SuiteEntry("made"),
        {"one": SystemEntry("one")},
        {"qa": TaskEntry("Questions", "qa", scores=(ScoreSpec("wer", "wer"),), n=2)},
        {"transcriber:tiny": DeriverEntry(RECIPE)},
        status="done",
    )
    with RunStore.create(folder / "decoding", manifest) as store:
        store.add_samples("qa", [Sample(sample, (Turn("user"),), ("Paris",)) for sample in SAMPLES])
        reference = store.save_reference_audio("qa", "b-first", sound(0.1), RATE_HZ)
        for sample in answered:
            text, own = SAMPLES[sample]
            response = Response(
                text,
                {**(codes or {})}.get(sample, own),
                sound(0.2) if sample == "b-first" else None,
                RATE_HZ,
                trace=Trace(nfe=5, commit_step=steps, end_s=0.01),
            )
            store.save_answers([NewAnswer(AnswerKey("one", "qa", sample), "ok", response, "", 1, "")])
        for answer in store.answers():
            if answer.audio is not None:
                store.save_derived(RECIPE, {answer.audio.sha256: Derived("ok", transcript)})
                store.save_derived("another", {answer.audio.sha256: Derived("ok", "nothing")})
        store.save_derived(RECIPE, {reference.sha256: Derived("ok", "Paris!")})
        scores = {
            sample: Score(edits / 4, edits, 4, "ok", {"reference": "paris", "hypothesis": SAMPLES[sample][0].lower()})
            for sample in answered
        }
        store.replace_scores("one", "qa", [(sample, 0, "wer", score) for sample, score in scores.items()])
        store.replace_scores(TOPLINE, "qa", [("b-first", 0, "wer", Score(0, 0, 1, "ok", {"normalized": "paris"}))])
        result = Result(
            system="one",
            task="qa",
            metric="wer",
            value=value,
            ci_low=0.0,
            ci_high=math.nan,
            n=2,
            ok=2,
            empty=0,
            unparsed=0,
            derivation_failed=0,
            error=0,
            recipe=Recipe("wer@1"),
            value_best=value,
            value_worst=value,
        )
        metrics = {"wer": MetricInfo("Word error rate", direction="lower")}
        store.write_summary(Summary("done", 2, len(answered), metrics=metrics, results=(result,)))
    return folder


def sound(level: float) -> np.ndarray:
    return np.full(160, level, dtype=np.float32)


def compare(runs: Path, against: Path, *more: str) -> int:
    return main(["--suites", "decoding", "--read", "--runs", str(runs), "--against", str(against), *more])


@pytest.fixture
def expected(tmp_path: Path) -> Path:
    file = tmp_path / "expected.json"
    assert compare(make_run(tmp_path / "before"), file, "--update") == 0
    return file


def test_an_equal_run_is_equal(tmp_path: Path, expected: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert compare(make_run(tmp_path / "now"), expected) == 0
    assert "decoding: all 3 answers are the same" in capsys.readouterr().out


def test_one_changed_code_is_named_and_nothing_else(
    tmp_path: Path, expected: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert compare(make_run(tmp_path / "now", codes={"a-second": (10,)}), expected) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("decoding: 1 of 2 cells differ")
    assert lines[1:] == ["  one · qa", "    codes: 1 of 2 samples: a-second; a-second now [10]"]


def test_the_same_codes_committed_in_another_order_are_named(
    tmp_path: Path, expected: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert compare(make_run(tmp_path / "now", steps=(1, 2)), expected) == 1
    assert capsys.readouterr().out.splitlines()[2:] == [
        "    steps: 2 of 2 samples: b-first, a-second; b-first now [1, 2]"
    ]


def test_changed_scores_and_results_are_named_with_their_values(
    tmp_path: Path, expected: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert compare(make_run(tmp_path / "now", edits=2.0, value=0.5), expected) == 1
    assert capsys.readouterr().out.splitlines()[1:] == [
        "  one · qa",
        '    score wer: 2 of 2 samples: b-first, a-second; b-first now [0.5, 2.0, 4.0, "ok"]',
        "    result wer: 0.25 [0.0, None] n=2 (2 ok) -> 0.5 [0.0, None] n=2 (2 ok)",
    ]


def test_a_changed_transcript_is_named(tmp_path: Path, expected: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert compare(make_run(tmp_path / "now", transcript="parish"), expected) == 1
    assert '    transcript: 1 of 2 samples: b-first; b-first now "parish"' in capsys.readouterr().out.splitlines()


def test_a_missing_answer_is_a_difference_of_every_kind(
    tmp_path: Path, expected: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert compare(make_run(tmp_path / "now", answered=("b-first",)), expected) == 1
    assert capsys.readouterr().out.splitlines()[1:] == [
        "  one · qa",
        *(
            f"    {kind}: 1 of 2 samples: a-second; a-second now null"
            for kind in ("text", "codes", "status", "nfe", "steps", "score wer", "normalized wer")
        ),
    ]


def test_the_reference_recording_has_the_transcript_of_its_own_audio(tmp_path: Path) -> None:
    answers = list(read_run(make_run(tmp_path) / "decoding"))
    assert [(one.system, one.sample, one.transcript) for one in answers] == [
        ("one", "b-first", "paris"),
        ("one", "a-second", None),
        ("reference audio", "b-first", "Paris!"),
    ]


def test_updating_one_section_keeps_the_others(tmp_path: Path, expected: Path) -> None:
    make_run(tmp_path / "now", value=0.75).joinpath("decoding").rename(tmp_path / "now" / "mini-full")
    arguments = ["--suites", "mini-full", "--read", "--runs", str(tmp_path / "now"), "--against", str(expected)]
    assert main([*arguments, "--update"]) == 0
    kept = load_sections(expected)
    assert [kept[name].cells[0].results["wer"].value for name in ("mini-full", "decoding")] == [0.75, 0.25]


def test_a_section_that_was_never_written_is_no_comparison(
    tmp_path: Path, expected: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--quick", "--against", str(expected)]) == 2
    assert "has no section 'quick'; make it with --update" in capsys.readouterr().err


def test_another_format_is_refused(tmp_path: Path) -> None:
    run = make_run(tmp_path) / "decoding"
    (run / "manifest.json").write_text(json.dumps({"format": 1}))
    with pytest.raises(ComparisonError, match="format: is 1, and this version of tttbench reads formats 2 and 3"):
        list(read_run(run))


def test_a_folder_that_holds_no_run_is_no_comparison(
    tmp_path: Path, expected: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty" / "decoding").mkdir(parents=True)
    with pytest.raises(ComparisonError, match=r"decoding: holds no run"):
        list(read_run(tmp_path / "empty" / "decoding"))
    assert compare(tmp_path / "empty", expected) == 2
    assert "decoding: holds no run" in capsys.readouterr().err


def test_answers_of_other_code_are_not_continued(
    tmp_path: Path, expected: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = make_run(tmp_path / "now")
    (runs / "decoding.code").write_text("another digest")
    assert main(["--suites", "decoding", "--runs", str(runs), "--against", str(expected)]) == 2
    assert "decoding: holds answers of other code" in capsys.readouterr().err


def test_the_committed_file_has_every_section() -> None:
    sections = load_sections(FILE)
    assert sections.keys() == SECTIONS.keys()
    assert FILE.stat().st_size < 300_000
