"""From points to what is generated: settings reach the system, lengths and batches are the point's."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from tttbench.core.errors import UserError
from tttbench.core.exchange import Request, Response, Trace
from tttbench.core.system import Capability, Lengths, PassRun, Sweepable, SystemCard, SystemOptions
from tttbench.probes.subjects import check_axes, subjects_of
from tttbench.probes.turn import noise_requests


class Plain:
    """Responds, and nothing more."""

    card = SystemCard("plain", Capability(families=frozenset({"asr"})))

    def __init__(self) -> None:
        self.calls: list[int] = []

    def generate(self, requests: Sequence[Request]) -> Sequence[Response | Exception]:
        self.calls.append(len(requests))
        return [Response("x", trace=Trace(end_s=1.0)) for _ in requests]


class Tunable(Plain):
    """Notes what it is tuned to and given; refuses spans of 13 codes."""

    card = SystemCard("tunable")
    axes = frozenset({"prompt_codes", "span_codes", "cfg", "batch_size", "strategy"})

    def __init__(self) -> None:
        super().__init__()
        self.options: list[SystemOptions] = []
        self.lengths: list[Sequence[Lengths]] = []

    def tuned(self, options: SystemOptions, on_pass: Callable[[PassRun], None]) -> Tunable:
        self.options.append(options)
        return self

    def scheduled(self, lengths: Sequence[Lengths]) -> Callable[[], Sequence[Response | Exception]]:
        if any(one.span_codes == 13 for one in lengths):
            raise UserError("thirteen is too many.")
        self.lengths.append(lengths)
        return lambda: [Response("x", audio_codes=(1,) * one.span_codes) for one in lengths]

    def ceilings(self) -> None:
        return None


def test_a_system_needs_no_more_than_to_respond_to_be_probed_over_batches() -> None:
    system = Plain()
    check_axes(system, ["batch_size"])
    points = [{"batch_size": 1}, {"batch_size": 4}]
    for subject in subjects_of(system, points, noise_requests("asr", 4, 0.1, 0), "cpu", 0):
        subject.turn(False)
    assert system.calls == [1, 1, 1, 1, 4]


@pytest.mark.parametrize(
    ("system", "axis", "message"),
    [
        (Plain(), "block_length", r"--block-length: plain has no block length .* varied here: --batch-size\.$"),
        (
            Tunable(),
            "cache",
            r"--cache: tunable has no cache .*: --prompt-codes, --span-codes, --cfg, --batch-size, --str",
        ),
    ],
)
def test_an_axis_that_a_system_does_not_have_is_refused_with_those_it_has(
    system: Plain, axis: str, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        check_axes(system, [axis])


def test_the_values_of_a_point_become_settings() -> None:
    system = Tunable()
    assert isinstance(system, Sweepable)
    subjects_of(system, [{"cfg": 0.1, "batch_size": 3, "strategy": "pmi"}], None, "cpu", 0)
    assert system.options == [SystemOptions("cpu", 3, "pmi", {"cfg": 0.1})]


def test_synthetic_requests_have_the_lengths_of_the_point_and_seeds_of_their_own() -> None:
    system = Tunable()
    (subject,) = subjects_of(system, [{"prompt_codes": 7, "span_codes": 5, "batch_size": 2}], None, "cpu", 10)
    assert system.lengths == [[Lengths(7, 5, 10), Lengths(7, 5, 11)]]
    assert [one.n_codes for one in subject.turn(False).timed] == [5, 5]


def test_what_a_system_refuses_is_told_with_the_options_that_gave_it() -> None:
    with pytest.raises(UserError, match=r"^--span-codes 13 --cfg 0.5: thirteen is too many\.$"):
        subjects_of(Tunable(), [{"span_codes": 13, "cfg": 0.5}], None, "cpu", 0)


def test_a_plain_system_cannot_be_given_lengths() -> None:
    with pytest.raises(UserError, match="plain can't be given requests of given lengths; give --task"):
        subjects_of(Plain(), [{}], None, "cpu", 0)
