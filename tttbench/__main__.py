"""``python -m tttbench``: the same as the command ``tttbench``."""

from tttbench.cli.main import entry

entry()
