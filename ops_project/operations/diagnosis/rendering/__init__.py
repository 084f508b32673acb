"""Pictures of lineage and of a diagnosis, as text and as SVG."""
