"""One decoding strategy per file; ``reference_model.decoding.strategy`` finds them by name."""
