"""Means of URO-Bench's sets: each set enters by its own score, and a mean is shown only with every set."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from tttbench.cli.tables import known_tasks
from tttbench.core.metric import MetricInfo, Result
from tttbench.core.recipe import Recipe
from tttbench.published import Column, load_tables
from tttbench.published.known_tasks import KnownTask
from tttbench.published.measured import Cell, FilledTable, MeasuredRun, fill, found_in
from tttbench.store.manifest import Summary

TASKS = known_tasks()
JUDGED = Recipe("spoken_answer@1", transcriber="whisper large-v3", judge="openai_chat:m; prompt judge-1-5@1; 3 votes")
PRETRAIN = "ttt:Pretrain-TtT-3B"
OPEN, SEMI, QA = (f"spoken_answer_uro-{recipe}" for recipe in ("open", "semi-open", "qa"))
REASONING = {
    ("uro_storaleval", SEMI): 3.0,
    ("uro_truthfuleval", SEMI): 2.0,
    ("uro_gsm8keval", QA): 0.25,
    ("uro_mlc", QA): 0.5,
}
ALL = [
    column
    for table in load_tables()
    for block in table.blocks
    for column in block.columns
    if table.id.startswith("uro_bench") and column.mean_of
]


def result(task: str, metric: str, value: float, system: str = PRETRAIN) -> Result:
    return Result(
        *(system, task, metric),
        *(value, value, value),
        n=2,
        ok=2,
        empty=0,
        unparsed=0,
        derivation_failed=0,
        error=0,
        recipe=JUDGED,
        value_best=value,
        value_worst=value,
    )


def tables(*results: Result, tasks: dict[str, KnownTask] | None = None, n: int = 0) -> dict[str, FilledTable]:
    """The tables of a run with these results; grades from 1 to 5 count 20 points each, shares 100."""
    scales = {one.metric: 100.0 if one.metric == QA or "repetition" in one.metric else 20.0 for one in results}
    metrics = {name: MetricInfo(name, scale=scale, direction="higher") for name, scale in scales.items()}
    run = MeasuredRun("a", Summary("done", 1, 1, metrics=metrics, results=results), samples={"uro_mlc": n})
    filled = fill(load_tables(), found_in([run], {}), TASKS if tasks is None else tasks)
    return {one.table.id: one for one in filled}


def cell(found: dict[str, FilledTable], column: str, block: int = 0, table: str = "uro_bench") -> Cell:
    filled = found[table].blocks[block]
    row = [one.id for one in filled.block.rows].index("pretrain")
    return filled.cells[row][[one.id for one in filled.block.columns].index(column)]


def results(values: dict[tuple[str, str], float]) -> list[Result]:
    return [result(task, metric, value) for (task, metric), value in values.items()]


def test_a_track_has_a_mean_only_with_every_set() -> None:
    own = results(REASONING)
    found = cell(tables(*own, n=2), "reasoning")
    # (3 * 20 + 2 * 20 + 25 + 50) / 4; published is 39.30.
    assert found.measured is not None
    assert found.measured.value == 43.75
    assert found.difference == pytest.approx(4.45)
    assert math.isnan(found.measured.result.ci_low)
    assert found.differs[-1] == "uro_mlc: samples: here 2 of the set's 177"
    assert found.command.endswith("--data uro_mlc=PATH --judge openai_chat:MODEL")
    assert found.differs[0].startswith(f"unweighted mean of uro_storaleval ({SEMI}), uro_truthfuleval ({SEMI}), uro_g")
    for lacking in (own[:3], [*own[:3], replace(own[3], value=math.nan)]):
        without = cell(tables(*lacking), "reasoning")
        assert without.measured is None
        assert f"{QA} of uro_mlc: a mean is shown only with every set" in without.needs


def test_each_set_enters_by_its_own_score_where_others_are_there() -> None:
    others = [result(task, OPEN, 5.0) for task, _ in REASONING]
    for every in ([*results(REASONING), *others], [*others, *results(REASONING)]):
        found = cell(tables(*every), "reasoning")
        assert found.measured is not None
        assert found.measured.value == 43.75
        assert not any("own score" in one for one in found.differs)


def test_another_recipe_does_not_stand_for_a_set_s_own() -> None:
    some = {**REASONING, ("uro_storaleval", OPEN): 5.0, ("uro_truthfuleval", OPEN): 5.0}
    del some["uro_storaleval", SEMI], some["uro_truthfuleval", SEMI]
    found = cell(tables(*results(some)), "reasoning")
    assert found.measured is None
    assert f"{SEMI} of uro_storaleval, uro_truthfuleval: a mean is shown only with every set" in found.needs


def test_what_stands_for_a_set_whose_own_score_no_column_takes_is_named() -> None:
    (column,) = [one for one in ALL if one.task == "uro_pro_conversation"]
    style = "spoken_answer_uro-style"
    some = {(task, style): 3.0 for task in column.mean_of if task != "uro_multilingual"}
    found = cell(
        tables(*results({**some, ("uro_multilingual", "spoken_answer_uro-language"): 1.0})),
        *("conversation", 0, "uro_bench_pro"),
    )
    assert found.measured is not None
    assert found.measured.value == 50
    assert [one for one in found.differs if "own score" in one] == [
        f"{task}: {style} isn't the set's own score" for task in ("uro_srt_en", "uro_genemotion_en")
    ]


@pytest.mark.parametrize(("block", "suffix"), [(0, ""), (1, "_zh")])
def test_understanding_takes_the_repetition_sets_by_their_own_score(block: int, suffix: str) -> None:
    language = "zh" if suffix else "en"
    summary, exam = ("uro_lcsts", "uro_hsk5") if suffix else ("uro_summary", "uro_gaokaoeval")
    own = results(
        {
            (f"uro_repeat{suffix}", f"spoken_repetition_uro-{language}"): 0.9,
            (f"{summary}{suffix}", SEMI): 4.0,
            (f"{exam}{suffix}", QA): 0.25,
        }
    )
    found = cell(tables(*own, result(f"{summary}{suffix}", OPEN, 1.0)), "understanding", block)
    assert found.measured is not None
    assert found.measured.value == pytest.approx((90 + 80 + 25) / 3)
    lacking = cell(tables(*own[1:]), "understanding", block)
    assert lacking.measured is None
    assert f"spoken_repetition_uro-{language} of uro_repeat{suffix}: a mean is shown only with" in lacking.needs


@pytest.mark.parametrize("column", ALL, ids=lambda one: one.task)
def test_every_set_s_published_score_is_one_that_its_column_takes(column: Column) -> None:
    for name in column.mean_of:
        task = TASKS[name]
        assert bool(set(task.scores) & {column.metric, *column.instead}) == (not task.missing)
        if not task.missing:
            assert len(task.metrics_in(column)) == 1


def test_of_tasks_that_are_not_known_any_of_the_column_s_metrics_counts() -> None:
    found = cell(tables(*results(REASONING), tasks={}), "reasoning")
    assert found.measured is not None
    assert found.measured.value == 43.75


@pytest.mark.parametrize("label", ["ttt:/models/Pretrain-TtT-3B", "ttt:/models/Pretrain-TtT-3B/@topk"])
def test_a_row_without_figures_is_found_by_the_name_of_its_folder(label: str) -> None:
    chinese = {
        ("uro_alpacaeval_zh", OPEN): 1.0,
        ("uro_claude_zh", OPEN): 2.0,
        ("uro_wildchat_zh", OPEN): 3.0,
    }
    pro = {
        ("uro_mlcpro_zh", QA): 0.5,
        ("uro_speakeraware_zh", "spoken_conversation_uro-speaker"): 5.0,
    }
    moved = [replace(one, system=label) for one in results({**chinese, **pro})]
    found = tables(*moved)
    for one, value in (
        (cell(found, "conversation", 1), 40),
        (cell(found, "reasoning", 1, "uro_bench_pro"), 75),
    ):
        assert one.measured is not None
        assert (one.measured.value, one.measured.result.system) == (value, label)
    # No row of its own beside it.
    assert [row.id for row in found["uro_bench"].blocks[1].block.rows] == ["pretrain"]
