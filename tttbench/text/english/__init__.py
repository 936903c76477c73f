"""The normalizer ``en``: one form for what is one thing in spoken English. A rule a file; ``reading`` orders them."""
