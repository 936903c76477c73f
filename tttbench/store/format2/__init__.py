"""Runs of format 2, as version 0.1 made them: read as if they were of today's format, converted by the first write."""
