"""The mini world's second edition: answers made from the question's own content, each spoken in several ways."""
