"""What every domain is made from: resources, bronze assets, the dbt translator, partitions, jobs."""
