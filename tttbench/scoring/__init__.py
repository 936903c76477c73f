"""Scores: pure functions from a sample and an answer's text to a verdict. No audio, no models, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tttbench.scoring.answer import Scorer
from tttbench.scoring.cer import CER, CER_ZH
from tttbench.scoring.qa import SPOKEN_ACCURACY, TEXT_ACCURACY
from tttbench.scoring.self_wer import SelfErrorRate
from tttbench.scoring.wer import WER

SELF_WER = SelfErrorRate(WER)

SCORERS: Mapping[str, Scorer] = MappingProxyType(
    {scorer.name: scorer for scorer in (WER, CER, CER_ZH, TEXT_ACCURACY, SPOKEN_ACCURACY, SELF_WER)}
)
"""The built-in scorers by name."""
