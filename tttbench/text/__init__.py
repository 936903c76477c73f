"""Text as scores see it: normalizers, alignments, and whether an answer holds what is expected."""
