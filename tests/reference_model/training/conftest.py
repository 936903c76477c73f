"""Makes ``test_trainer``, whose small data other files train on, importable: importlib mode adds no paths."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
