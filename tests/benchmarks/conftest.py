"""Makes ``benchmarks`` importable: it is no part of the installed package."""

import sys
from pathlib import Path

# At the end, so that the installed package stays the one that is tested.
sys.path.append(str(Path(__file__).resolve().parents[2]))
