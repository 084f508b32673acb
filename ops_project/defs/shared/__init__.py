"""What the definitions of all domains use: resources, bronze assets, the dbt translator, partitions, jobs."""
