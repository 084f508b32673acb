"""What alerting reads from Dagster: events and runs, and the alerts that are shown in its UI."""
