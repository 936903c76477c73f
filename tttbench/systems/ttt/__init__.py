"""Systems of the form ``ttt:CHECKPOINT``: checkpoints of the reference model, in and out of speech."""
