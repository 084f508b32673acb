"""Files become tables: landing, dbt, models, snapshots, publishing. This wing knows nothing of `operations`."""
