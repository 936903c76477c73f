"""What of a run, or of files of texts, is explained: the written answers of each task, by system."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tttbench.core.errors import UserError, did_you_mean
from tttbench.core.language import is_chinese, primary_language
from tttbench.data.sources.listing import read_lines
from tttbench.scorers.answers import SPOKEN, WRITTEN
from tttbench.scorers.explain_answers import explain_matches
from tttbench.scorers.explain_rates import explain_rate, made_of_steps
from tttbench.scorers.explained import Answered, Column, Explanation
from tttbench.store.read_model import Run
from tttbench.store.rows import StoredAnswer

RATES = ("wer", "cer_zh", "mer")
"""Error rates that are explained, the first that a task has; answers to questions are explained, too."""


@dataclass(frozen=True)
class Asked:
    """What is wanted of an explanation.

    Attributes:
        task: the only one; ``""`` for all.
        steps: the preset that is taken apart; ``""`` for the language's own.
        n_examples: the most samples that are shown for a value.
    """

    task: str = ""
    steps: str = ""
    n_examples: int = 3


def explain_runs(runs: Sequence[Run], asked: Asked) -> list[Explanation]:
    """Explain the scores of the tasks that all of ``runs`` have.

    Raises:
        UserError: no such task, or none whose scores can be explained.
    """
    if asked.steps:
        made_of_steps(asked.steps)
    shared = [task for task in runs[0].manifest.tasks if all(task in run.manifest.tasks for run in runs)]
    if asked.task and asked.task not in shared:
        raise UserError(f"--task {asked.task}: not in every run. {did_you_mean(asked.task, shared)}")
    found = [explanation for task in shared if asked.task in ("", task) for explanation in _of_task(runs, task, asked)]
    if not found:
        raise UserError(f"{runs[0].folder}: no answers that have word errors or can be right; nothing to explain.")
    if asked.steps and not any(one.steps_of for one in found):
        raise UserError(f"--steps {asked.steps}: takes error rates apart, and these answers have none; leave it out.")
    return found


def explain_texts(references: Path, answers: Sequence[Path], language: str, asked: Asked) -> Explanation:
    """Explain the answers of files against the references of another: lines of an id, a tab, and a text.

    Raises:
        UserError: a file that can't be read, a line without a tab, an id given twice or without a reference.
    """
    expected = _texts(references)
    columns = [Column(path.stem, tuple(_paired(expected, _texts(path), path, references))) for path in answers]
    language = _scored_as(language)
    scorer = "cer_zh" if language == "zh" else "wer"
    return explain_rate(
        references.stem, scorer, columns, language=language, steps=asked.steps, n_examples=asked.n_examples
    )


def _of_task(runs: Sequence[Run], task: str, asked: Asked) -> Iterator[Explanation]:
    taken = {spec.scorer for run in runs for spec in run.task(task).scores}
    written = _columns(runs, task, _written)
    if not written:
        return
    for scorer in [one for one in RATES if one in taken][:1]:
        language = _language(runs[0], task)
        yield explain_rate(task, scorer, written, language=language, steps=asked.steps, n_examples=asked.n_examples)
    if "text_accuracy" in taken:
        yield explain_matches(task, WRITTEN, written, n_examples=asked.n_examples)
    if "spoken_accuracy" in taken:
        spoken = [one for one in _columns(runs, task, _spoken) if any(answer.text for answer in one.answers)]
        if spoken:
            yield explain_matches(task, SPOKEN, spoken, n_examples=asked.n_examples)


Read = Callable[[Run, StoredAnswer], Answered]


def _columns(runs: Sequence[Run], task: str, read: Read) -> list[Column]:
    """The answers of all systems of all runs; a label that is there twice has its run in front."""
    found = [
        (run, label, answers)
        for run in runs
        for label in run.manifest.systems
        if (answers := tuple(read(run, one) for one in run.answers(label, task)))
    ]
    alike = Counter(label for _, label, _ in found)
    return [Column(f"{run.folder}: {label}" if alike[label] > 1 else label, answers) for run, label, answers in found]


def _written(run: Run, one: StoredAnswer) -> Answered:
    return Answered(_id(one), one.sample.sample.references, one.text if one.response is not None else None, one.status)


def _spoken(run: Run, one: StoredAnswer) -> Answered:
    """What the run's first transcriber wrote of an answer; ``""`` where nothing was spoken."""
    references = one.sample.sample.references
    if one.audio is None:
        return Answered(_id(one), references, None if one.status == "error" else "", one.status)
    made = run.transcript(one.audio)
    if made is None or made.status != "ok":
        return Answered(_id(one), references, None, "derivation_failed")
    return Answered(_id(one), references, made.content, one.status)


def _id(one: StoredAnswer) -> str:
    return one.key.sample if not one.key.repeat else f"{one.key.sample}, repeat {one.key.repeat + 1}"


def _language(run: Run, task: str) -> str:
    found = {primary_language(one.sample.language) for one in run.samples(task)} - {""}
    return _scored_as(found.pop() if len(found) == 1 else run.task(task).language)


def _scored_as(tag: str) -> str:
    """The language that presets are for: all that is written in Chinese characters takes those of Chinese."""
    return "zh" if is_chinese(tag) else primary_language(tag)


def _texts(path: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, line in read_lines(path):
        name, tab, text = line.partition("\t")
        if not tab:
            raise UserError(f"{path}, line {number}: has no tab. A line is an id, a tab, and a text.")
        if name in found:
            raise UserError(f"{path}, line {number}: the id {name!r:.60} is there twice; keep one of both lines.")
        found[name] = text
    if not found:
        raise UserError(f"{path}: has no line. A line is an id, a tab, and a text.")
    return found


def _paired(expected: Mapping[str, str], given: Mapping[str, str], path: Path, references: Path) -> Iterator[Answered]:
    strange = [name for name in given if name not in expected]
    if strange:
        raise UserError(f"{path}: {references} has no reference for the id {strange[0]!r:.60}.")
    for name, reference in expected.items():
        text = given.get(name)
        yield Answered(name, (reference,), text, "ok" if text is not None else "error")
