"""Character error rate: of English (spaces count, as in jiwer) and of Chinese (bare characters)."""

from __future__ import annotations

from tttbench.scorers.edit_rate import EditRate
from tttbench.text.alignment import align_characters
from tttbench.text.normalizers import CHINESE, WHISPER_ENGLISH

CER = EditRate("cer", "character error rate (Whisper's English normaliser)", WHISPER_ENGLISH, align_characters)
CER_ZH = EditRate("cer_zh", "character error rate of Chinese (bare characters)", CHINESE, align_characters)
