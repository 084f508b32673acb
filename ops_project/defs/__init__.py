"""The Dagster definitions, with one folder for each domain. The code here connects other modules with Dagster."""
