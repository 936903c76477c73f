"""GLM-4-Voice's speech tokenizer: 16 kHz speech to 12.5 codes a second, from the released folder. It can't speak.

An encoder of Whisper's form whose rows see whole blocks of four seconds, and a codebook half-way through it. Written
from the published description, with the released names of parameters.
"""

from reference_model.speech.glm4_voice.config import Glm4VoiceConfig
from reference_model.speech.glm4_voice.network import WhisperVQEncoder
from reference_model.speech.glm4_voice.tokenizer import Glm4VoiceTokenizer

__all__ = ["Glm4VoiceConfig", "Glm4VoiceTokenizer", "WhisperVQEncoder"]
