"""Pure decisions of landing: which files to expect, how a structure differs, which finding a fault is."""
