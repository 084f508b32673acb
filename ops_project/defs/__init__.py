"""Dagster objects only: wiring, one folder per domain."""
