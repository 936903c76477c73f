"""Scores: pure functions from a sample and an answer's text to a verdict. No audio, no models, no I/O."""

from __future__ import annotations

from tttbench.core.registry import register_scorer
from tttbench.scorers.cer import CER, CER_ZH
from tttbench.scorers.qa import SPOKEN_ACCURACY, TEXT_ACCURACY
from tttbench.scorers.self_wer import SelfErrorRate
from tttbench.scorers.wer import WER

SELF_WER = SelfErrorRate(WER)

for _scorer in (WER, CER, CER_ZH, TEXT_ACCURACY, SPOKEN_ACCURACY, SELF_WER):
    register_scorer(_scorer)
