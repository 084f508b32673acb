"""The classes of a feed: its contract, columns, file format, names of inbound files and expected arrivals."""
