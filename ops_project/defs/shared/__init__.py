"""The building blocks of every domain: resources, bronze assets, the dbt translator, partitions, jobs."""
