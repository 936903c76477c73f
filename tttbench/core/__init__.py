"""The contracts: the values that pass between all parts, and what each kind of part must offer. No torch, no clock."""
