"""Systems under test: one adapter per file."""
