"""Every figure of gold, computed a second time: from the archived files, in another way than the models do. There is
one module for each domain. It is written from the contracts of the feeds, from docs/adr/0007 and from the
descriptions of the columns, and reads no table of silver or gold. It is slow and simple on purpose: loops over rows,
exact fractions, no windows.
"""
