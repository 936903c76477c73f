"""What systems, derivers, scorers and tasks may give: everything else is refused by the name of its field."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from tttbench.core.checked import (
    LONGEST_TEXT,
    check_deriver_facts,
    check_task_facts,
    checked_card,
    checked_derived,
    checked_need,
    checked_recipe,
    checked_response,
    checked_sample,
    checked_score,
)
from tttbench.core.derivation import Derived, Deriver, Need
from tttbench.core.errors import UserError
from tttbench.core.exchange import Chunk, Response
from tttbench.core.metric import MetricInfo, Score, plain_score
from tttbench.core.recipe import Recipe
from tttbench.core.sample import AudioRef, Sample, Turn
from tttbench.core.scorer import ScoreSpec
from tttbench.core.system import Capability, SystemCard
from tttbench.core.task import Task

from .bad_answers import REFUSED, SPOKEN, TRACE, WAVE, OwnArray, OwnFloat, OwnText, changed, traced


def fault(check: Callable[[object], object], given: object) -> str:
    """What is said about a value; ``""`` if it is taken."""
    try:
        check(given)
    except UserError as error:
        return str(error)
    return ""


def test_a_response_with_everything_is_taken_as_it_is() -> None:
    taken = checked_response(SPOKEN)
    assert replace(taken, waveform=None) == replace(SPOKEN, waveform=None)
    assert taken.waveform is not None
    assert np.array_equal(taken.waveform, WAVE)
    assert checked_response(Response("")) == Response("")


def test_values_of_numpy_become_plain_ones() -> None:
    trace = replace(
        TRACE,
        stages_s=cast("Any", {np.str_("decode"): np.float32(0.5)}),
        text_times_s=cast("Any", np.array([0.25, 0.5], np.float32)),
        commit_step=cast("Any", np.arange(2)),
        nfe=cast("Any", np.int64(4)),
    )
    taken = checked_response(changed(audio_codes=np.arange(3), sample_rate=np.int32(16_000), trace=trace))
    assert (taken.audio_codes, taken.sample_rate, taken.trace.nfe) == ((0, 1, 2), 16_000, 4)
    assert (taken.trace.stages_s, taken.trace.text_times_s) == ({"decode": 0.5}, (0.25, 0.5))
    assert {type(one) for one in (*(taken.audio_codes or ()), taken.sample_rate, taken.trace.nfe)} == {int}


def test_values_of_classes_of_their_own_become_plain_ones() -> None:
    """What is asked of a value later on is asked of Python's own, whatever the class makes of it."""
    own = cast("Any", OwnText)
    taken = checked_response(
        changed(
            text=own("hi"),
            waveform=WAVE.view(OwnArray),
            trace=replace(TRACE, end_s=OwnFloat(0.6), text_tokens=(own("a"), "b"), stages_s={own("decode"): 0.5}),
        )
    )
    assert (taken.text, taken.trace.end_s, taken.trace.text_tokens) == ("hi", 0.6, ("a", "b"))
    values = (taken.text, taken.trace.end_s, *taken.trace.text_tokens, *taken.trace.stages_s, taken.waveform)
    assert {type(one) for one in values} == {str, float, np.ndarray}
    derived = checked_derived(Derived("ok", own("x"), cost={own("usd"): OwnFloat(1)}))
    sample = checked_sample(Sample(own("a"), (Turn("user", own("x")),), metadata={own("k"): own("v")}))
    card = checked_card(SystemCard(own("x"), settings={own("k"): [own("v"), OwnFloat(1)]}))
    texts = (
        derived.content,
        *derived.cost,
        sample.id,
        sample.turns[0].text,
        *sample.metadata,
        *card.settings,
        card.name,
    )
    assert {type(one) for one in texts} == {str}
    assert {type(one) for one in (*derived.cost.values(), card.settings["k"][1])} == {float}  # type: ignore[index]


def test_a_waveform_is_a_copy_that_its_system_may_overwrite() -> None:
    buffer = np.full(320, 0.5, np.float32)
    taken = checked_response(changed(waveform=buffer)).waveform
    buffer[:] = 0
    assert taken is not None
    assert (taken == 0.5).all()


def test_a_confidence_may_be_unknown_and_a_rounded_probability_a_little_above_one() -> None:
    taken = checked_response(traced(commit_confidence=(math.nan, 1.0005)))
    assert math.isnan(taken.trace.commit_confidence[0])


@pytest.mark.parametrize(
    "response",
    [
        changed(waveform=WAVE.astype(np.float64)),
        changed(waveform=WAVE.astype(np.float16)),
        changed(waveform=2 * WAVE),
        changed(waveform=None, trace=replace(TRACE, chunks=())),
        changed(waveform=WAVE[:0], sample_rate=0, trace=replace(TRACE, chunks=(Chunk(0.5, 0),))),
        # Systems that don't say when an answer ended say 0.
        traced(end_s=0.0),
        traced(end_s=0.6 - 1e-9),
        traced(text_tokens=(), commit_confidence=(), spans=()),
        changed(text="x" * LONGEST_TEXT),
    ],
)
def test_what_is_out_of_the_ordinary_and_right_is_taken(response: Response) -> None:
    assert fault(checked_response, response) == ""


@pytest.mark.parametrize(("response", "says"), REFUSED, ids=range(len(REFUSED)))
def test_a_response_that_cannot_be_taken_is_refused_by_its_field(response: object, says: str) -> None:
    assert fault(checked_response, response).startswith(says)


def test_the_rest_of_a_trace_may_be_of_any_container() -> None:
    taken = checked_response(traced(text_times_s=[0.2, 0.3], stages_s=cast("Any", Frozen({"decode": 0.5}))))
    assert (taken.trace.text_times_s, taken.trace.stages_s) == ((0.2, 0.3), {"decode": 0.5})


class Frozen(Mapping[str, float]):
    """A mapping that is no dictionary."""

    def __init__(self, values: Mapping[str, float]) -> None:
        self._values = values

    def __getitem__(self, key: str) -> float:
        return self._values[key]

    def __iter__(self) -> Any:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


@pytest.mark.parametrize(
    ("derived", "says"),
    [
        (Derived("ok", "x", cost={"seconds": 0.5}), ""),
        ("x", "must be a Derived, not 'x'."),
        (Derived("ok", cast("Any", None)), "content: must be a string, not null."),
        (Derived("ok", cast("Any", b"x")), "content: must be a string, not a bytes."),
        (Derived("ok", "\ud800"), r"content: must not hold the character '\ud800'."),
        (Derived("ok", "x" * (LONGEST_TEXT + 1)), "content: must have at most 1,000,000 characters, not 1,000,001."),
        (Derived(cast("Any", "fine")), "status: must be 'ok' or 'failed', not 'fine'. Did you mean 'failed'?"),
        (Derived("ok", cost={"usd": math.nan}), "cost.usd: must be a finite number, not nan."),
        (Derived("ok", cost=cast("Any", None)), "cost: must be an object, not null."),
    ],
)
def test_what_a_deriver_gives(derived: object, says: str) -> None:
    assert fault(checked_derived, derived) == says


@pytest.mark.parametrize(
    ("need", "says"),
    [
        (Need("transcriber:x", "1" * 64, {"question": "Who?"}, "en"), ""),
        ("transcriber:x", "must be a Need, not 'transcriber:x'."),
        (Need(cast("Any", None)), "deriver: must be a string, not null."),
        (Need("x", fields=cast("Any", {"n": 5})), "fields.n: must be a string, not 5."),
    ],
)
def test_what_a_scorer_needs(need: object, says: str) -> None:
    assert fault(checked_need, need) == says


CARD = SystemCard("x", Capability(families=frozenset({"qa"})), prompts={"qa": "Be short."}, identity={"v": "1"})


def test_a_card_is_kept_as_json_holds_it() -> None:
    settings, details = cast("Any", {"path": Path("a"), "steps": (1, 2)}), cast("Any", {"n": np.int64(5)})
    found = checked_card(replace(CARD, settings=settings, details=details))
    assert (found.settings, found.details) == ({"path": "a", "steps": [1, 2]}, {"n": 5})
    assert checked_card(found) == found
    assert checked_card(replace(CARD, name="ttt:caf\udce9")).name == r"ttt:caf\udce9"


@pytest.mark.parametrize(
    ("card", "says"),
    [
        (CARD, ""),
        (None, "must be a SystemCard, not None."),
        ({"name": "x"}, "must be a SystemCard, not a dict."),
        (replace(CARD, name=cast("Any", None)), "name: must be a string, not null."),
        (replace(CARD, strategy=cast("Any", 5)), "strategy: must be a string, not 5."),
        (replace(CARD, weights_sha256=cast("Any", b"x")), "weights_sha256: must be a string, not a list."),
        (replace(CARD, prompts=cast("Any", None)), "prompts: must be an object, not null."),
        (replace(CARD, identity=cast("Any", {"v": 1})), "identity.v: must be a string, not 1."),
        (replace(CARD, settings={"n": 2**70}), "settings.n: must be a whole number of at most 64 bits, not 11805916"),
        (replace(CARD, capability=cast("Any", None)), "capability: must be an object, not null."),
        (
            replace(CARD, capability=Capability(accepts=cast("Any", {"smell"}))),
            "capability.accepts[0]: must be 'audio' or 'text', not 'smell'.",
        ),
        (
            replace(CARD, capability=Capability(families=cast("Any", "asr"))),
            "capability.families: must be a list of values, not 'asr'.",
        ),
        (
            replace(CARD, capability=Capability(concurrency=0)),
            "capability.concurrency: must be 1 or more, not 0.",
        ),
        (
            replace(CARD, capability=Capability(concurrency=cast("Any", "2"))),
            "capability.concurrency: must be a whole number, not '2'.",
        ),
    ],
)
def test_what_a_system_says_of_itself(card: object, says: str) -> None:
    assert fault(checked_card, card).startswith(says)
    assert bool(fault(checked_card, card)) == bool(says)


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({}, ""),
        ({"details": {"n": 1}}, ""),
        ({"recipe": ""}, "recipe: must be a string that isn't empty, not ''."),
        ({"recipe": None}, "recipe: must be a string that isn't empty, not null."),
        ({"recipe": "\ud800"}, r"recipe: must not hold the character '\ud800'."),
        ({"batch_size": 0}, "batch_size: must be a whole number of 1 or more, not 0."),
        ({"batch_size": "8"}, "batch_size: must be a whole number of 1 or more, not '8'."),
        ({"name": 5}, "name: must be a string that isn't empty, not 5."),
        ({"details": 5}, "details: must be an object, not 5."),
    ],
)
def test_what_a_deriver_says_of_itself(facts: dict[str, Any], says: str) -> None:
    class Facts:
        name, recipe, batch_size = "x", "x@1", 8

    made = Facts()
    for name, value in facts.items():
        setattr(made, name, value)
    assert fault(lambda one: check_deriver_facts(cast("Deriver", one)), made) == says


def test_a_deriver_without_a_recipe_says_what_is_missing() -> None:
    assert fault(lambda one: check_deriver_facts(cast("Deriver", one)), object()).startswith(
        "can't be read: AttributeError: 'object' object has no attribute 'name'"
    )


SAMPLE = Sample("1", (Turn("user", "Who?", AudioRef(Path("a.wav"))),), ("Paris",), metadata={"voice": "joe"})


@pytest.mark.parametrize(
    ("sample", "says"),
    [
        (SAMPLE, ""),
        (None, "must be a Sample, not None."),
        (replace(SAMPLE, metadata=cast("Any", {"n": 5})), "metadata.n: must be a string, not 5."),
        (replace(SAMPLE, id=cast("Any", 5)), "id: must be a string, not 5."),
        (replace(SAMPLE, turns=cast("Any", None)), "turns: must be a list of objects, not null."),
        (replace(SAMPLE, references=cast("Any", "Paris")), "references: must be a list of values, not 'Paris'."),
        (replace(SAMPLE, cluster="a\0"), r"cluster: must not hold the character '\x00'."),
        (
            Sample("4", (Turn("user", "", AudioRef(Path("caf\udce9.wav"))),)),
            r"turns[0].audio.path: must not hold the character '\udce9'.",
        ),
    ],
)
def test_what_a_task_lists(sample: object, says: str) -> None:
    assert fault(checked_sample, sample) == says


INFO = MetricInfo("Value", lowest=0, highest=1)


@pytest.mark.parametrize(
    ("score", "says"),
    [
        (None, ""),
        (plain_score(0.5, hits=1), ""),
        (0.5, "it returned a float, expected a Score or None."),
        (plain_score(2.0), "the value 2.0 lies outside of the metric's range, 0 to 1."),
        (
            Score(0.5, 0.5, 1.0, cast("Any", "fine")),
            "status: must be 'ok', 'empty', 'unparsed', 'derivation_failed' or",
        ),
        (plain_score(0.5, text="a\0"), r"detail.text: must not hold the character '\x00'."),
        (plain_score(0.5, n=2**70), "detail.n: must be a whole number of at most 64 bits"),
        (Score(0.5, 0.5, 1.0, "ok", cast("Any", None)), "detail: must be an object, not null."),
        (plain_score(0.5, mixed=cast("Any", {1, "a"})), "can't be read: TypeError"),
    ],
)
def test_what_a_scorer_gives(score: object, says: str) -> None:
    assert fault(lambda given: checked_score(given, INFO), score).startswith(says)
    assert bool(fault(lambda given: checked_score(given, INFO), score)) == bool(says)


def test_the_detail_of_a_score_is_kept_as_json_holds_it() -> None:
    found = checked_score(plain_score(0.5, at=cast("Any", np.arange(2)), share=math.nan), INFO)
    assert found == plain_score(0.5, at=[0, 1], share=None)


@pytest.mark.parametrize(
    ("recipe", "says"),
    [
        (Recipe("x@1", options="a=b"), ""),
        ("x@1", "must be a Recipe, not 'x@1'."),
        (Recipe("x@1", transcriber=cast("Any", None)), "transcriber: must be a string, not null."),
    ],
)
def test_how_a_scorer_says_that_scores_are_made(recipe: object, says: str) -> None:
    assert fault(checked_recipe, recipe) == says


TASK = Task(
    name="t", title="T", family="qa", description="", scores=(ScoreSpec("wer", "wer"),), samples=lambda folder: []
)


@pytest.mark.parametrize(
    ("task", "says"),
    [
        (TASK, ""),
        (replace(TASK, title=""), "title: must be a string that isn't empty, not ''."),
        (replace(TASK, family=cast("Any", None)), "family: must be a string that isn't empty, not null."),
        (replace(TASK, scores=()), "scores: must be a list of at least 1 object, not an empty list."),
        (
            replace(TASK, scores=(*TASK.scores, *TASK.scores)),
            "scores[1]: has the id 'wer' of [0]; change or remove one.",
        ),
        (replace(TASK, cluster=cast("Any", 5)), "cluster: must be a string, not 5."),
        (replace(TASK, cluster="a\nb"), r"cluster: must not hold the character '\n'."),
        (replace(TASK, allow_outside=cast("Any", "no")), "allow_outside: must be true or false, not 'no'."),
        (replace(TASK, scores=cast("Any", ("wer",))), "scores[0]: must be an object, not 'wer'."),
        (replace(TASK, max_seconds=math.nan), "max_seconds: must be a number above 0, not null."),
        (replace(TASK, max_seconds=0), "max_seconds: must be a number above 0, not 0."),
        (replace(TASK, needs=cast("Any", None)), "needs: must be an object, not null."),
        (replace(TASK, samples=cast("Any", [])), "samples: must be a function that lists the samples, not a list."),
    ],
)
def test_what_a_task_says_of_itself(task: Task, says: str) -> None:
    assert fault(lambda given: check_task_facts(cast("Task", given)), task) == says
