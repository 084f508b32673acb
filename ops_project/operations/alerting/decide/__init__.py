"""Pure decisions: values and a time in, values and reasons out. No database, no network, no Dagster."""
