"""Suites and training configs, read from TOML and checked field by field."""
