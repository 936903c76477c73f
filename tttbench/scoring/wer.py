"""Word error rate: corpus level, Whisper's English normaliser."""

from __future__ import annotations

from tttbench.scoring.alignment import align_words
from tttbench.scoring.edit_rate import EditRate
from tttbench.scoring.normalizers import WHISPER_ENGLISH

WER = EditRate("wer", "word error rate (Whisper's English normaliser)", WHISPER_ENGLISH, align_words)
