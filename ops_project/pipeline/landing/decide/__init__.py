"""Pure decisions of landing: what to expect, how a structure differs, which finding a fault is."""
