"""Turns files into tables: landing, dbt, models, snapshots, publishing. It imports nothing from `operations`."""
