"""Promised times, durations and uptime."""
