"""Reading what tasks are made of: audio files and the lists that name them."""
