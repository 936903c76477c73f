"""Benchmarks of the reference model; not installed. ``decoding.py`` and ``gpu_check.py`` are the commands."""
