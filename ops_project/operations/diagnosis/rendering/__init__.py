"""Draws column lineage, as text and as SVG."""
