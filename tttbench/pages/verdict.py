"""The report's first paragraph: what the numbers say, in plain sentences computed from them.

Knows the names of the suite's own metrics; a run without them gets fewer sentences, never invented ones.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from tttbench.core.exchange import Status
from tttbench.core.metric import TOPLINE, ProbeResult, Result
from tttbench.scorers.words import p_text

from .failures import without_scores
from .labels import against, corrected_text, count, figure_of, format_quantity, listing
from .view import ReportView, TaskView

_ENDED: dict[Status, str] = {
    "empty": "came back empty",
    "unparsed": "could not be read",
    "derivation_failed": "could not be scored",
    "error": "failed with an error",
}


_COUNTED_AS_WRONG: dict[Status, str] = {
    "error": "errors",
    "empty": "empty answers",
    "unparsed": "answers that could not be read",
}

_ANSWERS = {"spoken_accuracy", "text_accuracy"}
"""Metrics of tasks that ask questions."""
_MOST_LISTED = 3
"""Of many systems; a table names them all."""


def verdict(view: ReportView) -> tuple[str, ...]:
    """Return the sentences, most important first; always at least the one about how requests ended.

    Long names of systems are shortened, as in the tables.
    """
    view = replace(
        view,
        results=tuple(replace(result, system=view.shown(result.system)) for result in view.results),
        probes=tuple(replace(probe, system=view.shown(probe.system)) for probe in view.probes),
        comparisons=tuple(
            replace(one, system=view.shown(one.system), best=view.shown(one.best)) for one in view.comparisons
        ),
        corrected=tuple(replace(one, system=view.shown(one.system)) for one in view.corrected),
    )
    sentences = [*_spoken_answers(view), *_recognition(view), *_decoding(view), *_unanswered(view), _statuses(view)]
    return tuple(sentence for sentence in sentences if sentence)


def _spoken_answers(view: ReportView) -> list[str]:
    """Right answers, spoken and written, on the first task that asks questions."""
    for task in view.tasks:
        spoken = _ranked(view, task.name, "spoken_accuracy")
        ranked = spoken or _ranked(view, task.name, "text_accuracy")
        if not ranked:
            continue
        best, *others = ranked
        if best.value == 0:
            return [_none_right(view, task, ranked, spoken=bool(spoken))]
        where = f"the {best.n:,} questions of {task.title}{_interval(view, best)}"
        if not spoken:
            first = f"{best.system} gave the right answer in writing to {_value(view, best)} of {where}"
        else:
            written = _in_writing(view, best)
            first = f"{best.system} spoke the right answer to {_value(view, best)} of {where}{written}"
        rest = [_rest(view, best, others), _against_the_best(view, best, others)]
        return [f"{first}.", *rest, *_judged(view, best)]
    return []


def _judged(view: ReportView, best: Result) -> list[str]:
    """What the first judge makes of the same system's answers, spoken or written, and what labels make of that."""
    for result in view.results:
        info = view.metric(result.metric)
        is_judged = info.title in ("Spoken answers right, judged", "Written answers right, judged")
        if (result.system, result.task) == (best.system, best.task) and is_judged and not math.isnan(result.value):
            which = info.title.partition(" ")[0].lower()
            of = f"of the {which} answers of {best.system} right"
            said = f"A judge finds {_value(view, result)} {of}{_interval(view, result)}"
            where = (result.system, result.task, result.metric)
            labeled = (one for one in view.corrected if (one.system, one.task, one.metric) == where)
            return [f"{said}{''.join(f'; {corrected_text(one, info)}' for one in labeled)}."]
    return []


def _none_right(view: ReportView, task: TaskView, results: Sequence[Result], *, spoken: bool) -> str:
    """No system was right: nothing was lost between text and speech that was there, so nothing is said of its cost."""
    none = f"{results[0].system} gave no right answer" if len(results) == 1 else "No system gave a right answer"
    where = f"any of the {results[0].n:,} questions of {task.title}{_interval(view, results[0])}"
    written = _ranked(view, task.name, "text_accuracy")
    right = [result for result in written if result.value > 0]
    if not spoken or not written:
        return f"{none} {'in speech' if spoken else 'in writing'} to {where}."
    if not right:
        return f"{none}, spoken or written, to {where}."
    answered = _some(f"{result.system} {_value(view, result)}" for result in right)
    return f"{none} in speech to {where}; right in writing: {answered}."


def _in_writing(view: ReportView, spoken: Result) -> str:
    """The text-speech gap: the rest of the sentence about the spoken answers of one system."""
    of_system = (r for r in view.results if (r.system, r.task) == (spoken.system, spoken.task))
    written = next((r for r in of_system if r.metric == "text_accuracy" and not math.isnan(r.value)), None)
    if written is None:
        return ""
    gap = view.metric("text_accuracy").shown(written.value) - view.metric("spoken_accuracy").shown(spoken.value)
    if abs(gap) < 0.05:
        cost = "no text-speech gap"
    else:
        sign = "\u2212" if gap < 0 else ""
        cost = f"a text-speech gap of {sign}{abs(gap):.1f} points"
    return f" and wrote it to {_value(view, written)}: {cost}"


def _recognition(view: ReportView) -> list[str]:
    """The primary metric of the first task that asks no questions."""
    for task in view.tasks:
        metric = next(iter(task.metrics), "")
        if not metric or _ANSWERS & set(task.metrics):
            continue
        ranked, info = _ranked(view, task.name, metric), view.metric(metric)
        if not ranked:
            continue
        best, *others = ranked
        ahead = bool(others) and others[0].value != best.value and info.direction != "none"
        title = f"the {'lowest' if info.lower_is_better else 'highest'} {info.column}" if ahead else f"{info.column} of"
        rest = f", {_some(f'{o.system} {_value(view, o)}' for o in others)}" if others else ""
        has = "has" if ahead else "has a" if info.column[:1] not in "AEIOU" else "has an"
        colon = ": " if ahead else " "
        measured = f"{_value(view, best)}{_interval(view, best)}{rest}"
        if ", " in info.column:  # such names are no noun: "spoken, judged"
            sentence = f"{info.title}, on {task.title}: {best.system} {measured}."
        else:
            sentence = f"On {task.title}, {best.system} {has} {title}{colon}{measured}."
        return [sentence, _against_the_best(view, best, others)]
    return []


def _decoding(view: ReportView) -> list[str]:
    """AR against the others, on the first task where both were timed."""
    for task in view.tasks:
        probes = [probe for probe in view.probes if probe.task == task.name]
        strategies = {probe.strategy for probe in probes if probe.strategy}
        if "ar" not in strategies or len(strategies) < 2:
            continue
        passes = [p for p in probes if p.metric == "nfe_per_code" and p.strategy and not math.isnan(p.p50)]
        sound = [p for p in probes if p.metric == "ttfa_wave" and p.strategy and not math.isnan(p.p50)]
        busy = "; the machine was busy, so they say little" if any(p.busy for p in sound) else ""
        return [
            _against(passes, "Forward passes per audio token:", ""),
            _against(sound, "TTFA:", "", tail=f" (medians{busy})"),
        ]
    return []


def _unanswered(view: ReportView) -> list[str]:
    """Systems that have no score, and why."""
    titles = {task.name: task.title for task in view.tasks}
    unanswered = [replace(one, system=view.shown(one.system)) for one in view.unanswered]
    return list(without_scores(unanswered, titles)[:_MOST_LISTED])


def _against(probes: Sequence[ProbeResult], start: str, unit: str, tail: str = "") -> str:
    baseline = [probe for probe in probes if probe.strategy == "ar"]
    others = [probe for probe in probes if probe.strategy != "ar"]
    if not baseline or not others:
        return ""

    def each(some: Sequence[ProbeResult]) -> str:
        return _some(f"{format_quantity(p.p50, p.unit)}{unit} in {p.system} ({p.strategy})" for p in some)

    return f"{start} {each(others)}, against {each(baseline)}{tail}."


def _statuses(view: ReportView) -> str:
    counts = view.status_counts()
    total = sum(counts.values())
    missing = max(0, view.expected - total)
    failed = [f"{number:,} {_ENDED[status]}" for status, number in counts.items() if status != "ok" and number]
    if missing:
        failed.append(f"{missing:,} {'is' if missing == 1 else 'are'} not answered yet")
    cut, answers = view.cut_count(), total - counts["error"]
    was = "was" if cut == 1 else "were"
    limit = f" {cut:,} of {count(answers, 'answer')} {was} cut by a length limit." if cut else ""
    if not total:
        return f"None of {count(missing, 'request')} has been answered yet." if missing else "No request was answered."
    if not failed:
        return f"{f'All {total:,} requests' if total > 1 else 'The only request'} ended ok.{limit}"
    ended_ok = f"Of {count(total + missing, 'request')}, {counts['ok']:,} ended ok; {listing(failed)}."
    return f"{ended_ok}{_how_counted(view, counts, missing) if view.results else ''}{limit}"


def _how_counted(view: ReportView, counts: Mapping[Status, int], missing: int) -> str:
    """What those that didn't end ok are in the scores."""
    wrong = [name for status, name in _COUNTED_AS_WRONG.items() if counts[status]]
    apart = view.scores_that_leave_out
    but = f", but for what {listing(apart)} {'leaves' if len(apart) == 1 else 'leave'} out" if apart else ""
    said = [f"{listing(wrong)} count as wrong{but}"] if wrong else []
    said += ["what could not be scored is left out"] if counts["derivation_failed"] else []
    said += ["those not answered yet are not counted"] if missing else []
    return f" {'; '.join(said).capitalize()}." if said else ""


def _ranked(view: ReportView, task: str, metric: str) -> list[Result]:
    """Results of one task and metric, best first; those without a value are left to the table."""
    found = [
        r
        for r in view.results
        if r.task == task and r.metric == metric and r.system != TOPLINE and not math.isnan(r.value)
    ]
    lower = view.metric(metric).lower_is_better
    return sorted(found, key=lambda r: r.value if lower else -r.value)


def _rest(view: ReportView, best: Result, others: Sequence[Result]) -> str:
    """The other systems: those with the best's value, which are no worse, and those behind."""
    level = [other.system for other in others if other.value == best.value]
    behind = [f"{other.system} {_value(view, other)}" for other in others if other.value != best.value]
    said = [f"As many right answers come from {_some(level)}."] if level else []
    said += [f"Next {'come' if len(behind) > 1 else 'comes'} {_some(behind)}."] if behind else []
    return " ".join(said)


def _against_the_best(view: ReportView, best: Result, others: Sequence[Result]) -> str:
    """What the paired test says of the others; nothing where nothing was compared."""
    own = view.comparison(best.system, best.task, best.metric)
    found = [(one, view.comparison(one.system, one.task, one.metric)) for one in others]
    compared = [(one, pair) for one, pair in found if pair is not None and pair.n]
    if own is None or not compared:
        return ""
    if own.standing == "best":
        if len(compared) > 1:
            return "Every other system is worse on the same answers."
        (other, pair), info = compared[0], view.metric(best.metric)
        return f"On the same answers {other.system} is worse: {against(pair, info)}."
    open_ = [(other, pair) for other, pair in compared if pair.standing != "worse"]
    if not open_:
        return ""
    names = _some(other.system for other, _ in open_)
    if len(open_) > 1:
        all_of_them = _some([best.system, *(other.system for other, _ in open_)])
        return f"Which of {all_of_them} is the best isn\u2019t settled: on the same answers no difference is found."
    pair = open_[0][1]
    if pair.standing == "cannot tell":
        return f"There are too few answers to tell {best.system} from {names}."
    if pair.standing == "better":
        return f"On the {pair.n:,} answers that both have, {names} is the better one."
    sure = f"{against(pair, view.metric(best.metric))}, p = {p_text(pair.p_adjusted)}"
    return f"Between {best.system} and {names} no difference is found on the same {pair.n:,} answers ({sure})."


def _value(view: ReportView, result: Result) -> str:
    return figure_of(result, view.metric(result.metric))[0]


def _interval(view: ReportView, result: Result) -> str:
    _, interval = figure_of(result, view.metric(result.metric))
    return f" (95\u00a0% interval {interval})" if interval else ""


def _some(parts: Iterable[str]) -> str:
    """A listing that stays a sentence where many systems are compared: the first few, and how many more."""
    found = list(parts)
    more = len(found) - _MOST_LISTED
    return listing(found if more < 2 else [*found[:_MOST_LISTED], f"{more} more"])
