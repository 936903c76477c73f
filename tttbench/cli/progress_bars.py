"""Progress on stderr: bars with what is done and how long it will take; plain lines where there is no terminal."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from tttbench.cli.terminal import made_safe, one_line, raw_stderr
from tttbench.pipeline.progress import Work

LINE_EVERY_S = 10.0
MOST_ERRORS_SHOWN = 3
"""For each piece of work; the report has them all."""


class ProgressDisplay:
    """A ``ProgressReporter`` that shows a run on stderr. Use it with ``with``."""

    def __init__(self) -> None:
        """Prepare; nothing is shown yet."""
        self._console = Console(file=raw_stderr(), highlight=False, markup=False, emoji=False)
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[tail]}", markup=False),
            console=self._console,
        )
        self._live = self._console.is_terminal
        self._started_at = time.monotonic()
        self._last_line_at = self._started_at
        self._ahead = 0
        self._done = 0
        self._work = Work("", 0)
        self._work_done = 0
        self._work_errors = 0
        self._failures = 0
        self._overall: TaskID | None = None
        self._current: TaskID | None = None
        self._printed = ExitStack()

    def __enter__(self) -> ProgressDisplay:
        """Start to draw, on a terminal."""
        if self._live:
            self._progress.start()
            # While bars are drawn, whatever is printed goes through the console.
            self._printed.enter_context(made_safe())
        return self

    def __exit__(self, *_: object) -> None:
        """Stop to draw."""
        self._printed.close()
        if self._live:
            self._progress.stop()

    def planned(self, works: Sequence[Work]) -> None:
        """Note all that lies ahead."""
        first = self._ahead == 0
        self._ahead = self._done + sum(work.total for work in works)
        if self._live and self._overall is None:
            self._overall = self._progress.add_task("all", total=self._ahead, tail="")
        elif self._live and self._overall is not None:
            self._progress.update(self._overall, total=self._ahead)
        elif first and works:
            parts = f" in {len(works)} parts" if len(works) > 1 else ""
            self._say(f"{self._ahead} request{'s' if self._ahead > 1 else ''} ahead{parts}")

    def started(self, work: Work) -> None:
        """Begin a line."""
        self._work, self._work_done, self._work_errors, self._failures = work, 0, 0, 0
        if self._live:
            self._current = self._progress.add_task(one_line(work.title), total=work.total, tail="")

    def advanced(self, done: int, errors: int) -> None:
        """Move the line, and the whole."""
        self._work_done += done
        self._work_errors += errors
        self._done += done
        if self._live and self._current is not None and self._overall is not None:
            self._progress.update(self._current, advance=done, tail=self._errors())
            self._progress.update(self._overall, completed=self._done, tail=self._eta())
        elif time.monotonic() - self._last_line_at > LINE_EVERY_S and self._work_done < self._work.total:
            self._line()

    def finished(self) -> None:
        """End the line."""
        if not self._live:
            self._line()

    def note(self, message: str) -> None:
        """Print a line of its own."""
        self._say(one_line(message))

    def failed(self, where: str, message: str) -> None:
        """Print the first errors of a piece of work."""
        self._failures += 1
        if self._failures <= MOST_ERRORS_SHOWN:
            self._say(f"error: {one_line(where)}: {one_line(message)}")
        elif self._failures == MOST_ERRORS_SHOWN + 1:
            self._say("error: … more; the report shows them all")

    def _line(self) -> None:
        self._last_line_at = time.monotonic()
        details = ", ".join(part for part in (self._errors(), self._eta()) if part)
        elapsed = time.monotonic() - self._started_at
        self._say(
            f"[{elapsed:4.0f} s] {one_line(self._work.title)}: {self._work_done}/{self._work.total}; {details}".rstrip(
                "; "
            )
        )

    def _errors(self) -> str:
        if not self._work_errors:
            return ""
        return f"{self._work_errors} error{'s' if self._work_errors > 1 else ''}"

    def _eta(self) -> str:
        if not 0 < self._done < self._ahead:
            return ""
        seconds = (time.monotonic() - self._started_at) * (self._ahead - self._done) / self._done
        return f"about {seconds:.0f} s left" if seconds < 90 else f"about {seconds / 60:.0f} min left"

    def _say(self, message: str) -> None:
        self._console.print(Text(message), soft_wrap=True)
