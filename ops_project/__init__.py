"""The Dagster code location: an operations-ready data platform."""
