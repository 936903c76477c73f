"""Questions of one's own with their right answers: a list in columns, or in JSON, and recordings, or none.

One source, ``qa_folder``; its options name the list and its columns where they aren't found, and say whether the
questions are asked in speech or in writing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from tttbench.core.errors import UserError
from tttbench.core.plugins import register_source
from tttbench.core.sample import AudioRef, Place, Sample, Turn
from tttbench.data.sources.answer_lists import read_answers
from tttbench.data.sources.list_files import (
    LeftOut,
    ListKind,
    given_path,
    is_list,
    left_out,
    only_list,
    read_list,
    tell_left_out,
)
from tttbench.data.sources.listing import Row, UniqueIds, find_column, pick_column
from tttbench.data.sources.recording import (
    KNOWN_OF_AUDIO,
    AudioColumns,
    chosen_column,
    language_of,
    recording,
    refuse_twins,
)

KNOWN: Mapping[str, tuple[str, ...]] = {
    "question": ("audio_content", "question", "questions", "qtext", "question_text", "prompt", "query", "source_text"),
    "answer": ("answer", "reference", "reference_answer", "target_text", "参考答案"),
    "aliases": (
        *("aliases", "alias", "answers", "references", "answer_aliases", "answer_normalized_aliases"),
        "normalized_aliases",
    ),
    "audio": (*KNOWN_OF_AUDIO["audio"], "source_wav"),
    "id": ("id", "qid", "question_id", "index"),
    "cluster": ("cluster", "cluster_id", "speaker", "speaker_id"),
    "answer_audio": ("answer_audio", "target_wav"),
    "answer_text": ("answer_text",),
    **{role: names for role, names in KNOWN_OF_AUDIO.items() if role != "audio"},
}
"""Names under which columns are known, in any case; of ``aliases`` all that are there count, else the first."""

_NUMBERED = re.compile(r"(alias|answer|reference)[ _-]?\d{1,3}", re.IGNORECASE | re.ASCII)
"""Columns that hold further answers."""

_RECORDINGS = "audios"
"""The folder beside a list in which recordings may lie without being named with it, as in OpenAudioBench."""

_KIND = ListKind(
    "questions",
    "questions",
    "a .tsv, .csv, .jsonl, .json or .parquet with the columns question or audio, and answer",
    (*KNOWN["question"], *KNOWN["answer"], *KNOWN["aliases"]),
)


@dataclass(frozen=True)
class QuestionColumns(AudioColumns):
    """Names of columns that a task chooses; ``""`` takes the known ones. ``aliases``: several between vertical bars."""

    KNOWN: ClassVar[Mapping[str, tuple[str, ...]]] = KNOWN

    question: str = ""
    answer: str = ""
    aliases: str = ""
    cluster: str = ""
    answer_audio: str = ""
    answer_text: str = ""


@dataclass(frozen=True)
class Question:
    """One row of a list of questions.

    Attributes:
        place: where it stands; its field is that of the id.
        id: unique within the list.
        text: what is asked; ``""`` if the list doesn't tell, and there is audio.
        audio: of the question; None where questions are asked in writing.
        references: accepted answers, the right one first; none for open questions.
        answer: the recording of the right answer, and what is spoken in it; None if the list has none.
        language: BCP 47 tag; ``""`` if the list doesn't tell.
        cluster: what it shares with others, e.g. its speaker; ``""`` if the list doesn't tell.
    """

    place: Place
    id: str
    text: str
    audio: AudioRef | None
    references: tuple[str, ...]
    answer: Turn | None
    language: str
    cluster: str


@dataclass(frozen=True)
class _Asked:
    """How questions are asked, ``"audio"`` or ``"text"``, and whether they are open: without right answers."""

    ask: str
    is_open: bool


@register_source(
    "qa_folder",
    options=("list", "split", "ask", "references", *KNOWN),
    summary="questions with right answers, spoken or written: TSV, CSV, JSON, JSON lines, parquet",
)
def list_qa_folder(folder: Path, ask: str = "audio", references: str = "all", **options: str) -> Sequence[Sample]:
    """List the questions of a folder, or of a list. Audio that no row names is counted in a warning.

    Clusters are kept where there are at least two.

    Args:
        folder: of the data, or a list.
        ask: ``"audio"``: by recordings; ``"text"``: in writing, whether or not there are recordings.
        references: ``"all"``: right answers and aliases; ``"none"``: open questions, of which no answer is read.
        options: ``list``, a list's path as seen from the folder; ``split``, of parquet tables; and names of its columns
            by role.

    Raises:
        UserError: the list is missing or wrong.
    """
    if ask not in ("audio", "text"):
        raise UserError(f"option 'ask' of qa_folder: must be 'audio' or 'text', not {ask!r:.60}.")
    if references not in ("all", "none"):
        raise UserError(f"option 'references' of qa_folder: must be 'all' or 'none', not {references!r:.60}.")
    path = given_path(folder, options.pop("list", ""), options.pop("split", ""))
    if not is_list(path, _KIND):
        path = only_list(path, _KIND)
    columns = QuestionColumns(**options)
    asked = _Asked(ask, references == "none")
    rows = read_list(path, _KIND, lambda row: _check_columns(row, columns, asked))
    questions = [_read_row(row, columns, asked) for row in rows]
    ids = UniqueIds()
    for question in questions:
        ids.add(question.id, question.place)
    metadata = tell_left_out(folder, _left_out(path.parent, questions) if ask == "audio" else LeftOut())
    several = len({question.cluster for question in questions}) > 1
    return [_sample(question, several, metadata) for question in questions]


def _left_out(folder: Path, questions: Sequence[Question]) -> LeftOut:
    audio = [one.audio for one in questions] + [one.answer.audio for one in questions if one.answer is not None]
    return left_out(folder, (one for one in audio if one is not None), "a question")


def _sample(question: Question, several_clusters: bool, metadata: Mapping[str, str]) -> Sample:
    """The sample; what is asked in a recording is shown, and not given to the system beside it."""
    source = {"source": f"{question.place.file.name}:{question.place.number}"}
    asked = {"question": question.text} if question.audio is not None and question.text else {}
    return Sample(
        question.id,
        (Turn("user", "" if question.audio is not None else question.text, question.audio),),
        question.references,
        question.answer,
        question.language,
        question.cluster if several_clusters else "",
        {**metadata, **asked, **source},
    )


def _check_columns(row: Row, columns: QuestionColumns, asked: _Asked) -> str:
    """Return the column of what is asked; raises ``UserError`` if ``row`` lacks it, or a column of the right answer."""
    if asked.ask == "text":
        column = pick_column(row, columns.accepted("question"), "the question")
    else:
        what = "the recording of the question (without recordings: task qa_folder_text, or the option ask = 'text')"
        column = pick_column(row, columns.accepted("audio"), what)
    if not asked.is_open and not _answer_columns(row, columns):
        pick_column(row, columns.accepted("answer"), "the right answer")
    return column


def _read_row(row: Row, columns: QuestionColumns, asked: _Asked) -> Question:
    refuse_twins(row, columns)
    column = _check_columns(row, columns, asked)
    text_column = chosen_column(row, columns, "question")
    text = "" if text_column is None else row.optional(text_column)
    is_spoken = asked.ask == "audio"
    if not is_spoken and not text:
        raise row.cell(column).error("", "holds no question. Fill it or delete the line.")
    audio, name = _recorded(row, columns, is_needed=is_spoken)
    references = () if asked.is_open else _references(row, columns)
    cluster = chosen_column(row, columns, "cluster")
    own_id, of = _id(row, columns)
    return Question(
        row.at(of or (str(chosen_column(row, columns, "audio")) if name else "")),
        own_id or name or str(row.place.number),
        text,
        audio if is_spoken else None,
        references,
        _spoken_answer(row, columns, references[0] if references else ""),
        language_of(row, columns),
        "" if cluster is None or row.fields[cluster] is None else row.text_or_whole(cluster),
    )


def _id(row: Row, columns: QuestionColumns) -> tuple[str, str]:
    """The id that a list gives a question, and its column; both ``""`` if it gives none."""
    column = chosen_column(row, columns, "id")
    if column is None or row.fields[column] is None:
        return "", ""
    return row.text_or_whole(column) or row.filled(column), column


def _recorded(row: Row, columns: QuestionColumns, *, is_needed: bool) -> tuple[AudioRef | None, str]:
    """The recording of a question and what it is called, by which written questions have the ids of spoken ones."""
    column = chosen_column(row, columns, "audio")
    if column is None:
        return None, ""
    row = _with_one_file(row, column, is_needed=is_needed)
    if is_needed and row.fields[column] in (None, ""):
        raise row.cell(column).error(
            "", "holds no recording. Name one, delete the line, or ask in writing (task qa_folder_text)."
        )
    if not is_needed and not (isinstance(row.fields[column], str) and row.text(column)):
        return None, ""
    found = recording(row, columns, _audio(row, column), row.filled(column))
    return found.audio, found.name


def _with_one_file(row: Row, column: str, *, is_needed: bool) -> Row:
    """The row with the file in place of a list that holds it alone, as lists for several turns have it."""
    files = row.fields[column]
    if not isinstance(files, list):
        return row
    if len(files) != 1 and is_needed:
        raise row.cell(column).error("", f"names {len(files)} files, and a question is one. Join them, or split it.")
    return replace(row, fields={**row.fields, column: files[0] if files else None})


def _audio(row: Row, column: str) -> AudioRef:
    """The file that a row names; a bare name may be that of a file in ``audios``."""
    name, beside = row.filled(column), row.place.file.parent
    below = beside / _RECORDINGS
    is_below = "/" not in name and below.is_dir() and not os.path.lexists(row.audio(column).path)
    return row.audio(column, below if is_below else beside)


def _spoken_answer(row: Row, columns: QuestionColumns, right: str) -> Turn | None:
    column = chosen_column(row, columns, "answer_audio")
    said = chosen_column(row, columns, "answer_text")
    if column is None or not row.optional(column):
        return None
    text = "" if said is None else row.optional(said)
    return Turn("assistant", text or right, _audio(row, column))


def _references(row: Row, columns: QuestionColumns) -> tuple[str, ...]:
    """The right answer and its aliases, each once."""
    right = find_column(row, columns.accepted("answer"))
    there = _answer_columns(row, columns)
    found = [text for column in there for text in read_answers(row, column, bars=column != right)]
    if not found:
        raise row.cell(there[0]).error("", "holds no answer. Fill it or delete the line.")
    return tuple(dict.fromkeys(found))


def _answer_columns(row: Row, columns: QuestionColumns) -> list[str]:
    """The columns of the right answer and its aliases, in this order.

    Raises:
        UserError: one that the task names isn't there.
    """
    right = chosen_column(row, columns, "answer")
    if columns.aliases:
        single = find_column(row, columns.accepted("aliases")) is not None
        names = [columns.aliases] if single else columns.aliases.split("|")
        others = [
            chosen_column(row, replace(columns, aliases=name.strip()), "aliases") for name in names if name.strip()
        ]
    else:
        known = [find_column(row, (name,)) for name in KNOWN["aliases"]]
        others = known + [column for column in row.fields if _NUMBERED.fullmatch(column.strip())]
    return list(dict.fromkeys(column for column in (right, *others) if column is not None))
