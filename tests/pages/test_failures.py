"""Why requests failed and systems have no score: equal reasons are said once."""

from tttbench.pages.failures import without_scores
from tttbench.store.manifest import Unanswered

TITLES = {"mini_qa": "Mini QA", "mini_asr": "Mini ASR"}


def test_a_system_that_failed_everywhere_for_one_reason_is_one_sentence() -> None:
    found = [
        Unanswered("mine", "mini_qa", 12, "ServerError: no answer"),
        Unanswered("other", "mini_qa", 1, "out of memory."),
        Unanswered("mine", "mini_asr", 8, "ServerError: no answer"),
    ]
    assert without_scores(found, TITLES) == (
        "mine has no score on Mini QA and Mini ASR: all 20 requests ended as errors (most often ServerError: no "
        "answer).",
        "other has no score on Mini QA: its only request ended as an error (out of memory).",
    )


def test_another_reason_is_another_sentence_and_a_task_without_a_title_goes_by_its_name() -> None:
    found = [Unanswered("mine", "mini_qa", 2, "timeout"), Unanswered("mine", "later", 2, "no such file")]
    assert [said.split(":")[0] for said in without_scores(found, TITLES)] == [
        "mine has no score on Mini QA",
        "mine has no score on later",
    ]
