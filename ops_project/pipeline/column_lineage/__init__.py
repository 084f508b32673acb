"""Which column of which table comes from which: read from contracts, compiled SQL and declarations."""
