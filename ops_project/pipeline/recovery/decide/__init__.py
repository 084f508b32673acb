"""The pure decisions of recovery: which copy is meant, what a restore or backfill will do, what is retried. No I/O."""
