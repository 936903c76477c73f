"""Scorers: pure functions from a sample and what is seen of an answer to a score. One family a file."""
