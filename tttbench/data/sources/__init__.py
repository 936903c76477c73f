"""Readers of data sets as they lie on disk, one file per format. They read lists, never audio."""
