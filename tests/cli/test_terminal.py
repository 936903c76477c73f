"""What comes from outside is printed as text: a terminal obeys nothing of it, and rich takes none of it for markup."""

from __future__ import annotations

import io
import json
import logging
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from tttbench.cli import progress_bars
from tttbench.cli.columns import columns
from tttbench.cli.main import main
from tttbench.cli.progress_bars import ProgressDisplay
from tttbench.cli.terminal import made_safe, one_line, raw_stderr, shown
from tttbench.pipeline.progress import Work

HOSTILE = "\x1b[31mred\x1b[0m \x07\x9b2J \u202eltr\u2066 :x: [red]not red[/red] a\r\nb\u2028c\x7f 北京 é"
PLAIN = (
    r"\u001b[31mred\u001b[0m \u0007\u009b2J \u202eltr\u2066 :x: [red]not red[/red] "
    r"a\u000d\nb\u2028c\u007f 北京 é"
)
"""The same on one line of a terminal."""

OBEYED = {chr(code) for code in (*range(32), *range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F, *range(0x2028, 0x202F))}
OBEYED |= {chr(code) for code in range(0x2066, 0x206A)}


@given(st.text(alphabet=st.characters(codec=None, exclude_categories=())))
def test_nothing_that_a_terminal_obeys_is_left_and_the_rest_stays(text: str) -> None:
    found = shown(text)
    assert not {*found} & (OBEYED - {"\n", "\t"})
    found.encode()
    assert not {*one_line(text)} & OBEYED
    if not {*text} & OBEYED and found.isprintable() and not any(0xD800 <= ord(one) < 0xE000 for one in text):
        assert found == text or any(0xFFF9 <= ord(one) <= 0xFFFB for one in text)


def test_an_escape_in_a_json_document_means_the_same() -> None:
    text = "a\x85b\u202ec\u2028d"
    assert json.loads(shown(json.dumps(text, ensure_ascii=False))) == text


def test_whatever_is_printed_or_logged_meanwhile_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    before = sys.stdout, sys.stderr
    with made_safe():
        print("\x1b[31m", "ok", file=sys.stdout, flush=True)
        sys.stderr.writelines(["\u202e", "x\n"])
        logging.getLogger("tttbench.test").warning("\x1b[2J")
        assert raw_stderr() is before[1]
        with made_safe():
            print("\x07")
            assert raw_stderr() is before[1]
    assert (sys.stdout, sys.stderr) == before
    told = capsys.readouterr()
    assert told.out == "\\u001b[31m ok\n\\u0007\n"
    assert "\\u202ex\n" in told.err
    assert "\x1b" not in told.err


@pytest.mark.parametrize("live", [False, True])
def test_progress_shows_names_and_messages_as_they_are(monkeypatch: pytest.MonkeyPatch, live: bool) -> None:
    out = io.StringIO()

    def console(**given: object) -> Console:
        assert given.pop("file") is not None
        return Console(file=out, force_terminal=live, width=400, color_system=None, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(progress_bars, "Console", console)
    with ProgressDisplay() as display:
        display.planned([Work(HOSTILE, 2)])
        display.started(Work(HOSTILE, 2))
        display.note(HOSTILE)
        display.failed(HOSTILE, HOSTILE)
        print(HOSTILE, file=sys.stderr)
        display.advanced(2, 1)
        display.finished()
    written = out.getvalue()
    assert f"error: {PLAIN}: {PLAIN}\n" in written
    assert written.count(PLAIN) >= 4
    # Of the escape sequences that are left all are rich's own: they move the cursor and erase lines.
    assert "\x1b[31m" not in written
    assert not {*written} & {"\x07", "\x9b", "\u202e", "\u2066", "\u2028", "\x7f", "❌"}


def test_a_table_is_as_wide_as_what_it_shows() -> None:
    assert columns([["a", "b"], ["x\ny", "\x1b[1m"]]) == "a     b\nx\\ny  \\u001b[1m"


def test_messages_of_errors_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "\x1b]0;owned\x07\u202e", "--json"]) == 2
    told = capsys.readouterr()
    assert "]0;owned" in told.err
    assert not {*told.err, *told.out} & {"\x1b", "\x07", "\u202e"}
    assert "]0;owned" in json.loads(told.out)["error"]


def test_so_are_those_of_a_wrong_call(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["run", "--limit", "\x1b[31m5"])
    assert "\x1b" not in capsys.readouterr().err
