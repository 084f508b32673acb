"""The Dagster definitions of operations: the sensor that runs the alert cycle, and the run-failure sensor."""
