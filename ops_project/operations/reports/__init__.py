"""Reports: what happened in a period, what it meant, and what to do, from figures with their definitions."""
