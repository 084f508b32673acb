"""Investor metrics."""
