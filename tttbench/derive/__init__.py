"""Derivers: what makes of an answer what costs more than a function; one kind a file."""
