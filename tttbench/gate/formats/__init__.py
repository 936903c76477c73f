"""The outcome as JSON, JUnit, Markdown and for github-action-benchmark, and the words they share. Decides nothing."""
