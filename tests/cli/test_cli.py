"""The command line: exit statuses, help without heavy imports, lists."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tttbench.cli.main import COMMANDS, main

SLOW_TO_IMPORT = {
    *(
        "asyncio",
        "concurrent",
        "decimal",
        "email",
        "http",
        "importlib.metadata",
        "logging",
        "multiprocessing",
        "random",
    ),
    *("socket", "sqlite3", "ssl", "statistics", "subprocess", "tempfile", "tomllib", "unittest", "xml", "zipfile"),
}
"""Of the standard library: what would be felt in ``--help``, which has 0.1 s."""


@pytest.mark.parametrize("words", [["--help"], ["--version"], *([name, "--help"] for name in COMMANDS)])
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys\n"
        "before = set(sys.modules)\n"
        "from tttbench.cli.main import main\n"
        "try:\n"
        f"    main({words!r})\n"
        "except SystemExit as end:\n"
        "    assert end.code == 0\n"
        "print(*(set(sys.modules) - before), file=sys.stderr)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    imported = set(ended.stderr.split())
    # It says how torch's threads wait before anything can import torch; itself it imports nothing.
    imported -= {"reference_model", "reference_model.onednn", "reference_model.threads"}
    third_party = {name for name in imported if name.split(".")[0] not in {*sys.stdlib_module_names, "tttbench"}}
    assert not third_party, third_party
    assert not imported & SLOW_TO_IMPORT


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "minni"], "Unknown suite 'minni'. Did you mean 'mini'"),
        (["run", "--tasks", "mini_asz", "--device", "cpu"], "Unknown task 'mini_asz'. Did you mean 'mini_asr'"),
        (
            ["run", "--systems", "wisper:tiny.en", "--device", "cpu"],
            "Unknown system 'wisper:tiny.en'. Did you mean 'whisper:tiny.en'",
        ),
        (["run", "--data", "mini_asr"], "--data mini_asr: must be TASK=PATH"),
        (["run", "--data", "mini_asr=/no/such"], "no such folder, archive or list: /no/such"),
        (["run", "--resume"], "--resume: needs --out DIR"),
        (["run", "--include", "/no/such"], "--include /no/such: no such folder"),
        (["report", "/no/such"], "/no/such: holds no run"),
        (["report", "--index", "/no/such"], "--index /no/such: no such folder; give one that holds run directories."),
        (["rescore", "/no/such"], "/no/such: holds no run"),
        (["data", "build", "minni"], "Unknown recipe 'minni'. Did you mean 'mini' or 'mini2'?"),
        (["probe", "wisper:tiny.en", "--device", "cpu"], "Unknown system 'wisper:tiny.en'"),
    ],
)
def test_a_wrong_call_ends_with_2_and_the_fix(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["no_command"],
        ["run", "--limit", "0"],
        ["list", "nothing"],
        ["report"],
        ["report", "run", "--index", "runs"],
    ],
)
def test_what_the_parser_refuses_ends_with_2(words: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 2


def test_a_wrong_call_with_json_ends_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "minni", "--json"]) == 2
    document = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert document["status"] == "failed"
    assert "minni" in document["error"]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("suites", "mini-full"),
        ("scorers", "wer"),
        ("tasks", "mini_qa_noisy"),
        ("systems", "whisper:tiny.en"),
        ("recipes", "whisper-en"),
        ("recipes", "uro-zh"),
        ("derivers", "transcriber"),
        ("normalizers", "raw"),
        ("sources", "asr_folder"),
    ],
)
def test_lists_name_what_there_is(kind: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", kind]) == 0
    assert any(line.split()[0] == name for line in capsys.readouterr().out.splitlines())


def test_scorers_are_listed_with_their_options_below(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "scorers"]) == 0
    lines = capsys.readouterr().out.splitlines()
    at = next(at for at, line in enumerate(lines) if line.startswith("wer "))
    assert lines[at + 1] == "    options: normalizer, recipe, compounds, script, units, denominator"
    assert max(len(line) for line in lines if line.startswith("    ")) <= 120


def test_tasks_are_listed_with_their_size_and_origin_in_120_columns(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "tasks"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["task", "family", "language", "samples", "hours", "license", "title"]
    at = next(at for at, line in enumerate(lines) if line.startswith("librispeech_clean "))
    assert lines[at].split() == [*("librispeech_clean asr en 2,620 CC BY 4.0 LibriSpeech, test-clean".split())]
    assert lines[at + 1] == "    from OpenSLR: test-clean.tar.gz, unpacked"
    assert not any(line.startswith("    Read English") for line in lines)
    missing = "    published score missing: needs a judge that is given the recording (published: Gemini 2.0 Flash);"
    assert any(line.startswith(missing[:90]) for line in lines)
    assert main(["list", "tasks", "--long"]) == 0
    more = capsys.readouterr().out.splitlines()
    assert any(line.startswith("    Read English of audiobooks; 2,620 utterances.") for line in more)
    assert max(map(len, [*lines, *more])) <= 120


def test_a_task_that_is_wrong_says_so_among_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = 'title = "T"\nfamily = "asr"\ndescription = "D"\nsource = "none_such"\nscores = ["wer"]\n'
    (tmp_path / "wrong_one_of_test_cli.toml").write_text(text)
    assert main(["list", "tasks", "--include", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    at = next(at for at, line in enumerate(lines) if line.startswith("wrong_one_of_test_cli "))
    assert lines[at].split()[1] == "unusable"
    assert "none_such" in " ".join(lines[at + 1 : at + 4])


def test_a_defect_shows_a_line_and_not_a_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> int:
        raise RuntimeError("of ours")

    monkeypatch.setattr("tttbench.cli.report.run", broken)
    assert main(["report", "x"]) == 70
    err = capsys.readouterr().err
    assert err == "tttbench: RuntimeError: of ours (a defect of tttbench; --debug shows where)\n"
    with pytest.raises(RuntimeError, match="of ours"):
        main(["report", "x", "--debug"])
