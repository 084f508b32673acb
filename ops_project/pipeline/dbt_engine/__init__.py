"""dbt in this process: the manifest, the runner, column lineage."""
