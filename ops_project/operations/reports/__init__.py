"""Reports: what happened in a period, what it meant, and what to do, drawn up from figures that explain themselves."""
