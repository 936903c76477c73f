"""The command line: one command a file, each with ``HELP``, ``configure(parser)`` and ``run(args) -> exit status``."""
