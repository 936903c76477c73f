"""The command line: exit statuses, help without heavy imports, lists."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tttbench.cli.main import main


@pytest.mark.parametrize("words", ["--help", "run --help", "probe --help", "doctor --help", "list --help"])
def test_help_imports_nothing_heavy(words: str) -> None:
    code = (
        "import sys\n"
        "from tttbench.cli.main import main\n"
        "try:\n"
        f"    main({words.split()!r})\n"
        "except SystemExit as end:\n"
        "    assert end.code == 0\n"
        "heavy = {'torch', 'numpy', 'whisper', 'matplotlib', 'pandas', 'rich', 'jiwer'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "minni"], "Unknown suite 'minni'. Did you mean 'mini'"),
        (["run", "--tasks", "mini_asz", "--device", "cpu"], "Unknown task 'mini_asz'. Did you mean 'mini_asr'"),
        (
            ["run", "--systems", "wisper:tiny.en", "--device", "cpu"],
            "Unknown system 'wisper:tiny.en'. Did you mean 'whisper:tiny.en'",
        ),
        (["run", "--data", "mini_asr"], "--data mini_asr: must be TASK=DIR"),
        (["run", "--data", "mini_asr=/no/such"], "no such folder: /no/such"),
        (["run", "--resume"], "--resume: needs --out DIR"),
        (["run", "--include", "/no/such"], "--include /no/such: no such folder"),
        (["report", "/no/such"], "/no/such: holds no run"),
        (["report", "--index", "/no/such"], "--index /no/such: no such folder; give one that holds run directories."),
        (["rescore", "/no/such"], "/no/such: holds no run"),
        (["data", "build", "minni"], "Unknown recipe 'minni'. Did you mean 'mini'?"),
        (["probe", "wisper:tiny.en", "--device", "cpu"], "Unknown system 'wisper:tiny.en'"),
    ],
)
def test_a_wrong_call_ends_with_2_and_the_mend(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["no_verb"],
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
    [("suites", "mini-full"), ("scorers", "wer"), ("tasks", "mini_qa_noisy"), ("systems", "whisper:tiny.en")],
)
def test_lists_name_what_there_is(kind: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", kind]) == 0
    assert any(line.split()[0] == name for line in capsys.readouterr().out.splitlines())


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
