"""Small inputs made after public bug reports, through the command line: how much audio each request was given."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tttbench.cli.main import main
from tttbench.store.run_directory import RunStore

SYSTEM = '''
"""``measures``: answers how long the audio is that it is given, and whether it holds more than silence."""

from tttbench.api import Request, SystemOptions, register_system


@register_system("measures")
def measures(spec: str, options: SystemOptions):
    def respond(request: Request) -> str:
        message = request.messages[-1]
        loud = abs(message.audio).max() > 0.05
        return f"{len(message.audio) / message.sample_rate:.2f} s of {'sound' if loud else 'silence'}"

    return respond
'''

Measure = Callable[..., dict[str, tuple[str, str]]]


@pytest.fixture
def measured(tmp_path: Path) -> Measure:
    """Run ``measures`` over data; return its answers and the references by sample."""
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / f"measures{os.getpid()}.py").write_text(SYSTEM)
    n_runs = 0

    def run(data: Path, *options: str) -> dict[str, tuple[str, str]]:
        nonlocal n_runs
        n_runs += 1
        out = tmp_path / f"run{n_runs}"
        words = ["--include", str(tmp_path / "plugins"), "--systems", "measures", "--tasks", "asr_folder"]
        assert (
            main(["run", *words, "--data", f"asr_folder={data}", "--out", str(out), "--device", "cpu", *options]) == 0
        )
        with RunStore.open(out) as store:
            return {one.key.sample: (one.text, one.sample.sample.reference) for one in store.answers()}

    return run


def case(shared_data: Path, number: str) -> Path:
    (folder,) = (shared_data / "reported").glob(f"{number}-*")
    return folder


def seconds(found: dict[str, tuple[str, str]]) -> dict[str, str]:
    return {sample: answer for sample, (answer, _) in found.items()}


def test_17_segments_of_nemo_are_cut_out(shared_data: Path, measured: Measure, tmp_path: Path) -> None:
    folder = case(shared_data, "17")
    found = measured(folder / "manifest.jsonl")
    assert seconds(found) == {"seg0": "2.12 s of sound", "seg1": "2.56 s of sound", "seg2": "2.19 s of sound"}
    assert found["seg2"][1] == "maria comes on monday at one"
    # As NeMo writes manifests: without ids.
    shutil.copy(folder / "meeting.wav", tmp_path)
    manifest = (folder / "manifest.jsonl").read_text()
    for name in ("seg0", "seg1", "seg2"):
        manifest = manifest.replace(f'"id": "{name}", ', "")
    (tmp_path / "manifest.json").write_text(manifest)
    named = ["meeting@0-2.12", "meeting@3.12-5.68", "meeting@6.68-8.874"]
    assert seconds(measured(tmp_path / "manifest.json")) == dict(zip(named, seconds(found).values(), strict=True))


def test_18_manifests_named_json(shared_data: Path, measured: Measure) -> None:
    folder = case(shared_data, "18")
    expected = {"b": ("2.12 s of sound", "Anna comes on Tuesday at seven.")}
    assert measured(folder) == measured(folder / "test_manifest.json") == expected


def test_19_variable_rate_without_a_header(shared_data: Path, measured: Measure) -> None:
    assert seconds(measured(case(shared_data, "19") / "list.jsonl")) == {"a": "10.41 s of sound"}


def test_20_joined_files(shared_data: Path, measured: Measure) -> None:
    found = seconds(measured(case(shared_data, "20") / "list.jsonl"))
    assert found == {"mp3": "4.24 s of sound", "opus": "4.24 s of sound"}


def test_22_channels_that_cancel(shared_data: Path, measured: Measure, caplog: pytest.LogCaptureFixture) -> None:
    found = seconds(measured(case(shared_data, "22") / "list.jsonl"))
    assert found == {"antiphase": "2.12 s of sound", "mono": "2.12 s of sound"}
    assert "a.wav: its channels cancel each other; channel 1 of 2 is taken alone." in caplog.text


def test_26_common_voice(shared_data: Path, measured: Measure) -> None:
    found = measured(case(shared_data, "26") / "test.tsv")
    assert {name: reference for name, (_, reference) in found.items()} == {
        "common_voice_en_903": '"Anna comes on Tuesday," at seven.',
        "common_voice_en_904": "Peter and David meet at the station at two.",
        "common_voice_en_905": '"Maria comes on Monday at one.',
    }
    assert all(answer.endswith("s of sound") for answer in seconds(found).values())


@pytest.mark.parametrize(("folder", "inner"), [("wavs_dir", "wavs"), ("data_dir", "data")])
def test_28_audiofolder(shared_data: Path, measured: Measure, folder: str, inner: str) -> None:
    found = measured(case(shared_data, "28") / folder)
    assert {name: reference for name, (_, reference) in found.items()} == {
        f"{inner}/3": "Anna comes on Tuesday at seven, I think.",
        f"{inner}/4": "Peter and David meet at the station at two, I think.",
    }
    assert all(answer.endswith("s of sound") for answer in seconds(found).values())


def test_outside_of_the_folder(
    shared_data: Path, measured: Measure, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    path = case(shared_data, "18") / "b.wav"
    (data / "l.tsv").write_text(f"id\taudio\ttext\nb\t{path}\tone\n")
    words = ["run", "--systems", "echo", "--tasks", "asr_folder", "--data", f"asr_folder={data}", "--device", "cpu"]
    assert main([*words, "--out", str(tmp_path / "none")]) == 2
    assert f"{data}/l.tsv, line 2 (audio): {path} lies outside" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "none").exists()
    assert seconds(measured(data, "--allow-outside")) == {"b": "2.12 s of sound"}


def test_a_pipe_in_a_list_stops_nothing_for_ever(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "a.wav")
    (tmp_path / "l.jsonl").write_text('{"audio": "a.wav", "text": "one"}')
    for command in (
        ["run", "--systems", "echo", "--tasks", "asr_folder", "--data", f"asr_folder={tmp_path}"],
        ["nll", "ttt:mini", "--task", "asr_folder", "--data", str(tmp_path)],
        ["probe", "ttt:mini", "--task", "asr_folder", "--data", str(tmp_path)],
    ):
        assert main([*command, "--device", "cpu"]) == 2
        assert "a.wav is a named pipe" in capsys.readouterr().err
