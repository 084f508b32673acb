"""The Dagster definitions of e-commerce: assets, checks, jobs and schedules."""
