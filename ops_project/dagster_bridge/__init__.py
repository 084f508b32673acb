"""Everything that touches Dagster's instance, storages and internals, and nothing else. It knows neither wing."""
