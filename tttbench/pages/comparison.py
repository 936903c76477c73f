"""The comparison page of a gate: metric by metric, and every sample as it was answered before and now.

One HTML file; recordings are played from the run directories, at their place relative to the page. Decides nothing.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup, escape

import tttbench
from tttbench.core.json_values import JsonObject
from tttbench.gate.formats.words import (
    could_show,
    difference_line,
    heading,
    sentence,
    speed_value,
)
from tttbench.gate.from_run import answer_id
from tttbench.gate.snapshot import AnswerText, Metric, Snapshot
from tttbench.gate.sources import Source
from tttbench.gate.verdict import Change, GateResult, QualityVerdict, SpeedVerdict
from tttbench.scorers.normal_form import normal_form
from tttbench.scorers.words import plural
from tttbench.store.read_model import Run

from .assets import script, style, template
from .diff import word_diff
from .labels import behind, difference_unit_of, probe_title, together, unit_of
from .payload import embed, packed_diff
from .view import DiffChunk

CHANGE_TITLES: dict[Change, str] = {
    "worse": "got worse",
    "better": "got better",
    "changed": "changed, scored the same",
    "same": "as before",
}
VERDICT_TITLES = {"better": "better", "worse": "worse", "same": "the same", "cannot tell": "can\u2019t tell"}


@dataclass(frozen=True)
class Recordings:
    """Files of one sample, as seen from the page; ``""`` where there is none."""

    input: str
    answer: str


def comparison_page(result: GateResult, baseline: Source, run: Source, target: Path) -> str:
    """Return the page that is going to lie at ``target``.

    Raises:
        UserError: a run directory that can't be read.
    """
    rows = list(_rows(baseline, run, target))
    return template("comparison.html.j2").render(
        result=result,
        heading=heading(result),
        could_show=could_show(result),
        before=baseline.snapshot,
        now=run.snapshot,
        verdicts=_by_system(result),
        changes={change: sum(row.change == change for row in rows) for change in CHANGE_TITLES},
        systems=list(dict.fromkeys(row.system for row in rows)),
        tasks=list(dict.fromkeys(row.task for row in rows)),
        titles=VERDICT_TITLES,
        name_of=_name,
        id_of=_id,
        options_whole=_options_whole,
        values=_values,
        bar=_bar,
        difference=_difference,
        change_titles=CHANGE_TITLES,
        difference_line=difference_line,
        sentence=sentence,
        plural=plural,
        has_sound=baseline.folder is not None or run.folder is not None,
        data=Markup(embed({"rows": [row.packed() for row in rows]})),
        style=style("comparison.css"),
        script=script("rows.js", "sortable.js", "parts.js", "comparison.js"),
        version=tttbench.__version__,
    )


def _by_system(result: GateResult) -> dict[str, list[QualityVerdict | SpeedVerdict]]:
    """What gates first, the worse first."""
    order = ("worse", "better", "cannot tell", "same")
    found: dict[str, list[QualityVerdict | SpeedVerdict]] = {}
    for one in sorted(result.verdicts, key=lambda one: (not one.gates, order.index(one.verdict))):
        found.setdefault(one.system, []).append(one)
    return {label: found[label] for label in dict.fromkeys(one.system for one in result.verdicts)}


def _name(one: QualityVerdict | SpeedVerdict) -> str:
    return one.info.title if isinstance(one, QualityVerdict) else probe_title(one.figure)


def _id(one: QualityVerdict | SpeedVerdict, others: Sequence[QualityVerdict | SpeedVerdict]) -> str:
    """The id of a score whose title another score of the task has, too; else ``""``."""
    alike = [other for other in others if (_name(other), other.task) == (_name(one), one.task)]
    return one.metric if isinstance(one, QualityVerdict) and len(alike) > 1 else ""


def _options_whole(text: str) -> Markup:
    """Keep options of the command line on one line: ``--allow`` would break behind its hyphens."""
    return Markup(re.sub(r"(?<!\S)--[a-z][a-z-]*", r'<span class="nowrap">\g<0></span>', str(escape(text))))


def _values(one: QualityVerdict | SpeedVerdict) -> tuple[str, str]:
    """The value before and the value now, each with its unit."""
    if isinstance(one, SpeedVerdict):
        return speed_value(one, one.baseline), speed_value(one, one.run)
    before, now = (behind(text, unit_of(one.info)) for text in together((one.baseline, one.run), one.info))
    return before, now


def _difference(one: QualityVerdict | SpeedVerdict) -> tuple[str, str]:
    """The difference with its unit, or the factor, and its interval (``""`` without one)."""
    if isinstance(one, SpeedVerdict):
        return f"{one.factor:.2f} times", f"[{one.low:.2f}, {one.high:.2f}]"
    figure, low, high = together((one.difference, one.low, one.high), one.info, signed=True)
    return behind(figure, difference_unit_of(one.info)), "" if one.low != one.low else f"[{low}, {high}]"


@dataclass(frozen=True)
class Bar:
    """An interval on a scale whose middle is "no difference", in per cent of its width; worse lies on the right."""

    left: float
    width: float
    at: float


def _bar(one: QualityVerdict | SpeedVerdict) -> Bar | None:
    """Half the width is a difference of 20 points or a fifth of the metric's range, or a factor of 1.5; what lies
    further out is cut. Of a metric without a range, nobody knows what is far."""
    if one.low != one.low:
        return None
    if isinstance(one, SpeedVerdict):
        values = [(value - 1) / 0.5 for value in (one.low, one.factor, one.high)]
    else:
        sign = 1 if one.lower_is_better else -1
        shares = one.info.unit in ("%", "points")
        reach = 20 / one.info.scale if shares else (one.info.most - one.info.least) / 5
        if not math.isfinite(reach):
            return None
        values = [sign * value / reach for value in (one.low, one.difference, one.high)]
    low, middle, high = (round(50 + 50 * min(1.0, max(-1.0, value)), 2) for value in values)
    return Bar(min(low, high), abs(high - low), middle)


@dataclass(frozen=True)
class ScorePair:
    """A metric of one sample before and now, as text; ``worse`` is 1 if it is worse now, -1 if better, 0 if equal."""

    column: str
    before: str
    now: str
    worse: int


@dataclass(frozen=True)
class ComparedRow:
    """A sample as a system answered it before and now; files as seen from the page, ``""`` where there is none."""

    system: str
    task: str
    id: str
    change: Change
    reference: str
    before: AnswerText
    now: AnswerText
    text_diff: tuple[DiffChunk, ...]
    transcript_diff: tuple[DiffChunk, ...]
    scores: tuple[ScorePair, ...]
    input: str
    audio_before: str
    audio_now: str

    def packed(self) -> JsonObject:
        """Return it as the page's script takes it: without what is empty."""
        before, now = self.before, self.now
        cells: JsonObject = {
            "system": self.system,
            "task": self.task,
            "id": self.id,
            "change": self.change,
            "reference": self.reference,
            "before": before.text,
            "now": now.text,
            "textDiff": packed_diff(self.text_diff),
            "transcriptBefore": before.transcript,
            "transcriptNow": now.transcript,
            "transcriptDiff": packed_diff(self.transcript_diff),
            "errors": f"{before.error or 'ok'} → {now.error or 'ok'}" if before.error or now.error else "",
            "scores": [[score.column, score.before, score.now, score.worse] for score in self.scores],
            "input": self.input,
            "audioBefore": self.audio_before,
            "audioNow": self.audio_now,
        }
        return {key: value for key, value in cells.items() if value != "" and value != []}


def _rows(baseline: Source, run: Source, target: Path) -> Iterator[ComparedRow]:
    """A row for each system, task and sample that both have."""
    recorded_before = dict(_recordings(baseline, target))
    recorded_now = dict(_recordings(run, target))
    for (system, task), answers_now in run.snapshot.answers.items():
        answers_before = baseline.snapshot.answers.get((system, task))
        facts = baseline.snapshot.tasks.get(task)
        if answers_before is None or facts is None:
            continue
        metrics = _metrics(baseline.snapshot, run.snapshot, system, task)
        form = normal_form(metric.recipe for metric, _ in metrics)
        for sample, sample_facts in facts.samples.items():
            if sample not in answers_before or sample not in answers_now:
                continue
            before, now = answers_before[sample], answers_now[sample]
            scores = tuple(_scores(metrics, sample))
            own = _original(run, system)
            sounds = [
                files.get((label, task, sample)) for files, label in ((recorded_before, system), (recorded_now, own))
            ]
            yield ComparedRow(
                system=system,
                task=task,
                id=sample,
                change=change_of(scores, before, now),
                reference=sample_facts.reference,
                before=before,
                now=now,
                text_diff=word_diff(before.text, now.text, form),
                transcript_diff=word_diff(before.transcript, now.transcript, form),
                scores=scores,
                input=next((one.input for one in sounds if one and one.input), ""),
                audio_before=sounds[0].answer if sounds[0] else "",
                audio_now=sounds[1].answer if sounds[1] else "",
            )


def _original(run: Source, label: str) -> str:
    """The label under which a system's recordings lie in its run, which ``--match`` may have replaced."""
    return run.names.get(label, label)


def _metrics(before: Snapshot, now: Snapshot, system: str, task: str) -> list[tuple[Metric, Metric]]:
    """The task's metrics in both, its primary metric first."""
    found = []
    for one in before.metrics:
        other = now.metric(system, task, one.name)
        if (one.system, one.task) == (system, task) and other is not None:
            found.append((one, other))
    order = before.tasks[task].metrics
    return sorted(found, key=lambda pair: order.index(pair[0].name) if pair[0].name in order else len(order))


def _scores(metrics: Sequence[tuple[Metric, Metric]], sample: str) -> Iterator[ScorePair]:
    """The metrics of a sample that both have. Of those with one short name, all but the first go by their ids."""
    names: set[str] = set()
    for before, now in metrics:
        column = before.info.column
        pair = _score(before, now, sample, before.name if column in names else column)
        names.add(column)
        if pair is not None:
            yield pair


def _score(before: Metric, now: Metric, sample: str, column: str) -> ScorePair | None:
    """The metric of a sample; None without both."""
    one, other = before.outcomes.get(sample), now.outcomes.get(sample)
    if one is None or other is None:
        return None
    values = [
        outcome.numerator / outcome.denominator if outcome.denominator else float("nan") for outcome in (one, other)
    ]
    worse = 0
    if all(value == value for value in values) and values[0] != values[1]:
        worse = 1 if (values[1] > values[0]) == before.info.lower_is_better else -1
    if before.info.aggregation == "binary" and before.info.direction != "none":
        # Of what should not be there, a mark would read as if it were.
        right, wrong = ("no", "yes") if before.info.lower_is_better else ("✓", "✗")
        shown = [right if value == (0.0 if before.info.lower_is_better else 1.0) else wrong for value in values]
    else:
        shown = [behind(text, unit_of(before.info)) for text in together(values, before.info)]
    return ScorePair(column, shown[0], shown[1], worse)


def change_of(scores: Sequence[ScorePair], before: AnswerText, now: AnswerText) -> Change:
    """What became of one sample, by the first metric that says something; failing that, by its words."""
    for score in scores:
        if score.worse:
            return "worse" if score.worse > 0 else "better"
    return "same" if before == now else "changed"


def _recordings(source: Source, target: Path) -> Iterator[tuple[tuple[str, str, str], Recordings]]:
    if source.folder is None:
        return
    base = Path(os.path.relpath(source.folder.resolve(), target.parent.resolve())).as_posix()
    with Run.open(source.folder) as run:
        for answer in run.answers():
            recordings = (answer.sample.input_audio, answer.audio)
            files = ["" if one is None else f"{base}/{one.file}" for one in recordings]
            key = answer.key
            yield (key.system, key.task, answer_id(key.sample, key.repeat)), Recordings(*files)
