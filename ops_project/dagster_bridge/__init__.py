"""Only this package uses Dagster's instance, storages and internals. It imports neither `pipeline` nor `operations`."""
