"""On-call: who is called at a given moment, and who is called next. The code is pure arithmetic: the time is an
argument.
"""
