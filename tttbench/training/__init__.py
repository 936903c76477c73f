"""``tttbench train``: what carries a training config out, and what it shows meanwhile."""
