"""Suites are read completely or refused with file, field and fix."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tttbench.config.choose import choose
from tttbench.config.suite import Suite, SystemPlan, TaskPlan, load_suite, parse_suite, suite_files, system_plan
from tttbench.core.errors import UserError
from tttbench.core.scorer import ScoreSpec
from tttbench.core.tables import Document

MINIMAL = {"systems": [{"name": "a:x"}], "tasks": [{"name": "t"}]}


def parsed(**changes: object) -> Suite:
    return parse_suite("s", Document({**MINIMAL, **changes}, "s.toml"), Path("folder"))


def refused(**changes: object) -> str:
    with pytest.raises(UserError) as caught:
        parsed(**changes)
    return str(caught.value)


def test_defaults() -> None:
    suite = parsed()
    assert suite.systems == (SystemPlan("a:x"),)
    assert suite.tasks == (TaskPlan("t"),)
    assert (suite.transcriber, suite.seed, suite.batch_size, suite.warmup) == ("", 0, None, 1)


def test_the_suites_limit_holds_for_tasks_without_their_own() -> None:
    suite = parsed(limit=5, tasks=[{"name": "t"}, {"name": "u", "limit": 9}])
    assert [task.limit for task in suite.tasks] == [5, 9]


def test_an_unknown_key_is_refused_with_the_nearest() -> None:
    assert refused(batch_sise=3) == "s.toml: batch_sise: unknown key. Did you mean 'batch_size'?"


def test_an_unknown_key_in_a_table_is_named_by_its_position() -> None:
    message = refused(systems=[{"name": "a:x"}, {"name": "b:x", "stratgy": "ar"}])
    assert message == "s.toml: systems[1].stratgy: unknown key. Did you mean 'strategy'?"


def test_a_wrong_type_is_refused() -> None:
    assert refused(seed="one") == "s.toml: seed: must be a whole number, not 'one'."
    assert refused(seed=True) == "s.toml: seed: must be a whole number, not true."


def test_a_limit_below_one_is_refused() -> None:
    assert refused(limit=0) == "s.toml: limit: must be a whole number of 1 or more, not 0."


def test_a_missing_name_is_refused() -> None:
    assert refused(tasks=[{"limit": 3}]) == "s.toml: tasks[0].name: missing; add it."


def test_a_suite_without_systems_is_refused() -> None:
    assert refused(systems=[]) == (
        "s.toml: systems: must be a list of at least 1 table, not an empty list; add at least one [[systems]] table."
    )
    with pytest.raises(UserError, match=r"^s\.toml: systems: missing; add at least one \[\[systems\]\] table\.$"):
        parse_suite("s", Document({"tasks": MINIMAL["tasks"]}, "s.toml"), Path())


def test_a_task_given_twice_is_refused() -> None:
    assert (
        refused(tasks=[{"name": "t"}, {"name": "t"}])
        == "s.toml: tasks[1]: has the name 't' of [0]; change or remove one."
    )


def test_one_system_with_two_strategies_is_two_entries() -> None:
    suite = parsed(systems=[{"name": "a:x"}, {"name": "a:x", "strategy": "ar"}])
    assert [system.label for system in suite.systems] == ["a:x", "a:x@ar"]


def test_a_strategy_may_stand_in_the_name() -> None:
    suite = parsed(systems=[{"name": "a:x@ar"}])
    assert suite.systems == (SystemPlan("a:x", "ar"),)


def test_broken_toml_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_text("seed = = 3")
    with pytest.raises(UserError, match=r"broken\.toml: not valid TOML: .*line 1"):
        load_suite(str(path))


def test_a_missing_file_names_the_suites_there_are(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.toml: no such file\. Give a suite's name \(.*mini.*\) or file\."):
        load_suite(str(tmp_path / "none.toml"))


def test_an_unknown_suite_gets_the_nearest_name() -> None:
    with pytest.raises(UserError, match=r"Unknown suite 'minni'\. Did you mean 'mini'"):
        load_suite("minni")


@pytest.mark.parametrize("name", sorted(suite_files()))
def test_the_shipped_suites_are_valid(name: str) -> None:
    assert load_suite(name).name == name


def test_included_folders_add_suites(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('[[systems]]\nname = "a:x"\n[[tasks]]\nname = "t"\n')
    assert load_suite("own", [tmp_path]).tasks == (TaskPlan("t"),)


def test_data_folders_of_a_suite_are_relative_to_it(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text('[[systems]]\nname = "a:x"\n[[tasks]]\nname = "t"\ndata = "here"\n')
    assert load_suite(str(path)).tasks[0].data == tmp_path / "here"


def test_choosing_keeps_the_settings_of_what_the_suite_has() -> None:
    suite = parsed(systems=[{"name": "a:x", "batch_size": 3}], limit=5)
    chosen = choose(suite, systems=["b:y", "a:x"], tasks=["u", "t"])
    assert chosen.systems == (SystemPlan("b:y"), SystemPlan("a:x", batch_size=3))
    assert chosen.tasks == (TaskPlan("u"), TaskPlan("t", limit=5))


def test_a_limit_of_the_caller_holds_for_all_tasks() -> None:
    chosen = choose(parsed(limit=5), tasks=["t", "u"], limit=2)
    assert [task.limit for task in chosen.tasks] == [2, 2]


def test_a_batch_size_of_the_caller_holds_for_all_systems() -> None:
    suite = parsed(systems=[{"name": "a:x", "batch_size": 3}])
    chosen = choose(suite, batch_size=2)
    assert (chosen.batch_size, chosen.systems[0].batch_size) == (2, None)


def test_data_for_a_task_that_is_not_run_is_refused() -> None:
    with pytest.raises(UserError, match=r"--data u=…: task 'u' is not in this run\. Known: t\."):
        choose(parsed(), data={"u": Path()})


@pytest.mark.parametrize(
    ("label", "plan"),
    [
        ("a:x", SystemPlan("a:x")),
        ("a:x@ar", SystemPlan("a:x", "ar")),
        ("a:/home/me@work/model", SystemPlan("a:/home/me@work/model")),
    ],
)
def test_labels_give_name_and_strategy(label: str, plan: SystemPlan) -> None:
    assert system_plan(label) == plan


def test_a_system_can_stand_there_twice_under_other_names_and_settings() -> None:
    systems = [{"name": "a:x", "label": f"S={s}", "decode": {"steps_per_block": s}} for s in (1, 2)]
    suite = parsed(systems=systems)
    assert [system.label for system in suite.systems] == ["S=1", "S=2"]
    assert choose(suite, systems=["S=2"]).systems == (suite.systems[1],)
    assert "'S=1' is given twice" in refused(systems=[{"name": "a:x", "label": "S=1"}] * 2)


def test_a_task_can_have_other_scores() -> None:
    suite = parsed(tasks=[{"name": "t", "scores": ["wer", {"scorer": "wer", "id": "strict", "normalizer": "raw"}]}])
    specs = (ScoreSpec("wer", "wer"), ScoreSpec("wer", "strict", {"normalizer": "raw"}))
    assert suite.tasks == (TaskPlan("t", scores=specs),)
    assert refused(tasks=[{"name": "t", "scores": [1]}]) == (
        "s.toml: tasks[0].scores[0]: must be a string that isn't empty or a table, not 1."
    )
    assert refused(add=[{"id": "x"}]) == "s.toml: add[0].scorer: missing; add the scorer's name."
    assert refused(tasks=[{"name": "t", "scores": ["wer", "wer"]}]) == (
        "s.toml: tasks[0].scores: two scores have the id 'wer'; give one another: SCORE=ID:…."
    )


def test_names_before_0_2_are_read_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    suite = parsed(judge="whisper:x", tasks=[{"name": "t", "metrics": ["wer"]}])
    assert (suite.transcriber, suite.tasks[0].scores) == ("whisper:x", (ScoreSpec("wer", "wer"),))
    assert [record.message for record in caplog.records] == [
        "s.toml: tasks[0].metrics is called 'scores' now; the old name is read until 0.3.",
        "s.toml: judge is called 'transcriber' now; the old name is read until 0.3.",
    ]
    assert refused(judge="a:x", transcriber="a:x") == (
        "s.toml: judge: is the old name of 'transcriber', which is given too; remove it."
    )


def test_the_oracle_is_a_system_of_the_suite() -> None:
    assert parsed(oracle="a:x").oracle == "a:x"
    assert refused(oracle="a:y") == "s.toml: oracle: 'a:y' is no system of the suite. Did you mean 'a:x'?"


def gridded(**entry: object) -> list[SystemPlan]:
    return list(parsed(systems=[{"name": "ttt:mini", **entry}]).systems)


def test_a_grid_is_every_combination_with_a_label_of_its_own() -> None:
    found = gridded(
        strategy="topk",
        decode={"audio_temperature": 0.5},
        grid={"steps_per_block": [2, 4], "block_length": [9, 27], "cache": ["exact", "block"]},
    )
    assert len(found) == 8
    assert found[0].label == "ttt:mini@topk S=2 B=9 exact"
    assert found[-1].label == "ttt:mini@topk S=4 B=27 block"
    assert {plan.strategy for plan in found} == {"topk"}
    last = {"audio_temperature": 0.5, "steps_per_block": 4, "block_length": 27, "cache": "block"}
    assert found[-1].settings == last


def test_a_grid_names_schedules_and_refreshes() -> None:
    found = gridded(grid={"block_lengths": [[8, 16, 26], [26]], "cache": ["refresh"], "refresh_every": [2]})
    assert [plan.label for plan in found] == ["ttt:mini B=8+16+26 refresh every 2", "ttt:mini B=26 refresh every 2"]
    assert found[0].settings == {"block_lengths": [8, 16, 26], "cache": "refresh", "refresh_every": 2}


def test_a_length_of_a_grid_takes_the_place_of_a_schedule_and_the_other_way_round() -> None:
    (one,) = gridded(decode={"block_lengths": [4, 27]}, grid={"block_length": [9]})
    assert one.settings == {"block_length": 9}
    (other,) = gridded(decode={"block_length": 9}, grid={"block_lengths": [[4, 27]]})
    assert other.settings == {"block_lengths": [4, 27]}


def test_a_grid_of_strategies_is_called_by_them() -> None:
    found = gridded(grid={"strategy": ["threshold", "pmi"], "block_length": [9]})
    assert [(plan.label, plan.strategy, plan.settings) for plan in found] == [
        ("threshold B=9", "threshold", {"block_length": 9}),
        ("pmi B=9", "pmi", {"block_length": 9}),
    ]


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ({"cache": "exact"}, r"systems\[0\]\.grid\.cache: must be a list of at least 1 value, not 'exact'"),
        ({"cache": []}, r"systems\[0\]\.grid\.cache: must be a list of at least 1 value, not an empty list"),
        ({"strategy": ["pmi"]}, r"systems\[0\]\.grid: has 'strategy', which the entry names too"),
        ({"a": list(range(200)), "b": list(range(200))}, r"grid: makes 40,000 systems, at most 1,000 can be compared"),
        ({"text_top_p": [math.nan]}, r"grid\.text_top_p\[0\]: must be a finite number, not nan"),
        ({"cache": ["exact", "exact"]}, "'exact' is in .* already"),
        ({"block_length": [9], "block_lengths": [[4, 9]]}, "has 'block_length' and 'block_lengths'; remove one"),
    ],
)
def test_a_wrong_grid_is_refused(grid: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        gridded(strategy="topk", grid=grid)


def test_a_task_beside_a_suite_is_no_suite(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('[[systems]]\nname = "a:x"\n[[tasks]]\nname = "t"\n')
    (tmp_path / "task.toml").write_text('source = "asr_folder"\n')
    (tmp_path / "broken.toml").write_text("[[")
    assert suite_files([tmp_path]).keys() - suite_files().keys() == {"mine", "broken"}


def test_a_judge_is_told_from_the_former_name_of_the_transcriber() -> None:
    suite = parsed(judge="openai_chat:org/M,served_as=m,concurrency=2", transcriber="whisper:x")
    assert (suite.judge, suite.transcriber) == ("openai_chat:org/M,served_as=m,concurrency=2", "whisper:x")
    assert parsed(judge="whisper:x").transcriber == "whisper:x"
    assert "judge 'openai_chat:org/M': option 1 (size) must be OPTION=VALUE, once each" in refused(
        judge="openai_chat:org/M,size=3"
    )
    assert "votes=x: must be a whole number" in refused(judge="openai_chat:org/M,votes=x")
    for other in ("openai:M", "OpenAI-chat:M", ["openai_chat:M"], {"model": "M"}, 3):
        assert refused(judge=other).startswith("s.toml: judge: must be openai_chat:MODEL, or openai_chat:MODEL,OPTION=")


def test_transcribers_may_differ_by_language() -> None:
    table = {"zh": "paraformer:zh", "other": "auto"}
    assert parsed(transcriber=table).transcriber == table
    said = "transcriber: 'zh-TW' is no language; give the first part of a BCP 47 tag (en, zh), or 'other'."
    assert said in refused(transcriber={"zh-TW": "whisper:base"})
    assert "transcriber" in refused(transcriber={"zh": 3})
