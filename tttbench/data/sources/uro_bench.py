"""URO-Bench as published: ``basic/SET/test.jsonl`` and ``pro/SET/test.jsonl``, and recordings beside each.

A line is a question (``source_wav``, ``source_text``, ``target_text``: a text, a list, or left out) or a conversation
(``id``, ``dialogue`` with such rounds). Of a conversation each round is asked, after the rounds before it with the
system's own answers to them, as in the published examples, or with the right ones.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from tttbench.core.errors import UserError
from tttbench.core.plugins import register_source
from tttbench.core.sample import CONVERSATION, QUESTIONS, Sample, Turn
from tttbench.data.sources.answer_lists import read_answers
from tttbench.data.sources.json_lists import read_json_lines
from tttbench.data.sources.list_files import left_out, tell_left_out
from tttbench.data.sources.listing import Row, UniqueIds
from tttbench.data.sources.published import check_option, inner_of

TRACKS = ("basic", "pro")
BASIC = (
    *("Repeat", "Summary", "GaokaoEval", "StoralEval", "TruthfulEval", "Gsm8kEval", "MLC", "AlpacaEval", "CommonEval"),
    *("WildchatEval", "Repeat-zh", "LCSTS-zh", "HSK5-zh", "SQuAD-zh", "APE-zh", "MLC-zh", "OpenbookQA-zh"),
    *("AlpacaEval-zh", "Claude-zh", "Wildchat-zh"),
)
PRO = (
    *("UnderEmotion-en", "CodeSwitching-en", "Safety-en", "ClothoEval-en", "MuChoEval-en", "MLCpro-en"),
    *("MtBenchEval-en", "SpeakerAware-en", "SRT-en", "GenEmotion-en", "GenStyle-en", "Multilingual"),
    *("UnderEmotion-zh", "CodeSwitching-zh", "Safety-zh", "MLCpro-zh", "SpeakerAware-zh", "SRT-zh"),
    *("GenEmotion-zh", "GenStyle-zh"),
)
SETS = (*BASIC, *PRO)
"""Those of August 2025."""

HISTORIES = ("own", "references")
"""What stands for the answers to earlier rounds: the system's own, or the right ones."""

_ROOTS = ("URO-Bench-data", "URO-Bench-mini")
"""What the archives are called."""

_SHOWN = ("emotion", "style", "requirement")
"""What a set asks of the answer's sound or language."""


@register_source("uro_bench", options=("set", "history"), summary="URO-Bench as published")
def list_uro_bench(folder: Path, **options: str) -> Sequence[Sample]:
    """List the questions of a set, or the rounds of its conversations, which are clusters.

    Args:
        folder: of the data, of its track, or of the set.
        options: ``set``, e.g. ``"AlpacaEval"``; ``history``, one of ``HISTORIES``, the first unless it is given.

    Raises:
        UserError: no such set, a line that is wrong.
    """
    name = options.get("set", SETS[0])
    check_option("uro_bench", "set", name, SETS)
    history = options.get("history", HISTORIES[0])
    check_option("uro_bench", "history", history, HISTORIES)
    at = _folder(folder, name)
    samples: list[Sample] = []
    ids = UniqueIds()
    for number, row in enumerate(read_json_lines(at / "test.jsonl")):
        is_conversation = "dialogue" in row.fields
        for sample in _of_conversation(row, name, history) if is_conversation else [_question(row, name, number)]:
            ids.add(sample.id, row.at("id"))
            samples.append(sample)
    audio = [turn.audio for sample in samples for turn in sample.turns if turn.audio is not None]
    rest = tell_left_out(folder, left_out(at, audio, "a question"))
    return [replace(one, metadata={**rest, **one.metadata}) for one in samples]


def _folder(folder: Path, name: str) -> Path:
    """The folder of a set."""
    track = "basic" if name in BASIC else "pro"
    give = f"Give the folder of the data, with {track}/{name}/test.jsonl."
    if folder.resolve().name in (track, name):
        return inner_of(folder, [], name, "test.jsonl", give)
    return inner_of(folder, _ROOTS, f"{track}/{name}", "test.jsonl", give)


def _question(row: Row, name: str, number: int) -> Sample:
    """A line as a sample. Its id is the one of the published files of answers: lines from 0, in four digits."""
    shown = {key: row.text_or_whole(key) for key in _SHOWN if row.fields.get(key) is not None}
    references = _references(row, "target_text") if "target_text" in row.fields else ()
    if not references and name.startswith("Repeat"):
        references = (row.filled("source_text"),)  # as in the published code
    return Sample(
        f"{number:04d}",
        (Turn("user", audio=row.audio("source_wav")),),
        references,
        metadata={"question": row.filled("source_text"), "set": name, **shown, "source": _source(row)},
    )


def _of_conversation(row: Row, name: str, history: str) -> Iterator[Sample]:
    """The rounds of a conversation, each after those before it; the last one holds what a judge is given of all."""
    own_id = row.text_or_whole("id") or row.filled("id")
    turns: list[Turn] = []
    told: list[dict[str, object]] = []
    rounds = _rounds(row)
    for number, one in enumerate(rounds, 1):
        prefix = f"dialogue[{number - 1}]."
        asked = Turn("user", audio=one.audio(f"{prefix}source_wav"))
        references, question = _references(one, f"{prefix}target_text"), one.filled(f"{prefix}source_text")
        found = f"{own_id}-{number}"
        told.append({"id": found, "question": question, "references": references})
        if number == len(rounds):
            whole = {CONVERSATION: json.dumps(told, ensure_ascii=False)}
        else:
            whole = {QUESTIONS: json.dumps([other["question"] for other in told], ensure_ascii=False)}
        yield Sample(
            found,
            (*turns, asked),
            references,
            cluster=own_id,
            metadata={"question": question, "set": name, **whole, "source": _source(row)},
        )
        answer = Turn("assistant", answer_to=found) if history == "own" else Turn("assistant", " / ".join(references))
        turns += [asked, answer]


def _rounds(row: Row) -> list[Row]:
    """The rounds of a conversation as rows, whose fields are named with their place in it."""
    cell = row.cell("dialogue")
    rounds = cell.values
    if not isinstance(rounds, list) or not rounds:
        raise cell.error("", "must be a list of rounds. Copy the list again.")
    found = []
    for at, one in enumerate(rounds):
        if not isinstance(one, dict):
            raise UserError(f"{row.place}: field 'dialogue[{at}]': must be an object. Copy the list again.")
        found.append(Row(row.place, {f"dialogue[{at}].{key}": value for key, value in one.items()}))
    return found


def _references(row: Row, column: str) -> tuple[str, ...]:
    """The right answers of a field: a list of them, or a text, whatever it looks like."""
    if isinstance(row.cell(column).values, str):
        return tuple(filter(None, [row.text(column)]))
    return read_answers(row, column)


def _source(row: Row) -> str:
    return f"{row.place.file.name}:{row.place.number}"
