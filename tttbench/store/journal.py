"""The journal: every sample, answer, derivation and score of a run, in SQLite. Rows in, typed values out.

Whatever a damaged row holds, reading it gives a ``UserError`` that names file, table and row. Knows no recordings but
by their rows, no system and no scorer.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from tttbench.core.derivation import Derived, recipe_digest
from tttbench.core.errors import UserError
from tttbench.core.metric import Score
from tttbench.core.sample import Sample
from tttbench.core.serialize import to_json
from tttbench.data.atomic import storage_error
from tttbench.store import row_values
from tttbench.store.row_values import ANSWER, DERIVED, KEYS, RECORDING, Row
from tttbench.store.rows import NewAnswer, Recording, StoredAnswer, StoredSample
from tttbench.store.schema import RESTORE, close_written, reading

T = TypeVar("T")

_PAGE = 256
"""Samples that are read at once, with their answers: what an iteration over a run holds in memory."""


class Journal:
    """An open journal. ``path`` is what messages call it."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write all or nothing.

        Raises:
            StorageError: the disk is full, or the file can't be written.
        """
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
        except sqlite3.IntegrityError:
            raise
        except sqlite3.DatabaseError as error:
            raise storage_error(self._path, error) from error

    def add_samples(self, task: str, samples: Sequence[Sample], *, replace: bool = False) -> None:
        """Note the samples of a task, in their order; those that are there stay as they are without ``replace``."""
        rows = [(task, sample.id, at, to_json(sample)) for at, sample in enumerate(samples)]
        known = "DO UPDATE SET content = excluded.content" if replace else "DO NOTHING"
        with self.transaction() as connection:
            connection.executemany(f"INSERT INTO samples VALUES (?, ?, ?, ?) ON CONFLICT (task, sample) {known}", rows)

    def samples(self, task: str | None = None) -> list[StoredSample]:
        """Return the samples of one task, or of all, in order."""
        tasks = [task] if task is not None else [row[0] for row in self._rows(_TASKS, ())]
        return [sample for name in tasks for page in self._sample_pages(name) for sample in page]

    def _sample_pages(self, task: str) -> Iterator[list[StoredSample]]:
        last: tuple[object, object] = (_BEFORE_ALL, "")
        while True:
            rows = self._rows(_SAMPLES_AFTER, (task, *last))
            if not rows:
                return
            ids = [row[1] for row in rows]
            kept: dict[str, list[tuple[str, int, Recording]]] = {}
            where = f"WHERE task = ? AND sample IN ({_marks(len(ids))})"
            for row in self._rows(f"{_select('recordings', RECORDING)} {where}", (task, *ids)):
                kept.setdefault(row[1], []).append(self._read("recordings", row_values.recording, row))
            yield [self._read("samples", row_values.sample, row[:-1], kept.get(row[1], ())) for row in rows]
            last = (rows[-1][-1], rows[-1][1])

    def recording(self, task: str, sample: str, part: str, turn: int) -> Recording | None:
        """Return a recording of a sample: ``part`` is ``"input"`` or ``"answer"``."""
        query = f"{_select('recordings', RECORDING)} WHERE task = ? AND sample = ? AND part = ? AND turn = ?"
        for row in self._rows(query, (task, sample, part, turn)):
            return self._read("recordings", row_values.recording, row)[2]
        return None

    def save_recording(self, task: str, sample: str, part: str, turn: int, recording: Recording) -> None:
        """Note a recording of a sample."""
        row = (task, sample, part, turn, *row_values.recording_row(recording))
        with self.transaction() as connection:
            connection.execute(f"INSERT OR REPLACE INTO recordings VALUES ({_marks(len(row))})", row)

    def done(self, system: str, task: str) -> set[tuple[str, int]]:
        """Return sample id and repeat of all answers, errors included."""
        rows = self._rows(f"{_select('answers')} WHERE system = ? AND task = ?", (system, task))
        keys = [self._read("answers", row_values.answer_key, row) for row in rows]
        return {(key.sample, key.repeat) for key in keys}

    def has_answers(self, task: str) -> bool:
        """Whether there is an answer to the task."""
        return bool(self._rows("SELECT 1 FROM answers WHERE task = ? LIMIT 1", (task,)))

    def save_answers(self, answers: Sequence[tuple[NewAnswer, Recording | None]]) -> None:
        """Write answers, each with its recording, in one transaction."""
        rows = [row_values.answer_row(answer, recording) for answer, recording in answers]
        with self.transaction() as connection:
            connection.executemany(f"INSERT INTO answers VALUES ({_marks(len(KEYS['answers']) + len(ANSWER))})", rows)

    def forget_failed_derivations(self) -> int:
        """Take back all derivations that failed; return how many. What they cost stays known, see ``spent``."""
        failed = self._rows(f"{_select('derived', DERIVED)} WHERE status = 'failed'", ())
        costs: dict[str, Counter[str]] = {}
        for row in failed:
            costs.setdefault(row[0], Counter()).update(self._read("derived", row_values.derived, row).cost)
        for digest, cost in costs.items():
            cost.update(self._spent(digest))
        totals = [(digest, to_json(dict(cost))) for digest, cost in costs.items() if cost]
        with self.transaction() as connection:
            connection.executemany("INSERT OR REPLACE INTO spent VALUES (?, ?)", totals)
            return connection.execute("DELETE FROM derived WHERE status = 'failed'").rowcount

    def spent(self, recipe: str) -> Mapping[str, float]:
        """Return what derivations of a recipe cost that were taken back."""
        return self._spent(recipe_digest(recipe))

    def _spent(self, digest: str) -> Mapping[str, float]:
        if not self._rows("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'spent'", ()):
            return {}
        rows = self._rows(f"{_select('spent', ('cost',))} WHERE recipe = ?", (digest,))
        return {} if not rows else self._read("spent", row_values.spent, rows[0])

    def forget_errors(self) -> int:
        """Take back all derivations that failed, and all answers that ended with an error; return how many answers."""
        self.forget_failed_derivations()
        with self.transaction() as connection:
            return connection.execute("DELETE FROM answers WHERE status = 'error'").rowcount

    def answers(self, system: str | None, task: str | None) -> Iterator[StoredAnswer]:
        """Yield answers with their scores, by system and task, in the order of samples and repeats."""
        both = (system, task)
        only = "WHERE (?1 IS NULL OR system = ?1) AND (?2 IS NULL OR task = ?2)"
        known = "SELECT 1 FROM samples s WHERE s.task = answers.task AND s.sample = answers.sample"
        for row in self._rows(f"{_select('answers')} {only} AND NOT EXISTS ({known}) LIMIT 1", both):
            raise self._damage("answers", row, "the table of samples has no such sample")
        groups = self._rows(f"SELECT system, task, min(sample), 0 FROM answers {only} GROUP BY 1, 2", both)
        for row in groups:
            key = self._read("answers", row_values.answer_key, row)
            for samples in self._sample_pages(key.task):
                yield from self._page(key.system, key.task, samples)

    def _page(self, system: str, task: str, samples: Sequence[StoredSample]) -> Iterator[StoredAnswer]:
        ids = [sample.sample.id for sample in samples]
        where = f"WHERE system = ? AND task = ? AND sample IN ({_marks(len(ids))})"
        scores = self._scores(where, (system, task, *ids))
        rows: dict[str, list[Any]] = {}
        for row in self._rows(f"{_select('answers', ANSWER)} {where} ORDER BY repeat", (system, task, *ids)):
            rows.setdefault(row[2], []).append(row)
        for sample in samples:
            for row in rows.get(sample.sample.id, ()):
                found = scores.get((sample.sample.id, row[3]), {})
                yield self._read("answers", row_values.answer, row, sample, found)

    def scores(self, system: str, task: str) -> dict[tuple[str, int], dict[str, Score]]:
        """Return the scores of a system on a task, by sample id and repeat, then by score id."""
        return self._scores("WHERE system = ? AND task = ?", (system, task))

    def _scores(self, where: str, given: Sequence[object]) -> dict[tuple[str, int], dict[str, Score]]:
        found: dict[tuple[str, int], dict[str, Score]] = {}
        for row in self._rows(f"{_select('scores', ('content',))} {where} ORDER BY rowid", given):
            score = self._read("scores", row_values.score, row)
            found.setdefault((row[2], row[3]), {})[row[4]] = score
        return found

    def forget_scores(self, score_ids: Collection[str]) -> None:
        """Drop all scores of these ids."""
        with self.transaction() as connection:
            connection.executemany("DELETE FROM scores WHERE score = ?", [(one,) for one in score_ids])

    def replace_scores(self, system: str, task: str, scores: Iterable[tuple[str, int, str, Score]]) -> None:
        """Replace all scores of a system on a task by ``(sample id, repeat, score id, score)``."""
        rows = [(system, task, sample, repeat, name, to_json(score)) for sample, repeat, name, score in scores]
        with self.transaction() as connection:
            connection.execute("DELETE FROM scores WHERE system = ? AND task = ?", (system, task))
            connection.executemany("INSERT INTO scores VALUES (?, ?, ?, ?, ?, ?)", rows)

    def derived(self, recipe: str, input_sha256: str) -> Derived | None:
        """Return one derivation."""
        return self._derived(recipe, "AND input_sha256 = ?", (input_sha256,)).get(input_sha256)

    def derived_all(self, recipe: str) -> dict[str, Derived]:
        """Return all derivations of a recipe, by the hash of their input."""
        return self._derived(recipe, "", ())

    def _derived(self, recipe: str, where: str, given: Sequence[object]) -> dict[str, Derived]:
        rows = self._rows(f"{_select('derived', DERIVED)} WHERE recipe = ? {where}", (recipe_digest(recipe), *given))
        return {row[1]: self._read("derived", row_values.derived, row) for row in rows}

    def save_derived(self, recipe: str, derived: Mapping[str, Derived]) -> None:
        """Keep derivations by the hash of their input; those that are there are replaced."""
        digest = recipe_digest(recipe)
        rows = [row_values.derived_row(digest, sha, one) for sha, one in derived.items()]
        with self.transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO recipes VALUES (?, ?)", (digest, recipe))
            connection.executemany("INSERT OR REPLACE INTO derived VALUES (?, ?, ?, ?, ?, ?)", rows)

    def has_recordings(self) -> bool:
        """Whether the run keeps any recording."""
        query = "SELECT 1 FROM recordings UNION ALL SELECT 1 FROM answers WHERE file IS NOT NULL LIMIT 1"
        return bool(self._rows(query, ()))

    def close(self, *, written: bool) -> None:
        """Close it; ``written`` says whether this was its writer."""
        if written:
            close_written(self._connection)
        else:
            self._connection.close()

    def _rows(self, query: str, given: Sequence[object]) -> list[Any]:
        with reading(self._path):
            return self._connection.execute(query, given).fetchall()

    def _read(self, table: str, take: Callable[..., T], row: Row, *arguments: object) -> T:
        try:
            return take(row, *arguments)
        except UserError as error:
            raise self._damage(table, row, str(error)) from error

    def _damage(self, table: str, row: Row, what: str) -> UserError:
        return damage(self._path, table, KEYS[table], row, what)


def damage(path: Path, table: str, key: Sequence[str], row: Row, what: str) -> UserError:
    """Return the error for a row that can't be read; ``key`` names its first columns, ``what`` has a fault a line."""
    where = ", ".join(f"{name} {ascii(row[at])[:200]}" for at, name in enumerate(key))
    lines = [f"{path}: table {table}, {where}: {line}" for line in what.splitlines()]
    return UserError("\n".join(lines).removesuffix(".") + f". {RESTORE}")


def _select(table: str, columns: Sequence[str] = ()) -> str:
    return f"SELECT {', '.join((*KEYS[table], *columns))} FROM {table}"


def _marks(count: int) -> str:
    return ", ".join("?" * count)


_TASKS = "SELECT DISTINCT task FROM samples ORDER BY task"

_BEFORE_ALL = -(2**63)

_SAMPLES_AFTER = (
    f"{_select('samples', ('content', 'position'))} WHERE task = ? AND (position, sample) > (?, ?) "
    f"ORDER BY position, sample LIMIT {_PAGE}"
)
