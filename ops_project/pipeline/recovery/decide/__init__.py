"""The pure decisions of recovery: which copy a user means, what a restore or a backfill will do, and which failures are
retried. The package reads and writes nothing.
"""
