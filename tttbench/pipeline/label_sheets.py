"""Sheets of answers for a person to label: drawn at random, read back, and kept in the run they were drawn from."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from tttbench.core.errors import UserError, did_you_mean
from tttbench.core.markup import in_csv
from tttbench.core.metric import MetricInfo, Score
from tttbench.core.sample import Sample
from tttbench.pipeline.label_rows import LabelRow, read_labeled
from tttbench.pipeline.labels import graded_text, is_open, item_of
from tttbench.pipeline.scores import Columns
from tttbench.pipeline.summarize import summarize
from tttbench.scorers.judges import question_of
from tttbench.store.labels import read_labels, write_labels
from tttbench.store.manifest import Summary
from tttbench.store.rows import StoredAnswer
from tttbench.store.run_directory import RunStore

_WORDS = {"yes": 1.0, "y": 1.0, "true": 1.0, "right": 1.0, "no": 0.0, "n": 0.0, "false": 0.0, "wrong": 0.0}


@dataclass(frozen=True)
class SheetRow:
    """A row of a sheet. Neither system nor score stands in it: a person who knows them labels otherwise.

    Attributes:
        item: by which the label finds its answer.
        task, question, right_answers: of the sample.
        answer: the text that was graded; of a spoken answer its transcript.
        audio: the spoken answer, relative to the run, where the score is of speech.
        label: to be filled in.
    """

    item: str
    task: str
    question: str
    right_answers: str
    answer: str
    audio: str = ""
    label: str = ""


@dataclass(frozen=True)
class Drawn:
    """A sheet: its rows in random order, which score it is of, and how many rows each system has."""

    task: str
    score: str
    info: MetricInfo
    rows: tuple[SheetRow, ...]
    by_system: Mapping[str, int]


@dataclass(frozen=True)
class _Item:
    """A graded answer of the run."""

    task: str
    score: str
    system: str
    answer: StoredAnswer
    graded: Score


def draw(store: RunStore, n: int, *, task: str = "", score: str = "", seed: int = 0) -> Drawn:
    """Draw ``n`` graded answers of a task at random, shared out evenly among the systems.

    Args:
        store: the run.
        n: answers in all; fewer where there are no more.
        task, score: ``""``: the first that a judge graded, else the first whose answers can be labeled.
        seed: of the drawing.

    Raises:
        UserError: there is no such task or score, or nothing to label.
    """
    items = _items(store)
    chosen = _chosen(store, items, task, score)
    infos = {column.id: column.scorer.info for column in Columns(store.manifest)}
    mine = {key: one for key, one in items.items() if (one.task, one.score) == chosen}
    rng = np.random.default_rng(seed)
    systems = list(dict.fromkeys(one.system for one in mine.values()))
    drawn: list[str] = []
    counts = {}
    left = n
    for at, system in enumerate(sorted(systems, key=lambda one: sum(item.system == one for item in mine.values()))):
        own = [key for key, one in mine.items() if one.system == system]
        take = min(len(own), math.ceil(left / (len(systems) - at)))
        left -= take
        counts[system] = take
        drawn += [own[int(which)] for which in rng.choice(len(own), take, replace=False)]
    order = rng.permutation(len(drawn))
    reads_audio = "audio" in next(one for one in Columns(store.manifest) if one.id == chosen[1]).scorer.reads
    rows = tuple(_row(drawn[int(at)], mine[drawn[int(at)]], reads_audio=reads_audio) for at in order)
    return Drawn(*chosen, infos[chosen[1]], rows, counts)


def _row(item: str, one: _Item, *, reads_audio: bool) -> SheetRow:
    sample: Sample = one.answer.sample.sample
    audio = one.answer.audio.file if reads_audio and one.answer.audio is not None else ""
    return SheetRow(
        item, one.task, question_of(sample), " | ".join(sample.references), graded_text(one.graded) or "", audio
    )


def _items(store: RunStore) -> dict[str, _Item]:
    """All answers of the run that can be labeled, by item."""
    manifest = store.manifest
    infos = {column.id: column.scorer.info for column in Columns(manifest)}
    fits = {of for of, info in infos.items() if info.aggregation != "rate" and info.direction == "higher"}
    found = {}
    for answer in store.answers():
        for of, score in answer.scores.items():
            if of in fits and is_open(score):
                key = item_of(manifest, answer.key, of, score)
                found[key] = _Item(answer.key.task, of, answer.key.system, answer, score)
    return found


def _chosen(store: RunStore, items: Mapping[str, _Item], task: str, score: str) -> tuple[str, str]:
    manifest = store.manifest
    if task and task not in manifest.tasks:
        raise UserError(f"--task {task!s:.60}: {store.folder} has no such task. {did_you_mean(task, manifest.tasks)}")
    pairs = list(dict.fromkeys((one.task, one.score) for one in items.values()))
    pairs = [pair for pair in pairs if pair[0] == (task or pair[0])]
    if score:
        known = [of for _, of in pairs]
        if score not in known:
            raise UserError(f"--score {score!s:.60}: no answer can be labeled for it. {did_you_mean(score, known)}")
        pairs = [pair for pair in pairs if pair[1] == score]
    if not pairs:
        raise UserError(
            f"{store.folder}: holds no graded answers that a person could label; give it a judge first: "
            "tttbench rescore RUN --add answer:judge=openai_chat:MODEL"
        )
    judged = {
        (name, spec.id) for name, entry in manifest.tasks.items() for spec in entry.scores if "judge" in spec.options
    }
    return next((pair for pair in pairs if pair in judged), pairs[0])


def sheet_text(drawn: Drawn, suffix: str) -> str:
    """Return a sheet as CSV, or as JSON lines for ``.jsonl``."""
    if suffix == ".jsonl":
        return "".join(json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in drawn.rows)
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(asdict(SheetRow("", "", "", "", ""))), lineterminator="\r\n")
    writer.writeheader()
    for row in drawn.rows:
        writer.writerow({name: in_csv(value) for name, value in asdict(row).items()})
    return "\ufeff" + out.getvalue()  # by which spreadsheets know UTF-8


def correct(store: RunStore, sheet: Path) -> Summary:
    """Keep the labels of a sheet in the run that it was drawn from, and return the summary with them.

    Rows without a label are left out. A label that is given anew takes the old one's place.

    Raises:
        UserError: a sheet of another run or one whose columns were mixed up, a label that isn't one, an item that is
            given twice, no label at all.
    """
    items, infos = _items(store), {column.id: column.scorer.info for column in Columns(store.manifest)}
    labels: dict[str, float] = {}
    texts = {_spaced(in_csv(text)) for one in items.values() if (text := graded_text(one.graded))}
    for row in read_labeled(sheet):
        if row.item not in items:
            raise UserError(
                f"{row.where} (item): {row.item!r:.40} is no graded answer of {store.folder}. The sheet was drawn from "
                "another run, task or transcript; give the run that it was drawn from."
            )
        if row.item in labels:
            raise UserError(f"{row.where} (item): {row.item!r} has a label already; remove one of both rows.")
        _refuse_mixed(row, items[row.item], texts)
        if row.label:
            labels[row.item] = _value(row.label, infos[items[row.item].score], f"{row.where} (label)")
    if not labels:
        raise UserError(f"{sheet}: holds no label; fill in the column 'label'.")
    write_labels(store.folder, {**read_labels(store.folder), **labels})
    summary = summarize(store, Columns(store.manifest))
    store.write_summary(summary)
    return summary


def _value(text: str, info: MetricInfo, where: str) -> float:
    value = _WORDS.get(text.lower()) if info.aggregation == "binary" else None
    if value is None:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
    if not info.least <= value <= info.most or (info.aggregation == "binary" and value not in (0, 1)):
        wanted = "yes or no" if info.aggregation == "binary" else f"a number from {info.least:g} to {info.most:g}"
        raise UserError(f"{where}: {text!r:.40} must be {wanted}; leave it blank where you can't tell.")
    return value


def _refuse_mixed(row: LabelRow, item: _Item, texts: Collection[str]) -> None:
    """Raise ``UserError`` where a row names another task or holds another answer of the run than its item."""
    if row.task and row.task != item.task:
        raise UserError(
            f"{row.where} (task): {row.task!r:.60}, but the item is of {item.task!r}. Columns were mixed up; draw the "
            "sheet again, or put its rows right."
        )
    # What a spreadsheet made of an answer (a date, an umlaut) is no reason to refuse it; another one's answer is.
    shown, own = _spaced(row.answer), graded_text(item.graded) or ""
    if shown and shown not in (_spaced(own), _spaced(in_csv(own))) and shown in texts:
        raise UserError(
            f"{row.where} (answer): {row.answer!r:.60} is another item's answer. Columns were mixed up, as by "
            "sorting one alone; draw the sheet again, or put its rows right."
        )


def _spaced(text: str) -> str:
    return " ".join(text.split())


def instruction(info: MetricInfo) -> str:
    """Say what a person has to fill in."""
    if info.aggregation == "binary":
        return "yes where the answer is right, no where it isn't"
    return f"a grade from {info.least:g} to {info.most:g}"
