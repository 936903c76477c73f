"""What a run is planned to do: the listing's hash, the scores of its tasks, and what may differ on resume."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from tttbench.config.suite import Suite, SystemPlan, TaskPlan
from tttbench.core.errors import UserError
from tttbench.core.plugins import build_task
from tttbench.core.sample import AudioRef, Sample, Turn, spoken_sample
from tttbench.core.scorer import ScoreSpec
from tttbench.core.scores import parse_score
from tttbench.core.system import Capability, SystemOptions
from tttbench.core.task import Needs, Task, why_not
from tttbench.pipeline.default_scores import WHISPER_BASIC_BY_CHARACTER, WHISPER_ENGLISH, with_defaults
from tttbench.pipeline.jobs import GenerateItem, request_seed
from tttbench.pipeline.plan import (
    generate_item,
    listing_sha256,
    make_plan,
    manifest_of,
    refuse_other_run,
)
from tttbench.store.manifest import Machine, Manifest, Session, SuiteEntry, SystemEntry, TaskEntry
from tttbench.store.rows import AnswerKey, Recording


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    (tmp_path / "a.wav").write_bytes(b"one")
    return spoken_sample("1", tmp_path / "a.wav", "Paris")


def test_an_equal_listing_in_another_folder_has_the_same_hash(sample: Sample, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "a.wav").write_bytes(b"two")
    copy = spoken_sample("1", tmp_path / "copy" / "a.wav", "Paris")
    assert listing_sha256([sample]) == listing_sha256([copy])


def test_whatever_the_listing_says_changes_it(sample: Sample, tmp_path: Path) -> None:
    (tmp_path / "b.wav").write_bytes(b"three")
    others = [
        replace(sample, id="2"),
        replace(sample, references=("Rome",)),
        replace(sample, references=("Paris", "paris")),
        spoken_sample("1", tmp_path / "a.wav", "Paris", text="?"),
        spoken_sample("1", AudioRef(tmp_path / "a.wav", start_s=1.0), "Paris"),
        spoken_sample("1", tmp_path / "b.wav", "Paris"),
        spoken_sample("1", tmp_path / "none.wav", "Paris"),
    ]
    hashes = [listing_sha256([one]) for one in (sample, *others)]
    assert len(set(hashes)) == len(hashes)
    assert listing_sha256([sample, others[0]]) != listing_sha256([others[0], sample])


def test_a_request_s_seed_is_that_of_its_run_task_sample_and_repeat(sample: Sample) -> None:
    def seed(run: int = 7, task: str = "t", sample_id: str = "a", repeat: int = 0) -> int:
        planned = replace(build_task("mini_asr"), name=task)
        return generate_item(planned, replace(sample, id=sample_id), "system", run, repeat).seed

    # The first eight bytes of sha256("7 NUL t NUL a") are 0x755758122aa7c865; 63 bits of them.
    assert seed() == 0x755758122AA7C865 >> 1
    assert len({seed(), seed(run=8), seed(task="u"), seed(sample_id="b"), seed(repeat=1), seed(repeat=2)}) == 6


def test_a_suite_s_transcriber_oracle_and_the_gap_are_filled_in() -> None:
    own = (ScoreSpec("text_accuracy", "text_accuracy"), ScoreSpec("spoken_accuracy", "spoken_accuracy"))
    found = with_defaults(own, "ears", "slow")
    assert [(spec.id, dict(spec.options)) for spec in found] == [
        ("text_accuracy", {}),
        ("spoken_accuracy", {"transcriber": "ears"}),
        ("spoken_gap", {"transcriber": "ears"}),
        ("oracle_agreement", {"oracle": "slow"}),
    ]


def test_a_second_recipe_is_a_line_in_a_suite() -> None:
    suite = Suite(
        "s",
        "",
        (SystemPlan("echo"),),
        (TaskPlan("mini_asr", limit=1), TaskPlan("mini_qa", limit=1)),
        add=(parse_score("wer:recipe=raw"), parse_score("self_wer=own:transcriber=whisper:tiny.en")),
    )
    plan = make_plan(suite, "cpu")
    ids = {task.plan.name: [spec.id for spec in task.scores] for task in plan.tasks}
    # WER goes where WER is taken; no task has a self_wer of its own, so it goes to all whose answers can be spoken.
    assert ids["mini_asr"] == ["wer", "wer_whisper-en", "cer", "wer_raw"]
    assert ids["mini_qa"] == ["spoken_accuracy", "text_accuracy", "own", "spoken_gap"]


def test_one_id_is_one_metric_in_the_whole_run() -> None:
    tasks = (
        TaskPlan("mini_asr", limit=1, scores=(ScoreSpec("wer", "x"),)),
        TaskPlan("mini_qa", limit=1, scores=(ScoreSpec("text_accuracy", "x"),)),
    )
    with pytest.raises(UserError, match="score 'x' is another metric in task 'mini_qa' than in 'mini_asr'"):
        make_plan(Suite("s", "", (SystemPlan("echo"),), tasks), "cpu")


def test_the_label_of_the_reference_audio_is_reserved() -> None:
    suite = Suite("s", "", (SystemPlan("echo", called="reference audio"),), (TaskPlan("mini_asr", limit=1),))
    with pytest.raises(UserError, match="the label 'reference audio' is reserved"):
        make_plan(suite, "cpu")


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("wer", ScoreSpec("wer", "wer")),
        ("wer=strict:normalizer=raw", ScoreSpec("wer", "strict", {"normalizer": "raw"})),
        ("wer:recipe=whisper-en", ScoreSpec("wer", "wer_whisper-en", {"recipe": "whisper-en"})),
        (
            "spoken_accuracy:transcriber=whisper:base",
            ScoreSpec("spoken_accuracy", "spoken_accuracy_whisper-base", {"transcriber": "whisper:base"}),
        ),
        ("a:x=1,y=2", ScoreSpec("a", "a_1_2", {"x": "1", "y": "2"})),
    ],
)
def test_scores_as_they_are_written_on_a_command_line(text: str, spec: ScoreSpec) -> None:
    assert parse_score(text) == spec


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must be SCORE"),
        ("wer=", "must be SCORE"),
        ("wer:raw", "'raw' must be OPTION=VALUE"),
        ("wer:a=1,a=2", "option 'a' is given twice"),
        ("wer=a b", "id 'a b' may hold letters"),
    ],
)
def test_scores_that_are_invalid_are_named(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        parse_score(text)


@pytest.mark.parametrize(
    ("capability", "needs", "reason"),
    [
        (Capability(families=frozenset({"asr"})), Needs(), "is made for asr tasks, not qa"),
        (Capability(accepts=frozenset({"text"})), Needs(), "doesn't accept audio"),
        (Capability(), Needs(produces=frozenset({"audio", "text"})), "doesn't produce audio"),
        (Capability(), Needs(turns=True), "doesn't take conversations of several turns"),
        (Capability(languages=frozenset({"zh"})), Needs(), "doesn't claim the language en"),
        (Capability(), Needs(), ""),
    ],
)
def test_why_a_system_is_not_given_a_task(capability: Capability, needs: Needs, reason: str) -> None:
    assert why_not(capability, needs, "qa", "en") == reason


def refused(suite: Suite) -> str:
    with pytest.raises(UserError) as raised:
        make_plan(suite, "cpu")
    return str(raised.value)


def suite_of(*tasks: TaskPlan, systems: tuple[SystemPlan, ...] = (SystemPlan("echo"),), **given: object) -> Suite:
    return replace(Suite("s", "Title", systems, tasks), **given)  # type: ignore[arg-type]  # fields by name


def registered(monkeypatch: pytest.MonkeyPatch, *tasks: Task) -> None:
    """Only these tasks are there."""
    known = {one.name: one for one in tasks}
    monkeypatch.setattr("tttbench.pipeline.asked.build_task", known.__getitem__)


def made(name: str, *samples: Sample, **given: object) -> Task:
    plain = Task(name=name, title=name, family="qa", description="d", scores=(WER,), samples=lambda folder: samples)
    return replace(plain, **given)  # type: ignore[arg-type]  # fields by name


WER = ScoreSpec("wer", "wer")
BOTH = (WER, WHISPER_ENGLISH)
A, B = spoken_sample("a", Path("a.wav"), "A"), spoken_sample("b", Path("b.wav"), "B", language="zh")


def test_samples_are_those_up_to_the_limit_in_the_task_s_language(monkeypatch: pytest.MonkeyPatch) -> None:
    registered(monkeypatch, made("t", A, B, language="en"))
    for limit, expected in ((None, ["en", "zh"]), (2, ["en", "zh"]), (1, ["en"])):
        plan = make_plan(suite_of(TaskPlan("t", limit)), "cuda:1")
        (task,) = plan.tasks
        assert [one.language for one in task.samples] == expected
        assert (task.listing_sha256, task.scores, plan.device) == (listing_sha256(task.samples, "en"), BOTH, "cuda:1")


def test_what_is_wrong_with_a_task_is_named_with_its_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    registered(monkeypatch, made("none"), made("twice", A, B, A))
    assert refused(suite_of(TaskPlan("none"))) == (
        "task 'none': has no samples; give data that hold some with --data none=PATH."
    )
    assert refused(suite_of(TaskPlan("twice", data=Path("/data")))) == (
        "task 'twice' (/data): two samples have the id 'a'; give every sample its own."
    )
    # Also beyond the limit: ids name answers.
    assert "two samples have the id 'a'" in refused(suite_of(TaskPlan("twice", 1)))


def test_tasks_that_a_task_doubles_as_follow_with_its_data_and_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    registered(
        monkeypatch,
        made("t", A, B, doubles_as=("u", "v")),
        made("u", A, B),
        made("v", A, B, scores=(ScoreSpec("cer", "cer"),)),
    )
    plan = make_plan(suite_of(TaskPlan("t", 1, Path("/data"), (ScoreSpec("cer", "own"),)), TaskPlan("u")), "cpu")
    assert [(one.plan, one.scores[0].id) for one in plan.tasks] == [
        (TaskPlan("t", 1, Path("/data"), (ScoreSpec("cer", "own"),)), "own"),
        (TaskPlan("u"), "wer"),
        (TaskPlan("v", 1, Path("/data")), "cer"),
    ]


def test_all_conditions_of_a_task_are_scored_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    first = replace(made("t", A, B, doubles_as=("t_text", "t_noise5")), condition="clean", condition_of="t")
    others = [replace(made(f"t_{name}", A, B), condition=name, condition_of="t") for name in ("text", "noise5")]
    registered(monkeypatch, first, *others)
    own = (ScoreSpec("cer", "own"),)
    plan = make_plan(suite_of(TaskPlan("t", scores=own), TaskPlan("t_text", 1)), "cpu")
    assert {one.plan.name: one.scores for one in plan.tasks} == {"t": own, "t_text": own, "t_noise5": own}


def test_systems_are_checked_with_their_strategy_and_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[tuple[str, object]] = []
    monkeypatch.setattr("tttbench.pipeline.plan.check_system", lambda *given: checked.append(given))
    monkeypatch.setattr("tttbench.pipeline.plan.check_deriver", lambda *given: checked.append(given))
    registered(monkeypatch, made("t", A, scores=(ScoreSpec("self_wer", "self_wer"), WER)))
    systems = (SystemPlan("x", "topk", 4, {"steps": 2}), SystemPlan("y"))
    plan = make_plan(suite_of(TaskPlan("t"), systems=systems, transcriber="ears:1", batch_size=3), "cuda")
    assert checked == [
        ("x", SystemOptions("cuda", strategy="topk", settings={"steps": 2})),
        ("y", SystemOptions("cuda")),
        # Once more when it is known in which languages they will be asked; here samples name none.
        ("x", SystemOptions("cuda", 4, "topk", {"steps": 2}, languages=frozenset({""}))),
        ("y", SystemOptions("cuda", 3, languages=frozenset({""}))),
        ("transcriber:ears:1", SystemOptions("cuda")),
    ]
    assert [plan.batch_size(one) for one in systems] == [4, 3]
    # Without being asked for more, every system is given one request at a time.
    plan = make_plan(suite_of(TaskPlan("t"), systems=systems, transcriber="ears:1"), "cuda")
    assert [plan.batch_size(one) for one in systems] == [4, 1]
    assert refused(suite_of(TaskPlan("t"), systems=(SystemPlan("z", called="reference audio"),))) == (
        "system z: the label 'reference audio' is reserved; give it another."
    )


def test_a_request_has_all_of_its_task_and_sample() -> None:
    task = made("t", A, instruction="Say.", language="en", max_seconds=9.0)
    kept = {0: Recording("a.flac", "f", 1.0, 8_000)}
    assert generate_item(task, B, "sys", 7, 2, kept) == GenerateItem(
        AnswerKey("sys", "t", "b", 2), B.turns, "qa", "Say.", "zh", 9.0, request_seed(7, "t", "b", 2), kept
    )
    plain = generate_item(task, A, "sys", 7)
    assert (plain.key.repeat, plain.language, plain.kept) == (0, "en", {})


def test_the_manifest_of_a_run_that_has_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tttbench.pipeline.plan.versions", lambda: {"python": "3"})
    monkeypatch.setattr("tttbench.pipeline.plan.machine", lambda device: Machine(device, "p"))
    monkeypatch.setattr("tttbench.pipeline.plan.check_system", lambda *given: None)
    needs = Needs(turns=True)
    registered(monkeypatch, made("t", A, instruction="Say.", language="en", needs=needs), made("u", B))
    systems = (SystemPlan("x", "topk", 4, {"steps": 2}), SystemPlan("y", called="why"))
    plan = make_plan(
        suite_of(
            *(TaskPlan("t", 5), TaskPlan("u", data=Path("here"))),
            systems=systems,
            seed=3,
            batch_size=6,
            resamples=7,
            warmup=8,
            repeats=9,
            oracle="why",
        ),
        "cuda:1",
    )
    agreement = ScoreSpec("oracle_agreement", "oracle_agreement", {"oracle": "why"})
    # Its sample is Chinese.
    basic = ScoreSpec("wer", "wer_characters", {"units": "characters", "normalizer": "basic"})
    assert manifest_of(plan) == Manifest(
        suite=SuiteEntry("s", "Title", 3, 6, 7, 8, 9, "why"),
        systems={"x@topk": SystemEntry("x", "topk", {"steps": 2}, 4), "why": SystemEntry("y", "", {}, 6)},
        tasks={
            "t": TaskEntry(
                "t", "qa", "d", "Say.", needs, "en", (*BOTH, agreement), 1, 5, None, plan.tasks[0].listing_sha256
            ),
            "u": TaskEntry(
                *("u", "qa", "d", "", Needs(), "", (basic, WHISPER_BASIC_BY_CHARACTER, agreement)),
                *(1, None, str(Path("here").absolute())),
                plan.tasks[1].listing_sha256,
            ),
        },
        versions={"python": "3"},
        machine=Machine("cuda:1", "p"),
    )


RUN = Manifest(
    SuiteEntry("s", seed=1),
    {"x": SystemEntry("x:a", "topk", {"steps": 2})},
    {"t": TaskEntry("T", "qa", instruction="Say.", limit=3, listing_sha256="l")},
    sessions=(Session(("tttbench", "run", "a b"), ""), Session(("other",), "")),
)


def with_system(**given: object) -> Manifest:
    return replace(RUN, systems={"x": replace(RUN.systems["x"], **given)})  # type: ignore[arg-type]  # fields by name


def with_task(**given: object) -> Manifest:
    return replace(RUN, tasks={"t": replace(RUN.tasks["t"], **given)})  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize(
    ("now", "what", "was", "wanted"),
    [
        (replace(RUN, suite=SuiteEntry("s", seed=2)), "seed", 1, 2),
        (replace(RUN, suite=SuiteEntry("s", seed=1, repeats=2)), "repeats", 1, 2),
        (replace(RUN, systems={"y": RUN.systems["x"], "x": RUN.systems["x"]}), "systems", "x", "x, y"),
        (replace(RUN, tasks={}), "tasks", "t", ""),
        (
            replace(RUN, machine=Machine(calibration="numpy")),
            "calibration (torch is installed, or not)",
            "torch",
            "numpy",
        ),
        (with_system(name="x:b"), "system x: name", "x:a", "x:b"),
        (with_system(strategy="par"), "system x: strategy", "topk", "par"),
        (with_system(settings={}), "system x: decode", {"steps": 2}, {}),
        (with_task(family="asr"), "task t: family", "qa", "asr"),
        (with_task(instruction=""), "task t: instruction", "Say.", ""),
        (with_task(max_seconds=9.0), "task t: max_seconds", 30.0, 9.0),
        (with_task(limit=None), "task t: limit", 3, None),
        (with_task(listing_sha256="m"), "task t: listing_sha256", "l", "m"),
    ],
)
def test_a_run_that_is_resumed_is_the_same(now: Manifest, what: str, was: object, wanted: object) -> None:
    folder = Path("run")
    told = f"--resume run: {what} differs: the run has {was!r}, this call gives {wanted!r}."
    for old, again in ((RUN, " It was started with: tttbench run 'a b'"), (replace(RUN, sessions=()), "")):
        with pytest.raises(UserError) as raised:
            refuse_other_run(folder, old, now)
        assert str(raised.value) == f"{told} Give the same, or another --out.{again}"


def test_what_changes_no_answer_may_differ_and_a_hash_that_is_not_known_says_nothing() -> None:
    refuse_other_run(Path("run"), RUN, RUN)
    suite = SuiteEntry("z", "other", 1, 99, 98, 97, 1, "x", 5.0)
    other = replace(RUN, suite=suite, versions={"a": "1"}, machine=Machine("cuda", cores=9), sessions=(), status="done")
    refuse_other_run(Path("run"), RUN, other)
    refuse_other_run(Path("run"), RUN, with_task(scores=(WER,), data="/x", n=9, title="Y", description="z"))
    refuse_other_run(Path("run"), with_task(listing_sha256=""), RUN)
    # It hides no difference behind it.
    old, now = (
        replace(one, tasks={**one.tasks, "u": TaskEntry("U", "qa", limit=n)}) for n, one in ((1, RUN), (2, RUN))
    )
    old = replace(old, tasks={**old.tasks, "t": replace(RUN.tasks["t"], listing_sha256="")})
    with pytest.raises(UserError, match="task u: limit differs"):
        refuse_other_run(Path("run"), old, now)
    with pytest.raises(UserError, match="system x: name differs"):
        refuse_other_run(Path("run"), with_task(listing_sha256=""), with_system(name="x:b"))


def test_a_run_that_kept_a_secret_can_be_resumed_and_repeats_it_nowhere() -> None:
    old, now = with_system(settings={"api_key": "Hunter2"}), with_system(settings={"api_key": "…"})
    refuse_other_run(Path("run"), old, now)
    with pytest.raises(UserError) as raised:
        refuse_other_run(Path("run"), old, with_system(settings={"api_key": "…", "mask_token": "<m>"}))
    assert "the run has {'api_key': '…'}, this call gives {'api_key': '…', 'mask_token': '<m>'}" in str(raised.value)


def test_where_audio_lies_is_in_the_hash(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"one")
    ref = AudioRef(tmp_path / "a.wav", "m", 1.0, 2.0)
    answer = Turn("assistant", "yes", ref)
    row = [
        "1",
        [["user", "?", ["a.wav", "m", 1.0, 2.0, 3]], ["user", "é", None]],
        ["A", "B"],
        ["yes", ["a.wav", "m", 1.0, 2.0, 3]],
    ]
    one = Sample("1", (Turn("user", "?", ref), Turn("user", "é")), ("A", "B"), answer)
    gone = Sample("2", (Turn("user", "", AudioRef(tmp_path / "gone\0.wav")),))
    gone_row = ["2", [["user", "", ["gone\0.wav", "", 0.0, None, -1]]], [], None]
    text = "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in (row, gone_row))
    assert listing_sha256([one, gone]) == hashlib.sha256(text.encode()).hexdigest()
