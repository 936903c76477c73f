"""The run directory: its journal, its manifest, its recordings."""
