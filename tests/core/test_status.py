"""A request is counted once, whatever its scores say."""

import pytest

from tttbench.core.exchange import Status
from tttbench.core.status import request_status, worst_status


@pytest.mark.parametrize(
    ("answer", "scores", "status"),
    [
        ("ok", ("ok", "ok"), "ok"),
        ("ok", ("ok", "empty"), "empty"),
        ("ok", ("derivation_failed", "empty"), "derivation_failed"),
        ("ok", ("unparsed", "empty", "ok"), "unparsed"),
        ("empty", ("ok",), "ok"),  # nothing was to be written down, and nothing was
        ("empty", (), "empty"),
        ("error", (), "error"),
        ("error", ("ok",), "error"),
    ],
)
def test_a_request_has_the_worst_status_of_its_scores(
    answer: Status, scores: tuple[Status, ...], status: Status
) -> None:
    assert request_status(answer, scores) == status


def test_without_statuses_nothing_is_wrong() -> None:
    assert worst_status(()) == "ok"
