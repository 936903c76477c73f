"""Systems of the form ``whisper:NAME``: models of openai-whisper, offline where a registry package carries them."""
