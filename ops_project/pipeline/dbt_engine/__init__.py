"""dbt in this process: the parsed project, the overlay, the runner, and which tables are built from nothing."""
