"""The mini world: a closed domain of English with its own speech, codec and models, made by its data builds."""
