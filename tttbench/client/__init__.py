"""Asks servers with OpenAI's protocols, by the package ``openai``: where, with which key, how often, what went wrong.

What judges and systems behind servers have in common. Nothing secret is kept or printed.
"""
