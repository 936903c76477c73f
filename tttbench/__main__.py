"""``python -m tttbench``: the same as the command ``tttbench``."""

import sys

from tttbench.cli.main import main

sys.exit(main())
