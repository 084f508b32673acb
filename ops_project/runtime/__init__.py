"""Effects: the warehouse, dbt, snapshots, publishing, the ledger, channels."""
