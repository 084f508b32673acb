"""On-call: who is called at a given moment, and who is called next. Pure arithmetic: time is an argument."""
