"""Every figure of gold, computed a second time: from the archived files, by other means than the models'.

One module a domain. It is written from the contracts of the feeds, from docs/adr/0007 and from the descriptions of the
columns, and reads no table of silver or gold. Slow and plain on purpose: loops over rows, exact fractions, no windows.
"""
