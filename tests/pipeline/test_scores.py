"""Which scores apply to which system's answers."""

from __future__ import annotations

from tttbench.core.scorer import ScoreSpec
from tttbench.core.system import Capability, SystemCard
from tttbench.core.task import Needs
from tttbench.pipeline.scores import Columns, applies, columns, reason_to_skip
from tttbench.store.manifest import Manifest, SuiteEntry, SystemEntry, TaskEntry

SPECS = (
    ScoreSpec("text_accuracy", "text"),
    ScoreSpec("spoken_accuracy", "spoken", {"transcriber": "x"}),
    ScoreSpec("self_wer", "self", {"transcriber": "x"}),
    ScoreSpec("oracle_agreement", "agreement", {"oracle": "slow"}),
)
MANIFEST = Manifest(
    SuiteEntry("s"),
    tasks={"t": TaskEntry("T", "qa", scores=SPECS), "u": TaskEntry("U", "asr", scores=(ScoreSpec("wer", "w"),))},
)


def system(*produces: str) -> SystemEntry:
    card = SystemCard("x", Capability(produces=frozenset(produces)))  # type: ignore[arg-type]  # modalities by name
    return SystemEntry("x", card=card)


def ids(found: object) -> list[str]:
    return [column.id for column in found]  # type: ignore[attr-defined]  # columns, as they come


def test_every_score_of_a_task_is_a_column_with_its_scorer() -> None:
    found = Columns(MANIFEST)
    assert ids(found) == ["text", "spoken", "self", "agreement", "w"]
    assert ids(found.of_task("t")) == ["text", "spoken", "self", "agreement"]
    (column,) = columns([ScoreSpec("wer", "own")])
    assert (column.id, column.scorer.info.short) == ("own", "WER")


def test_a_system_is_scored_for_what_it_produces() -> None:
    found = Columns(MANIFEST)
    assert ids(found.of_system("a", system("text", "audio"), "t")) == ["text", "spoken", "self", "agreement"]
    assert ids(found.of_system("a", system("audio"), "t")) == ["text", "spoken", "self", "agreement"]
    assert ids(found.of_system("a", system("text"), "t")) == ["text"]
    # Of one that hasn't been built everything is scored: its requests are errors.
    assert ids(found.of_system("a", SystemEntry("x"), "t")) == ["text", "spoken", "self", "agreement"]
    # The oracle isn't compared with itself.
    assert ids(found.of_system("slow", system("text", "audio"), "t")) == ["text", "spoken", "self"]
    assert ids(found.of_system("slow", system("text"), "u")) == ["w"]


def test_reference_audio_is_scored_for_what_is_spoken() -> None:
    found = Columns(MANIFEST)
    assert ids(found.of_reference("t")) == ["spoken", "self", "transcriber_wer"]
    assert ids(found.of_reference("u")) == []


def test_what_a_scorer_reads_has_to_be_there() -> None:
    written, spoken, _, codes = (column.scorer for column in columns(SPECS))
    for produces, expected in (
        (None, [True, True, True]),
        (frozenset({"text"}), [True, False, False]),
        (frozenset({"audio"}), [True, True, True]),
        (frozenset[str](), [True, False, False]),
    ):
        assert [applies(one, produces) for one in (written, spoken, codes)] == expected


def test_a_system_of_which_nothing_is_known_is_not_skipped() -> None:
    task = TaskEntry("T", "qa", needs=Needs(produces=frozenset({"audio"})))
    assert reason_to_skip(SystemEntry("x"), task) == ""
    assert reason_to_skip(system("text"), task) == "doesn't produce audio"
    assert reason_to_skip(system("text", "audio"), task) == ""
    zh = SystemEntry("x", card=SystemCard("x", Capability(languages=frozenset({"zh"}))))
    assert reason_to_skip(zh, TaskEntry("T", "qa", language="en")) == "doesn't claim the language en"
    asr = SystemEntry("x", card=SystemCard("x", Capability(families=frozenset({"asr"}))))
    assert reason_to_skip(asr, TaskEntry("T", "qa")) == "is made for asr tasks, not qa"
