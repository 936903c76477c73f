"""Latency, throughput and memory, from the traces of answers."""
