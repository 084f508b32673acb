"""The Dagster definitions of insurance: assets, checks, jobs and schedules."""
