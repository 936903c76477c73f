"""``tttbench gate`` and ``tttbench baseline`` on runs of the tone world: exit codes, files, and what is refused."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tttbench.cli.gate import pairs
from tttbench.cli.main import main
from tttbench.gate.snapshot import Snapshot, SystemFacts
from tttbench.store.manifest import Machine

from .conftest import Ended, tones_command

Tones = Callable[..., Ended]
SPEEDLESS = ("--speed", "off")
MUMBLING = ("--match", "tones:mumbling=tones:right")


@pytest.fixture(scope="module")
def finished(world: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the runs that ``runs`` copies."""
    folder = tmp_path_factory.mktemp("runs")
    world.write_world(folder / "data")
    for name, system in (("a", "tones:right"), ("b", "tones:right"), ("mumbling", "tones:mumbling")):
        assert main(tones_command(folder / "data", "--systems", system, "--out", folder / name)) == 0
    return folder


@pytest.fixture
def runs(finished: Path, tmp_path: Path) -> Path:
    """A folder with two equal runs, ``a`` and ``b``, and one that says the wrong thing, ``mumbling``."""
    for name in ("a", "b", "mumbling"):
        shutil.copytree(finished / name, tmp_path / name)
    gates = "[quality.spoken_accuracy]\ngates = true\n[quality.text_accuracy]\ngates = false\n"
    (tmp_path / "rules.toml").write_text(f"alpha = 0.2\n{gates}")
    (tmp_path / "strict.toml").write_text(gates)
    return tmp_path


def make_snapshot_of(systems: dict[str, SystemFacts]) -> Snapshot:
    """A snapshot that has systems and nothing else."""
    return Snapshot("", "", "", 0, "done", 0, 0, (), {}, Machine(), systems, {}, (), (), {}, {})


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    def run(*words: str | Path) -> Ended:
        capsys.readouterr()
        status = main([str(word) for word in words])
        captured = capsys.readouterr()
        return Ended(status, captured.out, captured.err)

    return run


def test_two_runs_of_one_system_pass(runs: Path, call: Tones) -> None:
    ended = call("gate", runs / "a", runs / "b", "--json")
    assert ended.status == 0
    found = ended.document
    assert (found["status"], found["exit_code"]) == ("pass", 0)
    assert {one["metric"]: one["verdict"] for one in found["quality"]} == dict.fromkeys(
        ("wer", "wer_whisper-en", "spoken_accuracy", "text_accuracy"), "same"
    )


def test_wrong_answers_are_a_regression(runs: Path, call: Tones) -> None:
    ended = call("gate", runs / "a", runs / "mumbling", *MUMBLING, *SPEEDLESS, "--rules", runs / "rules.toml", "--json")
    assert ended.status == 1
    (worse,) = [one for one in ended.document["quality"] if one["verdict"] == "worse"]
    # All six answers are said wrong: 2 / 2^6, and two metrics gate.
    assert (worse["metric"], worse["only_baseline"]) == ("spoken_accuracy", 6)
    assert worse["p_value"] == pytest.approx(2 / 64)
    assert worse["p_adjusted"] == pytest.approx(4 / 64)
    assert "Failed: worse than the baseline." in ended.out


def test_the_same_is_left_open_at_the_default_alpha(runs: Path, call: Tones) -> None:
    ended = call("gate", runs / "a", runs / "mumbling", *MUMBLING, *SPEEDLESS, "--rules", runs / "strict.toml")
    assert ended.status == 0
    assert "looks worse, but p = 0.063 among all that gate" in ended.out


def test_another_label_is_not_comparable_until_it_is_matched(runs: Path, call: Tones) -> None:
    ended = call("gate", runs / "a", runs / "mumbling", *SPEEDLESS)
    assert ended.status == 4
    assert "not comparable: systems: baseline tones:right" in ended.out


def test_a_matched_system_keeps_its_samples_and_recordings_on_the_page(runs: Path, call: Tones) -> None:
    call("gate", runs / "a", runs / "mumbling", *MUMBLING, *SPEEDLESS, "--html", runs / "page.html")
    (text,) = re.findall(r'id="rows-data">(.*?)</script>', (runs / "page.html").read_text(), re.DOTALL)
    rows = json.loads(text)["rows"]
    assert Counter((row["system"], row["task"], row["change"]) for row in rows) == {
        ("tones:right", "tone_asr", "same"): 6,
        ("tones:right", "tone_qa", "worse"): 6,
    }
    # Dictation is written alone.
    sounds = [(row["audioBefore"].split("/")[0], row["audioNow"].split("/")[0]) for row in rows if "audioNow" in row]
    assert sounds == [("a", "mumbling")] * 6


def test_several_answers_to_a_sample_belong_together(runs: Path, call: Tones, tones: Tones) -> None:
    options = ("--tasks", "tone_qa", "--limit", "4", "--repeats", "3")
    assert tones("--out", runs / "often", *options).status == 0
    ended = call("gate", runs / "often", runs / "often", *SPEEDLESS, "--json")
    assert {(one["n"], one["n_units"], one["only_run"]) for one in ended.document["quality"]} == {(12, 4, None)}


def test_a_run_that_was_cut_off_is_invalid(runs: Path, call: Tones) -> None:
    manifest = json.loads((runs / "b" / "manifest.json").read_text())
    (runs / "b" / "manifest.json").write_text(json.dumps({**manifest, "status": "running"}))
    (runs / "b" / "summary.json").unlink()
    with sqlite3.connect(runs / "b" / "journal.sqlite") as journal:
        journal.execute("DELETE FROM answers WHERE sample > 'q2'")
        journal.execute("DELETE FROM scores")
    ended = call("gate", runs / "a", runs / "b")
    assert ended.status == 3
    assert "was cut off (6 answers are there)" in ended.out


def test_another_recipe_is_not_comparable(runs: Path, call: Tones) -> None:
    summary = (runs / "b" / "summary.json").read_text().replace("wer@1", "wer@0")
    (runs / "b" / "summary.json").write_text(summary)
    ended = call("gate", runs / "a", runs / "b", *SPEEDLESS)
    assert ended.status == 4
    assert "not comparable: scorer (wer of tones:right on tone_asr)" in ended.out
    assert call("gate", runs / "a", runs / "b", *SPEEDLESS, "--allow", "scorer").status == 0


def test_fewer_samples_are_not_comparable(runs: Path, call: Tones, tones: Tones) -> None:
    assert tones("--out", runs / "few", "--limit", "4").status == 0
    ended = call("gate", runs / "a", runs / "few", *SPEEDLESS)
    assert ended.status == 4
    assert "6 samples, run 4, of which 4 are the same" in ended.out
    allowed = call("gate", runs / "a", runs / "few", *SPEEDLESS, "--allow", "samples", "--json")
    assert (allowed.status, allowed.document["quality"][0]["n"]) == (0, 4)


def test_files_are_written(runs: Path, call: Tones, monkeypatch: pytest.MonkeyPatch) -> None:
    out = runs / "out"
    step = runs / "step.md"
    step.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(step))
    options = ("--junit", out / "j.xml", "--markdown", out / "m.md", "--github", "--benchmark-json", out / "bench")
    assert call("gate", runs / "a", runs / "b", *options, "--html", out / "page" / "c.html").status == 0
    assert ET.parse(out / "j.xml").getroot().get("failures") == "0"
    assert step.read_text() == "before\n" + (out / "m.md").read_text() + "\n"
    names = {one["name"] for one in json.loads((out / "bench" / "bigger-is-better.json").read_text())}
    assert names == {"tones:right · tone_qa · spoken_accuracy", "tones:right · tone_qa · text_accuracy"}
    assert (out / "page" / "c.html").read_text().startswith("<!DOCTYPE html>")


def test_github_outside_of_its_actions_is_a_wrong_call(
    runs: Path, call: Tones, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    ended = call("gate", runs / "a", runs / "b", "--github")
    assert (ended.status, "GITHUB_STEP_SUMMARY isn't set" in ended.err) == (2, True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--allow", "juge"), "no such field"),
        (("--match", "x"), "must be NEW=OLD"),
        (("--match", "tones:rigth=tones:right"), "the run has no 'tones:rigth'. Did you mean 'tones:right'"),
        (("--match", "tones:right=tones:rigth"), "the baseline has no 'tones:rigth'. Did you mean 'tones:right'"),
        (("--rules", "none.toml"), "none.toml: no such file"),
        (("--speed", "off", "--measure", "2"), "goes without --speed off"),
    ],
)
def test_wrong_calls(runs: Path, call: Tones, words: tuple[str, ...], message: str) -> None:
    ended = call("gate", runs / "a", runs / "b", *words)
    assert (ended.status, message in ended.err) == (2, True)


def test_labels_with_equals_signs_are_matched() -> None:
    facts = SystemFacts("x", "", {}, "", (1,))
    run = make_snapshot_of({"ttt:mini@par:prefix=4,refine=2": facts})
    baseline = make_snapshot_of({"ttt:mini@par:prefix=2": facts})
    value = "ttt:mini@par:prefix=4,refine=2=ttt:mini@par:prefix=2"
    assert pairs([value], run, baseline) == {"ttt:mini@par:prefix=4,refine=2": "ttt:mini@par:prefix=2"}


def test_outputs_that_cannot_be_written_are_a_wrong_call(runs: Path, call: Tones) -> None:
    for option in ("--junit", "--markdown", "--html"):
        ended = call("gate", runs / "a", runs / "b", option, runs / "rules.toml" / "x")
        assert (ended.status, f"{option} " in ended.err) == (2, True)
    assert call("gate", runs / "a", runs / "b", "--junit", runs).status == 2


def test_a_reader_that_goes_away_makes_no_pass_of_a_regression(runs: Path) -> None:
    words = [sys.executable, "-m", "tttbench", "gate", runs / "a", runs / "mumbling", *MUMBLING, *SPEEDLESS]
    process = subprocess.Popen(
        [*map(str, words), "--rules", str(runs / "rules.toml")], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.close()
    process.communicate()
    assert process.returncode == 1


def test_damaged_runs_are_named(runs: Path, call: Tones) -> None:
    (runs / "b" / "journal.sqlite").write_bytes(b"SQLite format 3\x00" + b"x" * 5_000)
    ended = call("gate", runs / "a", runs / "b")
    assert (ended.status, "journal.sqlite: damaged" in ended.err) == (2, True)
    manifest = json.loads((runs / "mumbling" / "manifest.json").read_text())
    del manifest["suite"]
    (runs / "mumbling" / "manifest.json").write_text(json.dumps(manifest))
    ended = call("gate", runs / "a", runs / "mumbling")
    assert (ended.status, "manifest.json: suite: missing" in ended.err) == (2, True)


def test_changed_settings_are_noted(runs: Path, call: Tones) -> None:
    for name, settings in (("a", "greedy"), ("b", "beam")):
        path = runs / name / "manifest.json"
        manifest = json.loads(path.read_text())
        manifest["systems"]["tones:right"]["card"]["settings"] = {"search": settings}
        path.write_text(json.dumps(manifest))
    ended = call("gate", runs / "a", runs / "b", *SPEEDLESS)
    assert (ended.status, "changed: tones:right: search: greedy → beam" in ended.out) == (0, True)


def test_a_name_that_is_nothing_is_a_wrong_call(runs: Path, call: Tones) -> None:
    ended = call("gate", "man", runs / "b", "--folder", runs / "none")
    assert ended.status == 2
    assert "neither a run directory nor a file, nor a baseline" in ended.err


class TestBaselines:
    def test_a_saved_run_is_compared_by_name_and_by_file(self, runs: Path, call: Tones) -> None:
        folder = runs / "baselines"
        assert call("baseline", "save", runs / "a", "--folder", folder).status == 0
        shutil.rmtree(runs / "a")
        by_name = call("gate", "main", runs / "b", "--folder", folder, "--json")
        by_file = call("gate", folder / "main.json", runs / "b", "--json")
        assert by_name.status == by_file.status == 0
        assert by_name.document["quality"] == by_file.document["quality"]

    def test_saving_twice_needs_force(self, runs: Path, call: Tones) -> None:
        words = ("baseline", "save", runs / "a", "--folder", runs / "baselines")
        assert call(*words).status == 0
        again = call(*words)
        assert (again.status, "there already" in again.err) == (2, True)
        assert call(*words, "--force").status == 0

    def test_a_run_with_errors_is_not_saved(self, runs: Path, call: Tones, tones: Tones) -> None:
        assert tones("--systems", "tones:fragile", "--out", runs / "bad").status == 1
        ended = call("baseline", "save", runs / "bad", "--folder", runs / "baselines")
        assert ended.status == 2
        assert "must pass its own checks" in ended.err
        assert "1 of 6 ended as error" in ended.err

    def test_list_and_show(self, runs: Path, call: Tones) -> None:
        folder = runs / "baselines"
        assert "holds no baselines" in call("baseline", "list", "--folder", folder).out
        call("baseline", "save", runs / "a", "--folder", folder)
        listed = call("baseline", "list", "--folder", folder, "--json")
        assert [(one["name"], one["suite"], one["stale"]) for one in listed.document["baselines"]] == [
            ("main", "tones", [])
        ]
        shown = call("baseline", "show", "main", "--folder", folder).out
        assert "system tones:right" in shown
        assert "100.0 %" in shown

    def test_stale_ones_are_pointed_out(self, runs: Path, call: Tones) -> None:
        folder = runs / "baselines"
        call("baseline", "save", runs / "a", "--folder", folder)
        path = folder / "main.json"
        text = path.read_text().replace("wer@1", "wer@0").replace('"made_at": "20', '"made_at": "19')
        path.write_text(text)
        (one,) = call("baseline", "list", "--folder", folder, "--json").document["baselines"]
        assert any(reason.endswith("days old") for reason in one["stale"])
        assert "wer is scored differently now" in one["stale"]
        gated = call("gate", "main", runs / "b", "--folder", folder)
        assert "note: the baseline is stale: wer is scored differently now; save a new one." in gated.err

    def test_promote_replaces_after_the_gate_and_remembers(self, runs: Path, call: Tones) -> None:
        folder = runs / "baselines"
        call("baseline", "save", runs / "a", "--folder", folder)
        words = (
            "baseline",
            "promote",
            runs / "mumbling",
            *MUMBLING,
            "--folder",
            folder,
            "--rules",
            runs / "rules.toml",
        )
        before = (folder / "main.json").read_text()
        refused = call(*words)
        assert refused.status == 1
        assert "spoken_accuracy: worse" in refused.out
        assert (folder / "main.json").read_text() == before
        assert call(*words, "--accept", "the voice is new").status == 0
        shown = call("baseline", "show", "main", "--folder", folder).out
        assert "gate said regression, accepted because: the voice is new" in shown
        assert call("gate", "main", runs / "mumbling", *MUMBLING, *SPEEDLESS, "--folder", folder).status == 0

    def test_promote_takes_what_gate_takes(self, runs: Path, call: Tones) -> None:
        folder = runs / "baselines"
        call("baseline", "save", runs / "a", "--folder", folder)
        path = folder / "main.json"
        path.write_text(path.read_text().replace("wer@1", "wer@0").replace('"cores": ', '"cores": 9'))
        words = ("baseline", "promote", runs / "b", "--folder", folder)
        refused = call(*words, "--json")
        assert (refused.status, refused.document["status"]) == (4, "not comparable")
        assert call(*words, "--speed", "off").status == 4
        assert call(*words, "--speed", "off", "--allow", "scorer").status == 0
        assert "gate said pass (--allow scorer)" in call("baseline", "show", "main", "--folder", folder).out

    def test_a_run_with_errors_is_not_promoted_for_any_reason(self, runs: Path, call: Tones, tones: Tones) -> None:
        folder = runs / "baselines"
        call("baseline", "save", runs / "a", "--folder", folder)
        assert tones("--systems", "tones:fragile", "--out", runs / "bad").status == 1
        words = ("baseline", "promote", runs / "bad", "--match", "tones:fragile=tones:right", "--folder", folder)
        assert call(*words, "--accept", "why not").status == 3

    def test_a_file_that_is_no_baseline_is_listed_as_such(self, runs: Path, call: Tones) -> None:
        folder = runs / "baselines"
        call("baseline", "save", runs / "a", "--folder", folder)
        (folder / "other.json").write_text("{}")
        ended = call("baseline", "list", "--folder", folder, "--json")
        assert ended.status == 0
        assert "not a baseline" in ended.document["baselines"][1]["error"]

    def test_promote_without_a_baseline(self, runs: Path, call: Tones) -> None:
        ended = call("baseline", "promote", runs / "a", "--folder", runs / "baselines")
        assert (ended.status, "no such file" in ended.err) == (2, True)

    def test_names_are_file_names(self, runs: Path, call: Tones) -> None:
        ended = call("baseline", "save", runs / "a", "--name", "../x", "--folder", runs / "baselines")
        assert (ended.status, "plain file name" in ended.err) == (2, True)
