"""Word error rate: corpus level, Whisper's English normaliser."""

from __future__ import annotations

from tttbench.scorers.edit_rate import EditRate
from tttbench.text.alignment import align_words
from tttbench.text.normalizers import WHISPER_ENGLISH

WER = EditRate("wer", "word error rate (Whisper's English normaliser)", WHISPER_ENGLISH, align_words)
