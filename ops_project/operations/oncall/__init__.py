"""On-call: who is called at a given moment, and who is called next. It is pure arithmetic: time is an argument."""
