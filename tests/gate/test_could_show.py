"""What a gate that passed says it could have seen."""

from __future__ import annotations

import math
from dataclasses import replace

from tttbench.core.metric import MetricInfo
from tttbench.gate.formats.words import could_show, outcome

from .verdicts import COULD, QUALITY, RATE, SPEED, result


def test_what_passed_says_what_it_could_have_seen() -> None:
    same, aside = replace(QUALITY, verdict="same"), replace(QUALITY, gates=False, detectable=0.9)
    assert could_show(result(same, aside)) == COULD
    assert outcome(result(same)) == f"Passed: nothing that gates is worse. {COULD}"
    assert could_show(result(same, state="regression")) == ""
    assert outcome(result(same, state="regression")) == "Failed: worse than the baseline."
    assert could_show(result(aside)) == ""


def test_it_is_the_coarsest_of_each_unit_that_says_what_could_have_been_seen() -> None:
    mos = MetricInfo("Quality", unit="MOS")
    found = result(
        QUALITY,
        replace(QUALITY, metric="wer", info=RATE, detectable=0.47, n=32, n_units=8, cluster="speaker"),
        replace(QUALITY, metric="mos", info=mos, detectable=0.4),
        replace(SPEED, figure="rtf", detectable=1.2),
        SPEED,
        replace(SPEED, figure="idle", detectable=9.0, busy="the machine was busy"),
        power=0.975,
    )
    assert could_show(found) == (
        "Smallest worsening that it would have shown, with a power of 97.5 %: 47.0 points (wer of sys on task, n = 32 "
        "in 8 speakers), 0.4 MOS (mos of sys on task, n = 100), a factor of 1.30 (ttft of sys on task, n = 30)."
    )


def test_what_could_not_have_been_seen_at_all_is_named() -> None:
    blind = replace(QUALITY, metric="wer", n=5, n_units=5, detectable=math.nan)
    unseen = "So few samples would have shown no worsening of wer of sys on task, n = 5"
    assert could_show(result(QUALITY, blind)) == f"{COULD} {unseen}."
    assert could_show(result(blind, replace(SPEED, detectable=math.nan))) == f"{unseen} and 1 more."
