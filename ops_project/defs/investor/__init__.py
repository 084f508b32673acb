"""The Dagster definitions of the investor metrics: assets, checks, jobs and schedules."""
