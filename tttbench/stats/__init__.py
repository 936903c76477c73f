"""Intervals, paired tests and power: pure functions on NumPy arrays. Knows no sample, no score and no file."""
