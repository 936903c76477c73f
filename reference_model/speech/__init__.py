"""Speech codecs of the reference model: waveform to audio codes and back."""
