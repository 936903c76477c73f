"""Training of the reference model and of its codec."""
