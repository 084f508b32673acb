"""The Dagster definitions of marketing: assets, checks, jobs and schedules."""
