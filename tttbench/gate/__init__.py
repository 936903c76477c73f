"""Compare two runs, metric by metric and sample by sample, and decide whether a change may pass.

``snapshot`` is what is compared, read from a run directory (``from_run``) or an exported file (``baseline_file``);
``rules`` are the thresholds; ``decide`` puts validity, comparability, quality and speed together; ``formats`` writes
the outcome for machines. Knows no systems and asks nobody anything.
"""
