"""How many compiled products oneDNN keeps: enough for texts of all lengths. Knows its setting, and never imports torch.

oneDNN compiles a product for each shape that it meets, in 0.3 to 0.4 ms here, and keeps the 1,024 that were used last.
Packed documents, prompts and batches come in hundreds of lengths, each in several products, so that a training found
hardly any of them again and was compiling a quarter of its time. A product in bfloat16 takes about 1 MB, so that no
more than 5 GB can be kept (``docs/decisions.md`` has both measured).
"""

from __future__ import annotations

import os

CAPACITY = "ONEDNN_PRIMITIVE_CACHE_CAPACITY"
"""With what a user chooses how many are kept."""

_PRODUCTS = "4096"


def keep_products() -> None:
    """Let oneDNN keep 4,096 products, unless the environment says how many.

    oneDNN reads the variable at its first product, so it need not be called before torch is imported.
    """
    os.environ.setdefault(CAPACITY, _PRODUCTS)
