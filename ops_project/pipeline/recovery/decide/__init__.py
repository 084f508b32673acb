"""The pure decisions of recovery: which copy is meant, what a restore or backfill will do, what is retried. The package
does no I/O.
"""
