"""Service levels: promised times, the durations of runs, and uptime."""
