"""Pure decisions: values and a time go in, values and reasons come out. No database, no network, no Dagster."""
