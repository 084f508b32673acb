"""The Dagster definitions of music streaming: assets, checks, jobs and schedules."""
