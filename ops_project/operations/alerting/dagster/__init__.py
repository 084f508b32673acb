"""Everything that alerting reads from Dagster (events and runs), and the alerts that it shows in Dagster's UI."""
