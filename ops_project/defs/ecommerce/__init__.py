"""E-commerce."""
