"""For each column of each table: which columns it comes from. The answer is read from contracts, compiled SQL and
declarations.
"""
